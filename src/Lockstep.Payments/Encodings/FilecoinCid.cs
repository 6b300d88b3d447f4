using System.Diagnostics.CodeAnalysis;

namespace Lockstep.Payments.Encodings;

/// <summary>
/// The CIDs of Filecoin's own objects: CIDv1 of any codec, in binary and in lower-case base32. Made here for dag-cbor under
/// BLAKE2b-256 (docs/filecoin.md section 3); other ones (code CIDs) are only carried.
/// </summary>
public readonly struct FilecoinCid : IEquatable<FilecoinCid>
{
    private const int MaxLength = 128;
    private static readonly byte[] DagCborBlake2b256 = [0x01, 0x71, 0xa0, 0xe4, 0x02, 0x20];

    private readonly byte[]? bytes;

    private FilecoinCid(byte[] bytes) => this.bytes = bytes;

    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>The CID of a dag-cbor block.</summary>
    public static FilecoinCid OfDagCbor(ReadOnlySpan<byte> block) => new([.. DagCborBlake2b256, .. Blake2b.Hash256(block)]);

    /// <summary>Takes any CIDv1; the multihash's length must fit.</summary>
    public static bool TryFromBytes(ReadOnlySpan<byte> bytes, out FilecoinCid cid)
    {
        cid = default;
        if (bytes.Length is 0 or > MaxLength || !HasCidShape(bytes))
            return false;
        cid = new FilecoinCid(bytes.ToArray());
        return true;
    }

    /// <summary>Reads the base32 text, <c>b…</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out FilecoinCid cid)
    {
        cid = default;
        return text is ['b', ..] && text.Length <= MaxLength * 2
            && Base32.TryDecode(text.AsSpan(1), out byte[]? bytes) && TryFromBytes(bytes, out cid);
    }

    public static bool operator ==(FilecoinCid left, FilecoinCid right) => left.Equals(right);

    public static bool operator !=(FilecoinCid left, FilecoinCid right) => !left.Equals(right);

    public bool Equals(FilecoinCid other) => bytes.AsSpan().SequenceEqual(other.bytes);

    public override bool Equals(object? obj) => obj is FilecoinCid other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }

    public override string ToString() => "b" + Base32.Encode(bytes);

    // version 1, codec, hash function, length, digest: all but the digest in LEB128.
    private static bool HasCidShape(ReadOnlySpan<byte> bytes)
    {
        int position = 0;
        Span<ulong> parts = stackalloc ulong[4];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!Leb128.TryDecode(bytes[position..], out parts[i], out int length))
                return false;
            position += length;
        }
        return parts[0] == 1 && parts[3] == (ulong)(bytes.Length - position);
    }
}
