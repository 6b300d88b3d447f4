using Lockstep.Proofs.Soundness;

namespace Lockstep.Proofs.Tests.Soundness;

public sealed class SoundnessTests
{
    private static readonly SuiteParameters P120 = Suites.Default.Parameters;

    private static double Bits(SoundnessReport report, string step) => report.Lines.Single(line => line.Step == step).Bits;

    private static LayoutParameters Solve(SuiteParameters suite, int kappa)
    {
        Assert.True(SoundnessCalculator.TrySolve(suite, kappa, out LayoutParameters? layout, out SoundnessRefusal? refusal), refusal?.Message);
        return layout;
    }

    [Fact]
    public void The_specification_s_figures_are_reproduced()
    {
        // The lines of docs/proof-system.md section 10 for kappa = 16: N = 2^20, levels of 2^18, 2^15 and 2^12 positions.
        LayoutParameters layout = Solve(P120, 16);
        Assert.Equal(1 << 20, layout.Length);
        Assert.Equal(246, layout.Queries);
        Assert.Equal(10, layout.FoldGrindingBits);
        Assert.Equal(10, layout.MaskGrindingBits);
        Assert.Equal(11, layout.PadGrindingBits);
        Assert.Equal(
            [
                new LevelParameters(19, 4, 3, 123, 9, 18), new LevelParameters(15, 3, 3, 123, 6, 18), new LevelParameters(12, 3, 3, 124, 3, 18),
            ],
            layout.Levels);
        Assert.Equal(9, layout.LogLastLength);

        SoundnessReport report = SoundnessCalculator.Report(layout);
        Assert.Equal(123.7, Bits(report, "zerocheck point"), 0.06);
        Assert.Equal(121.0, Bits(report, "skip point"), 0.05);
        Assert.Equal(127, Bits(report, "zerocheck round"));
        Assert.Equal(127, Bits(report, "tie round"));
        Assert.Equal(127, Bits(report, "lincheck round"));
        Assert.Equal(127, Bits(report, "row-fold round"));
        Assert.Equal(125, Bits(report, "ring switch"));
        Assert.Equal(125, Bits(report, "inner equations"));
        Assert.Equal(110.0 + 10, Bits(report, "row-fold proximity"), 0.01);
        Assert.Equal(109.0 + 11, Bits(report, "pad row proximity"), 0.01);
        Assert.Equal(128 - Math.Log2(247), Bits(report, "level 1 batching"), 1e-9);
        Assert.Equal(128 - Math.Log2(124), Bits(report, "level 2 batching"), 1e-9);
        Assert.Equal(127, Bits(report, "level 3 fold round"));

        // Distance 7/8: radius 7/16, so (7/16) 2^18 exceptional challenges at level 1.
        Assert.Equal(128 - Math.Log2(0.4375 * (1 << 18)) + 9, Bits(report, "level 1 fold proximity"), 0.01);
        Assert.Equal(-123 * Math.Log2(1 - 0.4375) + 18, Bits(report, "level 1 queries"), 0.01);
        Assert.Equal(128, Bits(report, "hash collisions"));
        Assert.InRange(Bits(report, "queries of the rows"), 120, 120.42);
        Assert.InRange(report.MinimumBits, 120, 120.42);
        Assert.InRange(report.SumBits, 115, report.MinimumBits);
    }

