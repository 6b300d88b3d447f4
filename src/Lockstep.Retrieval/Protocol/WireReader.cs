using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Lockstep.Content.Cids;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Retrieval.Protocol;

/// <summary>A message that is within every limit, or the refusal that goes back to its sender.</summary>
public readonly record struct Parsed<T>
    where T : class
{
    private Parsed(T? message, Refusal? refusal) => (Message, Refusal) = (message, refusal);

    public T? Message { get; }

    public Refusal? Refusal { get; }

    /// <summary>Takes the message or the refusal in one step.</summary>
    public bool Try([NotNullWhen(true)] out T? message, [NotNullWhen(false)] out Refusal? refusal)
    {
        message = Message;
        refusal = message is null ? Refusal ?? new Refusal(FaultCode.BadMessage, "The message is empty.") : null;
        return message is not null;
    }

    internal static Parsed<T> Of(T message) => new(message, null);

    internal static Parsed<T> Bad(string sentence) => new(null, new Refusal(FaultCode.BadMessage, sentence));
}

/// <summary>
/// Reads what a peer sent. Nothing from a peer is used before it has passed through here; whatever the bytes, the answer is a
/// message or a refusal, and memory never exceeds the frame's own size by much.
/// </summary>
public static class WireReader
{
    /// <summary>Decodes bytes as one wire message, for transports and tests that have bytes rather than frames.</summary>
    public static Parsed<TWire> Decode<TWire>(ReadOnlySpan<byte> bytes)
        where TWire : class, IMessage<TWire>, new()
    {
        if (bytes.Length > WireLimits.MaxFrameBytes)
            return Parsed<TWire>.Bad($"The message has {bytes.Length} bytes; at most {WireLimits.MaxFrameBytes} are accepted.");
        try
        {
            var message = new TWire();
            message.MergeFrom(bytes);
            return Parsed<TWire>.Of(message);
        }
        catch (InvalidProtocolBufferException)
        {
            return Parsed<TWire>.Bad("The message is not valid protobuf.");
        }
    }

    public static Parsed<ClientMessage> Read(Wire.ClientFrame frame) => Guard<ClientMessage>(() => frame.KindCase switch
    {
        Wire.ClientFrame.KindOneofCase.Attach => ReadAttach(frame.Attach),
        Wire.ClientFrame.KindOneofCase.WantChunks => ReadWant(frame.WantChunks),
        Wire.ClientFrame.KindOneofCase.LockedVoucher => new ClientMessage.LockedVoucher(
            Chunk(frame.LockedVoucher.Chunk), Voucher(frame.LockedVoucher.Voucher), Voucher(frame.LockedVoucher.Unlocked)),
        Wire.ClientFrame.KindOneofCase.ClosingVouchers => new ClientMessage.ClosingVouchers(
            [.. Bounded(frame.ClosingVouchers.Vouchers, WireLimits.MaxOpenLocks, "closing vouchers").Select(Voucher)]),
        Wire.ClientFrame.KindOneofCase.UnsealPayment => new ClientMessage.UnsealPayment(Voucher(frame.UnsealPayment.Voucher)),
        Wire.ClientFrame.KindOneofCase.KeyRequest => new ClientMessage.KeyRequest(
            [.. Bounded(frame.KeyRequest.Chunks, WireLimits.MaxKeyRequests, "chunks").Select(Chunk)]),
        Wire.ClientFrame.KindOneofCase.SkipChunks => new ClientMessage.SkipChunks(
            [.. Bounded(frame.SkipChunks.Chunks, WireLimits.MaxKeyRequests, "chunks").Select(Chunk)]),
        Wire.ClientFrame.KindOneofCase.Credit => new ClientMessage.Credit(Count(frame.Credit.Windows, WireLimits.MaxCredit, "credit")),
        Wire.ClientFrame.KindOneofCase.Cancel => new ClientMessage.Cancel(Sentence(frame.Cancel.Sentence)),
        _ => throw new Broken("The frame is of no kind that this version knows."),
    });

