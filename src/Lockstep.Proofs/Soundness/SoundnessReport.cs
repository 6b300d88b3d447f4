namespace Lockstep.Proofs.Soundness;

/// <summary>One step of the argument.</summary>
/// <param name="Step">What the challenge of this step is for.</param>
/// <param name="Times">How many challenges of this kind there are.</param>
/// <param name="Bits">-log2 of the chance that one of them lets a false claim pass, its own grinding counted.</param>
public readonly record struct SoundnessLine(string Step, int Times, double Bits);

/// <summary>The soundness of one layout, step by step.</summary>
public sealed record SoundnessReport(IReadOnlyList<SoundnessLine> Lines)
{
    /// <summary>Bits of the weakest step: the round-by-round figure, which is what the Fiat-Shamir transform keeps.</summary>
    public double MinimumBits => Lines.Min(line => line.Bits);

    /// <summary>-log2 of the sum over all challenges: the figure of the interactive argument.</summary>
    public double SumBits
    {
        get
        {
            // Relative to the weakest step, so that nothing underflows.
            double minimum = MinimumBits;
            return minimum - Math.Log2(Lines.Sum(line => line.Times * Math.Pow(2, minimum - line.Bits)));
        }
    }
}

/// <summary>Why a set of parameters is not accepted.</summary>
public enum SoundnessRefusalReason
{
    /// <summary>A step's provable bits are below the target.</summary>
    BelowTarget,

    /// <summary>kappa, e, the rate or the grinding is outside the range the argument was written for.</summary>
    OutOfRange,

    /// <summary>More positions are opened than a row has random coefficients, so opened columns would show data.</summary>
    TooFewRowPads,

    /// <summary>More random coefficients per row than the limit.</summary>
    TooManyRowPads,

    /// <summary>Fewer transcript pads than scalars sent, or more than the pad row holds.</summary>
    TranscriptPads,
}

/// <summary>A typed refusal with one sentence for people.</summary>
public sealed record SoundnessRefusal(SoundnessRefusalReason Reason, string Message);
