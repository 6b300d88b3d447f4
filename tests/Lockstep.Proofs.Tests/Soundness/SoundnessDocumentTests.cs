using System.Globalization;
using System.Text;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Proofs.Tests.Soundness;

/// <summary>
/// docs/soundness.md is what the calculator says, of every layout on offer. It is written anew by
/// <code>LOCKSTEP_SOUNDNESS_OUT=$PWD/docs/soundness.md dotnet run --project tests/Lockstep.Proofs.Tests -c Release -- -class "*SoundnessDocumentTests"</code>
/// </summary>
public sealed class SoundnessDocumentTests
{
    private static readonly (string Name, long Bytes, int Chunks)[] Contents =
    [
        ("1 byte", 1, 1), ("64 KiB", 64 << 10, 1), ("256 KiB", 256 << 10, 1), ("512 KiB", 512 << 10, 2), ("1 MiB", 1 << 20, 4),
        ("1 MiB + 1 KiB", (1 << 20) + 1024, 1), ("2 MiB", 2 << 20, 8), ("4 MiB", 4 << 20, 16), ("8 MiB", 8 << 20, 32),
        ("1,024 chunks of 4 KiB", 4 << 20, 1024),
    ];

    [Fact]
    public void The_document_says_what_the_calculator_counts()
    {
        string generated = Generate();
        if (Environment.GetEnvironmentVariable("LOCKSTEP_SOUNDNESS_OUT") is { } path)
        {
            File.WriteAllText(path, generated);
            Assert.Skip($"written to {path}");
        }

        string committed = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "soundness.md"));
        Assert.Equal(generated, committed.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Every_layout_on_offer_reaches_its_target_by_both_calculations()
    {
        foreach (Suite suite in Suites.All)
            Assert.All(suite.Layouts, layout =>
            {
                Assert.Null(SoundnessCalculator.Check(layout));
                SoundnessReport exact = ExactSoundness.Report(layout), rounded = SoundnessCalculator.Report(layout);
                Assert.True(exact.MinimumBits >= suite.TargetBits);
                Assert.Equal(exact.MinimumBits, rounded.MinimumBits, 6);
                Assert.Equal(exact.SumBits, rounded.SumBits, 6);
                Assert.True(exact.SumBits > suite.TargetBits - 8);
            });
    }

    private static string Generate()
    {
        var text = new StringBuilder();
        text.Append("# Soundness of every window on offer\n\n");
        text.Append("Written by a test from `ExactSoundness`, which counts in whole fractions; the same test fails when this file and the code differ\n");
        text.Append("(how to write it anew: [CONTRIBUTING.md](../CONTRIBUTING.md), *Golden files*).\n");
        text.Append("What each step is, and why its error is what it is: [proof-system.md](proof-system.md), section 10.\n\n");
        text.Append("*Minimum* is the weakest step with its own work: the round-by-round figure, which the Fiat-Shamir transform keeps. *Sum* adds\n");
        text.Append("the errors of all challenges: the figure of the interactive argument.\n");
        foreach (Suite suite in Suites.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {suite.Id}\n\nTarget {suite.TargetBits} bits on every step, {suite.Parameters.QueryGrindingBits} bits of work before the positions of every level.\n\n");
            text.Append("| content | kappa | row groups | proof at most, bytes | of the content | minimum | sum |\n|---|---|---|---|---|---|---|\n");
            foreach ((string name, long bytes, int chunks) in Contents)
            {
                WindowShape shape = Suites.Choose(suite, bytes / 64, chunks)!.Value;
                LayoutParameters layout = suite.Layout(shape)!;
                SoundnessReport report = ExactSoundness.Report(layout);
                long bound = ProofSize.UpperBound(shape, layout);
                string share = bytes < 64 << 10 ? "" : FormattableString.Invariant($"{100.0 * bound / bytes:F1} %");
                text.Append(CultureInfo.InvariantCulture,
                    $"| {name} | {shape.LogUnits} | {shape.RowGroups} | {bound:N0} | {share} | {report.MinimumBits:F3} | {report.SumBits:F3} |\n");
            }

            text.Append("\nEvery window on offer, e = 2. Rate of the row code; t0 positions; q random coefficients per row; bits of work before each row fold, before\n");
            text.Append("xi and before omega; for each level of the commitment its folds, positions and bits of work before each fold.\n\n");
            text.Append("| kappa | content, chunks at most | rate | t0 | q | work | levels | minimum | weakest step | sum |\n|---|---|---|---|---|---|---|---|---|---|\n");
            foreach (LayoutParameters layout in suite.Layouts)
            {
                SoundnessReport report = ExactSoundness.Report(layout);
                var full = new WindowShape(layout.LogUnits, layout.LogRowGroups, 4);
                string levels = string.Join("; ", layout.Levels.Select(level => FormattableString.Invariant($"{level.Folds}, {level.Queries}, {level.FoldGrindingBits}")));
                text.Append(CultureInfo.InvariantCulture,
                    $"| {layout.LogUnits} | {64 * full.MaxUnits >> 10} KiB, {full.MaxTails} | 1/{1 << layout.LogInverseRate} | {layout.Queries} | {layout.RowPads} |"
                    + $" {layout.FoldGrindingBits}, {layout.MaskGrindingBits}, {layout.PadGrindingBits} | {levels} | {report.MinimumBits:F3} | {report.Lines.MinBy(line => line.Bits).Step} | {report.SumBits:F3} |\n");
            }
        }

        return text.ToString();
    }
}
