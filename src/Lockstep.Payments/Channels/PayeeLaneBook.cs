using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Channels;

/// <summary>How careful a payee is.</summary>
/// <param name="ExpiryMargin">Epochs that must lie between now and the expiry of a lock: delivery, redemption and a reserve.</param>
/// <param name="Reserve">Part of every channel's balance that is not counted on.</param>
public sealed record PayeePolicy(long ExpiryMargin, TokenAmount Reserve);

/// <summary>What a payee waits for on a lane.</summary>
public abstract record VoucherExpectation(LaneId Lane)
{
    /// <summary>The price of a chunk on top of what the lane pays already, under the chunk's lock.</summary>
    public sealed record Locked(LaneId Lane, TokenAmount Price, HashLock Lock) : VoucherExpectation(Lane);

    /// <summary>The lane's open lock once more without its lock, for the same amount.</summary>
    public sealed record Unlock(LaneId Lane) : VoucherExpectation(Lane);

    /// <summary>A price that is paid without a lock.</summary>
    public sealed record Plain(LaneId Lane, TokenAmount Price) : VoucherExpectation(Lane);
}

/// <summary>
/// The payee's vouchers of one channel, and its acceptance list (docs/filecoin.md section 6; docs/protocol.md section 4, I2
/// and I5). Checking changes nothing; <see cref="Record"/> is called once the voucher is stored. The book can be rebuilt
/// from the stored vouchers in any order.
/// </summary>
public sealed class PayeeLaneBook
{
    private readonly IVoucherScheme scheme;
    private readonly AccountId payee;
    private readonly PayeePolicy policy;
    private readonly SortedDictionary<LaneId, Lane> lanes = [];

    public PayeeLaneBook(IVoucherScheme scheme, ChannelId channel, AccountId payee, PayeePolicy policy, IEnumerable<PaymentVoucher> stored)
    {
        this.scheme = scheme;
        this.payee = payee;
        this.policy = policy;
        Channel = channel;
        foreach (PaymentVoucher voucher in stored)
            Record(voucher);
    }

    public ChannelId Channel { get; }

    /// <summary>Lanes on which this book holds vouchers, in order.</summary>
    public IReadOnlyCollection<LaneId> Lanes => lanes.Keys;

    /// <summary>Runs every check on bytes from an untrusted payer.</summary>
    public VoucherVerdict Check(ReadOnlyMemory<byte> encoded, VoucherExpectation expected, ChannelSnapshot channel, Epoch now)
    {
        VoucherVerdict decoded = scheme.Decode(encoded, channel.LockHash);
        return decoded.Accepted ? Check(decoded.Voucher, expected, channel, now) : decoded;
    }

    /// <summary>Runs the checks on a voucher that the scheme has decoded, its signer recovered, under the channel's lock hash.</summary>
    public VoucherVerdict Check(PaymentVoucher voucher, VoucherExpectation expected, ChannelSnapshot channel, Epoch now)
    {
        VoucherRefusal? refusal = CheckChannel(voucher, channel) ?? CheckLock(voucher, expected, now) ?? CheckLane(voucher, expected, channel, now);
        return refusal is null ? VoucherVerdict.Accept(voucher) : VoucherVerdict.Refuse(refusal.Reason, refusal.Sentence);
    }

    /// <summary>Takes a stored voucher into the book. Taking it again changes nothing.</summary>
    public void Record(PaymentVoucher voucher)
    {
        if (voucher.Channel != Channel)
            throw new ArgumentException($"The voucher is for channel {voucher.Channel}, this book is for {Channel}.", nameof(voucher));
        Lane lane = lanes.GetValueOrDefault(voucher.Lane) ?? new Lane(null, null);
        lanes[voucher.Lane] = voucher.IsLocked
            ? lane with { Locked = Newer(lane.Locked, voucher) }
            : lane with { Unlocked = Newer(lane.Unlocked, voucher) };
    }

    /// <summary>
    /// The lane's lock that is still to be opened or replaced: neither replaced by an unlocked voucher, nor redeemed, nor
    /// expired. Null when there is none.
    /// </summary>
    public PaymentVoucher? OpenLock(LaneId lane, ChannelSnapshot channel, Epoch now)
    {
        if (lanes.GetValueOrDefault(lane) is not { Locked: { } locked } held)
            return null;
        bool replaced = held.Unlocked is { } unlocked && unlocked.Nonce > locked.Nonce;
        bool redeemed = channel.Lanes.TryGetValue(lane, out LaneSnapshot? onChain) && onChain.Nonce >= locked.Nonce;
        return replaced || redeemed || locked.IsExpired(now) ? null : locked;
    }

