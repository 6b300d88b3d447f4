using Google.Protobuf;
using Lockstep.Content.Cids;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Retrieval.Protocol;

/// <summary>Writes messages as frames of lockstep.proto. What is written here, <see cref="WireReader"/> reads back equal.</summary>
public static class WireWriter
{
    public static Wire.ClientFrame Write(ClientMessage message) => message switch
    {
        ClientMessage.Attach attach => new() { Attach = Write(attach) },
        ClientMessage.WantChunks want => new() { WantChunks = new() { ChunkCount = (uint)want.ChunkCount, Bitmap = Bytes(want.Bitmap) } },
        ClientMessage.LockedVoucher locked => new()
        {
            LockedVoucher = new() { Chunk = (uint)locked.Chunk, Voucher = Bytes(locked.Voucher), Unlocked = Bytes(locked.Unlocked) },
        },
        ClientMessage.ClosingVouchers closing => new() { ClosingVouchers = new() { Vouchers = { closing.Vouchers.Select(Bytes) } } },
        ClientMessage.UnsealPayment payment => new() { UnsealPayment = new() { Voucher = Bytes(payment.Voucher) } },
        ClientMessage.KeyRequest request => new() { KeyRequest = new() { Chunks = { request.Chunks.Select(chunk => (uint)chunk) } } },
        ClientMessage.SkipChunks skip => new() { SkipChunks = new() { Chunks = { skip.Chunks.Select(chunk => (uint)chunk) } } },
        ClientMessage.Credit credit => new() { Credit = new() { Windows = (uint)credit.Windows } },
        ClientMessage.Cancel cancel => new() { Cancel = new() { Sentence = cancel.Sentence } },
        _ => throw new ArgumentException($"Unknown message {message.GetType().Name}.", nameof(message)),
    };

    public static Wire.ProviderFrame Write(ProviderMessage message) => message switch
    {
        ProviderMessage.DealState state => new()
        {
            DealState = new() { Status = (uint)state.Status, Ready = state.Ready, Shortfall = state.Shortfall.ToString() },
        },
        ProviderMessage.LinkBlock block => new()
        {
            LinkBlock = new()
            {
                Cid = Bytes(block.Cid),
                Data = Bytes(block.Data),
                Leaves = { block.Leaves.Select(leaf => new Wire.LeafClaim { Cid = Bytes(leaf.Cid), Length = (uint)leaf.Length }) },
            },
        },
        ProviderMessage.WindowOffer offer => new() { WindowOffer = Write(offer.Offer) },
        ProviderMessage.CiphertextPart part => new()
        {
            CiphertextPart = new() { Window = (uint)part.Window, Chunk = (uint)part.Chunk, Offset = (uint)part.Offset, Data = Bytes(part.Data) },
        },
        ProviderMessage.ProofPart part => new() { ProofPart = new() { Window = (uint)part.Window, Offset = (uint)part.Offset, Data = Bytes(part.Data) } },
        ProviderMessage.KeyReveal reveal => new() { KeyReveal = new() { Chunk = (uint)reveal.Chunk, Key = Bytes(reveal.Key) } },
        ProviderMessage.UnsealProgress progress => new()
        {
            UnsealProgress = new() { BytesDone = (ulong)progress.BytesDone, BytesTotal = (ulong)progress.BytesTotal },
        },
        ProviderMessage.ClosingReceipt receipt => new() { ClosingReceipt = new() { Lanes = { receipt.Lanes.Select(lane => lane.Value) } } },
        ProviderMessage.Fault fault => new()
        {
            Fault = new() { Code = (Wire.FaultCode)fault.Code, Sentence = fault.Sentence, ChunkPlusOne = fault.Chunk is { } chunk ? (uint)chunk + 1 : 0 },
        },
        _ => throw new ArgumentException($"Unknown message {message.GetType().Name}.", nameof(message)),
    };

    public static Wire.ProposeRequest Write(SignedProposal signed)
    {
        DealProposal proposal = signed.Proposal;
        return new()
        {
            Proposal = new()
            {
                DealId = Bytes(proposal.DealId.Value),
                PayloadCid = Bytes(proposal.PayloadCid),
                ProviderKeyFingerprint = Bytes(proposal.ProviderKey),
                ClientKeyFingerprint = Bytes(proposal.ClientKey),
                Terms = Write(proposal.Terms),
                PayerAddress = proposal.Payer.Text,
                PayeeAddress = proposal.Payee.Text,
                ValidUntilEpoch = proposal.ValidUntil.Value,
            },
            Signature = Bytes(signed.Signature),
        };
    }

    public static Wire.ProposeResponse Write(ProposalAnswer answer) => answer switch
    {
        ProposalAnswer.Accepted accepted => new()
        {
            Accepted = new()
            {
                DealId = Bytes(accepted.DealId.Value),
                Cold = accepted.Content.Cold,
                UnsealDue = accepted.UnsealDue.ToString(),
                Size = (ulong)accepted.Content.Size,
                ChunkCount = (uint)accepted.Content.ChunkCount,
                LinkBlockCount = (uint)accepted.Content.LinkBlockCount,
            },
        },
        ProposalAnswer.Rejected rejected => new()
        {
            Rejected = new() { Code = (Wire.FaultCode)rejected.Refusal.Code, Sentence = rejected.Refusal.Sentence },
        },
        _ => throw new ArgumentException($"Unknown answer {answer.GetType().Name}.", nameof(answer)),
    };

