namespace Lockstep.Content.Cids;

/// <summary>Unsigned varints of the multiformats specification: little-endian base 128, shortest form only, at most 9 bytes (63 bits).</summary>
public static class UnsignedVarint
{
    /// <summary>Longest encoding, in bytes.</summary>
    public const int MaxLength = 9;

    /// <summary>Reads one varint from the start of <paramref name="bytes"/>.</summary>
    /// <param name="consumed">Bytes read; 0 on failure.</param>
    /// <returns>False when the bytes end too early, the value needs more than 63 bits, or the form is not the shortest.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ulong value, out int consumed)
    {
        value = 0;
        consumed = 0;
        for (int i = 0; i < bytes.Length && i < MaxLength; i++)
        {
            byte b = bytes[i];
            value |= (ulong)(b & 0x7F) << (7 * i);
            if (b < 0x80)
            {
                if (b == 0 && i > 0)
                    break;
                consumed = i + 1;
                return true;
            }
        }

        value = 0;
        return false;
    }

    /// <summary>Writes <paramref name="value"/> and returns the number of bytes written.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value needs more than 63 bits.</exception>
    public static int Write(Span<byte> destination, ulong value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, (ulong)long.MaxValue);
        int i = 0;
        while (value >= 0x80)
        {
            destination[i++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[i++] = (byte)value;
        return i;
    }

    /// <summary>Number of bytes that <see cref="Write"/> needs for <paramref name="value"/>.</summary>
    public static int LengthOf(ulong value)
    {
        int length = 1;
        while (value >= 0x80)
        {
            value >>= 7;
            length++;
        }

        return length;
    }
}
