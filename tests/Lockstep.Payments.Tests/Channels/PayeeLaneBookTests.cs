using Lockstep.Payments.Addresses;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Tests.Channels;

/// <summary>The payee's acceptance list, one refusal after the other, and what the accepted vouchers are worth on the channel.</summary>
public sealed class PayeeLaneBookTests : IDisposable
{
    private const long Price = 100, Margin = 20, Expiry = 100;
    private static readonly LaneId Lane = new(1);

    private readonly ChannelWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public void A_deal_of_three_chunks_ends_in_one_redemption()
    {
        PayeeLaneBook book = NewBook();
        ulong nonce = 0;
        for (int chunk = 1; chunk <= 3; chunk++)
        {
            Accept(book, world.Sign(1, ++nonce, chunk * Price, world.LockOf(chunk), Expiry), Locked(chunk));
            Assert.Equal(new TokenAmount(chunk * Price), book.Committed(world.Snapshot, world.Now));
            Assert.Equal(nonce, book.OpenLock(Lane, world.Snapshot, world.Now)!.Nonce.Value);
            Accept(book, world.Sign(1, ++nonce, chunk * Price), new VoucherExpectation.Unlock(Lane));
            Assert.Null(book.OpenLock(Lane, world.Snapshot, world.Now));
        }
        RedemptionClaim claim = Assert.Single(Claims(book));
        Assert.Equal((6ul, null), (claim.Voucher.Nonce.Value, claim.Secret));
        Assert.Equal(ExitCode.Ok, world.Redeem(claim.Voucher, claim.Secret));
        Assert.Equal(new TokenAmount(3 * Price), world.State.ToSend);
        Assert.Empty(Claims(book));
    }

    [Fact]
    public void A_lock_that_is_never_replaced_is_redeemed_with_its_secret()
    {
        PayeeLaneBook book = NewBook();
        Accept(book, world.Sign(1, 1, Price, world.LockOf(1), Expiry), Locked(1));
        Assert.Empty(book.BestClaims(world.Snapshot, world.Now, _ => null));
        Assert.Empty(book.BestClaims(world.Snapshot, world.Now, _ => ChannelWorld.SecretOf(2)));
        RedemptionClaim claim = Assert.Single(Claims(book));
        Assert.Equal(ExitCode.Ok, world.Redeem(claim.Voucher, claim.Secret));
        Assert.Null(book.OpenLock(Lane, world.Snapshot, world.Now));
        Assert.Equal(new TokenAmount(Price), book.SettledAmount(Lane, world.Snapshot));
        // The next chunk counts from what was redeemed.
        Accept(book, world.Sign(1, 2, 2 * Price, world.LockOf(2), Expiry), Locked(2));
    }

    [Fact]
    public void Every_lane_is_claimed_by_its_best_voucher_only()
    {
        PayeeLaneBook book = NewBook();
        Accept(book, world.Sign(1, 1, Price, world.LockOf(1), Expiry), Locked(1));
        Accept(book, world.Sign(1, 2, Price), new VoucherExpectation.Unlock(Lane));
        Accept(book, world.Sign(1, 3, 2 * Price, world.LockOf(2), Expiry), Locked(2));
        Accept(book, world.Sign(2, 1, Price, world.LockOf(3), Expiry), Locked(3, lane: 2));
        Assert.Equal([(1ul, 3ul), (2ul, 1ul)], Claims(book).Select(claim => (claim.Voucher.Lane.Value, claim.Voucher.Nonce.Value)));
        // Without the second secret the lane still pays what is unlocked.
        IReadOnlyList<RedemptionClaim> claims = book.BestClaims(
            world.Snapshot, world.Now, hashLock => hashLock.Equals(world.LockOf(2)) ? default(ReadOnlyMemory<byte>?) : SecretFor(hashLock));
        Assert.Equal([(1ul, 2ul), (2ul, 1ul)], claims.Select(claim => (claim.Voucher.Lane.Value, claim.Voucher.Nonce.Value)));
        foreach (RedemptionClaim claim in Claims(book))
            Assert.Equal(ExitCode.Ok, world.Redeem(claim.Voucher, claim.Secret));
        Assert.Equal(new TokenAmount(3 * Price), world.State.ToSend);
    }

