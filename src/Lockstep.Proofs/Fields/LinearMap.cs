using System.Runtime.CompilerServices;

namespace Lockstep.Proofs.Fields;

/// <summary>A GF(2)-linear map of the field to itself, applied by sixteen 256-entry tables (64 KiB).</summary>
internal sealed class LinearMap
{
    private readonly Gf128[] _table = new Gf128[16 * 256];

    /// <summary>The map that sends the vector with only bit j set to <c>columns[j]</c>.</summary>
    /// <param name="columns">128 images.</param>
    public LinearMap(ReadOnlySpan<Gf128> columns)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(columns.Length, 128);
        for (int block = 0; block < 16; block++)
        {
            Span<Gf128> table = _table.AsSpan(block * 256, 256);
            for (int value = 1; value < 256; value++)
            {
                int low = value & -value;
                table[value] = table[value ^ low] + columns[block * 8 + System.Numerics.BitOperations.TrailingZeroCount(low)];
            }
        }
    }

    /// <summary>The image of <paramref name="x"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Gf128 Apply(Gf128 x)
    {
        ref Gf128 table = ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(_table);
        ulong lo = 0, hi = 0, a = x.Lo, b = x.Hi;
        for (int i = 0; i < 8; i++)
        {
            ref Gf128 s = ref Unsafe.Add(ref table, i * 256 + (int)(byte)(a >> (8 * i)));
            ref Gf128 t = ref Unsafe.Add(ref table, (i + 8) * 256 + (int)(byte)(b >> (8 * i)));
            lo ^= s.Lo ^ t.Lo;
            hi ^= s.Hi ^ t.Hi;
        }

        return new Gf128(lo, hi);
    }
}
