namespace Lockstep.Proofs.Fields;

/// <summary>
/// The Cantor basis of GF(2^128) over GF(2): beta_0 = 1, beta_{i+1}^2 + beta_{i+1} = beta_i, always the root with
/// bit 0 clear. beta_0..beta_{2^t - 1} span GF(2^{2^t}). With U_i = span(beta_0..beta_{i-1}) and s_i the vanishing
/// polynomial of U_i, s_i is x -> x^2 + x applied i times, and s_i(beta_{i+j}) = beta_j.
/// </summary>
internal static class CantorBasis
{
    private static readonly Gf128[] Elements = Build();

    /// <summary>The basis element beta_<paramref name="index"/>, 0..127.</summary>
    public static Gf128 Beta(int index) => Elements[index];

    /// <summary>The point of the span with Cantor coordinates <paramref name="bits"/>: sum of beta_i over its set bits.</summary>
    public static Gf128 Point(ulong bits)
    {
        Gf128 sum = default;
        for (int i = 0; bits != 0; i++, bits >>= 1)
            sum += Elements[i].IfBit((uint)bits);
        return sum;
    }

    /// <summary>s_<paramref name="degree"/>(x): the vanishing polynomial of U_degree at x.</summary>
    public static Gf128 Vanish(int degree, Gf128 x)
    {
        for (int i = 0; i < degree; i++)
            x = x.Square() + x;
        return x;
    }

    private static Gf128[] Build()
    {
        // x -> x^2 + x + x_0 is invertible on {x : x_0 = 0} plus the trace coordinate: replacing the kernel column of
        // bit 0 by a vector outside the image makes the matrix regular, and its inverse solves every step.
        var columns = new Gf128[128];
        for (int j = 0; j < 128; j++)
            columns[j] = Gf128.Monomial(j).Square() + Gf128.Monomial(j);
        for (int free = 0; free < 128; free++)
        {
            columns[0] = Gf128.Monomial(free);
            if (BinaryMatrix.Rank(columns) == 128)
                break;
        }

        var solve = new LinearMap(BinaryMatrix.Inverse(columns));
        var elements = new Gf128[128];
        elements[0] = Gf128.One;
        for (int i = 1; i < 128; i++)
            elements[i] = solve.Apply(elements[i - 1]);
        return elements;
    }
}
