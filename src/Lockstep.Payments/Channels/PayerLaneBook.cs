using System.Diagnostics.CodeAnalysis;
using Lockstep.Payments.Rails;

namespace Lockstep.Payments.Channels;

/// <summary>What a payer remembers of a lane; stored by the caller with every change.</summary>
/// <param name="Id">The lane.</param>
/// <param name="LastNonce">Nonce of the last voucher signed on it, 0 before the first (ours begin at 1).</param>
/// <param name="Settled">Cumulative amount of everything on the lane whose key is held.</param>
/// <param name="OpenLock">The locked voucher whose key is not held yet, if any.</param>
public sealed record PayerLane(LaneId Id, Nonce LastNonce, TokenAmount Settled, VoucherTerms? OpenLock);

/// <summary>Why no voucher can be signed now.</summary>
public enum PayerRefusalReason
{
    /// <summary>The key of the lane's last lock is not held yet (docs/protocol.md section 4, I5).</summary>
    LaneHasOpenLock,

    /// <summary>The channel does not hold enough; the shortfall says how much is missing.</summary>
    InsufficientFunds,

    /// <summary>The channel is being settled.</summary>
    ChannelSettling,

    /// <summary>The lane's nonces are used up, or no channel has a lane of that number.</summary>
    LaneClosed,
}

/// <summary>The terms to sign, or why there are none.</summary>
public sealed record PayerDecision
{
    private PayerDecision(VoucherTerms? terms, PayerRefusalReason? refusal, TokenAmount shortfall) =>
        (Terms, Refusal, Shortfall) = (terms, refusal, shortfall);

    public VoucherTerms? Terms { get; }

    public PayerRefusalReason? Refusal { get; }

    /// <summary>What a top-up must add at least; zero unless funds are missing.</summary>
    public TokenAmount Shortfall { get; }

    [MemberNotNullWhen(true, nameof(Terms))]
    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool Granted => Terms is not null;

    internal static PayerDecision Sign(VoucherTerms terms) => new(terms, null, TokenAmount.Zero);

    internal static PayerDecision Refuse(PayerRefusalReason reason, TokenAmount shortfall = default) => new(null, reason, shortfall);
}

/// <summary>
/// The payer's lanes of one channel (docs/protocol.md section 4, I5 and I8): which voucher may be signed next, what is
/// still free, and what becomes of a lane when its key arrives or its lock dies. Asking changes nothing;
/// <see cref="RecordSigned"/>, <see cref="Resolve"/> and <see cref="Release"/> do, and their result is what the caller stores.
/// </summary>
public sealed class PayerLaneBook
{
    private readonly SortedDictionary<LaneId, PayerLane> lanes = [];

    public PayerLaneBook(ChannelId channel, IEnumerable<PayerLane> stored)
    {
        Channel = channel;
        foreach (PayerLane lane in stored)
            lanes[lane.Id] = lane;
    }

    public ChannelId Channel { get; }

    public IReadOnlyCollection<PayerLane> Lanes => lanes.Values;

    /// <summary>Locks whose keys are not held, over all lanes.</summary>
    public int OpenLocks => lanes.Values.Count(lane => lane.OpenLock is not null);

    /// <summary>The lowest lane above all that this book or the rail knows.</summary>
    public LaneId NextFreeLane(ChannelSnapshot channel)
    {
        IEnumerable<LaneId> known = lanes.Keys.Concat(channel.Lanes.Keys);
        return known.Any() ? new LaneId(known.Max().Value + 1) : new LaneId(0);
    }

    /// <summary>The channel's balance less all that is paid or promised on any lane.</summary>
    public TokenAmount FreeFunds(ChannelSnapshot channel)
    {
        TokenAmount free = channel.Balance - channel.ToSend;
        foreach (PayerLane lane in lanes.Values)
        {
            TokenAmount promised = lane.OpenLock is { } open ? TokenAmount.Max(open.Amount, lane.Settled) : lane.Settled;
            free -= TokenAmount.Max(TokenAmount.Zero, promised - Redeemed(lane.Id, channel));
        }
        return free;
    }

    /// <summary>What a top-up must add at least so that <paramref name="price"/> is free.</summary>
    public TokenAmount Shortfall(ChannelSnapshot channel, TokenAmount price) =>
        TokenAmount.Max(TokenAmount.Zero, price - FreeFunds(channel));

    /// <summary>The next locked voucher: <paramref name="price"/> on top of what the lane pays already.</summary>
    public PayerDecision NextLocked(ChannelSnapshot channel, LaneId lane, TokenAmount price, HashLock hashLock, Epoch expiry) =>
        Next(channel, lane, price, hashLock, expiry);

