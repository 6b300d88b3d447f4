using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Argument;

/// <summary>The known values of the random forms of the public outputs: sum_i eq(s_out, i) sum_o weight_o * public(i, o).</summary>
internal static class PublicSums
{
    /// <summary>The units' sum, with <paramref name="unitEq"/> = eq(s_out, .).</summary>
    public static Gf128 Units(ArgumentInstance instance, ReadOnlySpan<Gf128> unitEq, ReadOnlySpan<Gf128> weights)
    {
        var fold = new BitFold(weights);
        var words = new uint[instance.Unit.OutputWords];
        Gf128 sum = default;
        for (int i = 0; i < instance.UsedUnits; i++)
        {
            instance.Public.UnitOutputs(i, words);
            sum += unitEq[i] * fold.Apply(words);
        }

        return sum;
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
