namespace Lockstep.Proofs.Kernels;

/// <summary>Products of the AES field by halves of a byte, for paths without GFNI.</summary>
internal static class AesFieldTables
{
    // Of byte c: c * v for the sixteen v below 16, then c * 16v.
    private static readonly byte[] Nibbles = Build();

    /// <summary>32 bytes: the products of <paramref name="c"/> with 0..15, then with 0, 16, .. 240.</summary>
    public static ReadOnlySpan<byte> NibbleProducts(byte c) => Nibbles.AsSpan(c * 32, 32);

    private static byte[] Build()
    {
        var tables = new byte[256 * 32];
        for (int c = 0; c < 256; c++)
        {
            Span<byte> table = tables.AsSpan(c * 32, 32);
            int power = c;
            for (int bit = 0; bit < 8; bit++)
            {
                Span<byte> half = table.Slice(bit < 4 ? 0 : 16, 16);
                for (int v = 0; v < 1 << (bit & 3); v++)
                    half[v | 1 << (bit & 3)] = (byte)(half[v] ^ power);
                power = power << 1 ^ ((power & 0x80) != 0 ? 0x11b : 0);
            }
        }

        return tables;
    }
}
