using System.Diagnostics.CodeAnalysis;

namespace Lockstep.Content.Cids;

/// <summary>
/// The multibase encodings that CIDs are met in. Decoding is strict: one text per byte string, so no padding,
/// no stray bits after the last byte, no characters of the other case.
/// </summary>
internal static class Multibase
{
    private const string Base16Lower = "0123456789abcdef";
    private const string Base32Lower = "abcdefghijklmnopqrstuvwxyz234567";
    private const string Base36Lower = "0123456789abcdefghijklmnopqrstuvwxyz";
    private const string Base58Btc = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    private const string Base64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    public static string EncodeBase32(ReadOnlySpan<byte> bytes) => EncodeBits(bytes, Base32Lower, 5);

    public static string EncodeBase58(ReadOnlySpan<byte> bytes) => EncodeDigits(bytes, Base58Btc);

    public static bool TryDecodeBase58(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes) =>
        TryDecodeDigits(text, Base58Btc, out bytes);

    /// <summary>Decodes text that starts with a multibase prefix character.</summary>
    /// <param name="known">False when the prefix is none of b, z, f, k, u.</param>
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes, out bool known)
    {
        bytes = null;
        known = true;
        if (text.IsEmpty)
        {
            known = false;
            return false;
        }

        ReadOnlySpan<char> body = text[1..];
        switch (text[0])
        {
            case 'b': return TryDecodeBits(body, Base32Lower, 5, out bytes);
            case 'f': return TryDecodeBits(body, Base16Lower, 4, out bytes);
            case 'u': return TryDecodeBits(body, Base64Url, 6, out bytes);
            case 'z': return TryDecodeDigits(body, Base58Btc, out bytes);
            case 'k': return TryDecodeDigits(body, Base36Lower, out bytes);
            default:
                known = false;
                return false;
        }
    }

    /// <summary>Bases whose digit is a whole number of bits (RFC 4648 without padding).</summary>
    private static string EncodeBits(ReadOnlySpan<byte> bytes, string alphabet, int bitsPerDigit)
    {
        var text = new char[((bytes.Length * 8) + bitsPerDigit - 1) / bitsPerDigit];
        int buffer = 0, bits = 0, at = 0;
        foreach (byte b in bytes)
        {
            buffer = (buffer << 8) | b;
            bits += 8;
            while (bits >= bitsPerDigit)
            {
                bits -= bitsPerDigit;
                text[at++] = alphabet[(buffer >> bits) & (alphabet.Length - 1)];
            }

            buffer &= (1 << bits) - 1;
        }

        if (bits > 0)
            text[at] = alphabet[(buffer << (bitsPerDigit - bits)) & (alphabet.Length - 1)];
        return new string(text);
    }

    private static bool TryDecodeBits(ReadOnlySpan<char> text, string alphabet, int bitsPerDigit, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        int totalBits = text.Length * bitsPerDigit;

        // A tail of a whole digit or more would be a digit that no encoder writes.
        if (totalBits % 8 >= bitsPerDigit)
            return false;
        var result = new byte[totalBits / 8];
        int buffer = 0, bits = 0, at = 0;
        foreach (char c in text)
        {
            int digit = alphabet.IndexOf(c, StringComparison.Ordinal);
            if (digit < 0)
                return false;
            buffer = (buffer << bitsPerDigit) | digit;
            bits += bitsPerDigit;
            if (bits >= 8)
            {
                bits -= 8;
                result[at++] = (byte)(buffer >> bits);
                buffer &= (1 << bits) - 1;
            }
        }

        if (buffer != 0)
            return false;
        bytes = result;
        return true;
    }

    /// <summary>Bases that write the bytes as one big number, with a leading zero digit for each leading zero byte.</summary>
    private static string EncodeDigits(ReadOnlySpan<byte> bytes, string alphabet)
    {
        int zeros = 0;
        while (zeros < bytes.Length && bytes[zeros] == 0)
            zeros++;
        var digits = new List<int>();
        foreach (byte b in bytes[zeros..])
        {
            int carry = b;
            for (int i = 0; i < digits.Count; i++)
            {
                carry += digits[i] << 8;
                digits[i] = carry % alphabet.Length;
                carry /= alphabet.Length;
            }

            for (; carry > 0; carry /= alphabet.Length)
                digits.Add(carry % alphabet.Length);
        }

        var text = new char[zeros + digits.Count];
        text.AsSpan(0, zeros).Fill(alphabet[0]);
        for (int i = 0; i < digits.Count; i++)
            text[zeros + i] = alphabet[digits[^(i + 1)]];
        return new string(text);
    }

    private static bool TryDecodeDigits(ReadOnlySpan<char> text, string alphabet, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        int zeros = 0;
        while (zeros < text.Length && text[zeros] == alphabet[0])
            zeros++;
        var littleEndian = new List<byte>();
        foreach (char c in text[zeros..])
        {
            int carry = alphabet.IndexOf(c, StringComparison.Ordinal);
            if (carry < 0)
                return false;
            for (int i = 0; i < littleEndian.Count; i++)
            {
                carry += littleEndian[i] * alphabet.Length;
                littleEndian[i] = (byte)carry;
                carry >>= 8;
            }

            for (; carry > 0; carry >>= 8)
                littleEndian.Add((byte)carry);
        }

        var result = new byte[zeros + littleEndian.Count];
        for (int i = 0; i < littleEndian.Count; i++)
            result[zeros + i] = littleEndian[^(i + 1)];
        bytes = result;
        return true;
    }
}
