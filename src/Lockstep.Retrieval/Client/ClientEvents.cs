using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Protocol;

namespace Lockstep.Retrieval.Client;

/// <summary>What can happen to a client's deal.</summary>
public abstract record ClientEvent
{
    /// <summary>The deal object was made or restored; the first event it gets.</summary>
    public sealed record Start : ClientEvent;

    /// <summary>The provider answered the proposal.</summary>
    public sealed record ProposalAnswered(ProposalAnswer Answer) : ClientEvent;

    /// <summary>An Exchange stream is open.</summary>
    public sealed record Connected : ClientEvent;

    /// <summary>The stream ended, could not be opened, or a proposal did not get through.</summary>
    public sealed record Disconnected(string Sentence) : ClientEvent;

    public sealed record Received(ProviderMessage Message) : ClientEvent;

    /// <param name="Refusal">Why the window is refused; null when its proof holds.</param>
    public sealed record WindowVerified(int Window, string? Refusal) : ClientEvent;

    /// <param name="Data">The plaintext, checked against its CID; null when the chunk did not open.</param>
    /// <param name="Refusal">Why it did not open.</param>
    public sealed record ChunkOpened(int Chunk, ReadOnlyMemory<byte>? Data, string? Refusal) : ClientEvent;

    /// <summary>The answer to <see cref="ClientEffect.FindChannels"/>.</summary>
    public sealed record ChannelsFound(IReadOnlyList<ChannelSnapshot> Channels) : ClientEvent;

    /// <summary>The answer to <see cref="ClientEffect.OpenChannel"/> and <see cref="ClientEffect.TopUp"/>.</summary>
    public sealed record ChannelChanged(RailOutcome Outcome, string Sentence) : ClientEvent;

    /// <summary>The answer to <see cref="ClientEffect.ReadChannel"/>; null when the rail has no such channel any more.</summary>
    public sealed record ChannelObserved(ChannelSnapshot? Channel) : ClientEvent;

    /// <summary>The answer to <see cref="ClientEffect.ReadRedemptions"/>.</summary>
    /// <param name="AsOf">The rail's head when the reading began.</param>
    public sealed record RedemptionsRead(RedemptionPage Page, Epoch AsOf) : ClientEvent;

    /// <summary>A rail call got no answer; it is tried again.</summary>
    public sealed record RailFailed(string Sentence) : ClientEvent;

    /// <summary>The time in <see cref="ClientDeal.NextDeadline"/> has come. Early or repeated wakes are harmless.</summary>
    public sealed record Wake : ClientEvent;

    public sealed record CancelRequested : ClientEvent;
}