    [Fact]
    public void Without_grinding_the_folds_of_a_row_of_2_to_the_21_lose_20_bits()
    {
        LayoutParameters layout = Solve(P120, 16) with { Suite = P120 with { QuarterRateLogUnits = 16 }, FoldGrindingBits = 0, PadGrindingBits = 0 };
        Assert.Equal(1 << 21, layout.Length);

        // Distance 3/4: radius 3/8, so (3/8) 2^21 exceptional challenges.
        Assert.Equal(128 - Math.Log2(0.375 * (1 << 21)), Bits(SoundnessCalculator.Report(layout), "row-fold proximity"), 0.01);
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

        Assert.Equal(16, layouts);
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
                for (int i = 0; i < layout.Levels.Count; i++)
                {
                    LevelParameters level = layout.Levels[i];
                    AssertBelow(Change(layout, i, level with { Queries = level.Queries - 1 }));
                    AssertBelow(Change(layout, i, level with { QueryGrindingBits = level.QueryGrindingBits - 1 }));
                    if (level.FoldGrindingBits > 0)
                        AssertBelow(Change(layout, i, level with { FoldGrindingBits = level.FoldGrindingBits - 1 }));
                }
            }
        }

        static void AssertBelow(LayoutParameters layout) =>
            Assert.Equal(SoundnessRefusalReason.BelowTarget, SoundnessCalculator.Check(layout)?.Reason);
    }

    private static LayoutParameters Change(LayoutParameters layout, int index, LevelParameters level) =>
        layout with { Levels = [.. layout.Levels.Select((old, i) => i == index ? level : old)] };

    [Fact]
    public void More_positions_than_one_challenge_can_batch_are_refused()
    {
        // At 120 bits a challenge joins at most 256 claims: one per position and the one carried along.
        LayoutParameters layout = Solve(P120, 16);
        Assert.Null(SoundnessCalculator.Check(layout with { Queries = 255, RowPads = 257 }));
        SoundnessRefusal? refusal = SoundnessCalculator.Check(layout with { Queries = 256, RowPads = 258 });
        Assert.Equal(SoundnessRefusalReason.BelowTarget, refusal?.Reason);
        Assert.Contains("level 1 batching", refusal!.Message, StringComparison.Ordinal);
        Assert.Null(SoundnessCalculator.Check(Change(layout, 1, layout.Levels[1] with { Queries = 255 })));
        refusal = SoundnessCalculator.Check(Change(layout, 1, layout.Levels[1] with { Queries = 256 }));
        Assert.Contains("level 3 batching", refusal!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Levels_that_do_not_continue_each_other_are_refused()
    {
        LayoutParameters layout = Solve(P120, 14);
        LevelParameters first = layout.Levels[0];
        foreach (LevelParameters wrong in new[]
        {
            first with { LogLength = first.LogLength - 1 }, first with { Folds = 0 }, first with { Folds = first.Folds - 1 }, first with { Folds = 6 },
            first with { LogInverseRate = 0 }, first with { LogInverseRate = 5 }, first with { Queries = 0 }, first with { Queries = first.CodeLength + 1 },
            first with { FoldGrindingBits = -1 }, first with { QueryGrindingBits = 25 },
        })
            Assert.Equal(SoundnessRefusalReason.OutOfRange, SoundnessCalculator.Check(Change(layout, 0, wrong))?.Reason);

        // To send the folded row itself is sound, only long.
        Assert.Null(SoundnessCalculator.Check(layout with { Levels = [] }));
    }

    [Fact]
    public void Plans_of_levels_have_the_smallest_bound_of_all()
    {
        foreach (Suite suite in Suites.All)
        {
            foreach (LayoutParameters layout in suite.Layouts)
            {
                var shape = new WindowShape(layout.LogUnits, layout.LogRowGroups, 1);
                long best = ProofSize.UpperBound(shape, layout);
                foreach (LevelParameters[] plan in Plans(suite.Parameters, layout.LogMessage))
                {
                    long size = ProofSize.UpperBound(shape, layout with { Levels = plan });
                    Assert.True(size > best || size == best && plan.Length >= layout.Levels.Count
                        && (plan.Length > layout.Levels.Count || plan[0].Folds <= layout.Levels[0].Folds));
                }
            }
        }

        static IEnumerable<LevelParameters[]> Plans(SuiteParameters suite, int logLength)
        {
            if (logLength <= SoundnessCalculator.LastVectorBits)
                return [[]];
            return Enumerable.Range(1, SoundnessCalculator.MaxLevelFolds).SelectMany(folds => Plans(suite, logLength - folds)
                .Select(rest => (LevelParameters[])[Levels.GetOrAdd((suite, logLength, folds), key => LevelPlan.Solve(key.Item1, key.Item2, key.Item3)), .. rest]));
        }
    }

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<(SuiteParameters, int, int), LevelParameters> Levels = new();

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
            foreach (LayoutParameters layout in suite.Layouts)
            {
                for (int queries = 1; queries < layout.Queries; queries++)
                    Assert.False(ExactSoundness.QueriesSuffice(layout with { Queries = queries, RowPads = queries + 2 }));
                foreach (LevelParameters level in layout.Levels)
                    for (int queries = 1; queries < level.Queries; queries++)
                        Assert.False(ExactSoundness.LevelQueries(level with { Queries = queries }).IsAtMost(suite.TargetBits));
            }
        }
    }

    [Fact]
    public void Hiding_limits_are_refused()
    {
        LayoutParameters layout = Solve(P120, 14);
        Assert.Equal(SoundnessRefusalReason.TooFewRowPads, SoundnessCalculator.Check(layout with { RowPads = layout.Queries - 1 })?.Reason);
        Assert.Equal(SoundnessRefusalReason.TooManyRowPads, SoundnessCalculator.Check(layout with { RowPads = 513 })?.Reason);
        Assert.Null(SoundnessCalculator.Check(layout with { Queries = 255, RowPads = 512 }));
        Assert.Null(SoundnessCalculator.Check(layout with { TranscriptPads = 256 }));
        Assert.Equal(SoundnessRefusalReason.TranscriptPads, SoundnessCalculator.Check(layout with { TranscriptPads = 257 })?.Reason);
        Assert.Equal(SoundnessRefusalReason.TranscriptPads, SoundnessCalculator.Check(layout with { TranscriptPads = layout.TranscriptPads - 1 })?.Reason);
    }

    [Fact]
    public void The_pad_count_is_the_specification_s() => Assert.Equal(208, LayoutParameters.PadCount(16, 2));

    [Theory]
    [InlineData(9, 2, 120, 3, 18)]
    [InlineData(18, 2, 120, 3, 18)]
    [InlineData(12, 0, 120, 3, 18)]
    [InlineData(12, 7, 120, 3, 18)]
    [InlineData(10, 6, 120, 3, 18)]
    [InlineData(12, 2, 129, 3, 18)]
    [InlineData(12, 2, 120, 0, 18)]
    [InlineData(12, 2, 120, 5, 18)]
    [InlineData(12, 2, 120, 3, 25)]
    [InlineData(12, 2, 120, 3, -1)]
    public void Parameters_outside_the_argument_are_refused(int kappa, int e, int target, int levelLogInverseRate, int grinding)
    {
        var suite = new SuiteParameters(target, DecodingRegime.UniqueDecoding, e, 14, levelLogInverseRate, grinding);
        Assert.False(SoundnessCalculator.TrySolve(suite, kappa, out _, out SoundnessRefusal? refusal));
        Assert.Equal(SoundnessRefusalReason.OutOfRange, refusal.Reason);
        Assert.False(SoundnessCalculator.TrySolve(P120 with { Regime = (DecodingRegime)2 }, 12, out _, out refusal));
        Assert.Equal(SoundnessRefusalReason.OutOfRange, refusal.Reason);
    }

    [Fact]
    public void Targets_beyond_the_field_are_refused()
    {
        Assert.False(SoundnessCalculator.TrySolve(P120 with { TargetBits = 122, QueryGrindingBits = 20 }, 14, out _, out SoundnessRefusal? refusal));
        Assert.Equal(SoundnessRefusalReason.BelowTarget, refusal.Reason);
        Assert.Contains("skip point", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_too_short_for_their_pads_are_refused()
    {
        // At n = 2^10 and rate 1/2 each query costs as much radius, through its pads, as it gains.
        SuiteParameters suite = P120 with { LogRowGroups = 5, QuarterRateLogUnits = 9 };
        Assert.False(SoundnessCalculator.TrySolve(suite, 10, out _, out SoundnessRefusal? refusal));
        Assert.Equal(SoundnessRefusalReason.TooManyRowPads, refusal.Reason);
    }
}