    public static Parsed<ProviderMessage> Read(Wire.ProviderFrame frame) => Guard<ProviderMessage>(() => frame.KindCase switch
    {
        Wire.ProviderFrame.KindOneofCase.DealState => new ProviderMessage.DealState(
            Defined((DealStatus)frame.DealState.Status, "status"), frame.DealState.Ready, Amount(frame.DealState.Shortfall, "shortfall")),
        Wire.ProviderFrame.KindOneofCase.LinkBlock => ReadLinkBlock(frame.LinkBlock),
        Wire.ProviderFrame.KindOneofCase.WindowOffer => ReadOffer(frame.WindowOffer),
        Wire.ProviderFrame.KindOneofCase.CiphertextPart => new ProviderMessage.CiphertextPart(
            Window(frame.CiphertextPart.Window), Chunk(frame.CiphertextPart.Chunk),
            Count(frame.CiphertextPart.Offset, WireLimits.MaxLeafBytes, "offset"), Part(frame.CiphertextPart.Data)),
        Wire.ProviderFrame.KindOneofCase.ProofPart => new ProviderMessage.ProofPart(
            Window(frame.ProofPart.Window), Count(frame.ProofPart.Offset, WireLimits.MaxProofBytes, "offset"), Part(frame.ProofPart.Data)),
        Wire.ProviderFrame.KindOneofCase.KeyReveal => new ProviderMessage.KeyReveal(Chunk(frame.KeyReveal.Chunk), Hash(frame.KeyReveal.Key, "key").Memory),
        Wire.ProviderFrame.KindOneofCase.UnsealProgress => new ProviderMessage.UnsealProgress(
            Long(frame.UnsealProgress.BytesDone, "bytes done"), Long(frame.UnsealProgress.BytesTotal, "bytes in all")),
        Wire.ProviderFrame.KindOneofCase.ClosingReceipt => new ProviderMessage.ClosingReceipt(
            [.. Bounded(frame.ClosingReceipt.Lanes, WireLimits.MaxOpenLocks, "lanes").Select(Lane)]),
        Wire.ProviderFrame.KindOneofCase.Fault => ReadFault(frame.Fault),
        _ => throw new Broken("The frame is of no kind that this version knows."),
    });

    public static Parsed<SignedProposal> Read(Wire.ProposeRequest request) => Guard(() =>
    {
        Wire.Proposal proposal = request.Proposal ?? throw new Broken("The request has no proposal.");
        return new SignedProposal(
            new DealProposal(
                new DealId(Hash(proposal.DealId, "deal id")),
                ReadCid(proposal.PayloadCid),
                Hash(proposal.ProviderKeyFingerprint, "provider's fingerprint"),
                Hash(proposal.ClientKeyFingerprint, "client's fingerprint"),
                ReadTerms(proposal.Terms ?? throw new Broken("The proposal has no terms.")),
                new AccountId(Name(proposal.PayerAddress, "payer")),
                new AccountId(Name(proposal.PayeeAddress, "payee")),
                new Epoch(proposal.ValidUntilEpoch)),
            Signature(request.Signature));
    });

    public static Parsed<ProposalAnswer> Read(Wire.ProposeResponse response) => Guard<ProposalAnswer>(() => response.OutcomeCase switch
    {
        Wire.ProposeResponse.OutcomeOneofCase.Accepted => new ProposalAnswer.Accepted(
            new DealId(Hash(response.Accepted.DealId, "deal id")),
            new ContentSummary(
                Long(response.Accepted.Size, "size"),
                Count(response.Accepted.ChunkCount, WireLimits.MaxChunks, "number of chunks"),
                Count(response.Accepted.LinkBlockCount, WireLimits.MaxChunks, "number of link blocks"),
                response.Accepted.Cold),
            Amount(response.Accepted.UnsealDue, "unseal price")),
        Wire.ProposeResponse.OutcomeOneofCase.Rejected => new ProposalAnswer.Rejected(
            new Refusal(Defined((FaultCode)response.Rejected.Code, "fault code"), Sentence(response.Rejected.Sentence))),
        _ => throw new Broken("The answer neither accepts nor rejects."),
    });

    public static Parsed<AskAnswer> Read(Wire.QueryResponse response) => Guard(() =>
    {
        ContentSummary? content = response.Availability != Wire.Availability.Available ? null : new ContentSummary(
            Long(response.Size, "size"), Count(response.ChunkCount, WireLimits.MaxChunks, "number of chunks"), 0, response.Cold);
        var ask = new ProviderAsk
        {
            PricePerByte = Amount(response.PricePerByte, "price per byte"),
            UnsealPrice = Amount(response.UnsealPrice, "unseal price"),
            Suites = [.. Bounded(response.Suites, WireLimits.MaxAskItems, "suites").Select(suite => Name(suite, "suite"))],
            LockHashes = [.. Bounded(response.LockHashes, WireLimits.MaxAskItems, "lock hashes").Select(LockHash)],
            Rails = [.. Bounded(response.Rails, WireLimits.MaxAskItems, "rails")
                .Select(rail => new RailAccount(Name(rail.RailId, "rail"), new AccountId(Name(rail.PaymentAddress, "payment address"))))],
            MaxChunksPerWindow = Count(response.MaxChunksPerWindow, WireLimits.MaxChunksPerWindow, "chunks per window"),
            MaxOpenLocks = Count(response.MaxOpenLocks, WireLimits.MaxOpenLocks, "open locks"),
            MinLockExpiryEpochs = Expiry(response.MinLockExpiryEpochs),
            MaxLockExpiryEpochs = Expiry(response.MaxLockExpiryEpochs),
        };
        return new AskAnswer(content, ask, Sentence(response.Message));
    });

