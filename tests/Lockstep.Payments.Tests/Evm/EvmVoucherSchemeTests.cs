using System.Numerics;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Tests.Evm;

/// <summary>Vouchers of the EVM rail from a peer that may send anything: one form each, bound to contract and chain.</summary>
public sealed class EvmVoucherSchemeTests : IDisposable
{
    private static readonly EvmContract Contract = new(314, EvmAddress.Parse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"));

    private readonly SecpKey payer = SecpKey.FromSecret([.. new byte[31], 1]);
    private readonly EvmVoucherScheme scheme = new(Contract);

    private VoucherTerms Terms => new(
        Contract.ChannelAt(7), new LaneId(3), new Nonce(9), new TokenAmount(12345), new HashLock(LockHashKind.Sha256, Enumerable.Repeat((byte)5, 32).ToArray()), new Epoch(1000));

    public void Dispose() => payer.Dispose();

    [Fact]
    public void A_voucher_comes_back_as_it_was_signed()
    {
        foreach (VoucherTerms terms in (VoucherTerms[])[
            Terms, Terms with { Lock = null }, Terms with { Expiry = null }, Terms with { Amount = TokenAmount.Zero },
            Terms with { Amount = new TokenAmount((BigInteger.One << 128) - 1), Nonce = Nonce.MaxValue, Lane = new LaneId(65535), Expiry = new Epoch(long.MaxValue) }])
        {
            PaymentVoucher voucher = scheme.Sign(payer, terms);
            Assert.Equal(EvmVoucherScheme.EncodedLength, voucher.Encoded.Length);
            VoucherVerdict read = scheme.Decode(voucher.Encoded, LockHashKind.Sha256);
            Assert.True(read.Accepted);
            Assert.Equal(terms, read.Voucher.Terms);
            Assert.Equal(scheme.AccountOf(payer), read.Voucher.Signer);
        }
    }

    public static TheoryData<string, VoucherRefusalReason> Broken => new()
    {
        { "shorter", VoucherRefusalReason.Malformed },
        { "longer", VoucherRefusalReason.Malformed },
        { "version", VoucherRefusalReason.Malformed },
        { "chain", VoucherRefusalReason.WrongChannel },
        { "contract", VoucherRefusalReason.WrongChannel },
        { "channel zero", VoucherRefusalReason.WrongChannel },
        { "channel beyond", VoucherRefusalReason.WrongChannel },
        { "lane", VoucherRefusalReason.WrongLane },
        { "expiry", VoucherRefusalReason.Malformed },
        { "recovery", VoucherRefusalReason.BadSignature },
        { "high s", VoucherRefusalReason.BadSignature },
        { "zero r", VoucherRefusalReason.BadSignature },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void What_is_broken_is_refused_for_its_own_reason(string how, VoucherRefusalReason reason)
    {
        byte[] bytes = scheme.Sign(payer, Terms).Encoded.ToArray();
        bytes = how switch
        {
            "shorter" => bytes[..^1],
            "longer" => [.. bytes, 0],
            "version" => With(0, 2),
            "chain" => With(8, 59),
            "contract" => With(9, 0),
            "channel zero" => With(36, 0),
            "channel beyond" => With(29, 1),
            "lane" => With(42, 1),
            "expiry" => With(101, 0x80),
            "recovery" => With(173, 2),
            "high s" => With(141, 0xff),
            "zero r" => [.. bytes[..109], .. new byte[32], .. bytes[141..]],
            _ => throw new ArgumentException(how),
        };
        VoucherVerdict verdict = scheme.Decode(bytes, LockHashKind.Sha256);
        Assert.Equal(reason, verdict.Refusal?.Reason);
        Assert.NotEmpty(verdict.Refusal!.Sentence);

        byte[] With(int index, byte value)
        {
            bytes[index] = value;
            return bytes;
        }
    }

    // Every bit is signed, or part of the signature: with one turned over it is another promise, of somebody else.
    [Fact]
    public void No_bit_can_be_changed()
    {
        byte[] good = scheme.Sign(payer, Terms).Encoded.ToArray();
        for (int bit = 0; bit < good.Length * 8; bit++)
        {
            byte[] bytes = [.. good];
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            VoucherVerdict verdict = scheme.Decode(bytes, LockHashKind.Sha256);
            Assert.False(verdict.Accepted && verdict.Voucher.Signer == scheme.AccountOf(payer), $"bit {bit}");
        }
    }

    [Fact]
    public void Random_bytes_are_refused_and_never_throw()
    {
        var random = new Random(7);
        byte[] head = scheme.Sign(payer, Terms).Encoded.ToArray();
        for (int i = 0; i < 2000; i++)
        {
            var bytes = new byte[i % 2 == 0 ? EvmVoucherScheme.EncodedLength : random.Next(400)];
            random.NextBytes(bytes);
            head.AsSpan(0, Math.Min(random.Next(head.Length), bytes.Length)).CopyTo(bytes);
            VoucherVerdict verdict = scheme.Decode(bytes, LockHashKind.Sha256);
            Assert.False(verdict.Accepted && verdict.Voucher.Signer == scheme.AccountOf(payer) && verdict.Voucher.Terms != Terms);
        }
    }

    [Fact]
    public void Terms_that_the_rail_cannot_express_are_not_signed()
    {
        Assert.Throws<ArgumentException>(() => scheme.Sign(payer, Terms with { Channel = new ChannelId("evm:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed/7") }));
        Assert.Throws<ArgumentException>(() => scheme.Sign(payer, Terms with { Lane = new LaneId(65536) }));
        Assert.Throws<ArgumentException>(() => scheme.Sign(payer, Terms with { Lock = new HashLock(LockHashKind.Blake2b256, new byte[32]) }));
        Assert.Throws<ArgumentException>(() => scheme.Sign(payer, Terms with { Expiry = new Epoch(0) }));
        Assert.Throws<ArgumentException>(() => scheme.Sign(payer, Terms with { Amount = new TokenAmount(-1) }));
        Assert.Throws<ArgumentException>(() => scheme.Sign(payer, Terms with { Amount = new TokenAmount(BigInteger.One << 128) }));
    }

    [Fact]
    public void A_statement_is_verified_for_its_signer_only()
    {
        byte[] statement = [1, 2, 3], signature = scheme.SignStatement(payer, statement);
        AccountId account = scheme.AccountOf(payer);
        Assert.True(scheme.VerifyStatement(account, statement, signature));
        Assert.False(scheme.VerifyStatement(account, [1, 2, 4], signature));
        Assert.False(scheme.VerifyStatement(new AccountId(EvmAddress.Zero.ToString()), statement, signature));
        Assert.False(scheme.VerifyStatement(account, statement, signature.AsSpan(1)));
    }

    [Theory]
    [InlineData("evm:314:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed/7", null)]
    [InlineData("evm:314:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed/281474976710655", null)]
    [InlineData("evm:314:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed/281474976710656", "no channel")]
    [InlineData("evm:314:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed/0", "no channel")]
    [InlineData("evm:314:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed/07", "no channel")]
    [InlineData("evm:314:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed/", "no channel")]
    [InlineData("evm:314:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed/-1", "no channel")]
    [InlineData("evm:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed/7", "another contract or chain")]
    [InlineData("evm:314:0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359/7", "another contract or chain")]
    [InlineData("evm:314:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed/7", "another contract or chain")]
    [InlineData("t2abc", "no channel")]
    [InlineData("", "no channel")]
    public void A_channels_text_has_one_form(string text, string? refusal)
    {
        bool isRead = scheme.TryParseChannel(text, out ChannelId channel, out string error);
        Assert.Equal(refusal is null, isRead);
        if (refusal is null)
            Assert.Equal(text, channel.Text);
        else
            Assert.Contains(refusal, error, StringComparison.Ordinal);
    }
}
