using CsCheck;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;

namespace Lockstep.Payments.Tests.Channels;

public sealed class PayerLaneBookTests : IDisposable
{
    private const long Price = 100, Expiry = 100;
    private static readonly LaneId Lane = new(0);

    private readonly ChannelWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public void A_lane_has_one_open_lock_and_then_its_unlocked_voucher()
    {
        var book = new PayerLaneBook(world.Id, []);
        VoucherTerms first = Grant(book.NextLocked(world.Snapshot, Lane, new TokenAmount(Price), world.LockOf(1), new Epoch(Expiry)));
        Assert.Equal((1ul, new TokenAmount(Price)), (first.Nonce.Value, first.Amount));
        book.RecordSigned(first);
        Assert.Equal(1, book.OpenLocks);
        Assert.Equal(PayerRefusalReason.LaneHasOpenLock, book.NextLocked(world.Snapshot, Lane, new TokenAmount(Price), world.LockOf(2), new Epoch(Expiry)).Refusal);
        Assert.Equal(PayerRefusalReason.LaneHasOpenLock, book.NextUnlocked(world.Snapshot, Lane).Refusal);
        Assert.Throws<InvalidOperationException>(() => book.RecordSigned(first with { Nonce = new Nonce(2) }));

        book.Resolve(Lane);
        VoucherTerms unlocked = Grant(book.NextUnlocked(world.Snapshot, Lane));
        Assert.Equal((2ul, first.Amount, null, null), (unlocked.Nonce.Value, unlocked.Amount, unlocked.Lock, unlocked.Expiry));
        book.RecordSigned(unlocked);
        VoucherTerms second = Grant(book.NextLocked(world.Snapshot, Lane, new TokenAmount(Price), world.LockOf(2), new Epoch(Expiry)));
        Assert.Equal((3ul, new TokenAmount(2 * Price)), (second.Nonce.Value, second.Amount));
        Assert.Throws<InvalidOperationException>(() => book.RecordSigned(unlocked));
        Assert.Throws<InvalidOperationException>(() => book.Resolve(Lane));
        Assert.Throws<InvalidOperationException>(() => book.Release(new LaneId(9)));
    }

    [Fact]
    public void Funds_are_counted_over_all_lanes_and_the_shortfall_is_exact()
    {
        var book = new PayerLaneBook(world.Id, []);
        for (ulong lane = 0; lane < 9; lane++)
            book.RecordSigned(Grant(book.NextLocked(world.Snapshot, new LaneId(lane), new TokenAmount(Price), world.LockOf(1), new Epoch(Expiry))));
        Assert.Equal(new TokenAmount(Price), book.FreeFunds(world.Snapshot));
        PayerDecision decision = book.NextLocked(world.Snapshot, new LaneId(9), new TokenAmount(Price + 7), world.LockOf(1), new Epoch(Expiry));
        Assert.Equal((PayerRefusalReason.InsufficientFunds, new TokenAmount(7)), (decision.Refusal, decision.Shortfall));
        world.Balance += decision.Shortfall;
        Grant(book.NextLocked(world.Snapshot, new LaneId(9), new TokenAmount(Price + 7), world.LockOf(1), new Epoch(Expiry)));
    }

    [Fact]
    public void A_dead_lock_gives_its_money_back_and_its_nonce_is_never_used_again()
    {
        var book = new PayerLaneBook(world.Id, []);
        book.RecordSigned(Grant(book.NextLocked(world.Snapshot, Lane, new TokenAmount(900), world.LockOf(1), new Epoch(Expiry))));
        Assert.Equal(new TokenAmount(100), book.FreeFunds(world.Snapshot));
        Assert.Equal(new PayerLane(Lane, new Nonce(1), TokenAmount.Zero, null), book.Release(Lane));
        Assert.Equal(new TokenAmount(1000), book.FreeFunds(world.Snapshot));
        VoucherTerms next = Grant(book.NextLocked(world.Snapshot, Lane, new TokenAmount(Price), world.LockOf(2), new Epoch(Expiry)));
        Assert.Equal((2ul, new TokenAmount(Price)), (next.Nonce.Value, next.Amount));
    }

    [Fact]
    public void A_plain_payment_settles_at_once()
    {
        var book = new PayerLaneBook(world.Id, []);
        PayerLane lane = book.RecordSigned(Grant(book.NextPlain(world.Snapshot, Lane, new TokenAmount(30))));
        Assert.Equal(new PayerLane(Lane, new Nonce(1), new TokenAmount(30), null), lane);
        Assert.Equal(new TokenAmount(970), book.FreeFunds(world.Snapshot));
    }

    [Fact]
    public void A_settling_channel_takes_no_new_payment_but_the_owed_unlocked_voucher()
    {
        var book = new PayerLaneBook(world.Id, []);
        book.RecordSigned(Grant(book.NextLocked(world.Snapshot, Lane, new TokenAmount(Price), world.LockOf(1), new Epoch(Expiry))));
        world.Call(ChannelWorld.PayerId, PaychMethod.Settle);
        book.Resolve(Lane);
        Assert.Equal(PayerRefusalReason.ChannelSettling, book.NextLocked(world.Snapshot, Lane, new TokenAmount(Price), world.LockOf(2), new Epoch(Expiry)).Refusal);
        Grant(book.NextUnlocked(world.Snapshot, Lane));
    }