    /// <summary>The next voucher that pays <paramref name="price"/> without a lock.</summary>
    public PayerDecision NextPlain(ChannelSnapshot channel, LaneId lane, TokenAmount price) => Next(channel, lane, price, null, null);

    /// <summary>
    /// The unlocked voucher for all that the lane owes. It adds nothing, so it needs no funds and may be signed while the
    /// channel settles. What the rail shows of the channel is heeded when it is known.
    /// </summary>
    public PayerDecision NextUnlocked(ChannelSnapshot? channel, LaneId lane)
    {
        PayerLane held = LaneAt(lane, channel);
        if (held.OpenLock is not null)
            return PayerDecision.Refuse(PayerRefusalReason.LaneHasOpenLock);
        return held.LastNonce.Value >= ulong.MaxValue - 1
            ? PayerDecision.Refuse(PayerRefusalReason.LaneClosed)
            : PayerDecision.Sign(new VoucherTerms(Channel, lane, new Nonce(held.LastNonce.Value + 1), held.Settled, null, null));
    }

    /// <summary>Notes a voucher as signed, before it is sent. Returns the lane to store.</summary>
    public PayerLane RecordSigned(VoucherTerms terms)
    {
        PayerLane held = lanes.GetValueOrDefault(terms.Lane) ?? new PayerLane(terms.Lane, default, TokenAmount.Zero, null);
        if (terms.Channel != Channel || held.OpenLock is not null || terms.Nonce <= held.LastNonce)
            throw new InvalidOperationException($"Voucher {terms.Key} must not be signed after nonce {held.LastNonce} of its lane.");
        PayerLane next = terms.Lock is null
            ? held with { LastNonce = terms.Nonce, Settled = TokenAmount.Max(held.Settled, terms.Amount) }
            : held with { LastNonce = terms.Nonce, OpenLock = terms };
        return lanes[terms.Lane] = next;
    }

    /// <summary>The key of the lane's open lock is held: its amount is owed for good. Returns the lane to store.</summary>
    public PayerLane Resolve(LaneId lane)
    {
        (PayerLane held, VoucherTerms open) = WithOpenLock(lane);
        return lanes[lane] = held with { Settled = open.Amount, OpenLock = null };
    }

    /// <summary>
    /// The lane's open lock is dead: past its expiry by the rail's finality margin, with no redemption. Its amount is free
    /// again. Returns the lane to store.
    /// </summary>
    public PayerLane Release(LaneId lane)
    {
        (PayerLane held, _) = WithOpenLock(lane);
        return lanes[lane] = held with { OpenLock = null };
    }

    private static TokenAmount Redeemed(LaneId lane, ChannelSnapshot channel) =>
        channel.Lanes.TryGetValue(lane, out LaneSnapshot? onChain) ? onChain.Redeemed : TokenAmount.Zero;

    private PayerDecision Next(ChannelSnapshot channel, LaneId lane, TokenAmount price, HashLock? hashLock, Epoch? expiry)
    {
        PayerLane held = LaneAt(lane, channel);
        if (held.OpenLock is not null)
            return PayerDecision.Refuse(PayerRefusalReason.LaneHasOpenLock);
        if (channel.IsSettling)
            return PayerDecision.Refuse(PayerRefusalReason.ChannelSettling);
        if (lane > LaneId.MaxValue || held.LastNonce.Value >= ulong.MaxValue - 1)
            return PayerDecision.Refuse(PayerRefusalReason.LaneClosed);
        TokenAmount shortfall = Shortfall(channel, price);
        if (shortfall > TokenAmount.Zero)
            return PayerDecision.Refuse(PayerRefusalReason.InsufficientFunds, shortfall);
        var terms = new VoucherTerms(Channel, lane, new Nonce(held.LastNonce.Value + 1), held.Settled + price, hashLock, expiry);
        return PayerDecision.Sign(terms);
    }

    // A lane that another home or a lost store has used goes on from what the rail shows.
    private PayerLane LaneAt(LaneId lane, ChannelSnapshot? channel)
    {
        PayerLane held = lanes.GetValueOrDefault(lane) ?? new PayerLane(lane, default, TokenAmount.Zero, null);
        if (channel is null || !channel.Lanes.TryGetValue(lane, out LaneSnapshot? onChain) || onChain.Nonce <= held.LastNonce)
            return held;
        return held with { LastNonce = onChain.Nonce, Settled = TokenAmount.Max(held.Settled, onChain.Redeemed) };
    }

    private (PayerLane Lane, VoucherTerms OpenLock) WithOpenLock(LaneId lane) =>
        lanes.GetValueOrDefault(lane) is { OpenLock: { } open } held
            ? (held, open)
            : throw new InvalidOperationException($"Lane {lane} has no open lock.");
}
