using Lockstep.Proofs.Soundness;

namespace Lockstep.Proofs.Tests.Soundness;

public sealed class SuiteTests(ITestOutputHelper output)
{
    private static long Size(Suite suite, WindowShape shape) => ProofSize.UpperBound(shape, suite.Layout(shape)!);

    [Fact]
    public void Two_suites_are_offered_and_both_reach_their_target()
    {
        Assert.Equal(["lockstep-b128-u120/2", "lockstep-b128-u100/2"], Suites.All.Select(suite => suite.Id));
        Assert.Same(Suites.Default, Suites.All[0]);
        Assert.Same(Suites.Hundred, Suites.Find("lockstep-b128-u100/2"));
        Assert.Null(Suites.Find("lockstep-b128-u100/1"));
        Assert.All(Suites.All, suite =>
        {
            Assert.Equal("ChaCha20", suite.Cipher);
            Assert.True(suite.ZeroKnowledge);
            Assert.InRange(suite.ProvableBits, suite.TargetBits, suite.TargetBits + 1);
        });
        Assert.Equal([120, 100], Suites.All.Select(suite => suite.TargetBits));
    }

    [Fact]
    public void Plans_of_the_common_windows()
    {
        Assert.Equal([4, 3, 3], Folds(65_536, 16));
        Assert.Equal([4, 4], Folds(16_384, 4));

        static int[] Folds(long units, int chunks) =>
            [.. Suites.Default.Layout(Suites.Choose(Suites.Default, units, chunks)!.Value)!.Levels.Select(level => level.Folds)];
    }

    [Fact]
    public void The_size_is_the_sum_of_the_parts()
    {
        WindowShape shape = Suites.Choose(Suites.Default, 16384, 4)!.Value;
        LayoutParameters layout = Suites.Default.Layout(shape)!;
        Assert.Equal((151, 153, 200), (layout.Queries, layout.RowPads, layout.TranscriptPads));

        // Header and root, 9 nonces, 328 scalars, upper coefficients of u, u_pi, the last vector, leaves of 40 elements and a salt.
        long parts = 48 + 9 * 8 + 328 * 16 + 153 * 16 + (256 + 153) * 16 + 512 * 16 + 151 * (40 * 16 + 16);

        // Two levels: a root, four folds of two elements and a nonce, a nonce, leaves of 16 elements.
        Assert.Equal([123, 124], layout.Levels.Select(level => level.Queries));
        parts += 2 * (32 + 4 * (32 + 8) + 8) + (123 + 124) * 256;
        Assert.Equal(parts + 1900 * 32, ProofSize.Exact(shape, layout, 1900));

        // Spread evenly over 2^19, 2^16 and 2^12 leaves.
        Assert.Equal(parts + (151 * 11 + 105 + 123 * 9 + 5 + 124 * 5 + 4) * 32, ProofSize.UpperBound(shape, layout));
    }

    [Fact]
    public void The_shape_is_the_least_that_fits()
    {
        foreach (Suite suite in Suites.All)
        {
            foreach (long units in new long[] { 0, 1, 255, 256, 257, 1023, 1024, 1025, 4096, 10_000, 16384, 24_576, 65_535, 65_536, 131_072 })
            {
                foreach (int tails in new[] { 1, 2, 8, 9, 16, 256, 1024 })
                {
                    WindowShape shape = Suites.Choose(suite, units, tails)!.Value;
                    LayoutParameters layout = suite.Layout(shape)!;
                    Assert.True(units <= 1L << shape.LogUnits && tails <= shape.MaxTails);
                    Assert.True(shape.LogUnits == 10 || units > 1L << (shape.LogUnits - 1) || tails > shape.MaxTails / 2);
                    Assert.InRange(Math.Max(units, WindowShape.MaskUnits), shape.MaxUnits - (1 << (shape.LogUnits - 2)) + 1, shape.MaxUnits);
                    Assert.InRange(shape.RowGroups, 1, 4);
                    Assert.Equal(9 * shape.RowGroups + 4, shape.LeafElements);
                    Assert.Equal(shape.LogUnits <= 14 ? 2 : 1, layout.LogInverseRate);
                    Assert.InRange(layout.LogLastLength, 0, SoundnessCalculator.LastVectorBits);

                    // The bound for windows up to this one is no less than that of any of them.
                    long bound = Suites.ProofBound(suite, units, tails)!.Value;
                    Assert.True(bound >= Size(suite, shape));
                    Assert.True(bound >= Size(suite, Suites.Choose(suite, units / 2, tails)!.Value));
                    Assert.True(bound >= Size(suite, Suites.Choose(suite, units, (tails + 1) / 2)!.Value));
                }
            }
        }
    }

    [Fact]
    public void Windows_that_fit_no_shape_get_none()
    {
        Assert.Null(Suites.Choose(Suites.Default, 131_073, 1));
        Assert.Null(Suites.Choose(Suites.Default, 1, 1 << 12));
        Assert.Null(Suites.Choose(Suites.Default, -1, 1));
        Assert.Null(Suites.Choose(Suites.Default, 1, 0));
        Assert.Null(Suites.Default.Layout(new WindowShape(20, 1, 1)));
    }

    [Fact]
    public void Sizes_of_common_windows()
    {
        foreach (Suite suite in Suites.All)
        {
            foreach (int log in new[] { 0, 1, 2, 3, 4, 5, 6, 7 })
            {
                long units = 1024L << log, bytes = 64 * units;
                WindowShape shape = Suites.Choose(suite, units, Math.Max(1, (int)(bytes >> 18)))!.Value;
                LayoutParameters layout = suite.Layout(shape)!;
                long bound = Size(suite, shape);
                double typical = TypicalSize(shape, layout);
                SoundnessReport report = SoundnessCalculator.Report(layout);
                output.WriteLine(FormattableString.Invariant(
                    $"{suite.Id} {bytes >> 10} KiB: kappa {shape.LogUnits} E {shape.RowGroups} t0 {layout.Queries} grind {layout.FoldGrindingBits}/{layout.MaskGrindingBits}/{layout.PadGrindingBits} N 2^{layout.LogLength} levels {string.Join(' ', layout.Levels.Select(level => $"{level.Folds}:{level.Queries}:{level.FoldGrindingBits}"))}: at most {bound}, typically {typical:F0} bytes, {typical / bytes:P2}, {report.MinimumBits:F2} bits, sum {report.SumBits:F2}"));

                // What the windows were chosen for: a share of the content that a typical proof stays within.
                if (bytes == 4 << 20)
                    Assert.True(typical <= bytes * (suite.TargetBits == 100 ? 0.085 : 0.115));
                if (bytes == 1 << 20)
                    Assert.True(typical <= bytes * 0.30);
            }
        }
    }

    // The mean over random positions: a node's sibling is sent when the node is on an opened path and its sibling is not.
    private static double TypicalSize(WindowShape shape, LayoutParameters layout)
    {
        double siblings = Mean(layout.Queries, layout.LogLength) + layout.Levels.Sum(level => Mean(level.Queries, level.LogCodeLength));
        return ProofSize.Exact(shape, layout, (int)siblings);

        static double Mean(int positions, int depth) => Enumerable.Range(1, depth).Sum(k =>
        {
            double nodes = Math.Pow(2, k);
            return nodes * (Math.Pow(1 - 1 / nodes, positions) - Math.Pow(1 - 2 / nodes, positions));
        });
    }
}
