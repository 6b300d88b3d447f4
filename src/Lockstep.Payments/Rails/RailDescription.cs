namespace Lockstep.Payments.Rails;

/// <summary>What a rail can do, for negotiation and for timing. All spans of time are in the rail's epochs.</summary>
public sealed record RailDescription
{
    /// <summary>Names the rail and its network in a deal: <c>local:…</c>, <c>evm:314</c>, <c>filecoin:mainnet</c>.</summary>
    public required string Id { get; init; }

    public required Currency Currency { get; init; }

    /// <summary>The lock hashes a channel can be opened for, the rail's own first.</summary>
    public required IReadOnlyList<LockHashKind> LockHashes { get; init; }

    public required double EpochSeconds { get; init; }

    /// <summary>After this many epochs nothing on the rail is undone any more; 0 where it never is.</summary>
    public required long FinalityEpochs { get; init; }

    /// <summary>Epochs between Settle and Collect, in which vouchers are still paid.</summary>
    public required long SettleDelayEpochs { get; init; }

    /// <summary>How many vouchers one redemption call takes.</summary>
    public required int MaxVouchersPerRedemption { get; init; }
}