    [Fact]
    public void A_dead_lock_frees_its_lane_and_its_money()
    {
        PayeeLaneBook book = NewBook();
        Accept(book, world.Sign(1, 1, 900, world.LockOf(1), Expiry), Locked(1, price: 900));
        Refuse(book, VoucherRefusalReason.NotCovered, world.Sign(2, 1, 200, world.LockOf(2), Expiry), Locked(2, lane: 2, price: 200));
        world.Now = new Epoch(Expiry);
        Assert.NotNull(book.OpenLock(Lane, world.Snapshot, world.Now));
        world.Now = new Epoch(Expiry + 1);
        Assert.Null(book.OpenLock(Lane, world.Snapshot, world.Now));
        Assert.Empty(Claims(book));
        Accept(book, world.Sign(1, 2, Price, world.LockOf(3), Expiry + 50), Locked(3));
        Accept(book, world.Sign(2, 1, 200, world.LockOf(2), Expiry + 50), Locked(2, lane: 2, price: 200));
    }

    [Fact]
    public void The_book_is_rebuilt_from_stored_vouchers_in_any_order()
    {
        PayeeLaneBook book = NewBook();
        PaymentVoucher[] vouchers =
        [
            world.Sign(1, 1, Price, world.LockOf(1), Expiry), world.Sign(1, 2, Price),
            world.Sign(1, 3, 2 * Price, world.LockOf(2), Expiry), world.Sign(2, 1, Price, world.LockOf(3), Expiry),
        ];
        foreach (PaymentVoucher voucher in vouchers)
            book.Record(voucher);
        foreach (PaymentVoucher[] order in new[] { vouchers, [.. vouchers.Reverse()], [vouchers[2], vouchers[0], vouchers[3], vouchers[1], vouchers[2]] })
        {
            PayeeLaneBook rebuilt = NewBook(order);
            Assert.Equal(Claims(book).Select(claim => claim.Voucher), Claims(rebuilt).Select(claim => claim.Voucher));
            Assert.Equal(book.Committed(world.Snapshot, world.Now), rebuilt.Committed(world.Snapshot, world.Now));
            Assert.Equal(book.Lanes, rebuilt.Lanes);
        }
    }

    [Fact]
    public void Checking_changes_nothing()
    {
        PayeeLaneBook book = NewBook();
        PaymentVoucher voucher = world.Sign(1, 1, Price, world.LockOf(1), Expiry);
        Assert.True(book.Check(voucher.Encoded, Locked(1), world.Snapshot, world.Now).Accepted);
        Assert.Empty(book.Lanes);
        Assert.True(book.Check(voucher.Encoded, Locked(1), world.Snapshot, world.Now).Accepted);
    }

    [Fact]
    public void Bytes_that_decode_to_no_voucher_are_refused_by_the_scheme() =>
        Assert.Equal(VoucherRefusalReason.Malformed, NewBook().Check(new byte[3], Locked(1), world.Snapshot, world.Now).Refusal!.Reason);

    [Fact]
    public void The_channel_must_be_the_payees_and_running()
    {
        PaymentVoucher good = world.Sign(1, 1, Price, world.LockOf(1), Expiry);
        ChannelSnapshot channel = world.Snapshot;
        RefuseOn(channel with { PartiesAreAccounts = false }, VoucherRefusalReason.PartyNotAccount, good);
        RefuseOn(channel with { Payee = channel.Payer }, VoucherRefusalReason.WrongPayee, good);
        RefuseOn(channel with { SettlingAt = new Epoch(1450) }, VoucherRefusalReason.ChannelSettling, good);
        RefuseOn(channel with { Payer = channel.Payee }, VoucherRefusalReason.WrongSigner, good);
        RefuseOn(channel, VoucherRefusalReason.WrongSigner, world.Sign(1, 1, Price, world.LockOf(1), Expiry, world.Payee));
        ChannelId other = world.Scheme.ChannelAt(Address.PredictActor(world.Payer.Address, 1));
        RefuseOn(channel, VoucherRefusalReason.WrongChannel, world.Scheme.Sign(world.Payer, good.Terms with { Channel = other }));
        RefuseOn(channel with { Id = other }, VoucherRefusalReason.WrongChannel, good);

        void RefuseOn(ChannelSnapshot on, VoucherRefusalReason reason, PaymentVoucher voucher) =>
            AssertRefusal(reason, NewBook().Check(voucher.Encoded, Locked(1), on, world.Now));
    }

