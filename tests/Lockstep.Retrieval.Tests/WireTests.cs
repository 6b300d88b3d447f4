using CsCheck;
using Google.Protobuf;
using Lockstep.Content.Cids;
using Lockstep.Payments;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;
using Wire = Lockstep.Retrieval.Protocol.Wire;

namespace Lockstep.Retrieval.Tests;

public sealed class WireTests
{
    private static readonly Cid Root = Cid.Of(Multicodec.Raw, [1, 2, 3]);

    [Fact]
    public void AnyBytesAreAMessageOrARefusal() => Gen.Byte.Array[0, 300].Sample(
        bytes =>
        {
            ReadAny(bytes);
            return true;
        },
        iter: 20_000);

    [Fact]
    public void AnyBitOfARealMessageMayFlip()
    {
        foreach (byte[] message in Examples())
        {
            for (int bit = 0; bit < 8 * message.Length; bit++)
            {
                byte[] flipped = [.. message];
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                ReadAny(flipped);
            }
        }
    }

    [Fact]
    public void EveryLimitIsEnforced()
    {
        Refused(new Wire.ClientFrame());
        Refused(new Wire.ClientFrame { Attach = new() { DealId = Zeros(31) } });
        Refused(new Wire.ClientFrame { Attach = new() { DealId = Zeros(32), Lanes = { Enumerable.Repeat(1ul, WireLimits.MaxOpenLocks + 1) } } });
        Refused(new Wire.ClientFrame { Attach = new() { DealId = Zeros(32), Lanes = { ulong.MaxValue } } });
        Refused(new Wire.ClientFrame { Attach = new() { DealId = Zeros(32), Channel = new string('c', WireLimits.MaxNameLength + 1) } });
        Refused(new Wire.ClientFrame { Attach = new() { DealId = Zeros(32), WindowsHeld = { new uint[WireLimits.MaxWindowsHeld + 1] } } });
        Refused(new Wire.ClientFrame { WantChunks = new() { ChunkCount = 9, Bitmap = Zeros(1) } });
        Refused(new Wire.ClientFrame { WantChunks = new() { ChunkCount = uint.MaxValue } });
        Refused(new Wire.ClientFrame { WantChunks = new() { ChunkCount = 1, Bitmap = ByteString.CopyFrom(2) } });
        Refused(new Wire.ClientFrame { LockedVoucher = new() { Voucher = Zeros(WireLimits.MaxVoucherBytes + 1) } });
        Refused(new Wire.ClientFrame { LockedVoucher = new() { Chunk = WireLimits.MaxChunks } });
        Refused(new Wire.ClientFrame { KeyRequest = new() { Chunks = { new uint[WireLimits.MaxKeyRequests + 1] } } });
        Refused(new Wire.ClientFrame { Cancel = new() { Sentence = new string('x', WireLimits.MaxSentenceLength + 1) } });
        RefusedBack(new Wire.ProviderFrame());
        RefusedBack(new Wire.ProviderFrame { DealState = new() { Status = 99, Shortfall = "0" } });
        foreach (string amount in new[] { "", "-1", "01", " 1", "1e9", new string('9', WireLimits.MaxAmountDigits + 1) })
            RefusedBack(new Wire.ProviderFrame { DealState = new() { Status = 1, Shortfall = amount } });
        RefusedBack(new Wire.ProviderFrame { CiphertextPart = new() { Data = Zeros(WireLimits.MaxPartBytes + 1) } });
        RefusedBack(new Wire.ProviderFrame { CiphertextPart = new() { Offset = uint.MaxValue, Data = Zeros(1) } });
        RefusedBack(new Wire.ProviderFrame { KeyReveal = new() { Key = Zeros(33) } });
        RefusedBack(new Wire.ProviderFrame { LinkBlock = new() { Cid = Zeros(3) } });
        RefusedBack(new Wire.ProviderFrame { LinkBlock = new() { Cid = Bytes(Root.ToBytes()), Data = Zeros(WireLimits.MaxLinkBlockBytes + 1) } });
        RefusedBack(new Wire.ProviderFrame { WindowOffer = new() { DealId = Zeros(32), SuiteId = "s", LockHash = 1, ProofLength = WireLimits.MaxProofBytes + 1, Signature = Zeros(1) } });
        Assert.False(WireReader.Decode<Wire.ClientFrame>(new byte[WireLimits.MaxFrameBytes + 1]).Try(out _, out _));
    }

