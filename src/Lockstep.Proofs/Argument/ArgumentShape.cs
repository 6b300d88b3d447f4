namespace Lockstep.Proofs.Argument;

/// <summary>
/// Every dimension of one argument. A bit address is v (7 bits) | p (<see cref="PBits"/>) | h (<see cref="HBits"/>) |
/// i (<see cref="Kappa"/>), lowest first. A matrix row is (h, top bits of i); a column is (p, low bits of i).
/// The shapes of a suite have PBits 5, HBits 4, HCount 9; tests use smaller ones.
/// </summary>
internal sealed record ArgumentShape
{
    /// <summary>log2 of the addressable units.</summary>
    public required int Kappa { get; init; }

    /// <summary>How many of the top bits of i choose the matrix row (e).</summary>
    public required int TopBits { get; init; }

    /// <summary>Top values present in the matrix (E), 1..2^TopBits; all others are absent and zero.</summary>
    public required int PresentTops { get; init; }

    /// <summary>Bits of p: a group of 2^PBits packed elements stands in one matrix row.</summary>
    public int PBits { get; init; } = 5;

    /// <summary>Bits of h.</summary>
    public int HBits { get; init; } = 4;

    /// <summary>Values of h that a unit uses; the tails stand at h = HCount.</summary>
    public int HCount { get; init; } = 9;

    /// <summary>Units whose mask element is random, so that the ring-switch values are uniform.</summary>
    public int MaskUnits { get; init; } = 256;

    /// <summary>Index, inside a unit's slot, of its packed mask element (128 free bits).</summary>
    public int MaskElement { get; init; } = 10;

    /// <summary>log2 of the inverse rate of the row code.</summary>
    public int LogInverseRate { get; init; } = 1;

    /// <summary>
    /// Whether the row code's domain is shifted off the subspace on which the random coefficients' factor vanishes. Tests
    /// switch it off to show what it prevents; nothing else does.
    /// </summary>
    public bool ShiftDomain { get; init; } = true;

    /// <summary>Random coefficients per row (q).</summary>
    public required int RowPads { get; init; }

    /// <summary>Distinct opened positions (t0), at most <see cref="RowPads"/>.</summary>
    public required int Queries { get; init; }

    /// <summary>Proof-of-work bits before each row-fold challenge.</summary>
    public required int FoldGrinding { get; init; }

    /// <summary>Proof-of-work bits before xi.</summary>
    public required int MaskGrinding { get; init; }

    /// <summary>Proof-of-work bits before omega.</summary>
    public required int PadGrinding { get; init; }

    /// <summary>Proof-of-work bits before the query positions.</summary>
    public required int QueryGrinding { get; init; }

    /// <summary>The levels of the commitment to the folded row, first to last; none when that row is sent in clear.</summary>
    public IReadOnlyList<LevelShape> Levels { get; init; } = [];

    /// <summary>Coefficients that hold the one-time pads in the rows pi and mu.</summary>
    public const int PadSlots = 256;

    /// <summary>Bits of i inside a column.</summary>
    public int LowBits => Kappa - TopBits;

    /// <summary>log2 of the message elements per row.</summary>
    public int LogMessage => LowBits + PBits;

    /// <summary>Message elements per row (n).</summary>
    public int MessageLength => 1 << LogMessage;

    /// <summary>Coefficients per long row (n + q).</summary>
    public int RowLength => MessageLength + RowPads;

    /// <summary>Coefficients of the rows pi and mu.</summary>
    public int PadRowLength => PadSlots + RowPads;

    /// <summary>Codeword length (N).</summary>
    public int CodeLength => MessageLength << LogInverseRate;

    /// <summary>log2 of the codeword length.</summary>
    public int LogCodeLength => LogMessage + LogInverseRate;

    /// <summary>log2 of the last vector, which is sent in clear.</summary>
    public int LogLastLength => Levels.Count == 0 ? LogMessage : Levels[^1].LogMessage;

    /// <summary>Row variables of the fold (l0).</summary>
    public int RowVariables => HBits + TopBits;

    /// <summary>Low bits of i that address words inside a tail slot.</summary>
    public int TailInnerBits => HBits + 1;

    /// <summary>log2 of the tail slots.</summary>
    public int TailBits => LowBits - TailInnerBits;

    /// <summary>Tail slots.</summary>
    public int Tails => 1 << TailBits;

    /// <summary>Units that have a place in the matrix.</summary>
    public int PresentUnits => PresentTops << LowBits;

    /// <summary>64-bit rows of the zerocheck in one (i, h) block.</summary>
    public int BlockRows => 2 << PBits;

    /// <summary>Packed elements in one (i, h) block.</summary>
    public int BlockElements => 1 << PBits;

    /// <summary>32-bit words of a unit slot.</summary>
    public int UnitWords => HCount << (PBits + 2);

    /// <summary>32-bit words of a tail slot.</summary>
    public int TailWords => 1 << (PBits + 2 + TailInnerBits);

    /// <summary>Zerocheck variables inside a slot: v6, p, h.</summary>
    public int InnerVariables => 1 + PBits + HBits;

    /// <summary>All zerocheck variables after the skip.</summary>
    public int ZerocheckVariables => InnerVariables + Kappa;

    /// <summary>Lincheck variables: v, p and the TailInnerBits high ones.</summary>
    public int LincheckVariables => 7 + PBits + TailInnerBits;

    /// <summary>Committed rows of bits: the units' and the tails' row.</summary>
    public int BitRows => HCount * PresentTops + 1;

    /// <summary>All committed rows: bits, g, pi, mu.</summary>
    public int Rows => BitRows + 3;

    /// <summary>Bytes of one leaf without its salt.</summary>
    public int LeafBytes => Rows * Fields.Gf128.Size;

    /// <summary>The code of the committed rows.</summary>
    public Codes.RowCode NewCode() => new(LogMessage, RowPads, LogInverseRate, ShiftDomain);

    /// <summary>Row-fold index of the row (h, top).</summary>
    public int FoldIndex(int h, int top) => h | top << HBits;

    /// <summary>Position of the row (h, top) among the committed rows; the tails' row is HCount * PresentTops.</summary>
    public int RowIndex(int h, int top) => h * PresentTops + top;
}