    /// <summary>What the lane pays without any secret: redeemed, or promised by an unlocked voucher.</summary>
    public TokenAmount SettledAmount(LaneId lane, ChannelSnapshot channel)
    {
        TokenAmount redeemed = channel.Lanes.TryGetValue(lane, out LaneSnapshot? onChain) ? onChain.Redeemed : TokenAmount.Zero;
        return lanes.GetValueOrDefault(lane)?.Unlocked is { } unlocked ? TokenAmount.Max(redeemed, unlocked.Amount) : redeemed;
    }

    /// <summary>
    /// What the channel has paid and may still have to pay by the vouchers in this book: what is redeemed, and on each lane
    /// what its best voucher adds.
    /// </summary>
    public TokenAmount Committed(ChannelSnapshot channel, Epoch now)
    {
        TokenAmount total = channel.ToSend;
        foreach (LaneId lane in lanes.Keys)
            total += AddedBy(lane, LaneAmount(lane, channel, now), channel);
        return total;
    }

    /// <summary>
    /// The one voucher per lane that pays most and can be redeemed now, with its secret. A locked voucher counts only when
    /// <paramref name="findSecret"/> knows its secret.
    /// </summary>
    public IReadOnlyList<RedemptionClaim> BestClaims(ChannelSnapshot channel, Epoch now, Func<HashLock, ReadOnlyMemory<byte>?> findSecret)
    {
        var claims = new List<RedemptionClaim>();
        foreach ((LaneId id, Lane lane) in lanes)
        {
            LaneSnapshot onChain = channel.Lanes.GetValueOrDefault(id) ?? new LaneSnapshot(TokenAmount.Zero, default);
            bool isNew = !channel.Lanes.ContainsKey(id);
            if (OpenLock(id, channel, now) is { } locked && locked.Amount > SettledAmount(id, channel)
                && findSecret(locked.Lock!) is { } secret && locked.Lock!.OpensWith(secret.Span))
                claims.Add(new RedemptionClaim(locked, secret));
            else if (lane.Unlocked is { } unlocked && unlocked.Amount > onChain.Redeemed && (isNew || unlocked.Nonce > onChain.Nonce))
                claims.Add(new RedemptionClaim(unlocked, null));
        }
        return claims;
    }

    private static PaymentVoucher Newer(PaymentVoucher? held, PaymentVoucher offered) =>
        held is not null && held.Nonce >= offered.Nonce ? held : offered;

    private static VoucherRefusal Refuse(VoucherRefusalReason reason, string sentence) => new(reason, sentence);

    private static TokenAmount AddedBy(LaneId lane, TokenAmount amount, ChannelSnapshot channel)
    {
        TokenAmount redeemed = channel.Lanes.TryGetValue(lane, out LaneSnapshot? onChain) ? onChain.Redeemed : TokenAmount.Zero;
        return TokenAmount.Max(TokenAmount.Zero, amount - redeemed);
    }

    private TokenAmount LaneAmount(LaneId lane, ChannelSnapshot channel, Epoch now)
    {
        TokenAmount settled = SettledAmount(lane, channel);
        return OpenLock(lane, channel, now) is { } locked ? TokenAmount.Max(settled, locked.Amount) : settled;
    }

    private VoucherRefusal? CheckChannel(PaymentVoucher voucher, ChannelSnapshot channel)
    {
        if (voucher.Channel != channel.Id || channel.Id != Channel)
            return Refuse(VoucherRefusalReason.WrongChannel, $"The voucher is for channel {voucher.Channel}; this deal is paid from {Channel}.");
        if (!channel.PartiesAreAccounts)
            return Refuse(VoucherRefusalReason.PartyNotAccount, $"A party of channel {channel.Id} is a contract, which could take its signature back.");
        if (channel.Payee != payee)
            return Refuse(VoucherRefusalReason.WrongPayee, $"Channel {channel.Id} pays {channel.Payee}, not {payee}.");
        if (channel.IsSettling)
            return Refuse(VoucherRefusalReason.ChannelSettling, $"Channel {channel.Id} is being settled; open another one.");
        return voucher.Signer == channel.Payer
            ? null
            : Refuse(VoucherRefusalReason.WrongSigner, $"The voucher is signed by {voucher.Signer}; the channel's payer is {channel.Payer}.");
    }

