using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using static Lockstep.Retrieval.Deals.DealStatus;

namespace Lockstep.Retrieval.Provider;

// Vouchers in, keys out: a key leaves only behind a stored voucher that pays for it (I2).
public sealed partial class ProviderDeal
{
    // Vouchers that wait for a fresh word of the rail.
    private readonly List<ClientMessage> _waiting = [];
    private bool _readingChannel;
    private bool _justRead;

    /// <summary>Binds the channel and the lanes that the client names; both stay the deal's for good.</summary>
    private string? BindLanes(ClientMessage.Attach attach)
    {
        bool costs = !Terms.PriceOf(_row.Content.Size).IsZero || !_row.UnsealDue.IsZero;
        if (attach.Channel is not { } id)
        {
            // A client that holds everything needs no channel; without one no voucher is taken and nothing is sealed.
            return costs && _row.Channel is not null ? $"The deal is paid from channel {_row.Channel}; name it." : null;
        }
        if (_row.Channel is { } bound)
            return bound == id && attach.Lanes.SequenceEqual(_row.Lanes) ? null : $"The deal is paid from channel {bound} and its own lanes, not from others.";
        if (!costs)
            return null;
        PayeeChannel channel = _context.Channels.Get(id);
        if (attach.Lanes.Count is 0 || attach.Lanes.Count > Terms.OpenLocks || attach.Lanes.Distinct().Count() != attach.Lanes.Count)
            return $"The deal has 1 to {Terms.OpenLocks} lanes; {attach.Lanes.Count} were named.";
        foreach (LaneId lane in attach.Lanes)
        {
            if (lane > LaneId.MaxValue || !channel.CanOwn(lane, DealId))
                return $"Lane {lane} of channel {id} cannot be used for this deal.";
        }
        foreach (LaneId lane in attach.Lanes)
            Store(channel.Own(lane, DealId));
        _row = _row with { Channel = id, Lanes = [.. attach.Lanes] };
        return null;
    }

    private void ReadChannel()
    {
        if (_readingChannel || _row.Channel is not { } channel)
            return;
        _readingChannel = true;
        Do(new ProviderEffect.ReadChannel(channel));
    }

    private void OnChannelObserved(ChannelSnapshot? snapshot)
    {
        _readingChannel = false;
        if (Channel is not { } channel)
            return;
        if (snapshot is null)
            channel.Vanish();
        else
            channel.Observe(snapshot);
        if (!_walk.IsOver && Unusable(snapshot) is { } refusal)
            Stop(Errored, FaultCode.ChannelUnusable, refusal);
        if (_waiting.Count == 0)
            return;
        ClientMessage[] waiting = [.. _waiting];
        _waiting.Clear();
        // Without a channel no voucher is worth anything.
        if (snapshot is null)
            return;
        _justRead = true;
        foreach (ClientMessage message in waiting)
            OnMessage(message);
        _justRead = false;
    }

    private string? Unusable(ChannelSnapshot? channel)
    {
        if (channel is null)
            return $"The rail has no channel {_row.Channel}; open one and make a new proposal.";
        if (!channel.PartiesAreAccounts || channel.Payer != _row.Proposal.Payer || channel.Payee != _row.Proposal.Payee || channel.LockHash != Terms.LockHash)
            return $"Channel {channel.Id} is not between the parties and under the lock hash of the proposal.";
        return channel.IsSettling ? $"Channel {channel.Id} is being settled; open another one." : null;
    }

    // A voucher is judged on a fresh view of the channel; an old one is read again first.
    private bool HasFreshChannel(ClientMessage message, out PayeeChannel channel, out ChannelSnapshot snapshot)
    {
        channel = Channel!;
        snapshot = channel?.Snapshot!;
        if (snapshot is not null && (_justRead || snapshot.AsOf >= _now.Epoch - Policy.ChannelAgeEpochs))
            return true;
        if (channel is not null && _waiting.Count < 2 * WireLimits.MaxOpenLocks)
        {
            _waiting.Add(message);
            ReadChannel();
        }
        return false;
    }

