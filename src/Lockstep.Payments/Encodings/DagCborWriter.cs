using System.Formats.Cbor;
using System.Numerics;
using Lockstep.Payments.Addresses;

namespace Lockstep.Payments.Encodings;

/// <summary>The scalars of Filecoin's tuples (docs/filecoin.md section 1.2), written in their one canonical form.</summary>
internal static class DagCborWriter
{
    /// <summary>The longest big integer, sign byte included.</summary>
    public const int MaxBigIntLength = 128;

    /// <summary>The CBOR tag of a CID link.</summary>
    public const ulong LinkTag = 42;

    public static CborWriter New() => new(CborConformanceMode.Canonical);

    public static byte[] EncodeBytes(ReadOnlySpan<byte> bytes)
    {
        CborWriter writer = New();
        writer.WriteByteString(bytes);
        return writer.Encode();
    }

    public static void WriteAddress(this CborWriter writer, Address address) => writer.WriteByteString(address.Bytes.Span);

    /// <summary>Zero is the empty string; else a sign byte and the big-endian magnitude without leading zeros.</summary>
    public static void WriteAmount(this CborWriter writer, TokenAmount amount)
    {
        if (amount.IsZero)
        {
            writer.WriteByteString([]);
            return;
        }
        byte[] magnitude = BigInteger.Abs(amount.Atto).ToByteArray(isUnsigned: true, isBigEndian: true);
        if (magnitude.Length >= MaxBigIntLength)
            throw new ArgumentException($"An amount of {magnitude.Length} bytes is above what Filecoin can write.", nameof(amount));
        writer.WriteByteString([(byte)(amount.IsNegative ? 1 : 0), .. magnitude]);
    }

    public static void WriteLink(this CborWriter writer, ReadOnlySpan<byte> cid)
    {
        writer.WriteTag((CborTag)LinkTag);
        writer.WriteByteString([0, .. cid]);
    }
}
