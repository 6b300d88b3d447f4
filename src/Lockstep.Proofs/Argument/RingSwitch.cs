using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Argument;

/// <summary>
/// Ring switching (ePrint 2024/504): the claims on bits become one claim on packed elements,
/// sum_y phi(w(y)) z(y) = sum_v b_v phi(s_v), where phi is the GF(2)-linear map b_u -> eq(r''', u) and w(y) is
/// eq(s_out, i) eq(t_h, h) eq(t_p, p) on unit rows and gamma' eq(s_q, q) eq(t_high, inner) eq(t_p, p) on the tails' row.
/// Each weight is a row factor times a column factor; rows that are absent have weight zero.
/// </summary>
internal sealed class RingSwitch
{
    private readonly ArgumentShape _shape;
    private readonly Gf128[] _rowFactors;
    private readonly Gf128[] _unitColumns;
    private readonly Gf128[] _tailColumns;
    private readonly Gf128 _regionWeight;

    /// <param name="shape">Dimensions.</param>
    /// <param name="unitPoint">s_out.</param>
    /// <param name="t">The lincheck end point: v (7) | p | high.</param>
    /// <param name="regionWeight">gamma'.</param>
    public RingSwitch(ArgumentShape shape, ReadOnlySpan<Gf128> unitPoint, ReadOnlySpan<Gf128> t, Gf128 regionWeight)
    {
        _shape = shape;
        _regionWeight = regionWeight;
        ReadOnlySpan<Gf128> p = t.Slice(7, shape.PBits), high = t[(7 + shape.PBits)..];
        Gf128[] pEq = Multilinear.EqTable(p);
        Gf128[] hEq = Multilinear.EqTable(high[..shape.HBits]);
        Gf128[] topEq = Multilinear.EqTable(unitPoint[shape.LowBits..]);
        Gf128[] lowEq = Multilinear.EqTable(unitPoint[..shape.LowBits]);
        Gf128[] innerEq = Multilinear.EqTable(high);
        Gf128[] tailEq = Multilinear.EqTable(unitPoint[shape.TailInnerBits..shape.LowBits]);

        _rowFactors = new Gf128[shape.HCount * shape.PresentTops];
        for (int h = 0; h < shape.HCount; h++)
            for (int top = 0; top < shape.PresentTops; top++)
                _rowFactors[shape.RowIndex(h, top)] = hEq[h] * topEq[top];
        _unitColumns = Columns(pEq, low => lowEq[low]);
        _tailColumns = Columns(pEq, low => innerEq[low & (innerEq.Length - 1)] * tailEq[low >> shape.TailInnerBits]);

        Gf128[] Columns(Gf128[] block, Func<int, Gf128> weight)
        {
            var columns = new Gf128[shape.MessageLength];
            for (int low = 0; low < 1 << shape.LowBits; low++)
            {
                Gf128 scale = weight(low);
                for (int i = 0; i < block.Length; i++)
                    columns[low * block.Length + i] = scale * block[i];
            }

            return columns;
        }
    }

    /// <summary>phi for the point r''' (7 coordinates).</summary>
    public static LinearMap Phi(ReadOnlySpan<Gf128> point)
    {
        Gf128[] eq = Multilinear.EqTable(point);
        var columns = new Gf128[128];
        for (int j = 0; j < 128; j++)
        {
            Gf128 coordinates = TowerBasis.FromPolynomial(Gf128.Monomial(j));
            for (int u = 0; u < 128; u++)
                columns[j] += eq[u].IfBit(coordinates.Bit(u));
        }

        return new LinearMap(columns);
    }

    /// <summary>sum_v b_v phi(s_v): the claim on packed elements.</summary>
    public static Gf128 PackedClaim(LinearMap phi, ReadOnlySpan<Gf128> ringValues)
    {
        Gf128 claim = default;
        for (int v = 0; v < ringValues.Length; v++)
            claim += TowerBasis.Element(v) * phi.Apply(ringValues[v]);
        return claim;
    }

    /// <summary>Fills phi(w(., x)) for one committed row of bits, over all columns x.</summary>
    public void RowWeights(LinearMap phi, int row, Span<Gf128> weights)
    {
        bool tail = row == _rowFactors.Length;
        Gf128 factor = tail ? _regionWeight : _rowFactors[row];
        Gf128[] columns = tail ? _tailColumns : _unitColumns;
        for (int x = 0; x < weights.Length; x++)
            weights[x] = phi.Apply(factor * columns[x]);
    }
}