    private VoucherRefusal? CheckLock(PaymentVoucher voucher, VoucherExpectation expected, Epoch now)
    {
        HashLock? wanted = (expected as VoucherExpectation.Locked)?.Lock;
        if (!Equals(voucher.Lock, wanted))
        {
            return Refuse(VoucherRefusalReason.WrongLock, wanted is null
                ? "The voucher is locked; an unlocked one was agreed."
                : "The voucher's lock is not the one that was offered for this chunk.");
        }
        // An unlocked promise that lapses is none. A lock that never lapses is the payer's risk alone.
        if (wanted is null)
            return voucher.Expiry is null ? null : Refuse(VoucherRefusalReason.ExpiryTooNear, "An unlocked voucher must not expire.");
        if (voucher.Expiry is not { } expiry || expiry >= now + policy.ExpiryMargin)
            return null;
        return Refuse(VoucherRefusalReason.ExpiryTooNear, $"The voucher's lock expires at epoch {expiry}; at epoch {now} it must last at least {policy.ExpiryMargin} more.");
    }

    private VoucherRefusal? CheckLane(PaymentVoucher voucher, VoucherExpectation expected, ChannelSnapshot channel, Epoch now)
    {
        if (voucher.Lane != expected.Lane || voucher.Lane > LaneId.MaxValue)
            return Refuse(VoucherRefusalReason.WrongLane, $"The voucher is for lane {voucher.Lane}; lane {expected.Lane} was agreed.");
        if (!IsRaised(voucher, channel))
            return Refuse(VoucherRefusalReason.NonceNotRaised, $"Nonce {voucher.Nonce} of lane {voucher.Lane} was used before, or would close the lane.");

        PaymentVoucher? open = OpenLock(voucher.Lane, channel, now);
        TokenAmount settled = SettledAmount(voucher.Lane, channel);
        TokenAmount due;
        switch (expected)
        {
            case VoucherExpectation.Unlock when open is null:
                return Refuse(VoucherRefusalReason.NothingToUnlock, $"Lane {voucher.Lane} has no open lock that an unlocked voucher could replace.");
            case VoucherExpectation.Unlock:
                due = open.Amount;
                break;
            case VoucherExpectation.Locked or VoucherExpectation.Plain when open is not null:
                return Refuse(VoucherRefusalReason.LaneHasOpenLock, $"The last lock of lane {voucher.Lane} is still open; its unlocked voucher comes first.");
            case VoucherExpectation.Locked locked:
                due = settled + locked.Price;
                break;
            case VoucherExpectation.Plain plain:
                due = settled + plain.Price;
                break;
            default:
                throw new ArgumentException($"Unknown expectation {expected.GetType().Name}.", nameof(expected));
        }
        if (voucher.Amount != due)
            return Refuse(VoucherRefusalReason.WrongAmount, $"The voucher brings lane {voucher.Lane} to {voucher.Amount} atto; {due} was agreed.");

        TokenAmount before = Committed(channel, now) - AddedBy(voucher.Lane, LaneAmount(voucher.Lane, channel, now), channel);
        TokenAmount needed = before + AddedBy(voucher.Lane, voucher.Amount, channel) + policy.Reserve;
        return needed <= channel.Balance
            ? null
            : Refuse(VoucherRefusalReason.NotCovered, $"The channel holds {channel.Balance} atto; with this voucher {needed} would be needed. Top it up by {needed - channel.Balance}.");
    }

    private bool IsRaised(PaymentVoucher voucher, ChannelSnapshot channel)
    {
        // The highest nonce would close the lane: nothing could be redeemed after it.
        if (voucher.Nonce == Nonce.MaxValue)
            return false;
        Lane? held = lanes.GetValueOrDefault(voucher.Lane);
        return (held?.Locked is not { } locked || voucher.Nonce > locked.Nonce)
            && (held?.Unlocked is not { } unlocked || voucher.Nonce > unlocked.Nonce)
            && (!channel.Lanes.TryGetValue(voucher.Lane, out LaneSnapshot? onChain) || voucher.Nonce > onChain.Nonce);
    }

    // The newest voucher of each sort; which of them counts depends on the channel and the epoch.
    private sealed record Lane(PaymentVoucher? Locked, PaymentVoucher? Unlocked);
}
