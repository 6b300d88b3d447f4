using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using static Lockstep.Retrieval.Deals.DealStatus;

namespace Lockstep.Retrieval.Client;

// Vouchers out, keys in, and the rail watched for keys that did not come.
public sealed partial class ClientDeal
{
    // Chunks whose keys are held and that are being decrypted: bounds memory, and what a broken disk could cost.
    private const int MostOpening = 16;

    // The newest unlocked voucher of each lane.
    private readonly Dictionary<LaneId, PaymentVoucher> _unlocked = [];
    private RedemptionCursor _cursor;
    private bool _readingRail;

    private void KeepUnlocked(PaymentVoucher voucher)
    {
        if (!_unlocked.TryGetValue(voucher.Lane, out PaymentVoucher? known) || known.Nonce < voucher.Nonce)
            _unlocked[voucher.Lane] = voucher;
    }

    // A lock is open from its voucher on until its key is held or the lock is dead; a free chunk counts like one.
    private bool IsOpen(int index, ClientChunk chunk) => chunk.Key is null && _walk.StatusOf(index) is CheckFunds or WaitingKeyOnChain;

    private int OpenLocks() => _chunks.Count(pair => IsOpen(pair.Key, pair.Value));

    // Oldest chunk first; each under a lane whose last lock is resolved (I5).
    private void PayForVerified()
    {
        if (ParkedChunk() is not null)
            return;
        foreach ((int index, ClientChunk chunk) in _chunks.ToArray())
        {
            if (_walk.StatusOf(index) != SendFunds || chunk.Voucher is not null)
                continue;
            if (IsHeld(chunk.Offered!.Cid))
            {
                Skip(index, chunk);
                continue;
            }
            if (OpenLocks() >= Terms.OpenLocks || _chunks.Values.Count(other => other.Opening) >= MostOpening || !TryPay(index, chunk))
                return;
        }
    }

    // Another deal, or an import, brought it: content already held is not bought (I6).
    private void Skip(int index, ClientChunk chunk)
    {
        Store(new CiphertextDropped(DealId, index));
        _row = _row with { Skipped = [.. _row.Skipped, index], SkippedBytes = _row.SkippedBytes + chunk.Offered!.Length };
        MarkChanged(index, _walk.Finish(index));
        _chunks.Remove(index);
        Send(new ClientMessage.SkipChunks([index]));
        if (_walk.IsOver)
            BeginClosing();
    }

    private bool TryPay(int index, ClientChunk chunk)
    {
        if (!Terms.IsFree)
        {
            if (Channel is not { Snapshot: { } snapshot } channel || FreeLane(channel) is not { } lane)
                return false;
            TokenAmount price = Terms.PriceOf(chunk.Offered!.Length);
            TokenAmount promised = _row.Paid + Terms.PriceOf(_chunks.Values.Where(other => other.Voucher is not null && other.Key is null).Sum(other => (long)other.Offered!.Length));
            if (promised + price > Terms.MostToPay)
            {
                Stop(Errored, $"With the next chunk the deal would cost {promised + price} atto; the most you will pay is {Terms.MostToPay}.");
                return false;
            }
            if (channel.Book.Shortfall(snapshot, price) is { IsZero: false } shortfall)
            {
                Park(index, shortfall);
                return false;
            }
            chunk.Unlocked = SignUnlocked(channel, lane, chunk: null) ?? _unlocked.GetValueOrDefault(lane);
            PayerDecision decision = channel.Book.NextLocked(
                snapshot, lane, price, new HashLock(Terms.LockHash, chunk.Offered.Lock.Span), _now.Epoch + Terms.LockExpiryEpochs);
            if (!decision.Granted)
            {
                Stop(Errored, $"Lane {lane} of channel {channel.Id} takes no further voucher: {decision.Refusal}.");
                return false;
            }
            chunk.Voucher = _context.Wallet.SignVoucher(decision.Terms);
            Store(new PayerLaneRow(channel.Id, channel.Book.RecordSigned(decision.Terms)));
            Store(new VoucherRow(DealId, DealSide.Client, index, VoucherPurpose.Locked, chunk.Voucher));
        }
        chunk.KeyBy = _now.Time + Policy.KeyTimeout;
        Move(index, CheckFunds);
        _row = _row with { MaxOpenLocks = Math.Max(_row.MaxOpenLocks, OpenLocks()) };
        SendVoucher(index, chunk);
        return true;
    }

    private LaneId? FreeLane(PayerChannel channel)
    {
        foreach (LaneId lane in _row.Lanes)
        {
            if (channel.LaneOf(lane).OpenLock is null)
                return lane;
        }
        return null;
    }

    // After the key the client owes the amount for good and says so, on the same lane and for the same amount (I5).
    private PaymentVoucher? SignUnlocked(PayerChannel channel, LaneId lane, int? chunk)
    {
        PayerLane held = channel.LaneOf(lane);
        bool said = _unlocked.TryGetValue(lane, out PaymentVoucher? last) && last.Nonce == held.LastNonce;
        if (held.OpenLock is not null || held.Settled.IsZero || said)
            return null;
        PayerDecision decision = channel.Book.NextUnlocked(channel.Snapshot, lane);
        if (!decision.Granted)
            return null;
        PaymentVoucher voucher = _context.Wallet.SignVoucher(decision.Terms);
        Store(new PayerLaneRow(channel.Id, channel.Book.RecordSigned(decision.Terms)));
        Store(new VoucherRow(DealId, DealSide.Client, chunk, VoucherPurpose.Unlocked, voucher));
        KeepUnlocked(voucher);
        return voucher;
    }

    private void SendVoucher(int index, ClientChunk chunk) => Send(new ClientMessage.LockedVoucher(
        index, chunk.Voucher?.Encoded ?? ReadOnlyMemory<byte>.Empty, chunk.Unlocked?.Encoded ?? ReadOnlyMemory<byte>.Empty));

