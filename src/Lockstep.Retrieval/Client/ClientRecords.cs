using Lockstep.Content.Cids;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Retrieval.Client;

/// <summary>A deal that is to stop as soon as no lock is open.</summary>
public sealed record StopOrder(DealStatus Status, string Sentence);

/// <summary>The client's row of a deal. Money advances in the batch that holds a key, bytes in the one that ends its chunk.</summary>
public sealed record ClientDealRow : StoreWrite
{
    public required SignedProposal Signed { get; init; }

    /// <summary>Where the provider is reached; the host's words.</summary>
    public required string ProviderAddress { get; init; }

    public required DealStatus Status { get; init; }

    /// <summary>Length of the status history.</summary>
    public required int StatusCount { get; init; }

    /// <summary>What the provider accepted to sell; null before.</summary>
    public ContentSummary? Content { get; init; }

    /// <summary>What is due for bringing the content in.</summary>
    public TokenAmount UnsealDue { get; init; }

    public ChannelId? Channel { get; init; }

    public IReadOnlyList<LaneId> Lanes { get; init; } = [];

    /// <summary>Price of everything whose key is held, and of unsealing.</summary>
    public TokenAmount Paid { get; init; }

    public long BytesReceived { get; init; }

    public int ChunksReceived { get; init; }

    /// <summary>Chunks that came from elsewhere before they were paid, and so were not bought.</summary>
    public IReadOnlyList<int> Skipped { get; init; } = [];

    /// <summary>Bytes of those chunks.</summary>
    public long SkippedBytes { get; init; }

    /// <summary>Most locks that were open at once.</summary>
    public int MaxOpenLocks { get; init; }

    /// <summary>The oldest unfinished chunk; -1 when there is none.</summary>
    public int OldestChunk { get; init; } = -1;

    public StopOrder? Stop { get; init; }

    /// <summary>Why the deal ended as it did; null when there is nothing to say.</summary>
    public string? Sentence { get; init; }

    /// <summary>The provider said that it holds the closing vouchers.</summary>
    public bool ClosingAcknowledged { get; init; }

    public DealProposal Proposal => Signed.Proposal;

    public DealId DealId => Signed.Proposal.DealId;
}

/// <summary>Which chunks the deal sells; written once.</summary>
public sealed record WantedRow(DealId DealId, DealSide Side, WantedChunks Wanted) : StoreWrite;

/// <summary>The client's row of a chunk.</summary>
/// <param name="Walk">The chunk's statuses so far.</param>
/// <param name="Window">The window that it is sealed in.</param>
/// <param name="Offered">Its seal, verified; null before.</param>
/// <param name="Voucher">The locked voucher signed for it; null before, and after its lock died.</param>
/// <param name="Unlocked">The unlocked voucher sent along; null when there was none.</param>
/// <param name="Key">Its key; null before.</param>
public sealed record ClientChunkRow(
    DealId DealId, int Index, ChunkWalk Walk, int Window, OfferedChunk? Offered, PaymentVoucher? Voucher, PaymentVoucher? Unlocked,
    ReadOnlyMemory<byte>? Key) : StoreWrite;

/// <summary>A ciphertext whose proof verified. It stays until the chunk is decrypted or its lock is dead (I8).</summary>
public sealed record CiphertextRow(DealId DealId, int Index, ReadOnlyMemory<byte> Ciphertext) : StoreWrite;

/// <summary>The ciphertext is not needed any more.</summary>
public sealed record CiphertextDropped(DealId DealId, int Index) : StoreWrite;

/// <summary>What a voucher is for.</summary>
public enum VoucherPurpose
{
    /// <summary>A chunk, under its lock.</summary>
    Locked = 1,

    /// <summary>The lane's last chunk, without the lock.</summary>
    Unlocked = 2,

    /// <summary>Bringing cold content in.</summary>
    Unseal = 3,
}

/// <summary>Every voucher carries its deal and its chunk, so that none is ever unexplained.</summary>
public sealed record VoucherRow(DealId DealId, DealSide Side, int? Chunk, VoucherPurpose Purpose, PaymentVoucher Voucher) : StoreWrite;

/// <summary>A seal id and a lock that were offered: neither may be offered again.</summary>
public sealed record SealRow(DealId DealId, DealSide Side, Bytes32 SealId, Bytes32 Lock) : StoreWrite;

/// <summary>A verified block for the content store; durable before the batch's rows are.</summary>
public sealed record BlockWrite(Cid Cid, ReadOnlyMemory<byte> Data) : StoreWrite;

/// <summary>What a store holds of a client's deal.</summary>
/// <param name="Chunks">Rows of all chunks from <see cref="ClientDealRow.OldestChunk"/> on, finished or not; none when that is -1.</param>
/// <param name="Vouchers">Unlocked vouchers of the deal, for unsealing and for closing.</param>
public sealed record ClientDealSnapshot(
    ClientDealRow Deal, WantedChunks? Wanted, IReadOnlyList<ClientChunkRow> Chunks, IReadOnlyList<VoucherRow> Vouchers);
