using Lockstep.Proofs.Soundness;

namespace Lockstep.Proofs.Tests.Soundness;

public sealed class SuiteTests(ITestOutputHelper output)
{
    private static long Size(Suite suite, WindowShape shape) => ProofSize.UpperBound(shape, suite.Layout(shape)!);

    [Fact]
    public void Two_suites_are_offered_and_both_reach_their_target()
    {
        Assert.Equal(["lockstep-b128-u120/1", "lockstep-b128-u100/1"], Suites.All.Select(suite => suite.Id));
        Assert.Same(Suites.Default, Suites.All[0]);
        Assert.Same(Suites.Hundred, Suites.Find("lockstep-b128-u100/1"));
        Assert.Null(Suites.Find("lockstep-b128-u100/2"));
        Assert.All(Suites.All, suite =>
        {
            Assert.Equal("ChaCha20", suite.Cipher);
            Assert.True(suite.ZeroKnowledge);
            Assert.InRange(suite.ProvableBits, suite.TargetBits, suite.TargetBits + 1);
        });
        Assert.Equal([120, 100], Suites.All.Select(suite => suite.TargetBits));
    }

    [Theory]
    [InlineData(16384, 4)]
    [InlineData(16384, 1)]
    [InlineData(16380, 4)]
    public void A_proof_of_1_MiB_is_at_most_1_2_MiB(long units, int tails)
    {
        WindowShape shape = Suites.Choose(Suites.Default, units, tails)!.Value;
        Assert.Equal(new WindowShape(14, 4, 16), shape);
        Assert.Equal(15, shape.LogMessage);
        Assert.InRange(Size(Suites.Default, shape), 1 << 20, (long)(1.2 * (1 << 20)));
    }

    [Fact]
    public void The_size_is_the_sum_of_the_parts()
    {
        WindowShape shape = Suites.Choose(Suites.Default, 16384, 4)!.Value;
        LayoutParameters layout = Suites.Default.Layout(shape)!;
        Assert.Equal((253, 255, 204), (layout.Queries, layout.RowPads, layout.TranscriptPads));

        // Header and root, 11 nonces, 331 scalars, u, u_pi, leaves of 148 elements and a salt, siblings.
        long parts = 48 + 11 * 8 + 331 * 16 + (32768 + 255) * 16 + (256 + 255) * 16 + 253 * (148 * 16 + 16);
        Assert.Equal(parts + 1900 * 32, ProofSize.Exact(shape, layout, 1900));
        Assert.Equal(parts + (253 * 8 + 3) * 32, ProofSize.UpperBound(shape, layout));
    }

    [Fact]
    public void The_shape_fits_and_is_the_smallest()
    {
        foreach (Suite suite in Suites.All)
        {
            foreach (long units in new long[] { 0, 1, 255, 256, 257, 1023, 1024, 1025, 4096, 10_000, 16384, 24_576, 65_535, 65_536 })
            {
                foreach (int tails in new[] { 1, 2, 16, 256 })
                {
                    if (Suites.Choose(suite, units, tails) is not WindowShape shape)
                        continue;
                    Assert.NotNull(suite.Layout(shape));
                    Assert.True(units <= 1L << shape.LogUnits && tails <= shape.MaxTails);
                    Assert.True(shape.MaxUnits >= Math.Max(units, WindowShape.MaskUnits));
                    Assert.InRange(shape.RowGroups, 1, 1 << shape.LogRowGroups);
                    Assert.Equal(9 * shape.RowGroups + 4, shape.LeafElements);

                    // No other shape that fits is smaller.
                    foreach (LayoutParameters layout in suite.Layouts)
                    {
                        int group = 1 << (layout.LogUnits - layout.LogRowGroups);
                        var other = new WindowShape(layout.LogUnits, layout.LogRowGroups, (int)((Math.Max(units, 256) + group - 1) / group));
                        if (other.RowGroups <= 1 << other.LogRowGroups && tails <= other.MaxTails)
                            Assert.True(Size(suite, other) >= Size(suite, shape));
                    }
                }
            }
        }
    }

    [Fact]
    public void Windows_that_fit_no_shape_get_none()
    {
        Assert.Null(Suites.Choose(Suites.Default, 65_537, 1));
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
            long previous = 0;
            foreach (int log in new[] { 0, 1, 2, 3, 4, 5, 6 })
            {
                long units = 1024L << log, bytes = 64 * units;
                WindowShape shape = Suites.Choose(suite, units, Math.Max(1, (int)(bytes >> 18)))!.Value;
                LayoutParameters layout = suite.Layout(shape)!;
                long size = Size(suite, shape);
                output.WriteLine(FormattableString.Invariant(
                    $"{suite.Id} {bytes >> 10} KiB: kappa {shape.LogUnits} e {shape.LogRowGroups} E {shape.RowGroups} t0 {layout.Queries} q {layout.RowPads} grind {layout.FoldGrindingBits}/{layout.MaskGrindingBits}/{layout.PadGrindingBits} rows {shape.WitnessRows} N 2^{layout.LogLength}: {size} bytes, {size / (double)bytes:F3} x, {SoundnessCalculator.Report(layout).MinimumBits:F2} bits, sum {SoundnessCalculator.Report(layout).SumBits:F2}"));
                Assert.True(size > previous);
                previous = size;
            }
        }
    }
}