    [Fact]
    public void Lanes_start_above_all_that_are_known()
    {
        var book = new PayerLaneBook(world.Id, []);
        Assert.Equal(new LaneId(0), book.NextFreeLane(world.Snapshot));
        Assert.Equal(ExitCode.Ok, world.Redeem(world.Sign(4, 3, 50), null));
        Assert.Equal(new LaneId(5), book.NextFreeLane(world.Snapshot));
        book.RecordSigned(Grant(book.NextPlain(world.Snapshot, new LaneId(8), new TokenAmount(1))));
        Assert.Equal(new LaneId(9), book.NextFreeLane(world.Snapshot));
        Assert.Equal(PayerRefusalReason.LaneClosed, book.NextPlain(world.Snapshot, new LaneId(1ul << 63), new TokenAmount(1)).Refusal);
    }

    [Fact]
    public void A_lane_whose_book_was_lost_goes_on_from_the_channel()
    {
        Assert.Equal(ExitCode.Ok, world.Redeem(world.Sign(4, 3, 50), null));
        var book = new PayerLaneBook(world.Id, []);
        VoucherTerms terms = Grant(book.NextLocked(world.Snapshot, new LaneId(4), new TokenAmount(Price), world.LockOf(1), new Epoch(Expiry)));
        Assert.Equal((4ul, new TokenAmount(50 + Price)), (terms.Nonce.Value, terms.Amount));
    }

    [Fact]
    public void A_closed_lane_is_not_used()
    {
        var book = new PayerLaneBook(world.Id, [new PayerLane(Lane, new Nonce(ulong.MaxValue - 1), TokenAmount.Zero, null)]);
        Assert.Equal(PayerRefusalReason.LaneClosed, book.NextUnlocked(world.Snapshot, Lane).Refusal);
        Assert.Equal(PayerRefusalReason.LaneClosed, book.NextPlain(world.Snapshot, Lane, TokenAmount.Zero).Refusal);
    }

    /// <summary>
    /// Random honest and dishonest orders over three lanes: whatever the payee redeems at the end, the actor accepts it, and
    /// it takes exactly what the payer's book says is owed or at stake.
    /// </summary>
    [Fact]
    public void Both_books_and_the_channel_agree_on_every_history()
    {
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 2], Gen.Int[1, 40]).Array[1, 30].Sample(steps =>
        {
            using var channel = new ChannelWorld(balance: 300, LockHashKind.Blake2b256);
            var payer = new PayerLaneBook(channel.Id, []);
            var payee = new PayeeLaneBook(channel.Scheme, channel.Id, channel.PayeeAccount, new PayeePolicy(1, TokenAmount.Zero), []);
            int chunk = 1;
            foreach ((int act, int laneNumber, int price) in steps)
            {
                var lane = new LaneId((ulong)laneNumber);
                bool open = payer.Lanes.Any(held => held.Id == lane && held.OpenLock is not null);
                if (act <= 2 && open)
                {
                    // The key arrives: by hand (and the lock is replaced), or through a redemption.
                    if (act == 2)
                    {
                        RedemptionClaim claim = payee.BestClaims(channel.Snapshot, channel.Now, SecretFor).First(best => best.Voucher.Lane == lane);
                        Assert.Equal(ExitCode.Ok, channel.Redeem(claim.Voucher, claim.Secret));
                        payer.Resolve(lane);
                        continue;
                    }
                    payer.Resolve(lane);
                    Exchange(payer.NextUnlocked(channel.Snapshot, lane), new VoucherExpectation.Unlock(lane));
                }
                else if (act <= 3 && !open)
                {
                    PayerDecision decision = payer.NextLocked(channel.Snapshot, lane, new TokenAmount(price), channel.LockOf(++chunk), channel.Now + 5);
                    if (decision.Granted)
                        Exchange(decision, new VoucherExpectation.Locked(lane, new TokenAmount(price), channel.LockOf(chunk)));
                    else
                        Assert.Equal(PayerRefusalReason.InsufficientFunds, decision.Refusal);
                }
                else if (act == 5)
                {
                    channel.Now += 3;
                    foreach (PayerLane dead in payer.Lanes.Where(held => held.OpenLock is { } terms && terms.Expiry < channel.Now).ToArray())
                        payer.Release(dead.Id);
                }
            }

            TokenAmount atStake = channel.Balance - payer.FreeFunds(channel.Snapshot);
            Assert.Equal(atStake, payee.Committed(channel.Snapshot, channel.Now));
            foreach (RedemptionClaim claim in payee.BestClaims(channel.Snapshot, channel.Now, SecretFor))
                Assert.Equal(ExitCode.Ok, channel.Redeem(claim.Voucher, claim.Secret));
            Assert.Equal(atStake, channel.State.ToSend);

            void Exchange(PayerDecision decision, VoucherExpectation expected)
            {
                VoucherTerms terms = Grant(decision);
                payer.RecordSigned(terms);
                VoucherVerdict verdict = payee.Check(channel.Scheme.Sign(channel.Payer, terms).Encoded, expected, channel.Snapshot, channel.Now);
                Assert.True(verdict.Accepted, verdict.Refusal?.Sentence);
                payee.Record(verdict.Voucher);
            }

            ReadOnlyMemory<byte>? SecretFor(HashLock hashLock)
            {
                for (int candidate = 1; candidate <= chunk; candidate++)
                {
                    if (hashLock.Equals(channel.LockOf(candidate)))
                        return ChannelWorld.SecretOf(candidate);
                }
                return null;
            }
        }, iter: 40);
    }

    private static VoucherTerms Grant(PayerDecision decision)
    {
        Assert.True(decision.Granted, $"{decision.Refusal}");
        return decision.Terms;
    }
}
