using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;

namespace Lockstep.Proofs.Verifier;

/// <summary>
/// A constant plus a linear form in the committed one-time pads: what the verifier knows of a value that was sent masked.
/// </summary>
internal readonly struct AffineForm
{
    private readonly Gf128[] _coefficients;

    private AffineForm(Gf128 constant, Gf128[] coefficients) => (Constant, _coefficients) = (constant, coefficients);

    /// <summary>The constant part.</summary>
    public Gf128 Constant { get; }

    /// <summary>One coefficient per pad.</summary>
    public ReadOnlySpan<Gf128> Coefficients => _coefficients;

    /// <summary>A known value.</summary>
    public static AffineForm Known(Gf128 constant, int pads) => new(constant, new Gf128[pads]);

    /// <summary>A value that was sent as value + pad[<paramref name="pad"/>].</summary>
    public static AffineForm Masked(Gf128 sent, int pad, int pads)
    {
        AffineForm form = Known(sent, pads);
        form._coefficients[pad] = Gf128.One;
        return form;
    }

    /// <summary>The value of the form at the true pads.</summary>
    public Gf128 Evaluate(ReadOnlySpan<Gf128> pads) => Constant + Multilinear.InnerProduct(_coefficients, pads);

    /// <summary>factor * this form + the sum of weight_k * (value sent under pad <paramref name="firstPad"/> + k), in one array.</summary>
    /// <param name="factor">Scales this form.</param>
    /// <param name="weights">One weight per sent value.</param>
    /// <param name="sent">Values as sent, value + pad each.</param>
    /// <param name="firstPad">The pad of the first; the others follow.</param>
    public AffineForm ScaleAndAddMasked(Gf128 factor, ReadOnlySpan<Gf128> weights, ReadOnlySpan<Gf128> sent, int firstPad)
    {
        AffineForm sum = factor * this;
        Gf128 constant = sum.Constant + Multilinear.InnerProduct(weights, sent);
        for (int k = 0; k < weights.Length; k++)
            sum._coefficients[firstPad + k] += weights[k];
        return new AffineForm(constant, sum._coefficients);
    }

    public static AffineForm operator +(AffineForm a, AffineForm b)
    {
        var sum = new Gf128[a._coefficients.Length];
        for (int i = 0; i < sum.Length; i++)
            sum[i] = a._coefficients[i] + b._coefficients[i];
        return new AffineForm(a.Constant + b.Constant, sum);
    }

    public static AffineForm operator +(AffineForm a, Gf128 known) => new(a.Constant + known, a._coefficients);

    public static AffineForm operator *(Gf128 factor, AffineForm a)
    {
        var product = new Gf128[a._coefficients.Length];
        FieldSpans.Scale(a._coefficients, factor, product);
        return new AffineForm(factor * a.Constant, product);
    }
}
