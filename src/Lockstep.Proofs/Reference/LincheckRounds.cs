using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;

namespace Lockstep.Proofs.Reference;

/// <summary>
/// Step 6: the sumcheck of sum_j M_U(j) Z_U(j) + sum_j M_T(j) Z_T(j), highest variable first, both regions with the same
/// challenges, so that they end at the same low coordinates (v, p). A round sends g0, g2; g1 = claim + g2.
/// </summary>
internal sealed class LincheckRounds(Gf128[] unitWeights, Gf128[] unitSums, Gf128[] tailWeights, Gf128[] tailSums)
{
    private readonly (Gf128[] Weights, Gf128[] Values)[] _products = [(unitWeights, unitSums), (tailWeights, tailSums)];
    private int _length = unitWeights.Length;

    /// <summary>Z_U and Z_T at the end point.</summary>
    public (Gf128 Unit, Gf128 Tail) End => (_products[0].Values[0], _products[1].Values[0]);

    /// <summary>M_U and M_T at the end point.</summary>
    public (Gf128 Unit, Gf128 Tail) WeightsAtEnd => (_products[0].Weights[0], _products[1].Weights[0]);

    /// <summary>The next round's coefficients g0 and g2.</summary>
    public (Gf128 G0, Gf128 G2) Round()
    {
        Gf128 g0 = default, g2 = default;
        int half = _length / 2;
        foreach ((Gf128[] m, Gf128[] z) in _products)
            for (int k = 0; k < half; k++)
            {
                g0 += m[k] * z[k];
                g2 += (m[k] + m[k + half]) * (z[k] + z[k + half]);
            }

        return (g0, g2);
    }

    /// <summary>Binds the highest unbound variable at <paramref name="t"/>.</summary>
    public void Bind(Gf128 t)
    {
        _length /= 2;
        foreach ((Gf128[] m, Gf128[] z) in _products)
            for (int k = 0; k < _length; k++)
            {
                m[k] += t * (m[k] + m[k + _length]);
                z[k] += t * (z[k] + z[k + _length]);
            }
    }

    /// <summary>
    /// The 128 ring-switch values s_v = sum over packed elements y of w(y) z(y, v), from the sums over slots before they are
    /// bound (docs/proof-system.md section 6, step 7).
    /// </summary>
    public static Gf128[] RingValues(ArgumentShape shape, ReadOnlySpan<Gf128> unitSums, ReadOnlySpan<Gf128> tailSums, ReadOnlySpan<Gf128> t, Gf128 regionWeight)
    {
        var values = new Gf128[128];
        ReadOnlySpan<Gf128> p = t.Slice(7, shape.PBits), high = t[(7 + shape.PBits)..];
        Gf128[] pEq = Multilinear.EqTable(p), hEq = Multilinear.EqTable(high[..shape.HBits]), highEq = Multilinear.EqTable(high);
        for (int element = 0; element < highEq.Length << shape.PBits; element++)
        {
            int k = element >> shape.PBits;
            Gf128 unit = k < hEq.Length ? hEq[k] * pEq[element & (pEq.Length - 1)] : default;
            Gf128 tail = regionWeight * highEq[k] * pEq[element & (pEq.Length - 1)];
            for (int v = 0; v < 128; v++)
                values[v] += unit * unitSums[element * 128 + v] + tail * tailSums[element * 128 + v];
        }

        return values;
    }
}
