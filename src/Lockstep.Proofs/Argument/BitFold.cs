using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Argument;

/// <summary>The linear form sum_j weight_j * bit_j over the bits of a few words, by byte tables.</summary>
internal sealed class BitFold
{
    private readonly Gf128[] _tables;

    /// <param name="weights">One weight per bit, a multiple of 8.</param>
    public BitFold(ReadOnlySpan<Gf128> weights)
    {
        _tables = new Gf128[weights.Length / 8 * 256];
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

    /// <summary>The form at <paramref name="words"/>, least significant bit first.</summary>
    public Gf128 Apply(ReadOnlySpan<uint> words)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(words.Length * 4 * 256, _tables.Length);
        ref Gf128 table = ref MemoryMarshal.GetArrayDataReference(_tables);
        ulong lo = 0, hi = 0;
        for (int i = 0; i < words.Length; i++, table = ref Unsafe.Add(ref table, 4 * 256))
        {
            // Many words are zero: unused outputs, nonces.
            uint word = words[i];
            if (word == 0)
                continue;
            ref Gf128 a = ref Unsafe.Add(ref table, (int)(byte)word), b = ref Unsafe.Add(ref table, 256 + (int)(byte)(word >> 8));
            ref Gf128 c = ref Unsafe.Add(ref table, 512 + (int)(byte)(word >> 16)), d = ref Unsafe.Add(ref table, 768 + (int)(word >> 24));
            lo ^= a.Lo ^ b.Lo ^ c.Lo ^ d.Lo;
            hi ^= a.Hi ^ b.Hi ^ c.Hi ^ d.Hi;
        }

        return new Gf128(lo, hi);
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
