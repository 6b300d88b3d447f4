namespace Lockstep.Proofs.Fields;

/// <summary>
/// The basis b_{8k+j} = e_k * gamma^j of GF(2^128) over GF(2), where gamma embeds the AES field and e_k is the product of
/// beta_8, beta_16, beta_32, beta_64 over the set bits of k. 128 witness bits, read as coordinates in this basis, are a
/// field element; leaves of the commitment are written in it. All other algebra uses the polynomial basis.
/// </summary>
internal static class TowerBasis
{
    /// <summary>Image of the AES field's generator x: the smallest root of x^8 + x^4 + x^3 + x + 1.</summary>
    public static readonly Gf128 Gamma = Gf128.FromHex("053d8555a9979a1ca13fe8ac5560ce0d");

    private static readonly Gf128[] Elements = Build();
    private static readonly LinearMap ToPolynomialMap = new(Elements);
    private static readonly LinearMap FromPolynomialMap = new(BinaryMatrix.Inverse(Elements));

    /// <summary>The basis element b_<paramref name="index"/>, 0..127.</summary>
    public static Gf128 Element(int index) => Elements[index];

    /// <summary>The element whose tower coordinates are the bits of <paramref name="coordinates"/>.</summary>
    public static Gf128 ToPolynomial(Gf128 coordinates) => ToPolynomialMap.Apply(coordinates);

    /// <summary>The tower coordinates of <paramref name="element"/>, as bits.</summary>
    public static Gf128 FromPolynomial(Gf128 element) => FromPolynomialMap.Apply(element);

    private static Gf128[] Build()
    {
        var elements = new Gf128[128];
        ReadOnlySpan<int> betas = [8, 16, 32, 64];
        for (int k = 0; k < 16; k++)
        {
            Gf128 e = Gf128.One;
            for (int b = 0; b < 4; b++)
                if ((k >> b & 1) != 0)
                    e *= CantorBasis.Beta(betas[b]);
            for (int j = 0; j < 8; j++, e *= Gamma)
                elements[8 * k + j] = e;
        }

        return elements;
    }
}