    private void OnKey(int index, ReadOnlyMemory<byte> key)
    {
        // Keys may be handed out again; what is held already changes nothing.
        if (!_chunks.TryGetValue(index, out ClientChunk? chunk) || chunk.Key is not null
            || _walk.StatusOf(index) is not (CheckFunds or WaitingKeyOnChain))
            return;
        if (!Opens(chunk, key))
        {
            // The voucher is out: the deadline of the key decides, and the rail has the last word.
            Disconnect($"The key of chunk {index} does not open its lock.");
            return;
        }
        NoteProgress();
        TakeKey(index, chunk, key);
    }

    private bool Opens(ClientChunk chunk, ReadOnlyMemory<byte> key) =>
        key.Length == WireLimits.HashBytes && new HashLock(Terms.LockHash, chunk.Offered!.Lock.Span).OpensWith(key.Span);

    // Whoever holds the key owes the amount, so key, money and lane change in one batch. The next voucher need not wait for
    // the decryption: the lane's lock is resolved, and key and ciphertext are stored.
    private void TakeKey(int index, ClientChunk chunk, ReadOnlyMemory<byte> key)
    {
        chunk.Key = key;
        chunk.KeyBy = null;
        if (_walk.StatusOf(index) == WaitingKeyOnChain)
            Move(index, CheckFunds);
        else
            MarkChanged(index, _walk.Of(index));
        ResolveLane(chunk);
        _row = _row with { Paid = _row.Paid + Terms.PriceOf(chunk.Offered!.Length) };
        Open(chunk);
    }

    private bool ResolveLane(ClientChunk chunk)
    {
        if (chunk.Voucher is not { } voucher || Channel is not { } channel || channel.LaneOf(voucher.Lane).OpenLock?.Nonce != voucher.Nonce)
            return false;
        Store(new PayerLaneRow(channel.Id, channel.Book.Resolve(voucher.Lane)));
        return true;
    }

    // A key that was stored before a restart. Earlier versions stored what is owed for it only with the open chunk.
    private void OpenAgain(ClientChunk chunk)
    {
        if (ResolveLane(chunk))
            _row = _row with { Paid = _row.Paid + Terms.PriceOf(chunk.Offered!.Length) };
        Open(chunk);
    }

    private void Open(ClientChunk chunk)
    {
        chunk.Opening = true;
        Do(new ClientEffect.OpenChunk(chunk.Offered!, Terms.LockHash, chunk.Key!.Value));
    }

    private void OnOpened(int index, ReadOnlyMemory<byte>? data, string? refusal)
    {
        if (!_chunks.TryGetValue(index, out ClientChunk? chunk) || !chunk.Opening)
            return;
        chunk.Opening = false;
        bool right = data is { } plain && plain.Length == chunk.Offered!.Length;
        if (!right)
        {
            Stop(Errored, $"Chunk {index} was paid for and its key fits, but it did not decrypt to its block ({refusal ?? "wrong length"}); check the disk and keep the deal's records.");
            return;
        }
        Store(new BlockWrite(chunk.Offered!.Cid, data!.Value));
        Store(new CiphertextDropped(DealId, index));
        _row = _row with { BytesReceived = _row.BytesReceived + chunk.Offered.Length, ChunksReceived = _row.ChunksReceived + 1 };
        MarkChanged(index, _walk.Finish(index));
        _chunks.Remove(index);
        if (_walk.IsOver)
            BeginClosing();
    }

    private void OnKeyOverdue(int index, ClientChunk chunk)
    {
        chunk.KeyBy = null;
        if (Terms.IsFree)
        {
            Stop(Errored, $"The provider did not send the key of chunk {index} within {Policy.KeyTimeout}; nothing was owed for it.");
            return;
        }
        if (_walk.StatusOf(index) == CheckFunds)
            Move(index, WaitingKeyOnChain);
        WatchRail();
    }

    private void WatchRail()
    {
        _timers[Timer.RailPoll] = _now.Time + Policy.RailPoll;
        if (_readingRail || _row.Channel is not { } channel)
            return;
        _readingRail = true;
        Do(new ClientEffect.ReadRedemptions(channel, _cursor));
    }

    private void OnRedemptions(RedemptionPage page, Epoch asOf)
    {
        _readingRail = false;
        _cursor = page.Next;
        foreach (Redemption redemption in page.Redemptions)
        {
            foreach ((int index, ClientChunk chunk) in _chunks.ToArray())
            {
                if (chunk.Voucher?.Key == redemption.Voucher && chunk.Key is null && Opens(chunk, redemption.Secret))
                    TakeKey(index, chunk, redemption.Secret);
            }
        }
        if (page.Redemptions.Count > 0)
        {
            WatchRail();
            return;
        }
        foreach ((int index, ClientChunk chunk) in _chunks.ToArray())
        {
            // Inclusive expiry: it was still payable in that epoch, and the rail may undo up to its finality (I8).
            if (_walk.StatusOf(index) == WaitingKeyOnChain && asOf > chunk.Voucher!.Expiry!.Value + _context.Rail.FinalityEpochs)
                Release(index, chunk);
        }
    }

    // The lock is dead: its amount is free, and the chunk is bought again under the lock whose ciphertext is here.
    private void Release(int index, ClientChunk chunk)
    {
        if (Channel is { } channel && channel.LaneOf(chunk.Voucher!.Lane).OpenLock is not null)
            Store(new PayerLaneRow(channel.Id, channel.Book.Release(chunk.Voucher.Lane)));
        chunk.Voucher = null;
        chunk.Unlocked = null;
        Move(index, SendFunds);
    }
}