    /// <summary>The root that a query is about; null to ask in general.</summary>
    public static Parsed<QueryAbout> Read(Wire.QueryRequest request) =>
        Guard(() => new QueryAbout(request.PayloadCid.IsEmpty ? null : ReadCid(request.PayloadCid)));

    private static ClientMessage.Attach ReadAttach(Wire.Attach attach)
    {
        string channel = attach.Channel;
        return new ClientMessage.Attach(
            new DealId(Hash(attach.DealId, "deal id")),
            Count(attach.LinkBlocksHeld, WireLimits.MaxChunks, "number of link blocks"),
            [.. Bounded(attach.WindowsHeld, WireLimits.MaxWindowsHeld, "windows").Select(Window)],
            channel.Length == 0 ? null : new ChannelId(Name(channel, "channel")),
            [.. Bounded(attach.Lanes, WireLimits.MaxOpenLocks, "lanes").Select(Lane)],
            Count(attach.Credit, WireLimits.MaxCredit, "credit"));
    }

    private static ClientMessage.WantChunks ReadWant(Wire.WantChunks want)
    {
        int count = Count(want.ChunkCount, WireLimits.MaxChunks, "number of chunks");
        return WantedChunks.FromBitmap(count, want.Bitmap.Span) is not null
            ? new ClientMessage.WantChunks(count, want.Bitmap.Memory)
            : throw new Broken($"The bitmap of {want.Bitmap.Length} bytes does not fit {count} chunks.");
    }

    private static ProviderMessage.LinkBlock ReadLinkBlock(Wire.LinkBlock block)
    {
        if (block.Data.Length > WireLimits.MaxLinkBlockBytes)
            throw new Broken($"The link block has {block.Data.Length} bytes; at most {WireLimits.MaxLinkBlockBytes} are accepted.");
        return new ProviderMessage.LinkBlock(
            ReadCid(block.Cid), block.Data.Memory,
            [.. Bounded(block.Leaves, WireLimits.MaxLeafClaims, "leaves").Select(leaf => new LeafClaim(ReadCid(leaf.Cid), ChunkLength(leaf.Length)))]);
    }

    private static ProviderMessage.WindowOffer ReadOffer(Wire.WindowOffer offer)
    {
        OfferedChunk[] chunks = [.. Bounded(offer.Chunks, WireLimits.MaxChunksPerWindow, "chunks").Select(chunk => new OfferedChunk(
            Chunk(chunk.Chunk), ReadCid(chunk.Cid), ChunkLength(chunk.Length), Hash(chunk.SealId, "seal id"), Hash(chunk.Lock, "lock"),
            chunk.Nonce.Length == WireLimits.NonceBytes ? chunk.Nonce.Memory : throw new Broken($"A nonce has {WireLimits.NonceBytes} bytes, not {chunk.Nonce.Length}."),
            chunk.FirstCounter))];
        int proof = Count(offer.ProofLength, WireLimits.MaxProofBytes, "length of the proof");
        if (chunks.Length == 0 || proof == 0)
            throw new Broken("A window has at least one chunk and a proof.");
        return new ProviderMessage.WindowOffer(new SignedOffer(
            new SealedOffer(new DealId(Hash(offer.DealId, "deal id")), Window(offer.Window), Name(offer.SuiteId, "suite"), LockHash(offer.LockHash), chunks, proof),
            Signature(offer.Signature)));
    }

    private static ProviderMessage.Fault ReadFault(Wire.Fault fault) => new(
        Defined((FaultCode)fault.Code, "fault code"), Sentence(fault.Sentence), fault.ChunkPlusOne == 0 ? null : Chunk(fault.ChunkPlusOne - 1));

    private static DealTerms ReadTerms(Wire.Terms terms) => new(
        Amount(terms.PricePerByte, "price per byte"),
        Amount(terms.UnsealPrice, "unseal price"),
        Amount(terms.MostToPay, "most to pay"),
        Name(terms.SuiteId, "suite"),
        LockHash(terms.LockHash),
        AtLeastOne(Count(terms.ChunksPerWindow, WireLimits.MaxChunksPerWindow, "chunks per window"), "chunks per window"),
        AtLeastOne(Count(terms.OpenLocks, WireLimits.MaxOpenLocks, "open locks"), "open locks"),
        Expiry(terms.LockExpiryEpochs),
        Name(terms.RailId, "rail"),
        Defined((ChunkSelection)terms.Selection, "selection"));

    private static Bytes32 Hash(ByteString bytes, string what) => bytes.Length == WireLimits.HashBytes
        ? new Bytes32(bytes.Span)
        : throw new Broken($"The {what} has {bytes.Length} bytes; it has {WireLimits.HashBytes}.");

