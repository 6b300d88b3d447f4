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

    /// <summary>The form at little-endian <paramref name="bytes"/>, bit j of the form being bit j mod 8 of byte j / 8.</summary>
    public Gf128 Apply(ReadOnlySpan<byte> bytes)
    {
        Gf128 sum = default;
        for (int i = 0; i < bytes.Length; i++)
            sum += _tables[i * 256 + bytes[i]];
        return sum;
    }

    /// <summary>The form at <paramref name="words"/>, least significant bit first.</summary>
    public Gf128 Apply(ReadOnlySpan<uint> words) => Apply(MemoryMarshal.AsBytes(words));

    /// <summary>The form at 64 bits.</summary>
    public Gf128 Apply(ulong bits)
    {
        Gf128 sum = default;
        for (int i = 0; i < 8; i++)
            sum += _tables[i * 256 + (int)(byte)(bits >> (8 * i))];
        return sum;
    }
}
