using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Lockstep.Proofs.Soundness;

/// <summary>
/// Provable soundness of the argument in the unique-decoding regime (docs/proof-system.md section 10),
/// counted from the parameters. This class counts in floating-point logarithms, for reports;
/// <see cref="ExactSoundness"/> counts the same lines again in exact fractions, and only that one decides.
/// </summary>
/// <remarks>
/// Figures are round by round: while a claim of a step is false, the step's error bounds the chance that its challenge
/// makes all claims true. Where a challenge serves several claims at once the largest of their errors counts, so each
/// is a line of its own.
/// </remarks>
public static class SoundnessCalculator
{
    /// <summary>Rounds of the lincheck: 17 inner variables.</summary>
    public const int LincheckRounds = 17;

    /// <summary>The most random coefficients a row may have.</summary>
    public const int MaxRowPads = 512;

    /// <summary>The most work that may be asked for before one challenge, in bits.</summary>
    public const int MaxGrindingBits = 24;

    /// <summary>Smallest and largest kappa.</summary>
    public const int MinLogUnits = 10, MaxLogUnits = 17;

    /// <summary>Smallest and largest e.</summary>
    public const int MinLogRowGroups = 1, MaxLogRowGroups = 6;

    /// <summary>The most variables that one level may fold.</summary>
    public const int MaxLevelFolds = 5;

    /// <summary>A vector of at most 2^this many elements is sent in clear.</summary>
    public const int LastVectorBits = 9;

    /// <summary>The report of a layout within the limits, in floating point.</summary>
    public static SoundnessReport Report(LayoutParameters parameters)
    {
        int kappa = parameters.LogUnits;
        double rowRadius = Radius(parameters, parameters.Message), padRadius = Radius(parameters, LayoutParameters.PadRowMessage);
        return new SoundnessReport(
        [
            new("zerocheck point", 1, Field(kappa + 3)),
            new("skip point", 1, Field(127)),
            new("tie points", 1, Field(kappa + 9)),
            new("zerocheck round", kappa + 10, Field(2)),
            new("tie round", kappa, Field(2)),
            new("output points and claim batching", 1, Field(20)),
            new("lincheck round", LincheckRounds, Field(2)),
            new("ring switch", 1, Field(8)),
            new("row-fold round", parameters.FoldVariables, Field(2)),
            new("row-fold proximity", parameters.FoldVariables, Field(rowRadius * parameters.Length + 1) + parameters.FoldGrindingBits),
            new("mask row", 1, Field(rowRadius * parameters.Length + 1) + parameters.MaskGrindingBits),
            new("product triple", 1, Field(1)),
            new("inner equations", 1, Field(8)),
            new("inner product", 1, Field(1)),
            new("pad row proximity", 1, Field(padRadius * parameters.Length + 1) + parameters.PadGrindingBits),
            new("queries of the rows", 1, QueryBits(parameters.Queries, rowRadius, parameters.Suite.QueryGrindingBits)),
            new("queries of the pad row", 1, QueryBits(parameters.Queries, padRadius, parameters.Suite.QueryGrindingBits)),
            .. LevelLines(parameters),
            new("hash collisions", 1, 128),
        ]);
    }

    /// <summary>
    /// The smallest parameters that reach the suite's target on every line: fewest queries, two random coefficients per row
    /// more than queries, least work, the levels with the smallest proof. False with the reason when there are none.
    /// </summary>
    /// <param name="suite">The suite's parameters.</param>
    /// <param name="logUnits">kappa.</param>
    /// <param name="parameters">The solution.</param>
    /// <param name="refusal">Why there is none.</param>
    public static bool TrySolve(
        SuiteParameters suite, int logUnits, [NotNullWhen(true)] out LayoutParameters? parameters, [NotNullWhen(false)] out SoundnessRefusal? refusal)
    {
        parameters = null;
        int pads = LayoutParameters.PadCount(logUnits, suite.LogRowGroups);
        var candidate = new LayoutParameters(suite, logUnits, 1, 3, pads, 0, 0, 0, []);
        if ((refusal = CheckRange(candidate)) is not null)
            return false;

        // More pads only shrink the radius, so with the radius of the fewest pads no smaller number of queries can do.
        int least = Math.Min(FewestQueries(suite.TargetBits - suite.QueryGrindingBits, Radius(candidate, candidate.Message)), MaxRowPads - 2);
        candidate = candidate with { Queries = least, RowPads = least + 2 };
        while (!ExactSoundness.QueriesSuffice(candidate))
        {
            candidate = candidate with { Queries = candidate.Queries + 1, RowPads = candidate.RowPads + 1 };
            if ((refusal = CheckPads(candidate)) is not null)
                return false;
        }

        candidate = candidate with
        {
            FoldGrindingBits = ExactSoundness.GrindingNeeded(ExactSoundness.RowProximity(candidate), suite.TargetBits),
            MaskGrindingBits = ExactSoundness.GrindingNeeded(ExactSoundness.RowProximity(candidate), suite.TargetBits),
            PadGrindingBits = ExactSoundness.GrindingNeeded(ExactSoundness.PadProximity(candidate), suite.TargetBits),
            Levels = LevelPlan.Best(suite, candidate.LogMessage),
        };
        if ((refusal = Check(candidate)) is not null)
            return false;
        parameters = candidate;
        return true;
    }

