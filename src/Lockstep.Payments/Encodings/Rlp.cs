using System.Numerics;

namespace Lockstep.Payments.Encodings;

/// <summary>Recursive length prefix, Ethereum's encoding of transactions (Yellow Paper, appendix B). Writing only.</summary>
internal static class Rlp
{
    private const byte ShortBytes = 0x80, ShortList = 0xc0;
    private const int LongestShort = 55;

    public static byte[] Bytes(ReadOnlySpan<byte> value) =>
        value.Length == 1 && value[0] < ShortBytes ? [value[0]] : [.. Head(ShortBytes, value.Length), .. value];

    /// <summary>A number that is not negative: big-endian without leading zeros, zero as no bytes.</summary>
    public static byte[] Number(BigInteger value) => Bytes(value.IsZero ? [] : value.ToByteArray(isUnsigned: true, isBigEndian: true));

    /// <summary>A list of items that are encoded already.</summary>
    public static byte[] List(params ReadOnlySpan<byte[]> items)
    {
        int length = 0;
        foreach (byte[] item in items)
            length += item.Length;
        byte[] head = Head(ShortList, length);
        var list = new byte[head.Length + length];
        head.CopyTo(list, 0);
        int at = head.Length;
        foreach (byte[] item in items)
        {
            item.CopyTo(list, at);
            at += item.Length;
        }

        return list;
    }

    private static byte[] Head(byte kind, int length)
    {
        if (length <= LongestShort)
            return [(byte)(kind + length)];
        byte[] size = new BigInteger(length).ToByteArray(isUnsigned: true, isBigEndian: true);
        return [(byte)(kind + LongestShort + size.Length), .. size];
    }
}
