using Lockstep.Retrieval.Deals;

namespace Lockstep.Node.Storage;

/// <summary>A status that a deal passed through, and when.</summary>
public sealed record StatusEntry(DealStatus Status, DateTimeOffset At);

/// <summary>A stored deal with the times of its first and last change.</summary>
public sealed record StoredDeal<TRow>(TRow Row, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);