    [Fact]
    public void ControlCharactersOfAPeerReachNoTerminal()
    {
        var frame = new Wire.ProviderFrame { Fault = new() { Code = Wire.FaultCode.Busy, Sentence = "a\u001b[2Jb\nc" } };
        Assert.True(WireReader.Read(frame).Try(out ProviderMessage? message, out _));
        Assert.Equal("a[2Jbc", ((ProviderMessage.Fault)message).Sentence);
    }

    [Fact]
    public void ProposalsAndAnswersComeBackEqual()
    {
        SignedProposal signed = Signed(out _);
        Assert.True(WireReader.Read(WireWriter.Write(signed)).Try(out SignedProposal? read, out Refusal? refusal), refusal?.Sentence);
        Assert.Equal(signed, read);
        var content = new ContentSummary(12, 3, 2, true);
        var accepted = new ProposalAnswer.Accepted(signed.Proposal.DealId, content, new TokenAmount(7));
        Assert.True(WireReader.Read(WireWriter.Write(accepted)).Try(out ProposalAnswer? answer, out _));
        Assert.Equal(accepted, answer);
        foreach (FaultCode code in Enum.GetValues<FaultCode>())
        {
            var rejected = new ProposalAnswer.Rejected(new Refusal(code, "No."));
            Assert.True(WireReader.Read(WireWriter.Write(rejected)).Try(out answer, out _));
            Assert.Equal(rejected, answer);
        }
        Assert.True(WireReader.Read(WireWriter.Write(new AskAnswer(content, Ask(new AccountId("t1x")), ""))).Try(out AskAnswer? ask, out _));
        Assert.Equal(content with { LinkBlockCount = 0 }, ask.Content);
        Assert.Equal("suite", Assert.Single(ask.Ask.Suites));
    }

    [Fact]
    public void AProposalIsHeldToEveryTermUnderARealSignature()
    {
        SignedProposal good = Signed(out SecpKey key);
        var scheme = new FilecoinVoucherScheme(Network.Test);
        DealProposal proposal = good.Proposal;
        ProviderAsk ask = Ask(proposal.Payee);
        var content = new ContentSummary(100, 2, 1, Cold: true);
        Assert.Null(Check(good));
        Expect(FaultCode.BadSignature, good with { Proposal = proposal with { ValidUntil = new Epoch(1_001) } });
        Expect(FaultCode.BadSignature, Sign(proposal with { ProviderKey = Hash(9) }));
        Expect(FaultCode.BadSignature, Sign(proposal with { ClientKey = Hash(9) }));
        Expect(FaultCode.BadSignature, Sign(proposal with { Payer = new AccountId("t1somebodyelse") }));
        Expect(FaultCode.ProposalExpired, Sign(proposal with { ValidUntil = new Epoch(9) }));
        Expect(FaultCode.PriceChanged, Sign(proposal with { Terms = proposal.Terms with { PricePerByte = new TokenAmount(1) } }));
        Expect(FaultCode.PriceChanged, Sign(proposal with { Terms = proposal.Terms with { UnsealPrice = TokenAmount.Zero } }));
        Expect(FaultCode.TermsRefused, Sign(proposal with { Payee = new AccountId("t1other") }));
        Expect(FaultCode.TermsRefused, Sign(proposal with { Terms = proposal.Terms with { RailId = "other" } }));
        Expect(FaultCode.TermsRefused, Sign(proposal with { Terms = proposal.Terms with { SuiteId = "other" } }));
        Expect(FaultCode.TermsRefused, Sign(proposal with { Terms = proposal.Terms with { LockHash = LockHashKind.Blake2b256 } }));
        Expect(FaultCode.TermsRefused, Sign(proposal with { Terms = proposal.Terms with { OpenLocks = 17 } }));
        Expect(FaultCode.TermsRefused, Sign(proposal with { Terms = proposal.Terms with { ChunksPerWindow = 9 } }));
        Expect(FaultCode.TermsRefused, Sign(proposal with { Terms = proposal.Terms with { LockExpiryEpochs = 5 } }));
        Assert.Equal(FaultCode.ContentNotFound, ProposalRules.Check(good, ask, null, proposal.ProviderKey, proposal.ClientKey, scheme, new Epoch(10))?.Code);

        SignedProposal Sign(DealProposal changed) => new(changed, scheme.SignStatement(key, changed.ToSignedBytes()));
        Refusal? Check(SignedProposal signed) => ProposalRules.Check(signed, ask, content, proposal.ProviderKey, proposal.ClientKey, scheme, new Epoch(10));
        void Expect(FaultCode code, SignedProposal signed) => Assert.Equal(code, Check(signed)?.Code);
    }

