using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Argument;

/// <summary>The known values of the random forms of the public outputs: sum_i eq(s_out, i) sum_o weight_o * public(i, o).</summary>
internal static unsafe class PublicSums
{
    private const int Tile = 8192;

    /// <summary>The units' sum, with <paramref name="unitEq"/> = eq(s_out, .).</summary>
    public static Gf128 Units(ArgumentInstance instance, ReadOnlyMemory<Gf128> unitEq, ReadOnlySpan<Gf128> weights)
    {
        // Words of a few units as slots of whole cache lines: the sum over units first, the form of its bits at the end.
        int words = instance.Unit.OutputWords, slotBytes = (words * sizeof(uint) + BitSums.LineBytes - 1) / BitSums.LineBytes * BitSums.LineBytes;
        using NativeBlock slots = NativePool.Shared.Rent((long)Tile * slotBytes), sums = NativePool.Shared.Rent(8L * slotBytes * Gf128.Size);
        slots.Clear(new Workers(1));
        Gf128 total = default;
        for (int first = 0; first < instance.UsedUnits; first += Tile)
        {
            int count = Math.Min(Tile, instance.UsedUnits - first);
            for (int i = 0; i < count; i++)
                instance.Public.UnitOutputs(first + i, slots.Span<uint>((long)i * slotBytes / sizeof(uint), words));
            BitSums.Compute(slots.Memory, slotBytes, slotBytes, unitEq.Slice(first, count), sums.As<Gf128>(), new Workers(1));
            total += Multilinear.InnerProduct(weights, sums.Span<Gf128>(0, weights.Length));
        }

        return total;
    }

    /// <summary>The tails' sum, with <paramref name="tailEq"/> = eq(s_q, .).</summary>
    public static Gf128 Tails(ArgumentInstance instance, ReadOnlySpan<Gf128> tailEq, ReadOnlySpan<Gf128> weights)
    {
        var words = new uint[instance.Tail.OutputWords];
        Gf128 sum = default;
        for (int q = 0; q < instance.Chunks.Count; q++)
        {
            instance.Public.TailOutputs(q, words);
            Gf128 form = default;
            for (int bit = 0; bit < weights.Length; bit++)
                form += weights[bit].IfBit(words[bit >> 5] >> (bit & 31));
            sum += tailEq[q] * form;
        }

        return sum;
    }
}
