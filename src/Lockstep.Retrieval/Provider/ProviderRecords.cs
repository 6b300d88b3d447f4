using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Retrieval.Provider;

/// <summary>The provider's row of a deal. Money and bytes advance in the batch that stores the voucher, never apart.</summary>
public sealed record ProviderDealRow : StoreWrite
{
    public required SignedProposal Signed { get; init; }

    public required DealStatus Status { get; init; }

    /// <summary>Length of the status history.</summary>
    public required int StatusCount { get; init; }

    public required ContentSummary Content { get; init; }

    public required TokenAmount UnsealDue { get; init; }

    public bool UnsealPaid { get; init; }

    public ChannelId? Channel { get; init; }

    public IReadOnlyList<LaneId> Lanes { get; init; } = [];

    /// <summary>Price of every chunk whose voucher is stored, and of unsealing.</summary>
    public TokenAmount Earned { get; init; }

    public long BytesSold { get; init; }

    public int ChunksSold { get; init; }

    /// <summary>Number of the next window.</summary>
    public int NextWindow { get; init; }

    /// <summary>The oldest unfinished chunk; -1 when there is none.</summary>
    public int OldestChunk { get; init; } = -1;

    /// <summary>The first chunk whose row a restart needs; -1 when it needs none.</summary>
    public int OldestKept { get; init; } = -1;

    /// <summary>Why the deal ended as it did; null when there is nothing to say.</summary>
    public string? Sentence { get; init; }

    public DealProposal Proposal => Signed.Proposal;

    public DealId DealId => Signed.Proposal.DealId;
}

/// <summary>The provider's row of a chunk.</summary>
/// <param name="Walk">The chunk's statuses so far.</param>
/// <param name="Window">The window that it is sealed in; -1 before.</param>
/// <param name="Offered">Its seal; null before.</param>
/// <param name="Voucher">The newest locked voucher for it; null before, and always null for a chunk that is free.</param>
public sealed record ProviderChunkRow(
    DealId DealId, int Index, ChunkWalk Walk, int Window, OfferedChunk? Offered, VoucherKey? Voucher) : StoreWrite;

/// <summary>
/// A sealed window, recorded as offered to its deal before any byte of it is sent (I3). The keys are secret: the host stores
/// them so that nobody else can read them.
/// </summary>
/// <param name="Ciphertexts">In the order of the offer's chunks.</param>
/// <param name="Keys">In the same order, 32 bytes each.</param>
/// <param name="StoredAs">Where the host keeps ciphertexts and proof already; null when they are stored with this row.</param>
public sealed record SealedWindowRow(
    SignedOffer Offer, IReadOnlyList<ReadOnlyMemory<byte>> Ciphertexts, ReadOnlyMemory<byte> Proof, IReadOnlyList<ReadOnlyMemory<byte>> Keys,
    string? StoredAs = null) : StoreWrite;

/// <summary>What a store holds of a provider's deal.</summary>
/// <param name="Chunks">Rows of all chunks from <see cref="ProviderDealRow.OldestKept"/> on, finished or not; none when that is -1.</param>
public sealed record ProviderDealSnapshot(ProviderDealRow Deal, WantedChunks? Wanted, IReadOnlyList<ProviderChunkRow> Chunks);

/// <summary>Finds keys that this provider made, committed ones only.</summary>
public interface IKeyVault
{
    /// <summary>The 32-byte key whose hash is <paramref name="keyLock"/>; null when it is not known.</summary>
    ReadOnlyMemory<byte>? Find(Bytes32 keyLock);
}
