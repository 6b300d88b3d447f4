using Lockstep.Content.Cids;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Retrieval.Protocol;

/// <summary>A frame from the client, checked against every limit. See lockstep.proto for what each one means.</summary>
public abstract record ClientMessage
{
    public sealed record Attach(
        DealId DealId, int LinkBlocksHeld, IReadOnlyList<int> WindowsHeld, ChannelId? Channel, IReadOnlyList<LaneId> Lanes, int WindowCredit) : ClientMessage;

    /// <param name="Bitmap">Bit i%8 of byte i/8 stands for chunk i; no bit beyond the count is set.</param>
    public sealed record WantChunks(int ChunkCount, ReadOnlyMemory<byte> Bitmap) : ClientMessage;

    /// <param name="Voucher">Empty when the price is zero.</param>
    /// <param name="Unlocked">The unlocked voucher for the lane's chunk before; empty when there was none.</param>
    public sealed record LockedVoucher(int Chunk, ReadOnlyMemory<byte> Voucher, ReadOnlyMemory<byte> Unlocked) : ClientMessage;

    public sealed record ClosingVouchers(IReadOnlyList<ReadOnlyMemory<byte>> Vouchers) : ClientMessage;

    public sealed record UnsealPayment(ReadOnlyMemory<byte> Voucher) : ClientMessage;

    public sealed record KeyRequest(IReadOnlyList<int> Chunks) : ClientMessage;

    public sealed record SkipChunks(IReadOnlyList<int> Chunks) : ClientMessage;

    /// <param name="Windows">Total of windows that may be sent on this stream.</param>
    public sealed record Credit(int Windows) : ClientMessage;

    public sealed record Cancel(string Sentence) : ClientMessage;
}

/// <summary>A frame from the provider, checked against every limit. See lockstep.proto for what each one means.</summary>
public abstract record ProviderMessage
{
    public sealed record DealState(DealStatus Status, bool Ready, TokenAmount Shortfall) : ProviderMessage;

    public sealed record LinkBlock(Cid Cid, ReadOnlyMemory<byte> Data, IReadOnlyList<LeafClaim> Leaves) : ProviderMessage;

    public sealed record WindowOffer(SignedOffer Offer) : ProviderMessage;

    public sealed record CiphertextPart(int Window, int Chunk, int Offset, ReadOnlyMemory<byte> Data) : ProviderMessage;

    public sealed record ProofPart(int Window, int Offset, ReadOnlyMemory<byte> Data) : ProviderMessage;

    public sealed record KeyReveal(int Chunk, ReadOnlyMemory<byte> Key) : ProviderMessage;

    public sealed record UnsealProgress(long BytesDone, long BytesTotal) : ProviderMessage;

    public sealed record ClosingReceipt(IReadOnlyList<LaneId> Lanes) : ProviderMessage;

    /// <param name="Chunk">The chunk that it is about; null when it is about the deal.</param>
    public sealed record Fault(FaultCode Code, string Sentence, int? Chunk) : ProviderMessage;
}

/// <summary>A chunk's length as its provider states it; its bytes prove it later.</summary>
public sealed record LeafClaim(Cid Cid, int Length);

/// <summary>The answer to a query.</summary>
/// <param name="Content">What the provider has of the content asked about; null when it has none, or none was asked about.</param>
public sealed record AskAnswer(ContentSummary? Content, ProviderAsk Ask, string Message);

/// <summary>The answer to a proposal.</summary>
public abstract record ProposalAnswer
{
    /// <param name="UnsealDue">What is due before the content is brought in; zero for content that is not cold.</param>
    public sealed record Accepted(DealId DealId, ContentSummary Content, TokenAmount UnsealDue) : ProposalAnswer;

    public sealed record Rejected(Refusal Refusal) : ProposalAnswer;
}
