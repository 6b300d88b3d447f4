using Lockstep.Content.Dag;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;

namespace Lockstep.Retrieval.Provider;

/// <summary>What can happen to a provider's deal.</summary>
public abstract record ProviderEvent
{
    /// <summary>The deal object was made or restored; the first event it gets.</summary>
    public sealed record Start : ProviderEvent;

    /// <summary>
    /// A stream of the deal's client opened with this message. The host has asked <see cref="ProviderDeal.Admits"/> first and
    /// has ended an older stream of the deal.
    /// </summary>
    public sealed record Attached(ClientMessage.Attach Message) : ProviderEvent;

    /// <summary>The stream ended.</summary>
    public sealed record Detached : ProviderEvent;

    public sealed record Received(ClientMessage Message) : ProviderEvent;

    /// <summary>The content is readable. The answer to <see cref="ProviderEffect.PrepareContent"/>.</summary>
    public sealed record ContentReady(DagManifest Manifest) : ProviderEvent;

    public sealed record ContentFailed(string Sentence) : ProviderEvent;

    public sealed record ContentProgress(long BytesDone, long BytesTotal) : ProviderEvent;

    /// <summary>The answer to <see cref="ProviderEffect.SealWindow"/>.</summary>
    public sealed record WindowSealed(int Window, SealedWindow Sealed) : ProviderEvent;

    public sealed record SealFailed(int Window, string Sentence) : ProviderEvent;

    /// <summary>The answer to <see cref="ProviderEffect.ReadChannel"/>; null when the rail has no such channel.</summary>
    public sealed record ChannelObserved(ChannelSnapshot? Channel) : ProviderEvent;

    /// <summary>A rail call got no answer; it is tried again.</summary>
    public sealed record RailFailed(string Sentence) : ProviderEvent;

    /// <summary>The time in <see cref="ProviderDeal.NextDeadline"/> has come. Early or repeated wakes are harmless.</summary>
    public sealed record Wake : ProviderEvent;

    public sealed record CancelRequested(string Sentence) : ProviderEvent;
}

/// <summary>What the prover made of one chunk.</summary>
public sealed record SealedChunk(Bytes32 SealId, Bytes32 Lock, ReadOnlyMemory<byte> Nonce, uint FirstCounter, ReadOnlyMemory<byte> Ciphertext, ReadOnlyMemory<byte> Key);

/// <summary>What the prover made of a window: fresh keys, seal ids and randomness each time, also for the same chunks.</summary>
/// <param name="StoredAs">Where the host keeps the ciphertexts and the proof already; null when they are stored with the window's row.</param>
public sealed record SealedWindow(IReadOnlyList<SealedChunk> Chunks, ReadOnlyMemory<byte> Proof, string? StoredAs = null);
