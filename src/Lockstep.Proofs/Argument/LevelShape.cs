namespace Lockstep.Proofs.Argument;

/// <summary>
/// One level of the recursive commitment (docs/proof-system.md section 8): a vector of 2^<paramref name="LogLength"/> elements is
/// written as 2^<paramref name="Folds"/> rows by the low bits of its index, each row encoded without randomness.
/// </summary>
/// <param name="LogLength">m, log2 of the vector's elements.</param>
/// <param name="Folds">l, variables folded before the next level: log2 of the rows, and of a leaf's elements.</param>
/// <param name="LogInverseRate">log2 of the inverse rate of the level's code.</param>
/// <param name="Queries">t, distinct opened positions.</param>
/// <param name="FoldGrinding">Proof-of-work bits before each fold challenge.</param>
/// <param name="QueryGrinding">Proof-of-work bits before the positions.</param>
internal sealed record LevelShape(int LogLength, int Folds, int LogInverseRate, int Queries, int FoldGrinding, int QueryGrinding)
{
    /// <summary>Elements of the committed vector.</summary>
    public int Length => 1 << LogLength;

    /// <summary>log2 of one row's coefficients, and of the next vector's elements.</summary>
    public int LogMessage => LogLength - Folds;

    /// <summary>log2 of the positions (N).</summary>
    public int LogCodeLength => LogMessage + LogInverseRate;

    /// <summary>Positions of a codeword (N).</summary>
    public int CodeLength => 1 << LogCodeLength;

    /// <summary>Rows, and so elements of a leaf.</summary>
    public int Rows => 1 << Folds;

    /// <summary>Bytes of one leaf; leaves of levels have no salt, because what they commit to is public.</summary>
    public int LeafBytes => Rows * Fields.Gf128.Size;

    /// <summary>The code of the rows: no random coefficients, the domain shifted as that of level 0.</summary>
    public Codes.RowCode NewCode() => new(LogMessage, 0, LogInverseRate);
}
