using System.Numerics;

namespace Lockstep.Proofs.Commitments;

/// <summary>A binary Merkle tree over a power of two of leaf digests, kept whole so that any set of leaves can be opened.</summary>
internal sealed class MerkleTree
{
    private const int Grain = 1 << 12;

    // Level 0 holds the leaf digests, the last level the root.
    private readonly byte[][] _levels;

    private MerkleTree(byte[][] levels) => _levels = levels;

    /// <summary>Levels above the leaves: log2 of the number of leaves.</summary>
    public int Depth => _levels.Length - 1;

    /// <summary>The root, 32 bytes.</summary>
    public ReadOnlySpan<byte> Root => _levels[^1];

    /// <summary>Builds the tree over digests in order of position. The array is kept, not copied.</summary>
    /// <param name="leafDigests">A power of two of digests, 32 bytes each.</param>
    /// <param name="workers">Threads, and how they are cancelled.</param>
    public static MerkleTree Build(byte[] leafDigests, Workers workers)
    {
        int count = leafDigests.Length / MerkleHash.DigestSize;
        if (!BitOperations.IsPow2(count) || leafDigests.Length % MerkleHash.DigestSize != 0)
            throw new ArgumentException("The number of leaf digests must be a power of two.", nameof(leafDigests));
        var levels = new byte[BitOperations.Log2((uint)count) + 1][];
        levels[0] = leafDigests;
        for (int level = 1; level < levels.Length; level++)
        {
            byte[] below = levels[level - 1];
            var nodes = new byte[below.Length / 2];
            workers.For(nodes.Length / MerkleHash.DigestSize, Grain, (start, end) => MerkleHash.Parents(
                below.AsSpan(start * 2 * MerkleHash.DigestSize, (end - start) * 2 * MerkleHash.DigestSize),
                nodes.AsSpan(start * MerkleHash.DigestSize, (end - start) * MerkleHash.DigestSize)));
            levels[level] = nodes;
        }

        return new MerkleTree(levels);
    }

    /// <summary>The multiproof of the given positions: sibling digests in canonical order, 32 bytes each.</summary>
    /// <param name="positions">Strictly ascending, at least one.</param>
    public byte[] Open(ReadOnlySpan<int> positions) =>
        MultiProof.Open(positions, Depth, (level, node) => _levels[level].AsSpan(node * MerkleHash.DigestSize, MerkleHash.DigestSize));
}