    private static void ReadAny(byte[] bytes)
    {
        if (WireReader.Decode<Wire.ClientFrame>(bytes).Try(out Wire.ClientFrame? client, out _))
            WireReader.Read(client);
        if (WireReader.Decode<Wire.ProviderFrame>(bytes).Try(out Wire.ProviderFrame? provider, out _))
            WireReader.Read(provider);
        if (WireReader.Decode<Wire.ProposeRequest>(bytes).Try(out Wire.ProposeRequest? propose, out _))
            WireReader.Read(propose);
        if (WireReader.Decode<Wire.ProposeResponse>(bytes).Try(out Wire.ProposeResponse? answer, out _))
            WireReader.Read(answer);
        if (WireReader.Decode<Wire.QueryRequest>(bytes).Try(out Wire.QueryRequest? query, out _))
            WireReader.Read(query);
        if (WireReader.Decode<Wire.QueryResponse>(bytes).Try(out Wire.QueryResponse? ask, out _))
            WireReader.Read(ask);
    }

    private static IEnumerable<byte[]> Examples()
    {
        var id = new DealId(Hash(1));
        yield return WireWriter.Write(new ClientMessage.Attach(id, 3, [1, 2], new ChannelId("t2abc"), [new LaneId(4)], 2)).ToByteArray();
        yield return WireWriter.Write(new ClientMessage.WantChunks(9, new byte[] { 0xff, 1 })).ToByteArray();
        yield return WireWriter.Write(new ClientMessage.LockedVoucher(3, new byte[90], new byte[80])).ToByteArray();
        var chunk = new OfferedChunk(2, Root, 3, Hash(3), Hash(4), new byte[12], 0);
        var offer = new SignedOffer(new SealedOffer(id, 1, "suite", LockHashKind.Sha256, [chunk], 100), new byte[64]);
        yield return WireWriter.Write(new ProviderMessage.WindowOffer(offer)).ToByteArray();
        yield return WireWriter.Write(new ProviderMessage.LinkBlock(Root, new byte[50], [new LeafClaim(Root, 3)])).ToByteArray();
        yield return WireWriter.Write(Signed(out _)).ToByteArray();
    }

    private static SignedProposal Signed(out SecpKey key)
    {
        key = SecpKey.FromSecret([.. Enumerable.Range(1, 32).Select(i => (byte)i)]);
        var scheme = new FilecoinVoucherScheme(Network.Test);
        var terms = new DealTerms(new TokenAmount(3), new TokenAmount(50), new TokenAmount(9_999), "suite", LockHashKind.Sha256, 2, 4, 2880, "local:x");
        var proposal = new DealProposal(new DealId(Hash(1)), Root, Hash(2), Hash(3), terms, scheme.AccountOf(key), new AccountId("t1payee"), new Epoch(1_000));
        return new SignedProposal(proposal, scheme.SignStatement(key, proposal.ToSignedBytes()));
    }

    private static ProviderAsk Ask(AccountId payee) => new()
    {
        PricePerByte = new TokenAmount(3),
        UnsealPrice = new TokenAmount(50),
        Suites = ["suite"],
        LockHashes = [LockHashKind.Sha256],
        Rails = [new RailAccount("local:x", payee)],
    };

    private static void Refused(Wire.ClientFrame frame)
    {
        Assert.False(WireReader.Read(frame).Try(out _, out Refusal? refusal));
        Assert.Equal(FaultCode.BadMessage, refusal.Code);
    }

    private static void RefusedBack(Wire.ProviderFrame frame)
    {
        Assert.False(WireReader.Read(frame).Try(out _, out Refusal? refusal));
        Assert.Equal(FaultCode.BadMessage, refusal.Code);
    }

    private static Bytes32 Hash(byte fill) => new([.. Enumerable.Repeat(fill, 32)]);

    private static ByteString Zeros(int length) => Bytes(new byte[length]);

    private static ByteString Bytes(byte[] bytes) => ByteString.CopyFrom(bytes);
}
