using CsCheck;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;

namespace Lockstep.Proofs.Tests.Kernels;

/// <summary>Spans of field elements against the one-element operations, at lengths around whole vectors.</summary>
public sealed class FieldSpansTests
{
    private static readonly Gen<Gf128> Element = Gen.Select(Gen.ULong, Gen.ULong, (lo, hi) => new Gf128(lo, hi));

    private static readonly Gen<(Gf128[] X, Gf128[] Y, Gf128 Factor)> Case =
        Gen.Int[0, 41].SelectMany(length => Gen.Select(Element.Array[length], Element.Array[length], Element));

    [Fact]
    public void Scale_is_a_product_for_each_element() => Case.Sample(drawn =>
    {
        var into = new Gf128[drawn.X.Length];
        FieldSpans.Scale(drawn.X, drawn.Factor, into);
        Assert.Equal(drawn.X.Select(x => drawn.Factor * x), into);
    });

    [Fact]
    public void AddScaled_adds_a_product_to_each_element() => Case.Sample(drawn =>
    {
        var target = (Gf128[])drawn.Y.Clone();
        FieldSpans.AddScaled(target, drawn.Factor, drawn.X);
        Assert.Equal(drawn.X.Zip(drawn.Y, (x, y) => y + drawn.Factor * x), target);
    });

    [Fact]
    public void Bind_is_the_line_through_both_halves_at_the_point() => Case.Sample(drawn =>
    {
        var low = (Gf128[])drawn.X.Clone();
        FieldSpans.Bind(low, drawn.Y, drawn.Factor);
        Assert.Equal(drawn.X.Zip(drawn.Y, (x, y) => (Gf128.One + drawn.Factor) * x + drawn.Factor * y), low);
    });

    [Fact]
    public void Split_keeps_the_sum_and_scales_the_upper_half() => Case.Sample(drawn =>
    {
        Gf128[] low = (Gf128[])drawn.X.Clone(), high = (Gf128[])drawn.Y.Clone();
        FieldSpans.Split(low, high, drawn.Factor);
        Assert.Equal(drawn.X.Select(x => drawn.Factor * x), high);
        Assert.Equal(drawn.X, low.Zip(high, (x, y) => x + y));
    });

    [Fact]
    public void Inner_product_is_the_sum_of_products() => Case.Sample(drawn =>
        Assert.Equal(drawn.X.Zip(drawn.Y, (x, y) => x * y).Aggregate(default(Gf128), (sum, term) => sum + term), FieldSpans.InnerProduct(drawn.X, drawn.Y)));

    [Fact]
    public void Spans_of_unequal_lengths_are_refused()
    {
        Gf128[] three = new Gf128[3], four = new Gf128[4];
        Assert.Throws<ArgumentOutOfRangeException>(() => FieldSpans.Scale(three, Gf128.One, four));
        Assert.Throws<ArgumentOutOfRangeException>(() => FieldSpans.AddScaled(three, Gf128.One, four));
        Assert.Throws<ArgumentOutOfRangeException>(() => FieldSpans.Bind(three, four, Gf128.One));
        Assert.Throws<ArgumentOutOfRangeException>(() => FieldSpans.Split(three, four, Gf128.One));
        Assert.Throws<ArgumentOutOfRangeException>(() => FieldSpans.InnerProduct(four, three));
    }
}
