using Lockstep.Proofs.Soundness;

namespace Lockstep.Proofs.Tests.Soundness;

public sealed class SoundnessTests
{
    private static readonly SuiteParameters P120 = Suites.Default.Parameters;

    private static double Bits(SoundnessReport report, string step) => report.Lines.Single(line => line.Step == step).Bits;

    private static LayoutParameters Solve(SuiteParameters suite, int kappa, int e)
    {
        Assert.True(SoundnessCalculator.TrySolve(suite, kappa, e, out LayoutParameters? layout, out SoundnessRefusal? refusal), refusal?.Message);
        return layout;
    }

    [Fact]
    public void The_specification_s_figures_are_reproduced()
    {
        // The lines of docs/proof-system.md section 10 for another shape: kappa = 16, e = 1, N = 2^21.
        LayoutParameters layout = Solve(P120, 16, 1);
        Assert.Equal(1 << 21, layout.Length);
        Assert.Equal(251, layout.Queries);
        Assert.Equal(11, layout.FoldGrindingBits);
        Assert.Equal(11, layout.MaskGrindingBits);
        Assert.Equal(12, layout.PadGrindingBits);

        SoundnessReport report = SoundnessCalculator.Report(layout);
        Assert.Equal(123.7, Bits(report, "zerocheck point"), 0.06);
        Assert.Equal(121.0, Bits(report, "skip point"), 0.05);
        Assert.Equal(127, Bits(report, "zerocheck round"));
        Assert.Equal(127, Bits(report, "tie round"));
        Assert.Equal(127, Bits(report, "lincheck round"));
        Assert.Equal(127, Bits(report, "row-fold round"));
        Assert.Equal(125, Bits(report, "ring switch"));
        Assert.Equal(125, Bits(report, "inner equations"));
        Assert.Equal(109.0 + 11, Bits(report, "row-fold proximity"), 0.01);
        Assert.Equal(108.0 + 12, Bits(report, "pad row proximity"), 0.01);
        Assert.Equal(128, Bits(report, "hash collisions"));
        Assert.InRange(Bits(report, "queries of the rows"), 120, 120.42);
        Assert.InRange(report.MinimumBits, 120, 120.42);
        Assert.InRange(report.SumBits, 115, report.MinimumBits);
    }

    [Fact]
    public void Without_grinding_the_folds_of_a_row_of_2_to_the_22_lose_20_bits()
    {
        LayoutParameters layout = Solve(P120, 16, 1) with { Suite = P120 with { LogInverseRate = 2 }, FoldGrindingBits = 0, PadGrindingBits = 0 };
        Assert.Equal(1 << 22, layout.Length);

        // Distance 3/4: radius 3/8, so (3/8) 2^22 exceptional challenges.
        Assert.Equal(128 - Math.Log2(0.375 * (1 << 22)), Bits(SoundnessCalculator.Report(layout), "row-fold proximity"), 0.01);
    }

    [Fact]
    public void Both_counts_agree_on_every_line_of_every_layout()
    {
        int layouts = 0;
        foreach (Suite suite in Suites.All)
        {
            foreach (LayoutParameters layout in suite.Layouts)
            {
                SoundnessReport logarithms = SoundnessCalculator.Report(layout), exact = ExactSoundness.Report(layout);
                Assert.Equal(logarithms.Lines.Select(line => (line.Step, line.Times)), exact.Lines.Select(line => (line.Step, line.Times)));
                for (int i = 0; i < exact.Lines.Count; i++)
                    Assert.Equal(exact.Lines[i].Bits, logarithms.Lines[i].Bits, 1e-6);
                Assert.Equal(exact.SumBits, logarithms.SumBits, 1e-6);
                layouts++;
            }
        }

        Assert.True(layouts > 40, $"{layouts} layouts");
    }

    [Fact]
    public void Every_set_one_query_or_one_bit_short_is_refused()
    {
        foreach (Suite suite in Suites.All)
        {
            foreach (LayoutParameters layout in suite.Layouts)
            {
                Assert.Null(SoundnessCalculator.Check(layout));
                AssertBelow(layout with { Queries = layout.Queries - 1 });
                AssertBelow(layout with { Suite = suite.Parameters with { QueryGrindingBits = suite.Parameters.QueryGrindingBits - 1 } });
                if (layout.FoldGrindingBits > 0)
                    AssertBelow(layout with { FoldGrindingBits = layout.FoldGrindingBits - 1 });
                if (layout.MaskGrindingBits > 0)
                    AssertBelow(layout with { MaskGrindingBits = layout.MaskGrindingBits - 1 });
                if (layout.PadGrindingBits > 0)
                    AssertBelow(layout with { PadGrindingBits = layout.PadGrindingBits - 1 });
            }
        }

        static void AssertBelow(LayoutParameters layout) =>
            Assert.Equal(SoundnessRefusalReason.BelowTarget, SoundnessCalculator.Check(layout)?.Reason);
    }

