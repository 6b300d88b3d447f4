namespace Lockstep.Proofs.Verifier;

/// <summary>Why a proof is refused; one reason per check, about in their order.</summary>
public enum RejectReason
{
    /// <summary>The statement's suite is not one that the policy accepts.</summary>
    Suite = 1,

    /// <summary>The window has more chunks or bytes, or the proof is longer, than the policy allows.</summary>
    Limit,

    /// <summary>The statement is malformed: a field's length or value is out of range.</summary>
    Statement,

    /// <summary>The number of ciphertexts, or the length of one, is not what the statement says.</summary>
    Ciphertext,

    /// <summary>The proof does not start with the header of this format and version.</summary>
    Header,

    /// <summary>The proof is shorter or longer than the statement demands.</summary>
    ProofLength,

    /// <summary>A proof of work before a row-fold challenge does not hold.</summary>
    FoldWork,

    /// <summary>The proof of work before the mask row's challenge does not hold.</summary>
    MaskWork,

    /// <summary>The proof of work before the pad row's challenge does not hold.</summary>
    PadWork,

    /// <summary>The proof of work before the query positions does not hold.</summary>
    QueryWork,

    /// <summary>A proof of work in a level of the commitment, before a fold or before its positions, does not hold.</summary>
    LevelWork,

    /// <summary>A challenge that must not be zero is zero (probability 2^-128).</summary>
    DegenerateChallenge,

    /// <summary>The opened leaves do not lead to the committed root.</summary>
    Root,

    /// <summary>An opened position does not lie on the masked pad row.</summary>
    PadRow,

    /// <summary>The opened leaves of a level do not lead to that level's root.</summary>
    LevelRoot,

    /// <summary>An opened position of the last level does not lie on the last vector.</summary>
    LastVector,

    /// <summary>The last vector does not have the inner product that the levels' claims come to.</summary>
    LevelSum,

    /// <summary>The combination of the eight equations does not hold: the statement is not what was committed to.</summary>
    Equations,
}

/// <summary>A refusal: the reason and one sentence with what was found and what was expected.</summary>
/// <param name="Reason">The check that failed.</param>
/// <param name="Detail">One clause for people.</param>
public sealed record Rejection(RejectReason Reason, string Detail)
{
    /// <inheritdoc />
    public override string ToString() => $"{Reason}: {Detail}";
}