    private static Cid ReadCid(ByteString bytes)
    {
        if (bytes.Length > WireLimits.MaxCidBytes)
            throw new Broken($"A CID has {bytes.Length} bytes; at most {WireLimits.MaxCidBytes} are accepted.");
        if (!Cid.TryRead(bytes.Span, out Cid? cid, out int consumed, out Content.ContentError? error))
            throw new Broken(error.Message);
        if (consumed != bytes.Length)
            throw new Broken("A CID has bytes after its end.");
        return cid.RefuseOtherHash() is { } other ? throw new Broken(other.Message) : cid;
    }

    private static TokenAmount Amount(string text, string what)
    {
        bool ok = text.Length <= WireLimits.MaxAmountDigits & TokenAmount.TryParseAtto(text.Length <= WireLimits.MaxAmountDigits ? text : "", out TokenAmount amount);
        return ok && !amount.IsNegative ? amount : throw new Broken($"The {what} is not an amount of atto-units in decimal.");
    }

    private static string Name(string text, string what) =>
        text.Length is > 0 and <= WireLimits.MaxNameLength && !text.Any(char.IsControl)
            ? text
            : throw new Broken($"The {what} is empty, too long or has control characters.");

    // Sentences are shown to people: control characters are taken out, so that no terminal obeys a peer.
    private static string Sentence(string text) => text.Length <= WireLimits.MaxSentenceLength
        ? new string([.. text.Where(letter => !char.IsControl(letter))])
        : throw new Broken($"A sentence has {text.Length} characters; at most {WireLimits.MaxSentenceLength} are accepted.");

    private static ReadOnlyMemory<byte> Voucher(ByteString bytes) => bytes.Length <= WireLimits.MaxVoucherBytes
        ? bytes.Memory
        : throw new Broken($"A voucher has {bytes.Length} bytes; at most {WireLimits.MaxVoucherBytes} are accepted.");

    private static ReadOnlyMemory<byte> Signature(ByteString bytes) => bytes.Length is > 0 and <= WireLimits.MaxSignatureBytes
        ? bytes.Memory
        : throw new Broken($"A signature has {bytes.Length} bytes; 1 to {WireLimits.MaxSignatureBytes} are accepted.");

    private static ReadOnlyMemory<byte> Part(ByteString bytes) => bytes.Length is > 0 and <= WireLimits.MaxPartBytes
        ? bytes.Memory
        : throw new Broken($"A part has {bytes.Length} bytes; 1 to {WireLimits.MaxPartBytes} are accepted.");

    private static LockHashKind LockHash(uint number) =>
        number <= byte.MaxValue ? Defined((LockHashKind)number, "lock hash") : throw new Broken($"Lock hash {number} is unknown.");

    private static int Chunk(uint number) => number < WireLimits.MaxChunks ? (int)number : throw new Broken($"There is no chunk {number}.");

    private static int Window(uint number) => Count(number, int.MaxValue, "window");

    private static int ChunkLength(uint length) => AtLeastOne(Count(length, WireLimits.MaxLeafBytes, "length of a chunk"), "length of a chunk");

    private static LaneId Lane(ulong number) => number <= LaneId.MaxValue.Value ? new LaneId(number) : throw new Broken($"There is no lane {number}.");

    private static long Long(ulong number, string what) => number <= long.MaxValue ? (long)number : throw new Broken($"The {what} is too large.");

    private static int Count(uint number, int most, string what) =>
        number <= (uint)most ? (int)number : throw new Broken($"The {what} is {number}; at most {most} is accepted.");

    private static int AtLeastOne(int number, string what) => number >= 1 ? number : throw new Broken($"The {what} is 0; at least 1 is accepted.");

    private static long Expiry(long epochs) => epochs is >= 1 and <= WireLimits.MaxLockExpiryEpochs
        ? epochs
        : throw new Broken($"A lock expires after 1 to {WireLimits.MaxLockExpiryEpochs} epochs, not {epochs}.");

    private static RepeatedField<T> Bounded<T>(RepeatedField<T> items, int most, string what) =>
        items.Count <= most ? items : throw new Broken($"There are {items.Count} {what}; at most {most} are accepted.");

    private static TEnum Defined<TEnum>(TEnum value, string what)
        where TEnum : struct, Enum =>
        Enum.IsDefined(value) ? value : throw new Broken($"The {what} {value} is unknown.");

    private static Parsed<T> Guard<T>(Func<T> read)
        where T : class
    {
        try
        {
            return Parsed<T>.Of(read());
        }
        catch (Broken broken)
        {
            return Parsed<T>.Bad(broken.Message);
        }
    }

    // Never leaves this class: it only carries the sentence out of nested readers.
    private sealed class Broken(string sentence) : Exception(sentence);
}

/// <summary>What a query is about.</summary>
/// <param name="Root">The root; null to ask in general.</param>
public sealed record QueryAbout(Cid? Root);
