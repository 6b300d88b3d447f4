using Lockstep.Payments;

namespace Lockstep.Retrieval.Terms;

/// <summary>What two sides agree on. All of it is signed with the proposal.</summary>
/// <param name="PricePerByte">Price of one byte of a chunk.</param>
/// <param name="UnsealPrice">The most that bringing the content in may cost; due only when it is cold.</param>
/// <param name="MostToPay">The most that the whole deal may cost, unsealing included.</param>
/// <param name="SuiteId">Cipher, encoding and proof system.</param>
/// <param name="LockHash">The hash of the locks.</param>
/// <param name="ChunksPerWindow">Chunks that share one proof.</param>
/// <param name="OpenLocks">Locks that can be open at once, each on a lane of its own.</param>
/// <param name="LockExpiryEpochs">Epochs from signing a locked voucher to its expiry.</param>
/// <param name="RailId">The ledger that the money is on.</param>
/// <param name="Selection">Which part of the content is sold.</param>
public sealed record DealTerms(
    TokenAmount PricePerByte,
    TokenAmount UnsealPrice,
    TokenAmount MostToPay,
    string SuiteId,
    LockHashKind LockHash,
    int ChunksPerWindow,
    int OpenLocks,
    long LockExpiryEpochs,
    string RailId,
    ChunkSelection Selection = ChunkSelection.All)
{
    /// <summary>One day of 30 s epochs.</summary>
    public const long DefaultLockExpiryEpochs = 2880;

    /// <summary>The price of a chunk of <paramref name="length"/> bytes.</summary>
    public TokenAmount PriceOf(long length) => PricePerByte * length;

    /// <summary>True when chunks cost nothing, whatever else is asked.</summary>
    public bool IsFree => PricePerByte.IsZero;
}

/// <summary>Which part of the content is sold. The numbers are those of the wire.</summary>
public enum ChunkSelection
{
    /// <summary>Everything under the root.</summary>
    All = 1,
}
