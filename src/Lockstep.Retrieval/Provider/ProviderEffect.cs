using Lockstep.Content.Cids;
using Lockstep.Content.Dag;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;

namespace Lockstep.Retrieval.Provider;

/// <summary>A chunk that is to be sealed.</summary>
public sealed record ChunkToSeal(int Index, Cid Cid, int Length);

/// <summary>What a provider's deal wants done. Each answer comes back as a <see cref="ProviderEvent"/>.</summary>
public abstract record ProviderEffect
{
    /// <summary>Send on the deal's stream; dropped when there is none.</summary>
    public sealed record Send(ProviderMessage Message) : ProviderEffect;

    /// <summary>End the deal's stream once everything before is sent.</summary>
    public sealed record Disconnect(string Sentence) : ProviderEffect;

    /// <summary>Bring the content in if it is cold, and learn its graph.</summary>
    public sealed record PrepareContent(Cid Root, bool Cold) : ProviderEffect;

    /// <summary>Send the link blocks of <paramref name="Manifest"/> from a number on, in order, with the claims of <see cref="LinkBlockStream"/>.</summary>
    public sealed record SendLinkBlocks(DagManifest Manifest, int From) : ProviderEffect;

    /// <summary>Encrypt and prove. Chunks' positions in the window are those in the list.</summary>
    public sealed record SealWindow(int Window, IReadOnlyList<ChunkToSeal> Chunks, string SuiteId, LockHashKind LockHash) : ProviderEffect;

    /// <summary>Send a stored window: its offer, then each ciphertext and the proof in parts.</summary>
    public sealed record SendWindow(int Window) : ProviderEffect;

    /// <summary>Send the key of a chunk below the oldest unfinished one again, if its row says that it was paid for: finished, and with a voucher unless the deal is free.</summary>
    public sealed record ResendKey(int Chunk) : ProviderEffect;

    public sealed record ReadChannel(ChannelId Channel) : ProviderEffect;

    /// <summary>The deal is over. It still answers its client: keys that were paid for, and closing vouchers.</summary>
    public sealed record Finished(DealStatus Status, string? Sentence) : ProviderEffect;
}

/// <summary>How far a provider goes for a deal, and how long it waits.</summary>
public sealed record ProviderPolicy
{
    /// <summary>Sealed windows that are not paid yet, at most: what a client that never pays can cost.</summary>
    public int WindowsAhead { get; init; } = 2;

    /// <summary>A channel read longer ago than this, in epochs, is read again before a key is revealed.</summary>
    public long ChannelAgeEpochs { get; init; } = 1;

    public TimeSpan PrepareTimeout { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan SealTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Longest silence of an attached client; then its stream ends, and it may come back.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a client that is gone may stay away.</summary>
    public TimeSpan ReturnTimeout { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long the deal stays parked because its channel is empty.</summary>
    public TimeSpan FundsTimeout { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Pause between two looks at the rail.</summary>
    public TimeSpan RailPoll { get; init; } = TimeSpan.FromSeconds(5);
}
