namespace Lockstep.Payments.Encodings;

/// <summary>Unsigned LEB128, shortest form only, as in addresses (docs/filecoin.md section 4).</summary>
internal static class Leb128
{
    private const int MaxLength = 10;

    public static byte[] Encode(ulong value)
    {
        Span<byte> buffer = stackalloc byte[MaxLength];
        int length = 0;
        while (value >= 0x80)
        {
            buffer[length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        buffer[length++] = (byte)value;
        return buffer[..length].ToArray();
    }

    public static bool TryDecode(ReadOnlySpan<byte> data, out ulong value, out int length)
    {
        value = 0;
        length = 0;
        for (int i = 0; i < data.Length && i < MaxLength; i++)
        {
            ulong septet = data[i] & 0x7fu;
            // The tenth byte holds bit 63 only.
            if (i == MaxLength - 1 && data[i] > 1)
                return false;
            value |= septet << (7 * i);
            if ((data[i] & 0x80) != 0)
                continue;
            length = i + 1;
            return septet != 0 || i == 0;
        }
        return false;
    }
}