    [Fact]
    public void Every_120_bit_layout_grinds_somewhere()
    {
        // So that the test above takes bits away from every kind of challenge.
        Assert.All(Suites.Default.Layouts, layout =>
        {
            Assert.True(layout.FoldGrindingBits > 0 && layout.MaskGrindingBits > 0 && layout.PadGrindingBits > 0 || layout.Length <= 1 << 10);
            Assert.Equal(layout.Queries + 2, layout.RowPads);
            Assert.InRange(layout.RowPads, 1, SoundnessCalculator.MaxRowPads);
        });
    }

    [Fact]
    public void Solutions_have_the_fewest_queries_of_all()
    {
        foreach (Suite suite in Suites.All)
        {
            foreach ((int kappa, int e) in new[] { (10, 1), (12, 3), (14, 4), (16, 1) })
            {
                LayoutParameters layout = Solve(suite.Parameters, kappa, e);
                for (int queries = 1; queries < layout.Queries; queries++)
                    Assert.False(ExactSoundness.QueriesSuffice(layout with { Queries = queries, RowPads = queries + 2 }));
            }
        }
    }

    [Fact]
    public void Hiding_limits_are_refused()
    {
        LayoutParameters layout = Solve(P120, 14, 4);
        Assert.Equal(SoundnessRefusalReason.TooFewRowPads, SoundnessCalculator.Check(layout with { RowPads = layout.Queries - 1 })?.Reason);
        Assert.Equal(SoundnessRefusalReason.TooManyRowPads, SoundnessCalculator.Check(layout with { RowPads = 513 })?.Reason);
        Assert.Null(SoundnessCalculator.Check(layout with { Queries = 300, RowPads = 512 }));
        Assert.Null(SoundnessCalculator.Check(layout with { TranscriptPads = 256 }));
        Assert.Equal(SoundnessRefusalReason.TranscriptPads, SoundnessCalculator.Check(layout with { TranscriptPads = 257 })?.Reason);
        Assert.Equal(SoundnessRefusalReason.TranscriptPads, SoundnessCalculator.Check(layout with { TranscriptPads = layout.TranscriptPads - 1 })?.Reason);
    }

    [Fact]
    public void The_pad_count_is_the_specification_s() => Assert.Equal(208, LayoutParameters.PadCount(16, 2));

    [Theory]
    [InlineData(9, 1, 120, 1, 16)]
    [InlineData(17, 1, 120, 1, 16)]
    [InlineData(12, 0, 120, 1, 16)]
    [InlineData(12, 7, 120, 1, 16)]
    [InlineData(10, 6, 120, 1, 16)]
    [InlineData(12, 2, 129, 1, 16)]
    [InlineData(12, 2, 120, 0, 16)]
    [InlineData(12, 2, 120, 1, 25)]
    [InlineData(12, 2, 120, 1, -1)]
    public void Parameters_outside_the_argument_are_refused(int kappa, int e, int target, int logInverseRate, int grinding)
    {
        var suite = new SuiteParameters(target, DecodingRegime.UniqueDecoding, logInverseRate, grinding);
        Assert.False(SoundnessCalculator.TrySolve(suite, kappa, e, out _, out SoundnessRefusal? refusal));
        Assert.Equal(SoundnessRefusalReason.OutOfRange, refusal.Reason);
        Assert.False(SoundnessCalculator.TrySolve(P120 with { Regime = (DecodingRegime)2 }, 12, 2, out _, out refusal));
        Assert.Equal(SoundnessRefusalReason.OutOfRange, refusal.Reason);
    }

    [Fact]
    public void Targets_beyond_the_field_are_refused()
    {
        Assert.False(SoundnessCalculator.TrySolve(P120 with { TargetBits = 122, QueryGrindingBits = 20 }, 14, 2, out _, out SoundnessRefusal? refusal));
        Assert.Equal(SoundnessRefusalReason.BelowTarget, refusal.Reason);
        Assert.Contains("skip point", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_too_short_for_their_pads_are_refused()
    {
        // At n = 2^10 each query costs as much radius, through its pads, as it gains.
        Assert.False(SoundnessCalculator.TrySolve(P120, 10, 5, out _, out SoundnessRefusal? refusal));
        Assert.Equal(SoundnessRefusalReason.TooManyRowPads, refusal.Reason);
    }
}