    private void OnVoucher(ClientMessage.LockedVoucher message)
    {
        int index = message.Chunk;
        if (_wanted?.Contains(index) != true)
        {
            Fault(FaultCode.VoucherRefused, $"Chunk {index} was not asked for.", index);
            return;
        }
        if (!_chunks.TryGetValue(index, out ProviderChunk? chunk) && _walk.IsFinished(index))
        {
            Do(new ProviderEffect.ResendKey(index));
            return;
        }
        if (chunk?.Offered is null)
        {
            Fault(FaultCode.VoucherRefused, $"Chunk {index} was not offered yet.", index);
            return;
        }
        if (Terms.IsFree)
        {
            Reveal(index, chunk);
            return;
        }
        if (!HasFreshChannel(message, out PayeeChannel channel, out ChannelSnapshot snapshot))
            return;
        if (!message.Unlocked.IsEmpty)
            TakeUnlocked(channel, snapshot, message.Unlocked);

        VoucherVerdict decoded = _context.Vouchers.Decode(message.Voucher, Terms.LockHash);
        if (decoded.Accepted && channel.Find(decoded.Voucher.Key) is { } known && known.DealId == DealId && known.Chunk == index && known.Voucher == decoded.Voucher)
        {
            // A retry is idempotent (I6): the key that this voucher paid for goes to its payer again.
            Reveal(index, chunk);
            return;
        }
        if (_walk.IsOver)
        {
            Fault(FaultCode.VoucherRefused, "The deal is over.", index);
            return;
        }
        VoucherVerdict verdict = Judge(decoded, channel, snapshot, chunk);
        if (!verdict.Accepted)
        {
            bool short_ = verdict.Refusal.Reason == VoucherRefusalReason.NotCovered;
            Fault(short_ ? FaultCode.InsufficientFunds : FaultCode.VoucherRefused, verdict.Refusal.Sentence, index);
            return;
        }
        var row = new VoucherRow(DealId, DealSide.Provider, index, VoucherPurpose.Locked, verdict.Voucher);
        channel.Record(row);
        Store(row);
        chunk.Voucher = verdict.Voucher.Key;
        // Bought again after a lock that died: the chunk has ended its walk, but the new voucher is noted.
        if (_walk.IsFinished(index))
            MarkChanged(index, chunk.Walk);
        Reveal(index, chunk);
    }

    private VoucherVerdict Judge(VoucherVerdict decoded, PayeeChannel channel, ChannelSnapshot snapshot, ProviderChunk chunk)
    {
        if (!decoded.Accepted)
            return decoded;
        if (!_row.Lanes.Contains(decoded.Voucher.Lane))
            return VoucherVerdict.Refuse(VoucherRefusalReason.WrongLane, $"Lane {decoded.Voucher.Lane} is not one of the deal's lanes.");
        var expected = new VoucherExpectation.Locked(
            decoded.Voucher.Lane, Terms.PriceOf(chunk.Offered!.Length), new HashLock(Terms.LockHash, chunk.Offered.Lock.Span));
        return channel.Book.Check(decoded.Voucher, expected, snapshot, _now.Epoch);
    }

    // The voucher and the status are stored in the batch of this step, which is on disk before the key is sent.
    private void Reveal(int index, ProviderChunk chunk)
    {
        ReadOnlyMemory<byte>? key = _context.Keys.Find(chunk.Offered!.Lock);
        if (key is null && _walk.IsOver)
        {
            Send(KeyDeleted(index));
            return;
        }
        if (key is null)
        {
            Stop(Errored, FaultCode.Internal, $"The key of chunk {index} is not in the store; check the disk.");
            return;
        }
        if (_walk.StatusOf(index) == FundsNeeded && !_walk.IsOver)
        {
            Move(index, RevealKey);
            _row = _row with
            {
                Earned = _row.Earned + Terms.PriceOf(chunk.Offered.Length),
                BytesSold = _row.BytesSold + chunk.Offered.Length,
                ChunksSold = _row.ChunksSold + 1,
            };
            MarkChanged(index, _walk.Finish(index));
            Forget();
        }
        Send(new ProviderMessage.KeyReveal(index, key.Value));
    }

    private void OnSkip(IReadOnlyList<int> chunks)
    {
        foreach (int index in chunks)
        {
            if (!_walk.IsOver && _chunks.ContainsKey(index) && !_walk.IsFinished(index) && _walk.StatusOf(index) == FundsNeeded)
                MarkChanged(index, _walk.Finish(index));
        }
        Forget();
    }