    [Fact]
    public void Lock_and_expiry_must_be_those_agreed()
    {
        PayeeLaneBook book = NewBook();
        Refuse(book, VoucherRefusalReason.WrongLock, world.Sign(1, 1, Price, world.LockOf(2), Expiry), Locked(1));
        Refuse(book, VoucherRefusalReason.WrongLock, world.Sign(1, 1, Price), Locked(1));
        Refuse(book, VoucherRefusalReason.WrongLock, world.Sign(1, 1, Price, world.LockOf(1), Expiry), new VoucherExpectation.Plain(Lane, new TokenAmount(Price)));
        Refuse(book, VoucherRefusalReason.ExpiryTooNear, world.Sign(1, 1, Price, world.LockOf(1), 10 + Margin - 1), Locked(1));
        Refuse(book, VoucherRefusalReason.ExpiryTooNear, world.Sign(1, 1, Price, null, Expiry), new VoucherExpectation.Plain(Lane, new TokenAmount(Price)));
        Accept(book, world.Sign(1, 1, Price, world.LockOf(1), 10 + Margin), Locked(1));
        // A lock without an end never lapses; the payee may take it.
        Accept(NewBook(), world.Sign(1, 1, Price, world.LockOf(1)), Locked(1));
    }

    [Fact]
    public void Nonces_amounts_and_lanes_must_rise_as_agreed()
    {
        PayeeLaneBook book = NewBook();
        Refuse(book, VoucherRefusalReason.WrongLane, world.Sign(2, 1, Price, world.LockOf(1), Expiry), Locked(1));
        Refuse(book, VoucherRefusalReason.WrongLane, world.Sign(1ul << 63, 1, Price, world.LockOf(1), Expiry), Locked(1, lane: 1ul << 63));
        Refuse(book, VoucherRefusalReason.NonceNotRaised, world.Sign(1, ulong.MaxValue, Price, world.LockOf(1), Expiry), Locked(1));
        Refuse(book, VoucherRefusalReason.WrongAmount, world.Sign(1, 1, Price - 1, world.LockOf(1), Expiry), Locked(1));
        Refuse(book, VoucherRefusalReason.WrongAmount, world.Sign(1, 1, Price + 1, world.LockOf(1), Expiry), Locked(1));
        Refuse(book, VoucherRefusalReason.NothingToUnlock, world.Sign(1, 1, Price), new VoucherExpectation.Unlock(Lane));

        Accept(book, world.Sign(1, 5, Price, world.LockOf(1), Expiry), Locked(1));
        Refuse(book, VoucherRefusalReason.NonceNotRaised, world.Sign(1, 5, Price, world.LockOf(1), Expiry), Locked(1));
        Refuse(book, VoucherRefusalReason.LaneHasOpenLock, world.Sign(1, 6, 2 * Price, world.LockOf(2), Expiry), Locked(2));
        Refuse(book, VoucherRefusalReason.LaneHasOpenLock, world.Sign(1, 6, 2 * Price), new VoucherExpectation.Plain(Lane, new TokenAmount(Price)));
        Refuse(book, VoucherRefusalReason.WrongAmount, world.Sign(1, 6, Price - 1), new VoucherExpectation.Unlock(Lane));
        Refuse(book, VoucherRefusalReason.NonceNotRaised, world.Sign(1, 4, Price), new VoucherExpectation.Unlock(Lane));
        Accept(book, world.Sign(1, 6, Price), new VoucherExpectation.Unlock(Lane));
        Refuse(book, VoucherRefusalReason.NonceNotRaised, world.Sign(1, 6, 2 * Price, world.LockOf(2), Expiry), Locked(2));
        Refuse(book, VoucherRefusalReason.NothingToUnlock, world.Sign(1, 7, Price), new VoucherExpectation.Unlock(Lane));
        Accept(book, world.Sign(1, 7, 2 * Price), new VoucherExpectation.Plain(Lane, new TokenAmount(Price)));
    }

    [Fact]
    public void A_nonce_that_the_channel_has_seen_is_used()
    {
        Assert.Equal(ExitCode.Ok, world.Redeem(world.Sign(1, 9, Price), null));
        PayeeLaneBook book = NewBook();
        Refuse(book, VoucherRefusalReason.NonceNotRaised, world.Sign(1, 9, 2 * Price, world.LockOf(1), Expiry), Locked(1));
        Accept(book, world.Sign(1, 10, 2 * Price, world.LockOf(1), Expiry), Locked(1));
    }

