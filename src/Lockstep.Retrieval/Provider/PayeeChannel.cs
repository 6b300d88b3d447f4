using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Retrieval.Provider;

/// <summary>Binds a lane to the one deal that is paid on it.</summary>
public sealed record LaneOwnerRow(ChannelId Channel, LaneId Lane, DealId DealId) : StoreWrite;

/// <summary>
/// One channel as its payee knows it: the vouchers, whose lane is whose, and the rail's newest word. All deals that are paid
/// from the channel share it, so that coverage is counted over all of them (I2). Not safe for concurrent use.
/// </summary>
public sealed class PayeeChannel
{
    private readonly Dictionary<VoucherKey, VoucherRow> _vouchers = [];
    private readonly Dictionary<LaneId, DealId> _owners = [];
    private readonly Dictionary<LaneId, Nonce> _unlocked = [];
    private readonly PayeePolicy _policy;

    /// <param name="vouchers">Every stored voucher of the channel, in any order.</param>
    /// <param name="owners">Every stored lane of the channel.</param>
    public PayeeChannel(
        IVoucherScheme scheme, ChannelId id, AccountId payee, PayeePolicy policy, IEnumerable<VoucherRow> vouchers, IEnumerable<LaneOwnerRow> owners)
    {
        Id = id;
        _policy = policy;
        Book = new PayeeLaneBook(scheme, id, payee, policy, []);
        foreach (VoucherRow row in vouchers)
            Record(row);
        foreach (LaneOwnerRow owner in owners)
            _owners[owner.Lane] = owner.DealId;
    }

    public ChannelId Id { get; }

    public PayeeLaneBook Book { get; }

    /// <summary>The rail's newest word; null before the first, and once the channel is gone.</summary>
    public ChannelSnapshot? Snapshot { get; private set; }

    /// <summary>Takes what the rail says, unless something newer is known.</summary>
    public void Observe(ChannelSnapshot snapshot)
    {
        if (snapshot.Id == Id && (Snapshot is null || snapshot.AsOf >= Snapshot.AsOf))
            Snapshot = snapshot;
    }

    /// <summary>The rail has no such channel any more.</summary>
    public void Vanish() => Snapshot = null;

    /// <summary>Takes a voucher into the book; the caller stores the row in the batch of the same step.</summary>
    public void Record(VoucherRow row)
    {
        Book.Record(row.Voucher);
        _vouchers[row.Voucher.Key] = row;
        if (!row.Voucher.IsLocked && (!_unlocked.TryGetValue(row.Voucher.Lane, out Nonce newest) || newest < row.Voucher.Nonce))
            _unlocked[row.Voucher.Lane] = row.Voucher.Nonce;
    }

    /// <summary>True when an unlocked voucher that came later on the lane took the voucher's place.</summary>
    public bool IsReplaced(VoucherKey key) => _unlocked.TryGetValue(key.Lane, out Nonce newest) && newest > key.Nonce;

    /// <summary>The stored voucher of that channel, lane and nonce, with its deal and chunk; null when there is none.</summary>
    public VoucherRow? Find(VoucherKey key) => _vouchers.GetValueOrDefault(key);

    /// <summary>True when the lane is free for the deal, or its own already.</summary>
    public bool CanOwn(LaneId lane, DealId deal) => !_owners.TryGetValue(lane, out DealId owner) || owner == deal;

    /// <summary>Binds a lane to a deal. Returns the row that keeps it bound.</summary>
    public LaneOwnerRow Own(LaneId lane, DealId deal)
    {
        if (!CanOwn(lane, deal))
            throw new InvalidOperationException($"Lane {lane} of channel {Id} belongs to another deal.");
        _owners[lane] = deal;
        return new LaneOwnerRow(Id, lane, deal);
    }

    /// <summary>Confirmed money that no voucher claims yet; zero before the rail was asked, and while the channel settles.</summary>
    public TokenAmount Uncommitted(Epoch now) => Snapshot is { IsSettling: false } snapshot
        ? TokenAmount.Max(TokenAmount.Zero, snapshot.Balance - Book.Committed(snapshot, now) - _policy.Reserve)
        : TokenAmount.Zero;
}