    // Chunks below the oldest unfinished one are in the store only, unless their lock could still die and be bought again.
    private void Forget()
    {
        while (_chunks.Count > 0 && _chunks.First() is var (index, chunk) && (_walk.Oldest < 0 || index < _walk.Oldest)
            && (chunk.Voucher is not { } voucher || Channel!.IsReplaced(voucher)))
            _chunks.Remove(index);
    }

    private void OnKeyRequest(IReadOnlyList<int> chunks)
    {
        foreach (int index in chunks)
        {
            bool skipped = !Terms.IsFree && _chunks.TryGetValue(index, out ProviderChunk? held) && held.Voucher is null;
            if (_wanted?.Contains(index) != true || !_walk.IsFinished(index) || skipped)
                Fault(FaultCode.VoucherRefused, $"Chunk {index} was not paid for.", index);
            else if (_chunks.TryGetValue(index, out ProviderChunk? chunk) && chunk.Offered is not null)
                Reveal(index, chunk);
            else
                Do(new ProviderEffect.ResendKey(index));
        }
    }

    // Valid money is kept whatever follows it; what replaces nothing is passed over.
    private bool TakeUnlocked(PayeeChannel channel, ChannelSnapshot snapshot, ReadOnlyMemory<byte> encoded)
    {
        VoucherVerdict decoded = _context.Vouchers.Decode(encoded, Terms.LockHash);
        if (!decoded.Accepted || !_row.Lanes.Contains(decoded.Voucher.Lane))
            return false;
        if (channel.Find(decoded.Voucher.Key) is { } known)
            return known.Voucher == decoded.Voucher;
        // A settling channel still redeems what replaces a lock; the book's refusal is about new money only.
        VoucherVerdict verdict = channel.Book.Check(decoded.Voucher, new VoucherExpectation.Unlock(decoded.Voucher.Lane), snapshot with { SettlingAt = null }, _now.Epoch);
        if (!verdict.Accepted)
            return verdict.Refusal.Reason == VoucherRefusalReason.NothingToUnlock;
        int? chunk = _chunks.Where(pair => pair.Value.Voucher is { } key && key.Lane == decoded.Voucher.Lane).Select(pair => (int?)pair.Key).LastOrDefault();
        var row = new VoucherRow(DealId, DealSide.Provider, chunk, VoucherPurpose.Unlocked, verdict.Voucher);
        channel.Record(row);
        Store(row);
        return true;
    }

    private void OnClosing(IReadOnlyList<ReadOnlyMemory<byte>> vouchers)
    {
        if (!HasFreshChannel(new ClientMessage.ClosingVouchers(vouchers), out PayeeChannel channel, out ChannelSnapshot snapshot))
            return;
        var lanes = new List<LaneId>();
        foreach (ReadOnlyMemory<byte> encoded in vouchers)
        {
            if (TakeUnlocked(channel, snapshot, encoded) && _context.Vouchers.Decode(encoded, Terms.LockHash).Voucher is { } voucher)
                lanes.Add(voucher.Lane);
        }
        Forget();
        Send(new ProviderMessage.ClosingReceipt(lanes));
    }

    private void OnUnsealPayment(ReadOnlyMemory<byte> encoded)
    {
        if (_row.UnsealPaid || _walk.Status != FundsNeededUnseal)
            return;
        if (!HasFreshChannel(new ClientMessage.UnsealPayment(encoded), out PayeeChannel channel, out ChannelSnapshot snapshot))
            return;
        VoucherVerdict verdict = channel.Book.Check(encoded, new VoucherExpectation.Plain(_row.Lanes[0], _row.UnsealDue), snapshot, _now.Epoch);
        if (!verdict.Accepted)
        {
            bool short_ = verdict.Refusal.Reason == VoucherRefusalReason.NotCovered;
            Fault(short_ ? FaultCode.InsufficientFunds : FaultCode.VoucherRefused, verdict.Refusal.Sentence);
            return;
        }
        var row = new VoucherRow(DealId, DealSide.Provider, null, VoucherPurpose.Unseal, verdict.Voucher);
        channel.Record(row);
        Store(row);
        _row = _row with { UnsealPaid = true, Earned = _row.Earned + _row.UnsealDue };
        _walk.Deal(Unsealing);
        Prepare();
    }
}