    [Fact]
    public void The_sum_over_all_lanes_must_be_covered_to_the_last_atto()
    {
        world.Balance = new TokenAmount(300);
        PayeeLaneBook book = NewBook();
        Accept(book, world.Sign(1, 1, Price, world.LockOf(1), Expiry), Locked(1));
        Accept(book, world.Sign(2, 1, Price, world.LockOf(2), Expiry), Locked(2, lane: 2));
        Refuse(book, VoucherRefusalReason.NotCovered, world.Sign(3, 1, 101, world.LockOf(3), Expiry), Locked(3, lane: 3, price: 101));
        Accept(book, world.Sign(3, 1, Price, world.LockOf(3), Expiry), Locked(3, lane: 3));
        foreach (RedemptionClaim claim in Claims(book))
            Assert.Equal(ExitCode.Ok, world.Redeem(claim.Voucher, claim.Secret));
        Assert.Equal(world.Balance, world.State.ToSend);
    }

    [Fact]
    public void Money_redeemed_by_vouchers_the_book_has_never_seen_is_spent()
    {
        world.Balance = new TokenAmount(300);
        Assert.Equal(ExitCode.Ok, world.Redeem(world.Sign(7, 1, 250), null));
        PayeeLaneBook book = NewBook();
        Refuse(book, VoucherRefusalReason.NotCovered, world.Sign(1, 1, Price, world.LockOf(1), Expiry), Locked(1));
        Accept(book, world.Sign(1, 1, 50, world.LockOf(1), Expiry), Locked(1, price: 50));
    }

    [Fact]
    public void A_reserve_is_not_counted_on()
    {
        var book = new PayeeLaneBook(world.Scheme, world.Id, world.PayeeAccount, new PayeePolicy(Margin, new TokenAmount(901)), []);
        Refuse(book, VoucherRefusalReason.NotCovered, world.Sign(1, 1, Price, world.LockOf(1), Expiry), Locked(1));
        Accept(book, world.Sign(1, 1, Price - 1, world.LockOf(1), Expiry), Locked(1, price: Price - 1));
    }

    [Fact]
    public void A_voucher_of_another_channel_is_not_recorded()
    {
        ChannelId other = world.Scheme.ChannelAt(Address.PredictActor(world.Payer.Address, 1));
        PaymentVoucher foreign = world.Scheme.Sign(world.Payer, world.Sign(1, 1, Price).Terms with { Channel = other });
        Assert.Throws<ArgumentException>(() => NewBook().Record(foreign));
    }

    private static void AssertRefusal(VoucherRefusalReason reason, VoucherVerdict verdict)
    {
        Assert.False(verdict.Accepted);
        Assert.Equal(reason, verdict.Refusal.Reason);
        Assert.EndsWith(".", verdict.Refusal.Sentence, StringComparison.Ordinal);
    }

    private PayeeLaneBook NewBook(params PaymentVoucher[] stored) =>
        new(world.Scheme, world.Id, world.PayeeAccount, new PayeePolicy(Margin, TokenAmount.Zero), stored);

    private VoucherExpectation.Locked Locked(int chunk, ulong lane = 1, long price = Price) =>
        new(new LaneId(lane), new TokenAmount(price), world.LockOf(chunk));

    private void Accept(PayeeLaneBook book, PaymentVoucher voucher, VoucherExpectation expected)
    {
        VoucherVerdict verdict = book.Check(voucher.Encoded, expected, world.Snapshot, world.Now);
        Assert.True(verdict.Accepted, verdict.Refusal?.Sentence);
        Assert.Equal(voucher, verdict.Voucher);
        book.Record(verdict.Voucher);
    }

    private void Refuse(PayeeLaneBook book, VoucherRefusalReason reason, PaymentVoucher voucher, VoucherExpectation expected) =>
        AssertRefusal(reason, book.Check(voucher.Encoded, expected, world.Snapshot, world.Now));

    private ReadOnlyMemory<byte>? SecretFor(HashLock hashLock) =>
        Enumerable.Range(1, 9).Where(chunk => hashLock.Equals(world.LockOf(chunk))).Select(chunk => (ReadOnlyMemory<byte>?)ChannelWorld.SecretOf(chunk)).FirstOrDefault();

    private IReadOnlyList<RedemptionClaim> Claims(PayeeLaneBook book) => book.BestClaims(world.Snapshot, world.Now, SecretFor);
}
