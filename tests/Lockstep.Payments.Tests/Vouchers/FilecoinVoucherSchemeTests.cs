using Lockstep.Payments.Addresses;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Tests.Vouchers;

public sealed class FilecoinVoucherSchemeTests : IDisposable
{
    private static readonly byte[] Secret = new byte[32];
    private static readonly HashLock Lock = HashLock.Of(LockHashKind.Sha256, Secret);

    private readonly FilecoinVoucherScheme scheme = new(Network.Test);
    private readonly SecpKey key = Vectors.KeyNamed("A");
    private readonly Address channel = Address.FromActorSeed("channel"u8);

    private Voucher Good => new()
    {
        Channel = channel,
        TimeLockMax = new Epoch(100),
        SecretHash = Lock.Hash,
        Lane = new LaneId(1),
        Nonce = new Nonce(1),
        Amount = new TokenAmount(5),
    };

    public void Dispose() => key.Dispose();

    [Fact]
    public void What_is_signed_is_decoded()
    {
        var locked = new VoucherTerms(scheme.ChannelAt(channel), new LaneId(1), new Nonce(1), new TokenAmount(5), Lock, new Epoch(100));
        var unlocked = locked with { Lock = null, Expiry = null };
        foreach (VoucherTerms terms in new[] { locked, unlocked })
        {
            PaymentVoucher signed = scheme.Sign(key, terms);
            VoucherVerdict verdict = scheme.Decode(signed.Encoded, LockHashKind.Sha256);
            Assert.True(verdict.Accepted);
            Assert.Equal(signed, verdict.Voucher);
            Assert.Equal(terms, verdict.Voucher.Terms);
            Assert.Equal(scheme.AccountOf(key), verdict.Voucher.Signer);
        }
        Assert.Equal(Good.Sign(key).Encode(), scheme.Sign(key, locked).Encoded.ToArray());
    }

    [Fact]
    public void Each_foreign_part_has_its_own_refusal()
    {
        AssertRefused(VoucherRefusalReason.HasExtra, Good with { Extra = new ExtraCall(Address.FromId(1), 2, new byte[1]) });
        AssertRefused(VoucherRefusalReason.HasMerges, Good with { Merges = [new LaneMerge(new LaneId(2), new Nonce(2))] });
        AssertRefused(VoucherRefusalReason.HasStartTime, Good with { TimeLockMin = new Epoch(1) });
        AssertRefused(VoucherRefusalReason.HasStartTime, Good with { TimeLockMin = new Epoch(-1) });
        AssertRefused(VoucherRefusalReason.HasMinSettleHeight, Good with { MinSettleHeight = new Epoch(7) });
        AssertRefused(VoucherRefusalReason.BadLockLength, Good with { SecretHash = new byte[31] });
        AssertRefused(VoucherRefusalReason.BadLockLength, Good with { SecretHash = new byte[33] });
        AssertReason(VoucherRefusalReason.Unsigned, new SignedVoucher(Good, null).Encode());
        AssertReason(VoucherRefusalReason.Malformed, []);
        byte[] spelledOtherwise = [0x98, 0x0b, .. Good.Sign(key).Encode().AsSpan(1)];
        AssertReason(VoucherRefusalReason.NotCanonical, spelledOtherwise);
    }

    [Fact]
    public void Malleable_signatures_are_refused()
    {
        byte[] signature = Good.Sign(key).Signature!.Data.ToArray();
        AssertBadSignature(SignatureType.Bls, signature);
        AssertBadSignature(SignatureType.Secp256k1, signature[..64]);
        AssertBadSignature(SignatureType.Secp256k1, [.. signature.AsSpan(0, 64), (byte)(27 + signature[64])]);
        AssertBadSignature(SignatureType.Secp256k1, Keys.SecpKeyTests.WithHighS(signature));
        AssertBadSignature(SignatureType.Secp256k1, new byte[65]);

        void AssertBadSignature(SignatureType type, byte[] bytes) =>
            AssertReason(VoucherRefusalReason.BadSignature, new SignedVoucher(Good, new Signature(type, bytes)).Encode());
    }

    [Fact]
    public void Terms_the_rail_cannot_write_are_not_signed()
    {
        var terms = new VoucherTerms(scheme.ChannelAt(channel), default, default, new TokenAmount(5), Lock, new Epoch(0));
        Assert.Throws<ArgumentException>(() => scheme.Sign(key, terms));
        Assert.Throws<ArgumentException>(() => scheme.Sign(key, terms with { Expiry = new Epoch(-4) }));
        Assert.Throws<ArgumentException>(() => scheme.Sign(key, terms with { Expiry = null, Amount = new TokenAmount(-1) }));
        Assert.Throws<ArgumentException>(() => scheme.Sign(key, terms with { Expiry = null, Channel = new ChannelId("nowhere") }));
    }

    [Fact]
    public void Accounts_and_channels_are_told_apart_and_by_network()
    {
        string account = key.Address.ToString(Network.Test), pool = channel.ToString(Network.Test);
        Assert.True(scheme.TryParseAccount(account, out AccountId id, out _));
        Assert.Equal(scheme.AccountOf(key), id);
        Assert.True(scheme.TryParseChannel(pool, out ChannelId channelId, out _));
        Assert.Equal(scheme.ChannelAt(channel), channelId);
        Assert.False(scheme.TryParseAccount(pool, out _, out string kind));
        Assert.Contains("begins with t1", kind, StringComparison.Ordinal);
        Assert.False(scheme.TryParseChannel(account, out _, out kind));
        Assert.Contains("begins with t2", kind, StringComparison.Ordinal);
        Assert.False(scheme.TryParseAccount(key.Address.ToString(Network.Main), out _, out string network));
        Assert.Contains("main network", network, StringComparison.Ordinal);
        Assert.False(scheme.TryParseAccount("t1junk", out _, out string junk));
        Assert.Contains("not a Filecoin address", junk, StringComparison.Ordinal);
    }

    [Fact]
    public void Statements_are_bound_to_signer_and_text_and_are_no_vouchers()
    {
        byte[] statement = "a proposal"u8.ToArray();
        byte[] signature = scheme.SignStatement(key, statement);
        Assert.True(scheme.VerifyStatement(scheme.AccountOf(key), statement, signature));
        Assert.False(scheme.VerifyStatement(scheme.AccountOf(key), "another"u8, signature));
        using SecpKey other = Vectors.KeyNamed("B");
        Assert.False(scheme.VerifyStatement(scheme.AccountOf(other), statement, signature));
        Assert.False(scheme.VerifyStatement(scheme.AccountOf(key), statement, signature.AsSpan(0, 64)));
        Assert.False(scheme.VerifyStatement(scheme.AccountOf(key), statement, Keys.SecpKeyTests.WithHighS(signature)));
        // A statement whose bytes are a voucher's does not sign that voucher.
        byte[] asStatement = scheme.SignStatement(key, Good.SigningBytes());
        Assert.NotEqual(Good.Sign(key).Signature!.Data.ToArray(), asStatement);
    }

    private void AssertRefused(VoucherRefusalReason reason, Voucher voucher) => AssertReason(reason, voucher.Sign(key).Encode());

    private void AssertReason(VoucherRefusalReason reason, byte[] encoded)
    {
        VoucherVerdict verdict = scheme.Decode(encoded, LockHashKind.Sha256);
        Assert.False(verdict.Accepted);
        Assert.Equal(reason, verdict.Refusal.Reason);
        Assert.EndsWith(".", verdict.Refusal.Sentence, StringComparison.Ordinal);
    }
}
