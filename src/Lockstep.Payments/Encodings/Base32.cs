using System.Diagnostics.CodeAnalysis;

namespace Lockstep.Payments.Encodings;

/// <summary>Lower-case RFC 4648 base32 without padding, one text per byte string: unused bits of the last letter are zero.</summary>
internal static class Base32
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    public static string Encode(ReadOnlySpan<byte> data)
    {
        var text = new char[((data.Length * 8) + 4) / 5];
        int accumulator = 0, bits = 0, written = 0;
        foreach (byte value in data)
        {
            accumulator = (accumulator << 8) | value;
            bits += 8;
            while (bits >= 5)
            {
                bits -= 5;
                text[written++] = Alphabet[(accumulator >> bits) & 31];
            }
            accumulator &= (1 << bits) - 1;
        }
        if (bits > 0)
            text[written++] = Alphabet[(accumulator << (5 - bits)) & 31];
        return new string(text, 0, written);
    }

    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? data)
    {
        data = null;
        // A last group of 1, 3 or 6 letters holds no whole byte that a shorter text would not.
        if (text.Length % 8 is 1 or 3 or 6)
            return false;
        var output = new byte[text.Length * 5 / 8];
        int accumulator = 0, bits = 0, written = 0;
        foreach (char letter in text)
        {
            int value = Alphabet.IndexOf(letter, StringComparison.Ordinal);
            if (value < 0)
                return false;
            accumulator = (accumulator << 5) | value;
            bits += 5;
            if (bits >= 8)
            {
                bits -= 8;
                output[written++] = (byte)(accumulator >> bits);
                accumulator &= (1 << bits) - 1;
            }
        }
        if (accumulator != 0)
            return false;
        data = output;
        return true;
    }
}
