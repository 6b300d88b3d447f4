using Lockstep.Payments;
using Lockstep.Payments.Rails;

namespace Lockstep.Retrieval.Terms;

/// <summary>A rail that a provider is paid on, and its account there.</summary>
public sealed record RailAccount(string RailId, AccountId Account);

/// <summary>A provider's public terms.</summary>
public sealed record ProviderAsk
{
    public required TokenAmount PricePerByte { get; init; }

    /// <summary>Asked only for cold content.</summary>
    public TokenAmount UnsealPrice { get; init; }

    /// <summary>Accepted suites, best first.</summary>
    public required IReadOnlyList<string> Suites { get; init; }

    public required IReadOnlyList<LockHashKind> LockHashes { get; init; }

    public required IReadOnlyList<RailAccount> Rails { get; init; }

    public int MaxChunksPerWindow { get; init; } = 8;

    public int MaxOpenLocks { get; init; } = 16;

    /// <summary>Shortest lock expiry that leaves time to deliver, to redeem, and a reserve; in epochs.</summary>
    public long MinLockExpiryEpochs { get; init; } = 120;

    public long MaxLockExpiryEpochs { get; init; } = 7 * DealTerms.DefaultLockExpiryEpochs;
}

/// <summary>What a provider has of one content.</summary>
/// <param name="Size">Bytes of all chunks, each once.</param>
/// <param name="ChunkCount">Number of different chunks.</param>
/// <param name="LinkBlockCount">Number of different blocks with links.</param>
/// <param name="Cold">True when it must first be brought in.</param>
public sealed record ContentSummary(long Size, int ChunkCount, int LinkBlockCount, bool Cold);
