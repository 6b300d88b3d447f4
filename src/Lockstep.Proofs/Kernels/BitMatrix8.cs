using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Kernels;

/// <summary>8 x 8 matrices over GF(2) as GF2P8AFFINEQB reads them: bit i of a result is the parity of byte 7 - i and the operand.</summary>
internal static class BitMatrix8
{
    /// <summary>As an operand with matrices for data: transposes the 8 x 8 bits of every 64-bit lane of the matrix operand.</summary>
    public const ulong Identity = 0x0102040810204080;

    /// <summary>The matrix that sends bit j to <paramref name="columns"/>[j].</summary>
    public static ulong FromColumns(ReadOnlySpan<byte> columns)
    {
        ulong matrix = 0;
        for (int i = 0; i < 8; i++)
            for (int j = 0; j < 8; j++)
                matrix |= (ulong)(columns[j] >> i & 1) << (8 * (7 - i) + j);
        return matrix;
    }

    /// <summary>
    /// The blocks of the map that sends bit j to <paramref name="columns"/>[j]: block of input byte c and output byte m at
    /// [16 c + m].
    /// </summary>
    /// <param name="columns">A multiple of eight images.</param>
    /// <param name="blocks">columns.Length / 8 * 16 matrices.</param>
    public static void Blocks(ReadOnlySpan<Gf128> columns, Span<ulong> blocks)
    {
        Span<byte> images = stackalloc byte[128], part = stackalloc byte[8];
        for (int c = 0; c < columns.Length / 8; c++)
        {
            for (int j = 0; j < 8; j++)
                columns[8 * c + j].Write(images[(16 * j)..]);
            for (int m = 0; m < 16; m++)
            {
                for (int j = 0; j < 8; j++)
                    part[j] = images[16 * j + m];
                blocks[16 * c + m] = FromColumns(part);
            }
        }
    }
}
