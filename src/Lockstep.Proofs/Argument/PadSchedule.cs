namespace Lockstep.Proofs.Argument;

/// <summary>
/// Which one-time pad masks which scalar. Pad k is coefficient k of the committed row pi; the last four slots hold the
/// product triple: pad(v_a) * pad(v_b), x, y and x * y.
/// </summary>
internal sealed class PadSchedule
{
    /// <summary>Values that follow the zerocheck: v_a, v_b, v_c and four tie values.</summary>
    public const int EndValues = 7;

    public PadSchedule(ArgumentShape shape)
    {
        Skip = 0;
        Zerocheck = Skip + Fields.SkipDomain.Half;
        Tie = Zerocheck + 2 * shape.ZerocheckVariables;
        End = Tie + 2 * shape.Kappa;
        Lincheck = End + EndValues;
        Opened = Lincheck + 2 * shape.LincheckVariables;
        Fold = Opened + 2;
        Sigma = Fold + 2 * shape.RowVariables;
        Triple = Sigma + 1;
        Count = Triple + 4;
    }

    /// <summary>First pad of the 64 skip values.</summary>
    public int Skip { get; }

    /// <summary>First pad of the zerocheck rounds, two each.</summary>
    public int Zerocheck { get; }

    /// <summary>First pad of the tie rounds, two each.</summary>
    public int Tie { get; }

    /// <summary>First pad of v_a, v_b, v_c and the tie values.</summary>
    public int End { get; }

    /// <summary>First pad of the lincheck rounds, two each.</summary>
    public int Lincheck { get; }

    /// <summary>Pads of Z_U and Z_T.</summary>
    public int Opened { get; }

    /// <summary>First pad of the row-fold rounds, two each.</summary>
    public int Fold { get; }

    /// <summary>Pad of sigma.</summary>
    public int Sigma { get; }

    /// <summary>Slots of the product triple.</summary>
    public int Triple { get; }

    /// <summary>Pads in all, at most <see cref="ArgumentShape.PadSlots"/>.</summary>
    public int Count { get; }
}
