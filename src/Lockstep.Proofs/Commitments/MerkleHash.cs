using Lockstep.Proofs.Hashing;

namespace Lockstep.Proofs.Commitments;

/// <summary>
/// The keyed hashes of the commitment's trees. Leaves of level 0, leaves of the other levels and nodes have different keys,
/// so none can be read as another; every leaf of level 0 begins with a fresh salt, so an unopened leaf's digest says nothing
/// about it (docs/proof-system.md sections 4 and 11).
/// </summary>
internal static unsafe class MerkleHash
{
    /// <summary>Digest length in bytes.</summary>
    public const int DigestSize = Blake3.DigestSize;

    /// <summary>Length in bytes of the salt that every leaf begins with.</summary>
    public const int SaltSize = 16;

    private static readonly byte[] LeafKey = Blake3.Hash("lockstep/merkle/leaf/1"u8);
    private static readonly byte[] LevelLeafKey = Blake3.Hash("lockstep/merkle/level/1"u8);
    private static readonly byte[] NodeKey = Blake3.Hash("lockstep/merkle/node/1"u8);

    /// <summary>Digests of leaves lying one after the other, each a salt of 16 bytes followed by its content.</summary>
    /// <param name="saltedLeaves">count * <paramref name="saltedLength"/> bytes.</param>
    /// <param name="saltedLength">Bytes of one salt and one leaf together.</param>
    /// <param name="digests">count * 32 bytes.</param>
    public static void Leaves(ReadOnlySpan<byte> saltedLeaves, int saltedLength, Span<byte> digests) =>
        Blake3Batch.KeyedHashMany(LeafKey, saltedLeaves, saltedLength, digests);

    /// <summary>Digests of salted leaves whose salts and contents lie apart, where they were made.</summary>
    /// <param name="salts">16 bytes for each leaf, one after the other.</param>
    /// <param name="contents">Leaf i's content begins at i * <paramref name="stride"/>.</param>
    /// <param name="stride">Bytes between the beginnings of two contents.</param>
    /// <param name="contentLength">Bytes of one leaf without its salt.</param>
    /// <param name="count">Leaves.</param>
    /// <param name="digests">32 bytes for each.</param>
    public static void Leaves(byte* salts, byte* contents, nint stride, int contentLength, nint count, byte* digests) =>
        Blake3Batch.KeyedHashMany(LeafKey, new Blake3Messages(salts, contents, stride, contentLength), count, digests);

    /// <summary>Digests of a level's leaves lying one after the other: no salt, as what they hold is public.</summary>
    /// <param name="leaves">count * <paramref name="length"/> bytes.</param>
    /// <param name="length">Bytes of one leaf.</param>
    /// <param name="digests">count * 32 bytes.</param>
    public static void LevelLeaves(ReadOnlySpan<byte> leaves, int length, Span<byte> digests) =>
        Blake3Batch.KeyedHashMany(LevelLeafKey, leaves, length, digests);

    /// <summary>Digests of a level's leaves where they lie.</summary>
    /// <param name="leaves">Leaf i begins at i * <paramref name="stride"/>.</param>
    /// <param name="stride">Bytes between the beginnings of two leaves.</param>
    /// <param name="length">Bytes of one leaf.</param>
    /// <param name="count">Leaves.</param>
    /// <param name="digests">32 bytes for each.</param>
    public static void LevelLeaves(byte* leaves, nint stride, int length, nint count, byte* digests) =>
        Blake3Batch.KeyedHashMany(LevelLeafKey, new Blake3Messages(leaves, stride, length), count, digests);

    /// <summary>The digest of one leaf.</summary>
    public static void Leaf(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> leaf, Span<byte> digest)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(salt.Length, SaltSize);
        using var hasher = Blake3Hasher.Keyed(LeafKey);
        hasher.Update(salt);
        hasher.Update(leaf);
        hasher.Finish(digest[..DigestSize]);
    }

    /// <summary>The parents of adjacent pairs of nodes: 64 bytes each in, 32 bytes each out.</summary>
    public static void Parents(ReadOnlySpan<byte> pairs, Span<byte> parents) =>
        Blake3Batch.KeyedHashMany(NodeKey, pairs, 2 * DigestSize, parents);

    /// <summary>The parents of <paramref name="count"/> adjacent pairs of nodes.</summary>
    public static void Parents(byte* pairs, nint count, byte* parents) =>
        Blake3Batch.KeyedHashMany(NodeKey, new Blake3Messages(pairs, 2 * DigestSize, 2 * DigestSize), count, parents);
}
