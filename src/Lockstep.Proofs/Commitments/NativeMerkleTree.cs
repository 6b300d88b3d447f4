using System.Numerics;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Commitments;

/// <summary>
/// A <see cref="MerkleTree"/> outside the managed heap, built while its leaves are made: whoever has hashed a block of leaves
/// builds the nodes above it while they are in the cache, in any order of blocks and on any thread; the top comes last.
/// </summary>
internal sealed unsafe class NativeMerkleTree : IDisposable
{
    /// <summary>Leaves of a block unless it is given: their digests and nodes stay in the cache.</summary>
    public const int DefaultBlockLeaves = 1 << 10;

    // The last levels of a block are left to the top, where they make whole vectors again.
    private const int LogVector = 4;
    private const int Grain = 1 << 11;

    private readonly NativeBlock _nodes;
    private readonly int _blockLevels;
    private int _blocksBuilt;
    private bool _finished;

    /// <param name="depth">log2 of the number of leaves, 0 to 30.</param>
    /// <param name="pool">Where the memory comes from.</param>
    /// <param name="blockLeaves">Leaves of a block, a power of two; the whole tree if it is smaller.</param>
    public NativeMerkleTree(int depth, NativePool pool, int blockLeaves = DefaultBlockLeaves)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(depth);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(depth, 30);
        if (!BitOperations.IsPow2(blockLeaves))
            throw new ArgumentOutOfRangeException(nameof(blockLeaves), "A block has a power of two of leaves.");
        Depth = depth;
        BlockLeaves = Math.Min(blockLeaves, 1 << depth);
        _blockLevels = Math.Max(BitOperations.Log2((uint)BlockLeaves) - LogVector, 0);
        _nodes = pool.Rent(((2L << depth) - 1) * MerkleHash.DigestSize);
    }

    /// <summary>Levels above the leaves: log2 of the number of leaves.</summary>
    public int Depth { get; }

    /// <summary>Leaves of a block.</summary>
    public int BlockLeaves { get; }

    /// <summary>Number of blocks.</summary>
    public int Blocks => (1 << Depth) / BlockLeaves;

    /// <summary>The root, 32 bytes.</summary>
    public ReadOnlySpan<byte> Root => new(Finished(Depth, 0), MerkleHash.DigestSize);

    /// <summary>Where the digest of leaf <paramref name="i"/> belongs; those of the next leaves follow, 32 bytes each.</summary>
    public byte* Leaf(int i) => Node(0, i);

    /// <summary>
    /// Builds the nodes above one block, whose leaf digests must be there. Once for every block, by any thread.
    /// </summary>
    /// <param name="block">0 to <see cref="Blocks"/> - 1; its first leaf is <c>block * BlockLeaves</c>.</param>
    public void BuildBlock(int block)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, Blocks);
        for (int level = 1; level <= _blockLevels; level++)
        {
            int count = BlockLeaves >> level;
            MerkleHash.Parents(Node(level - 1, 2 * block * count), count, Node(level, block * count));
        }

        Interlocked.Increment(ref _blocksBuilt);
    }

    /// <summary>Builds the nodes above all blocks.</summary>
    /// <param name="workers">Threads, and how they are cancelled.</param>
    /// <exception cref="InvalidOperationException">A block was not built, or one was built twice.</exception>
    public void Finish(Workers workers)
    {
        if (_finished || _blocksBuilt != Blocks)
            throw new InvalidOperationException($"The top is built once, after each of the {Blocks} blocks; {_blocksBuilt} were built.");
        for (int level = _blockLevels + 1; level <= Depth; level++)
        {
            byte* below = Node(level - 1, 0), nodes = Node(level, 0);
            workers.For(1 << (Depth - level), Grain, (start, end) => MerkleHash.Parents(
                below + (nint)start * 2 * MerkleHash.DigestSize, end - start, nodes + (nint)start * MerkleHash.DigestSize));
        }

        _finished = true;
    }

    /// <summary>Builds the whole tree over leaf digests that are all there.</summary>
    public void Build(Workers workers)
    {
        workers.For(Blocks, 1, (start, end) =>
        {
            for (int block = start; block < end; block++)
                BuildBlock(block);
        });
        Finish(workers);
    }

    /// <summary>The multiproof of the given positions, as <see cref="MerkleTree.Open"/> gives it.</summary>
    /// <param name="positions">Strictly ascending, at least one.</param>
    public byte[] Open(ReadOnlySpan<int> positions) =>
        MultiProof.Open(positions, Depth, (level, node) => new ReadOnlySpan<byte>(Finished(level, node), MerkleHash.DigestSize));

    /// <summary>Overwrites the digests and gives their memory back.</summary>
    public void Dispose() => _nodes.Dispose();

    private byte* Finished(int level, int node) =>
        _finished ? Node(level, node) : throw new InvalidOperationException("The tree is not finished.");

    // Level h begins after the 2^depth + ... + 2^(depth-h+1) nodes below it.
    private byte* Node(int level, int node) =>
        _nodes.Memory + (((2L << Depth) - (2L << (Depth - level))) + node) * MerkleHash.DigestSize;
}