    /// <summary>Null when the parameters may be used; else the first reason why not, counted exactly.</summary>
    public static SoundnessRefusal? Check(LayoutParameters parameters)
    {
        if ((CheckRange(parameters) ?? CheckPads(parameters)) is SoundnessRefusal refusal)
            return refusal;
        foreach (ExactLine line in ExactSoundness.Lines(parameters))
        {
            if (!line.Error.IsAtMost(parameters.Suite.TargetBits))
            {
                return new SoundnessRefusal(SoundnessRefusalReason.BelowTarget, string.Create(
                    CultureInfo.InvariantCulture,
                    $"The step '{line.Step}' has {line.Error.Bits:F2} provable bits, the suite demands {parameters.Suite.TargetBits}: use a suite's own parameters."));
            }
        }

        return null;
    }

    private static SoundnessRefusal? CheckRange(LayoutParameters parameters)
    {
        SuiteParameters suite = parameters.Suite;
        bool inRange = suite.Regime == DecodingRegime.UniqueDecoding
            && suite.TargetBits is >= 1 and <= 128
            && suite.LevelLogInverseRate is >= 1 and <= 4
            && parameters.LogUnits is >= MinLogUnits and <= MaxLogUnits
            && parameters.LogRowGroups is >= MinLogRowGroups and <= MaxLogRowGroups
            && parameters.LogUnits - parameters.LogRowGroups >= 5
            && parameters.Queries >= 1
            && IsGrinding(suite.QueryGrindingBits) && IsGrinding(parameters.FoldGrindingBits)
            && IsGrinding(parameters.MaskGrindingBits) && IsGrinding(parameters.PadGrindingBits)
            && AreInRange(parameters.Levels, parameters.LogMessage);
        return inRange ? null : new SoundnessRefusal(
            SoundnessRefusalReason.OutOfRange,
            $"The parameters are outside what the argument covers: kappa {MinLogUnits} to {MaxLogUnits}, e {MinLogRowGroups} to {MaxLogRowGroups}"
            + $" and at most kappa - 5, levels of 1 to {MaxLevelFolds} folds that continue each other with rates 1/2 to 1/16,"
            + $" at most {MaxGrindingBits} bits of work, unique decoding.");
    }

    // Each level takes up the vector that the one before leaves. 64 positions make every radius positive.
    private static bool AreInRange(IReadOnlyList<LevelParameters> levels, int logLength)
    {
        foreach (LevelParameters level in levels)
        {
            if (level.LogLength != logLength || level.Folds is < 1 or > MaxLevelFolds || level.LogInverseRate is < 1 or > 4
                || level.LogMessage < 1 || level.LogCodeLength < 6 || level.Queries < 1 || level.Queries > level.CodeLength
                || !IsGrinding(level.FoldGrindingBits) || !IsGrinding(level.QueryGrindingBits))
                return false;
            logLength = level.LogMessage;
        }

        return true;
    }

    private static SoundnessRefusal? CheckPads(LayoutParameters parameters)
    {
        if (parameters.Queries > parameters.RowPads)
        {
            return new SoundnessRefusal(
                SoundnessRefusalReason.TooFewRowPads,
                $"{parameters.Queries} positions are opened but a row has only {parameters.RowPads} random coefficients.");
        }

        if (parameters.RowPads > MaxRowPads)
        {
            return new SoundnessRefusal(
                SoundnessRefusalReason.TooManyRowPads,
                $"A row would need {parameters.RowPads} random coefficients, the most allowed is {MaxRowPads}.");
        }

        if (parameters.TranscriptPads > LayoutParameters.PadRowMessage
            || parameters.TranscriptPads < LayoutParameters.PadCount(parameters.LogUnits, parameters.LogRowGroups))
        {
            return new SoundnessRefusal(
                SoundnessRefusalReason.TranscriptPads,
                $"{parameters.TranscriptPads} transcript pads: {LayoutParameters.PadCount(parameters.LogUnits, parameters.LogRowGroups)}"
                + $" are needed and at most {LayoutParameters.PadRowMessage} fit in the pad row.");
        }

        // With these limits and n >= 2^10 the distance is at least 512 positions and every radius is positive.
        return null;
    }

    private static bool IsGrinding(int bits) => bits is >= 0 and <= MaxGrindingBits;

    // -log2 of count / 2^128.
    private static double Field(double count) => 128 - Math.Log2(count);

    // -log2 of the chance that the positions miss every wrong one.
    private static double QueryBits(int queries, double radius, int grindingBits) => -queries * Math.Log2(1 - radius) + grindingBits;

    // A number that is never above the fewest queries; one less allows for rounding.
    internal static int FewestQueries(int bits, double radius) => Math.Max((int)(bits / -Math.Log2(1 - radius)) - 1, 1);

    private static IEnumerable<SoundnessLine> LevelLines(LayoutParameters parameters)
    {
        for (int i = 0, claims = parameters.Queries + 1; i < parameters.Levels.Count; claims = parameters.Levels[i++].Queries + 1)
        {
            LevelParameters level = parameters.Levels[i];
            double radius = LevelRadius(level);
            yield return new($"level {i + 1} batching", 1, Field(claims));
            yield return new($"level {i + 1} fold round", level.Folds, Field(2));
            yield return new($"level {i + 1} fold proximity", level.Folds, Field(radius * level.CodeLength + 1) + level.FoldGrindingBits);
            yield return new($"level {i + 1} queries", 1, QueryBits(level.Queries, radius, level.QueryGrindingBits));
        }
    }

    internal static double LevelRadius(LevelParameters level) => Radius(level.CodeLength, 1 << level.LogMessage);

    private static double Radius(LayoutParameters parameters, int message) => Radius(parameters.Length, message + parameters.RowPads);

    // delta/2 - 3/(delta N): the radius up to which the proximity gap has a = radius * N + 1 exceptional challenges.
    private static double Radius(double length, double dimension)
    {
        double delta = 1 - dimension / length;
        return delta / 2 - 3 / (delta * length);
    }
}
