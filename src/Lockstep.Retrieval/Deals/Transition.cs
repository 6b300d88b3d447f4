namespace Lockstep.Retrieval.Deals;

/// <summary>One arrow of a state machine.</summary>
/// <param name="Event">What happens, as a short name.</param>
/// <param name="From">The status before; null for the start.</param>
/// <param name="To">The status after; null for the end.</param>
/// <param name="When">One plain sentence, or a given remark, that says when.</param>
public sealed record Transition(string Event, DealStatus? From, DealStatus? To, string When);
