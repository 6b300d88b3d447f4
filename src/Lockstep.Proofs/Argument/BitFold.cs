using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Argument;

/// <summary>The linear form sum_j weight_j * bit_j over the bits of a few words, by byte tables.</summary>
internal sealed class BitFold
{
    private readonly Gf128[] _tables;

    /// <param name="weights">One weight per bit, a multiple of 8.</param>
    /// <param name="tables"><see cref="TableLength"/> zeros that are used as long as this object; null for new ones.</param>
    public BitFold(ReadOnlySpan<Gf128> weights, Gf128[]? tables = null)
    {
        _tables = tables ?? new Gf128[TableLength(weights.Length)];
        ArgumentOutOfRangeException.ThrowIfNotEqual(_tables.Length, TableLength(weights.Length), nameof(tables));
        for (int block = 0; block < weights.Length / 8; block++)
        {
            Span<Gf128> table = _tables.AsSpan(block * 256, 256);
            for (int value = 1; value < 256; value++)
            {
                int low = value & -value;
                table[value] = table[value ^ low] + weights[block * 8 + System.Numerics.BitOperations.TrailingZeroCount(low)];
            }
        }
    }

    /// <summary>Elements of the tables for so many weights.</summary>
    public static int TableLength(int weights) => weights / 8 * 256;

    /// <summary>The form at <paramref name="words"/>, least significant bit first.</summary>
    public Gf128 Apply(ReadOnlySpan<uint> words)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(words.Length * 4 * 256, _tables.Length);
        ref byte table = ref Unsafe.As<Gf128, byte>(ref MemoryMarshal.GetArrayDataReference(_tables));
        Vector128<ulong> sum = default, other = default;
        for (int i = 0; i < words.Length; i++, table = ref Unsafe.Add(ref table, 4 * 256 * Gf128.Size))
        {
            // Many words are zero: unused outputs, nonces.
            uint word = words[i];
            if (word == 0)
                continue;
            sum ^= Entry(ref table, (byte)word) ^ Entry(ref table, 256u + (byte)(word >> 8));
            other ^= Entry(ref table, 512u + (byte)(word >> 16)) ^ Entry(ref table, 768 + (word >> 24));
        }

        sum ^= other;
        return new Gf128(sum[0], sum[1]);

        static Vector128<ulong> Entry(ref byte table, uint index) =>
            Unsafe.ReadUnaligned<Vector128<ulong>>(ref Unsafe.AddByteOffset(ref table, (nuint)(index * Gf128.Size)));
    }

    /// <summary>The form at 64 bits.</summary>
    public Gf128 Apply(ulong bits)
    {
        Gf128 sum = default;
        for (int i = 0; i < 8; i++)
            sum += _tables[i * 256 + (int)(byte)(bits >> (8 * i))];
        return sum;
    }
}
