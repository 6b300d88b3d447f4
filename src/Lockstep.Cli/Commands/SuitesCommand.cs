using System.CommandLine;
using System.Globalization;
using Lockstep.Cli.Common;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Cli.Commands;

/// <summary><c>suites</c>: what proof suites there are and what they guarantee.</summary>
internal static class SuitesCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("suites", "List the proof suites with their provable security.", "lockstep suites --json");
        command.SetBody((_, output, _) =>
        {
            var suites = Suites.All.Select(Describe).ToArray();
            output.Result(suites, suites.Select(suite => string.Create(CultureInfo.InvariantCulture,
                $"{suite.Id}  {suite.Cipher}  {suite.ProvableBits:F2} provable bits ({suite.SumBits:F2} summed)  zero knowledge: {(suite.ZeroKnowledge ? "yes" : "no")}{(suite.IsDefault ? "  (default)" : "")}")));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Description Describe(Suite suite) => new(
        suite.Id, suite.Cipher, Math.Round(suite.ProvableBits, 4), Math.Round(suite.Layouts.Min(layout => SoundnessCalculator.Report(layout).SumBits), 4),
        suite.TargetBits, suite.ZeroKnowledge, suite == Suites.Default,
        new(suite.Parameters.Regime.ToString(), 1.0 / (1 << suite.Parameters.LevelLogInverseRate), suite.Parameters.QueryGrindingBits),
        [.. suite.Layouts.Select(l => new Layout(
            l.LogUnits, l.LogRowGroups, 1.0 / (1 << l.LogInverseRate), l.Queries, l.RowPads, l.FoldGrindingBits, l.MaskGrindingBits, l.PadGrindingBits,
            [.. l.Levels.Select(level => new Level(level.LogLength, level.Folds, level.Queries, level.FoldGrindingBits))],
            Math.Round(SoundnessCalculator.Report(l).MinimumBits, 4), Math.Round(SoundnessCalculator.Report(l).SumBits, 4)))]);

    private sealed record Description(string Id, string Cipher, double ProvableBits, double SumBits, int TargetBits, bool ZeroKnowledge, bool IsDefault,
        Parameters Parameters, IReadOnlyList<Layout> Layouts);

    private sealed record Parameters(string Regime, double LevelRate, int QueryGrindingBits);

    private sealed record Layout(int Kappa, int E, double Rate, int Queries, int RowPads, int FoldGrindingBits, int MaskGrindingBits, int PadGrindingBits,
        IReadOnlyList<Level> Levels, double MinimumBits, double SumBits);

    private sealed record Level(int LogLength, int Folds, int Queries, int FoldGrindingBits);
}
