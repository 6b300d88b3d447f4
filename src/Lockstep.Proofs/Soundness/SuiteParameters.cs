namespace Lockstep.Proofs.Soundness;

/// <summary>How far from the code a committed word may lie and still be held to one codeword.</summary>
public enum DecodingRegime
{
    /// <summary>Below half the minimum distance: at most one codeword is near, so no step carries a list size.</summary>
    UniqueDecoding = 1,
}

/// <summary>What a suite fixes for every window; all else follows from it by <see cref="SoundnessCalculator"/>.</summary>
/// <param name="TargetBits">Provable bits that every step of the argument must reach.</param>
/// <param name="Regime">Decoding regime of the proximity argument.</param>
/// <param name="LogRowGroups">e: the unit index's top bits that choose a row.</param>
/// <param name="QuarterRateLogUnits">The largest kappa whose row code has rate 1/4, pads not counted; above it the rate is 1/2.</param>
/// <param name="LevelLogInverseRate">-log2 of the rate of the codes of the levels.</param>
/// <param name="QueryGrindingBits">Bits of work done before the query positions of every level are drawn.</param>
public sealed record SuiteParameters(
    int TargetBits, DecodingRegime Regime, int LogRowGroups, int QuarterRateLogUnits, int LevelLogInverseRate, int QueryGrindingBits)
{
    /// <summary>-log2 of the rate of the row code of windows of 2^<paramref name="logUnits"/> units.</summary>
    public int LogInverseRate(int logUnits) => logUnits <= QuarterRateLogUnits ? 2 : 1;
}

/// <summary>How a window's units are laid out as a matrix (docs/proof-system.md section 4).</summary>
/// <param name="LogUnits">kappa: a window holds at most 2^kappa units of 64 bytes.</param>
/// <param name="LogRowGroups">e: the unit index's top bits that choose a row.</param>
/// <param name="RowGroups">E: values of those top bits in use, 1..2^e; the rows of the others are absent.</param>
public readonly record struct WindowShape(int LogUnits, int LogRowGroups, int RowGroups)
{
    /// <summary>Slots of 2^12 bits in one unit, each a row of its own.</summary>
    public const int RowsPerGroup = 9;

    /// <summary>Units whose mask words carry the randomness that hides the ring-switch values.</summary>
    public const int MaskUnits = 256;

    /// <summary>log2 of n, the message elements of a row.</summary>
    public int LogMessage => LogUnits - LogRowGroups + 5;

    /// <summary>Rows of witness bits: those of the units and the one of the tails.</summary>
    public int WitnessRows => RowsPerGroup * RowGroups + 1;

    /// <summary>Elements of one leaf: the witness rows, the mask row, the pad row and the pad row's mask.</summary>
    public int LeafElements => WitnessRows + 3;

    /// <summary>Row variables: four for the slot's part, e for the group.</summary>
    public int FoldVariables => 4 + LogRowGroups;

    /// <summary>Units that fit.</summary>
    public int MaxUnits => RowGroups << (LogUnits - LogRowGroups);

    /// <summary>Tails, one per chunk, that fit in the one tail row.</summary>
    public int MaxTails => 1 << (LogUnits - LogRowGroups - 5);
}

/// <summary>One level of the recursive commitment to the folded row (docs/proof-system.md section 8).</summary>
/// <param name="LogLength">m: the level commits to a vector of 2^m elements.</param>
/// <param name="Folds">l: challenges that fold it before the next level; a leaf holds 2^l elements.</param>
/// <param name="LogInverseRate">-log2 of the rate of its code.</param>
/// <param name="Queries">t, distinct positions of its code that are opened.</param>
/// <param name="FoldGrindingBits">Work before each of its fold challenges.</param>
/// <param name="QueryGrindingBits">Work before its positions.</param>
public sealed record LevelParameters(int LogLength, int Folds, int LogInverseRate, int Queries, int FoldGrindingBits, int QueryGrindingBits)
{
    /// <summary>log2 of a row's coefficients, and of the next vector.</summary>
    public int LogMessage => LogLength - Folds;

    /// <summary>log2 of N.</summary>
    public int LogCodeLength => LogMessage + LogInverseRate;

    /// <summary>N, positions of the code.</summary>
    public int CodeLength => 1 << LogCodeLength;
}

/// <summary>Everything the soundness of one layout depends on. Sizes are counts, grinding is in bits.</summary>
/// <param name="Suite">The suite's own parameters.</param>
/// <param name="LogUnits">kappa.</param>
/// <param name="Queries">t0, distinct positions of the row code that are opened.</param>
/// <param name="RowPads">q, random coefficients of every row.</param>
/// <param name="TranscriptPads">One-time pads of the transcript's scalars, with the Beaver triple.</param>
/// <param name="FoldGrindingBits">Work before each row-fold challenge.</param>
/// <param name="MaskGrindingBits">Work before the challenge that adds the mask row (xi).</param>
/// <param name="PadGrindingBits">Work before the challenge that folds the pad row into its mask (omega).</param>
/// <param name="Levels">The levels that commit to the folded row, first to last; none sends it in clear.</param>
public sealed record LayoutParameters(
    SuiteParameters Suite,
    int LogUnits,
    int Queries,
    int RowPads,
    int TranscriptPads,
    int FoldGrindingBits,
    int MaskGrindingBits,
    int PadGrindingBits,
    IReadOnlyList<LevelParameters> Levels)
{
    /// <summary>The pad row's message coefficients: transcript pads, then zeros.</summary>
    public const int PadRowMessage = 256;

    /// <summary>e.</summary>
    public int LogRowGroups => Suite.LogRowGroups;

    /// <summary>-log2 of the rate of the row code, pads not counted.</summary>
    public int LogInverseRate => Suite.LogInverseRate(LogUnits);

    /// <summary>log2 of n.</summary>
    public int LogMessage => LogUnits - LogRowGroups + 5;

    /// <summary>n, message elements of a row.</summary>
    public int Message => 1 << LogMessage;

    /// <summary>log2 of N.</summary>
    public int LogLength => LogMessage + LogInverseRate;

    /// <summary>N, positions of the code.</summary>
    public int Length => 1 << LogLength;

    /// <summary>log2 of the last vector, which is sent in clear.</summary>
    public int LogLastLength => Levels.Count == 0 ? LogMessage : Levels[^1].LogMessage;

    /// <summary>Row variables, and so row-fold challenges.</summary>
    public int FoldVariables => 4 + LogRowGroups;

    /// <summary>
    /// One-time pads that a layout needs: skip polynomial 64, zerocheck 2 per round, ties 2 per round, 7 claims at the
    /// end of the zerocheck, lincheck 2 per round, its 2 results, row folds 2 per round, the mask's product, and the 4
    /// of the Beaver triple that are no pads of sent values.
    /// </summary>
    public static int PadCount(int logUnits, int logRowGroups) =>
        64 + 2 * (logUnits + 10) + 2 * logUnits + 7 + 2 * SoundnessCalculator.LincheckRounds + 2 + 2 * (4 + logRowGroups) + 1 + 4;
}
