using System.Numerics;

namespace Lockstep.Proofs.Soundness;

/// <summary>An error probability as an exact fraction.</summary>
internal readonly record struct ExactError(BigInteger Numerator, BigInteger Denominator)
{
    /// <summary>-log2 of the fraction.</summary>
    public double Bits => (BigInteger.Log(Denominator) - BigInteger.Log(Numerator)) / Math.Log(2);

    /// <summary>True when the fraction is at most 2^-bits, decided without rounding.</summary>
    public bool IsAtMost(int bits) => Numerator << bits <= Denominator;

    /// <summary>The fraction divided by 2^bits.</summary>
    public ExactError Ground(int bits) => new(Numerator, Denominator << bits);

    /// <summary>The fraction to a power.</summary>
    public ExactError Pow(int exponent) => new(BigInteger.Pow(Numerator, exponent), BigInteger.Pow(Denominator, exponent));
}

/// <summary>One step with its exact error.</summary>
internal readonly record struct ExactLine(string Step, int Times, ExactError Error);

/// <summary>The lines of <see cref="SoundnessCalculator"/> in whole numbers: nothing here is rounded.</summary>
internal static class ExactSoundness
{
    private static readonly BigInteger FieldSize = BigInteger.One << 128;

    /// <summary>All lines, in the order of the floating-point report.</summary>
    public static IReadOnlyList<ExactLine> Lines(LayoutParameters p)
    {
        var zerocheckRounds = p.LogUnits + 10;

        // Free coordinates of the zerocheck point: kappa + 10 less 7 pinned ones; each has degree one.
        var lines = new List<ExactLine> { new("zerocheck point", 1, Degree(zerocheckRounds - 7)) };

        // The difference of two skip polynomials has degree at most 126; one more is counted (docs/proof-system.md section 10).
        lines.Add(new("skip point", 1, Degree(126 + 1)));

        // eq over the units, eight coordinates of a 256-bit word, and theta, which separates three families: kappa + 9.
        lines.Add(new("tie points", 1, Degree(p.LogUnits + 8 + 1)));
        lines.Add(new("zerocheck round", zerocheckRounds, Degree(2)));
        lines.Add(new("tie round", p.LogUnits, Degree(2)));

        // One message draws the output points (12 coordinates at most) and gamma, whose powers go up to 8
        // (docs/proof-system.md section 7, equation 3).
        lines.Add(new("output points and claim batching", 1, Degree(12 + 8)));
        lines.Add(new("lincheck round", 5 + 12, Degree(2)));

        // gamma' joins two claims, then seven coordinates.
        lines.Add(new("ring switch", 1, Degree(1 + 7)));
        lines.Add(new("row-fold round", p.FoldVariables, Degree(2)));
        lines.Add(new("row-fold proximity", p.FoldVariables, RowProximity(p).Ground(p.FoldGrindingBits)));
        lines.Add(new("mask row", 1, NonZero(RowProximity(p)).Ground(p.MaskGrindingBits)));

        // The challenges that must not be zero are drawn from one value less.
        lines.Add(new("product triple", 1, NonZero(Degree(1))));
        lines.Add(new("inner equations", 1, Degree(8)));
        lines.Add(new("inner product", 1, NonZero(Degree(1))));
        lines.Add(new("pad row proximity", 1, NonZero(PadProximity(p)).Ground(p.PadGrindingBits)));
        lines.Add(new("queries of the rows", 1, Queries(p, p.Message)));
        lines.Add(new("queries of the pad row", 1, Queries(p, LayoutParameters.PadRowMessage)));

        // The claims on a level's vector are joined by powers of one challenge: c and one per position of the level before.
        for (int i = 0, claims = p.Queries + 1; i < p.Levels.Count; claims = p.Levels[i++].Queries + 1)
        {
            LevelParameters level = p.Levels[i];
            lines.Add(new($"level {i + 1} batching", 1, Degree(claims)));
            lines.Add(new($"level {i + 1} fold round", level.Folds, Degree(2)));
            lines.Add(new($"level {i + 1} fold proximity", level.Folds, LevelProximity(level).Ground(level.FoldGrindingBits)));
            lines.Add(new($"level {i + 1} queries", 1, LevelQueries(level)));
        }

        // Birthday bound of a 256-bit digest.
        lines.Add(new("hash collisions", 1, Degree(1)));
        return lines;
    }

    /// <summary>The report with every figure taken from the exact fraction.</summary>
    public static SoundnessReport Report(LayoutParameters parameters) =>
        new([.. Lines(parameters).Select(line => new SoundnessLine(line.Step, line.Times, line.Error.Bits))]);

    /// <summary>True when the queries of both codes reach the target.</summary>
    public static bool QueriesSuffice(LayoutParameters p) =>
        Queries(p, p.Message).IsAtMost(p.Suite.TargetBits)
        && Queries(p, LayoutParameters.PadRowMessage).IsAtMost(p.Suite.TargetBits);

    /// <summary>Chance that one challenge brings rows far from the code near it: (radius * N + 1) / 2^128.</summary>
    public static ExactError RowProximity(LayoutParameters p) => Proximity(p, p.Message);

    /// <summary>The same for the shorter code of the pad row and its mask.</summary>
    public static ExactError PadProximity(LayoutParameters p) => Proximity(p, LayoutParameters.PadRowMessage);

    /// <summary>The least work that brings an error of a challenge, which may not be zero, to the target.</summary>
    public static int GrindingNeeded(ExactError error, int targetBits)
    {
        int bits = 0;
        while (!NonZero(error).Ground(bits).IsAtMost(targetBits))
            bits++;
        return bits;
    }

    /// <summary>The same for the code of a level.</summary>
    public static ExactError LevelProximity(LevelParameters level) => Proximity(LevelRadius(level), level.CodeLength);

    /// <summary>Chance that the positions of a level miss every wrong one, its work counted.</summary>
    public static ExactError LevelQueries(LevelParameters level) => Queries(LevelRadius(level), level.Queries, level.QueryGrindingBits);

    private static ExactError LevelRadius(LevelParameters level) => Radius(level.CodeLength, 1L << level.LogMessage);

    // With d = N - dimension, the distance's numerator: d/2N - 3/d = (d^2 - 6N) / 2Nd.
    private static ExactError Radius(BigInteger length, BigInteger dimension)
    {
        BigInteger distance = length - dimension;
        return new(distance * distance - 6 * length, 2 * length * distance);
    }

    private static ExactError Proximity(LayoutParameters p, int message) => Proximity(Radius(p.Length, message + p.RowPads), p.Length);

    private static ExactError Proximity(ExactError radius, int length) =>
        new(radius.Numerator * length + radius.Denominator, radius.Denominator * FieldSize);

    private static ExactError Queries(LayoutParameters p, int message) =>
        Queries(Radius(p.Length, message + p.RowPads), p.Queries, p.Suite.QueryGrindingBits);

    // Positions are distinct; drawn without repetition, a set misses the wrong positions even less often than this power.
    private static ExactError Queries(ExactError radius, int queries, int grindingBits) =>
        new ExactError(radius.Denominator - radius.Numerator, radius.Denominator).Pow(queries).Ground(grindingBits);

    private static ExactError Degree(int degree) => new(degree, FieldSize);

    private static ExactError NonZero(ExactError error) => new(error.Numerator * FieldSize, error.Denominator * (FieldSize - 1));
}
