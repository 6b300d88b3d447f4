using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Verifier;

/// <summary>
/// The weights of the tie sumcheck (<see cref="TieWeights"/>) at its end point, and its right side, in one walk over the
/// chunks: none of the weight vectors is built.
/// </summary>
internal readonly struct TieEvaluation
{
    /// <summary>The extension of nu: multiplies h_out.</summary>
    public readonly Gf128 Out;

    /// <summary>The extension of w: multiplies the tails' h_in.</summary>
    public readonly Gf128 TailState;

    /// <summary>The extension of theta E: multiplies the tails' key.</summary>
    public readonly Gf128 TailKey;

    /// <summary>The public right side.</summary>
    public readonly Gf128 RightSide;

    /// <param name="instance">The statement's chunks and initial state.</param>
    /// <param name="ties">r', r'', eq(rho_H, .), theta.</param>
    /// <param name="endEq">eq(s_out, .), 2^Kappa entries.</param>
    public TieEvaluation(ArgumentInstance instance, in TieChallenges ties, ReadOnlySpan<Gf128> endEq)
    {
        int tailShift = instance.Shape.TailInnerBits;
        Gf128 tailStateWeight = instance.TailStateWeight(ties.Theta), initial = default;
        for (int bit = 0; bit < ties.StateWeights.Length; bit++)
            initial += ties.StateWeights[bit].IfBit(instance.InitialState[bit >> 5] >> (bit & 31));

        using var unitTable = new RentedElements(1 << ties.UnitPoint.Length);
        Gf128[] unitEq = unitTable.Array;
        Multilinear.EqTable(ties.UnitPoint, Gf128.One, unitEq);
        Gf128[] tailEq = Multilinear.EqTable(ties.TailPoint);
        for (int q = 0; q < tailEq.Length; q++)
        {
            tailEq[q] *= tailStateWeight;
            TailState += tailEq[q] * endEq[q << tailShift];
        }

        for (int q = 0; q < instance.Chunks.Count; q++)
        {
            (int first, int count) = instance.Chunks[q];
            if (count == 0)
            {
                RightSide += tailEq[q] * initial;
                continue;
            }

            RightSide += unitEq[first] * initial;
            int last = first + count - 1;
            Gf128 key = unitEq[last];
            Out += Multilinear.InnerProduct(unitEq.AsSpan(first + 1, last - first), endEq[first..last]);
            for (int i = first; i < last; i++)
                key += unitEq[i];
            Out += tailEq[q] * endEq[last];
            TailKey += ties.Theta * key * endEq[q << tailShift];
        }
    }
}
