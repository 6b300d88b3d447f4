using Lockstep.Proofs.Kernels;

namespace Lockstep.Proofs.Fields;

/// <summary>Multilinear extensions over the Boolean cube; variable 0 is the lowest index bit.</summary>
internal static class Multilinear
{
    /// <summary>eq(r, b) for all b in [0, 2^r.Length): the product over i of 1 + r_i + b_i.</summary>
    public static Gf128[] EqTable(ReadOnlySpan<Gf128> r)
    {
        var table = new Gf128[1 << r.Length];
        EqTable(r, Gf128.One, table);
        return table;
    }

    /// <summary>Fills <paramref name="table"/> (2^r.Length entries) with scale * eq(r, b).</summary>
    public static void EqTable(ReadOnlySpan<Gf128> r, Gf128 scale, Span<Gf128> table)
    {
        table[0] = scale;
        for (int i = 0; i < r.Length; i++)
            FieldSpans.Split(table[..(1 << i)], table.Slice(1 << i, 1 << i), r[i]);
    }

    /// <summary>eq(r, b) for one index b.</summary>
    public static Gf128 Eq(ReadOnlySpan<Gf128> r, long b)
    {
        Gf128 product = Gf128.One;
        for (int i = 0; i < r.Length; i++)
            product *= (b >> i & 1) != 0 ? r[i] : Gf128.One + r[i];
        return product;
    }

    /// <summary>eq(r, s) for two points.</summary>
    public static Gf128 Eq(ReadOnlySpan<Gf128> r, ReadOnlySpan<Gf128> s)
    {
        Gf128 product = Gf128.One;
        for (int i = 0; i < r.Length; i++)
            product *= Gf128.One + r[i] + s[i];
        return product;
    }

    /// <summary>The multilinear extension of 2^point.Length values at a point, binding the highest variable first; overwrites them.</summary>
    public static Gf128 EvaluateInPlace(Span<Gf128> values, ReadOnlySpan<Gf128> point)
    {
        for (int variable = point.Length - 1; variable >= 0; variable--)
            FieldSpans.Bind(values[..(1 << variable)], values.Slice(1 << variable, 1 << variable), point[variable]);
        return values[0];
    }

    /// <summary>The sum of a[i] * b[i].</summary>
    public static Gf128 InnerProduct(ReadOnlySpan<Gf128> a, ReadOnlySpan<Gf128> b) => FieldSpans.InnerProduct(a, b);
}
