using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Argument;

/// <summary>
/// The public weights of the tie sumcheck over units i:
/// sum_i e(i) [h_in(i) + theta k(i)] + nu(i) h_out(i) + w(i) h_T(i) + theta E(i) k_T(i) = right side.
/// A unit's h_in must be the previous unit's h_out (the initial state at a chunk's start, zero for an unused unit), a
/// tail's h_in the last unit's h_out, each key its tail's key. The unit family has weight 1, the key family theta and the
/// tail family theta^2: with equal weights one defect on every h_in would cancel.
/// </summary>
internal sealed class TieWeights
{
    /// <summary>e(i): multiplies h_in + theta k.</summary>
    public readonly Gf128[] Unit;

    /// <summary>nu(i): multiplies h_out.</summary>
    public readonly Gf128[] Out;

    /// <summary>w(i), nonzero at tail places only: multiplies the tails' h_in.</summary>
    public readonly Gf128[] TailState;

    /// <summary>theta E(i), nonzero at tail places only: multiplies the tails' key.</summary>
    public readonly Gf128[] TailKey;

    /// <summary>The public right side.</summary>
    public readonly Gf128 RightSide;

    /// <param name="instance">The statement's chunks and initial state.</param>
    /// <param name="unitPoint">r', Kappa coordinates.</param>
    /// <param name="tailPoint">r'', TailBits coordinates.</param>
    /// <param name="stateWeights">eq(rho_H, .), one per bit of a state.</param>
    /// <param name="theta">The family separator.</param>
    /// <param name="take">Where arrays of zeros come from; null for new ones.</param>
    public TieWeights(ArgumentInstance instance, ReadOnlySpan<Gf128> unitPoint, ReadOnlySpan<Gf128> tailPoint, ReadOnlySpan<Gf128> stateWeights, Gf128 theta, Func<int, Gf128[]>? take = null)
    {
        ArgumentShape shape = instance.Shape;
        int stride = 1 << shape.TailInnerBits;
        Gf128 tailStateWeight = instance.TailStateWeight(theta), initial = default;
        for (int bit = 0; bit < stateWeights.Length; bit++)
            initial += stateWeights[bit].IfBit(instance.InitialState[bit >> 5] >> (bit & 31));

        take ??= static length => new Gf128[length];
        Unit = take(1 << unitPoint.Length);
        Multilinear.EqTable(unitPoint, Gf128.One, Unit);
        Out = take(Unit.Length);
        TailState = take(Unit.Length);
        TailKey = take(Unit.Length);
        Gf128[] tailEq = Multilinear.EqTable(tailPoint);
        for (int q = 0; q < shape.Tails; q++)
            TailState[q * stride] = tailStateWeight * tailEq[q];
        for (int q = 0; q < instance.Chunks.Count; q++)
        {
            (int first, int count) = instance.Chunks[q];
            if (count == 0)
            {
                RightSide += TailState[q * stride] * initial;
                continue;
            }

            RightSide += Unit[first] * initial;
            int last = first + count - 1;
            Gf128 keyWeight = Unit[last];
            for (int i = first; i < last; i++)
            {
                Out[i] = Unit[i + 1];
                keyWeight += Unit[i];
            }

            Out[last] = TailState[q * stride];
            TailKey[q * stride] = theta * keyWeight;
        }
    }
}