    public static Wire.QueryRequest Write(QueryAbout about) =>
        new() { PayloadCid = about.Root is null ? ByteString.Empty : Bytes(about.Root) };

    public static Wire.QueryResponse Write(AskAnswer answer) => new()
    {
        Availability = answer.Content is null ? Wire.Availability.Unavailable : Wire.Availability.Available,
        Cold = answer.Content?.Cold ?? false,
        Size = (ulong)(answer.Content?.Size ?? 0),
        ChunkCount = (uint)(answer.Content?.ChunkCount ?? 0),
        PricePerByte = answer.Ask.PricePerByte.ToString(),
        UnsealPrice = answer.Ask.UnsealPrice.ToString(),
        Suites = { answer.Ask.Suites },
        LockHashes = { answer.Ask.LockHashes.Select(hash => (uint)hash) },
        Rails = { answer.Ask.Rails.Select(rail => new Wire.RailOffer { RailId = rail.RailId, PaymentAddress = rail.Account.Text }) },
        MaxChunksPerWindow = (uint)answer.Ask.MaxChunksPerWindow,
        MaxOpenLocks = (uint)answer.Ask.MaxOpenLocks,
        MinLockExpiryEpochs = answer.Ask.MinLockExpiryEpochs,
        MaxLockExpiryEpochs = answer.Ask.MaxLockExpiryEpochs,
        Message = answer.Message,
    };

    /// <summary>A stored window as the frames that carry it: the offer, each ciphertext, then the proof.</summary>
    public static IEnumerable<ProviderMessage> WindowFrames(Provider.SealedWindowRow window)
    {
        SealedOffer offer = window.Offer.Offer;
        yield return new ProviderMessage.WindowOffer(window.Offer);
        for (int i = 0; i < offer.Chunks.Count; i++)
        {
            foreach ((int offset, ReadOnlyMemory<byte> part) in Parts(window.Ciphertexts[i]))
                yield return new ProviderMessage.CiphertextPart(offer.Window, offer.Chunks[i].Index, offset, part);
        }
        foreach ((int offset, ReadOnlyMemory<byte> part) in Parts(window.Proof))
            yield return new ProviderMessage.ProofPart(offer.Window, offset, part);
    }

    private static IEnumerable<(int Offset, ReadOnlyMemory<byte> Part)> Parts(ReadOnlyMemory<byte> bytes)
    {
        for (int offset = 0; offset < bytes.Length; offset += WireLimits.MaxPartBytes)
            yield return (offset, bytes.Slice(offset, Math.Min(WireLimits.MaxPartBytes, bytes.Length - offset)));
    }

    private static Wire.Attach Write(ClientMessage.Attach attach) => new()
    {
        DealId = Bytes(attach.DealId.Value),
        LinkBlocksHeld = (uint)attach.LinkBlocksHeld,
        WindowsHeld = { attach.WindowsHeld.Select(window => (uint)window) },
        Channel = attach.Channel?.Text ?? "",
        Lanes = { attach.Lanes.Select(lane => lane.Value) },
        Credit = (uint)attach.WindowCredit,
    };

    private static Wire.WindowOffer Write(SignedOffer signed) => new()
    {
        DealId = Bytes(signed.Offer.DealId.Value),
        Window = (uint)signed.Offer.Window,
        SuiteId = signed.Offer.SuiteId,
        LockHash = (uint)signed.Offer.LockHash,
        Chunks =
        {
            signed.Offer.Chunks.Select(chunk => new Wire.OfferedChunk
            {
                Chunk = (uint)chunk.Index,
                Cid = Bytes(chunk.Cid),
                Length = (uint)chunk.Length,
                SealId = Bytes(chunk.SealId),
                Lock = Bytes(chunk.Lock),
                Nonce = Bytes(chunk.Nonce),
                FirstCounter = chunk.FirstCounter,
            }),
        },
        ProofLength = (uint)signed.Offer.ProofLength,
        Signature = Bytes(signed.Signature),
    };

    private static Wire.Terms Write(DealTerms terms) => new()
    {
        PricePerByte = terms.PricePerByte.ToString(),
        UnsealPrice = terms.UnsealPrice.ToString(),
        MostToPay = terms.MostToPay.ToString(),
        SuiteId = terms.SuiteId,
        LockHash = (uint)terms.LockHash,
        ChunksPerWindow = (uint)terms.ChunksPerWindow,
        OpenLocks = (uint)terms.OpenLocks,
        LockExpiryEpochs = terms.LockExpiryEpochs,
        RailId = terms.RailId,
        Selection = (Wire.Selection)terms.Selection,
    };

    private static ByteString Bytes(Bytes32 value) => Bytes(value.Memory);

    private static ByteString Bytes(Cid cid) => UnsafeByteOperations.UnsafeWrap(cid.ToBytes());

    // The wrapped memory is never changed after a message is made.
    private static ByteString Bytes(ReadOnlyMemory<byte> bytes) => UnsafeByteOperations.UnsafeWrap(bytes);
}
