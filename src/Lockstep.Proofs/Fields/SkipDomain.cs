namespace Lockstep.Proofs.Fields;

/// <summary>
/// The 128 points of the univariate skip: the AES-field bytes 0..127 embedded in GF(2^128). S = bytes 0..63,
/// Lambda = bytes 64..127; both are cosets of one additive subgroup.
/// </summary>
internal static class SkipDomain
{
    /// <summary>Points in S and in Lambda.</summary>
    public const int Half = 64;

    private static readonly Gf128[] Points = BuildPoints();
    private static readonly Gf128[] InverseWeightsOfS = InverseWeights(Half);
    private static readonly Gf128[] InverseWeightsOfAll = InverseWeights(2 * Half);

    /// <summary>The point of byte <paramref name="index"/> (0..63 in S, 64..127 in Lambda).</summary>
    public static Gf128 Point(int index) => Points[index];

    /// <summary>The 64 Lagrange basis values of S at <paramref name="zeta"/>: sum_i L_i(zeta) f(i) = f(zeta) for deg f below 64.</summary>
    public static Gf128[] LagrangeOfS(Gf128 zeta) => Lagrange(zeta, Half, InverseWeightsOfS);

    /// <summary>The 128 Lagrange basis values of S and Lambda together at <paramref name="zeta"/>.</summary>
    public static Gf128[] LagrangeOfAll(Gf128 zeta) => Lagrange(zeta, 2 * Half, InverseWeightsOfAll);

    private static Gf128[] BuildPoints()
    {
        var powers = new Gf128[7];
        powers[0] = Gf128.One;
        for (int j = 1; j < 7; j++)
            powers[j] = powers[j - 1] * TowerBasis.Gamma;
        var points = new Gf128[2 * Half];
        for (int i = 0; i < points.Length; i++)
            for (int j = 0; j < 7; j++)
                points[i] += powers[j].IfBit((uint)(i >> j));
        return points;
    }

    private static Gf128[] InverseWeights(int count)
    {
        var weights = new Gf128[count];
        for (int i = 0; i < count; i++)
        {
            Gf128 product = Gf128.One;
            for (int j = 0; j < count; j++)
                if (j != i)
                    product *= Points[i] + Points[j];
            weights[i] = product.Inverse();
        }

        return weights;
    }

    private static Gf128[] Lagrange(Gf128 zeta, int count, Gf128[] inverseWeights)
    {
        // Products before and after i, so that a zeta that happens to be a point needs no special case.
        var values = new Gf128[count];
        Gf128 before = Gf128.One;
        for (int i = 0; i < count; i++)
        {
            values[i] = before * inverseWeights[i];
            before *= zeta + Points[i];
        }

        Gf128 after = Gf128.One;
        for (int i = count - 1; i >= 0; i--)
        {
            values[i] *= after;
            after *= zeta + Points[i];
        }

        return values;
    }
}
