namespace Lockstep.Proofs;

/// <summary>Why a statement is refused.</summary>
public enum StatementError
{
    /// <summary>The bytes do not begin with the format's name and version.</summary>
    WrongFormat,

    /// <summary>The bytes end too early.</summary>
    Truncated,

    /// <summary>Bytes follow the last chunk.</summary>
    TrailingBytes,

    /// <summary>The suite id is empty, too long, or not printable ASCII without spaces.</summary>
    SuiteId,

    /// <summary>The lock hash is neither SHA-256 nor BLAKE2b-256.</summary>
    LockHash,

    /// <summary>The provider's key is empty or too long.</summary>
    ProviderKey,

    /// <summary>The window has no chunk or too many.</summary>
    ChunkCount,

    /// <summary>A chunk is empty or above the leaf limit.</summary>
    ChunkLength,

    /// <summary>A digest, seal id, nonce or lock does not have its size.</summary>
    FieldSize,

    /// <summary>The block counter would pass 2^32.</summary>
    Counter,

    /// <summary>Two chunks carry the same seal id.</summary>
    RepeatedSealId,

    /// <summary>Two chunks carry the same lock.</summary>
    RepeatedLock,
}

/// <summary>A refused statement: the typed reason and one sentence for people.</summary>
/// <param name="Error">The reason.</param>
/// <param name="Message">What was wrong and what was expected.</param>
public sealed record StatementFault(StatementError Error, string Message);
