using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;

namespace Lockstep.Proofs.Prover;

/// <summary>
/// w'(x) = sum_f eq(r_f, f) phi(w(f, x)) over all columns (docs/proof-system.md section 7, equation 5). phi is linear over
/// GF(2) only, so the map a -> sum_f eq(r_f, f) phi(factor_f a) of each region is built from its 128 columns.
/// </summary>
internal static unsafe class FoldedWeights
{
    /// <summary>Fills <paramref name="result"/>, n elements.</summary>
    public static void Compute(ArgumentShape shape, Conversation said, LinearMap phi, Gf128* result, ProofArrays arrays, Workers workers)
    {
        ReadOnlySpan<Gf128> t = said.T, high = t[(7 + shape.PBits)..];
        Gf128[] hEq = Multilinear.EqTable(high[..shape.HBits]), topEq = Multilinear.EqTable(said.UnitPoint[shape.LowBits..]), foldEq = Multilinear.EqTable(said.FoldPoint);
        Gf128[] unitMap = new Gf128[128], tailMap = new Gf128[128];
        for (int h = 0; h < shape.HCount; h++)
            for (int top = 0; top < shape.PresentTops; top++)
                Add(unitMap, foldEq[shape.FoldIndex(h, top)], hEq[h] * topEq[top]);
        Add(tailMap, foldEq[shape.FoldIndex(shape.HCount, 0)], said.RegionWeight);
        ColumnWeights.Compute(Multilinear.EqTable(t.Slice(7, shape.PBits)), arrays.EqTable(said.UnitPoint[..shape.LowBits]), TailColumns(shape, said, arrays), unitMap, tailMap, result, workers);

        void Add(Gf128[] columns, Gf128 weight, Gf128 factor)
        {
            for (int j = 0; j < columns.Length; j++)
                columns[j] += weight * phi.Apply(factor * Gf128.Monomial(j));
        }
    }

    /// <summary>The tails' column weights without the factor of p: eq(t_high, inner) eq(s_q, q) at inner + 32 q.</summary>
    public static Gf128[] TailColumns(ArgumentShape shape, Conversation said, ProofArrays arrays)
    {
        Gf128[] inner = Multilinear.EqTable(said.T.AsSpan(7 + shape.PBits)), tail = Multilinear.EqTable(said.UnitPoint[shape.TailInnerBits..shape.LowBits]);
        Gf128[] low = arrays.Take(1 << shape.LowBits);
        for (int i = 0; i < low.Length; i++)
            low[i] = inner[i & (inner.Length - 1)] * tail[i >> shape.TailInnerBits];
        return low;
    }
}
