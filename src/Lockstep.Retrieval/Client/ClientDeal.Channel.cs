using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using static Lockstep.Retrieval.Deals.DealStatus;

namespace Lockstep.Retrieval.Client;

// Where the money comes from: channels found, opened and topped up; shortfalls parked.
public sealed partial class ClientDeal
{
    private PaymentVoucher? _unsealVoucher;
    private TokenAmount _peerShortfall;
    private bool _changingChannel;

    // What this run has paid into the channel, and is paying in.
    private TokenAmount _paidIn, _payingIn;

    /// <summary>True while money is missing that the policy does not let this run pay in.</summary>
    public bool IsShortByPolicy { get; private set; }

    private PayerChannel? Channel => _row.Channel is { } id ? _context.Channels.Get(id) : null;

    /// <summary>What the rest of the deal will still take from the channel's free money.</summary>
    private TokenAmount RemainingNeed()
    {
        TokenAmount unseal = _unsealVoucher is null ? _row.UnsealDue : TokenAmount.Zero;
        long open = _chunks.Values.Where(chunk => chunk.Voucher is not null).Sum(chunk => (long)chunk.Offered!.Length);
        return Terms.PriceOf(Math.Max(0, PlannedBytes() - _row.SkippedBytes - _row.BytesReceived - open)) + unseal;
    }

    private void SeekChannel()
    {
        LearnLocalLinks();
        if (RemainingNeed().IsZero)
        {
            BeginWarmUp();
            return;
        }
        _timers[Timer.Channel] = _now.Time + Policy.ChannelTimeout;
        Do(new ClientEffect.FindChannels());
    }

    private void OnChannelsFound(IReadOnlyList<ChannelSnapshot> found)
    {
        bool wanted = _row.Channel is null && _walk.Status is PaymentChannelCreating or InsufficientFunds && _stop is null;
        if (!wanted)
            return;
        LearnLocalLinks();
        TokenAmount need = RemainingNeed();
        TokenAmount ask = Policy.FundingStep is { } step ? TokenAmount.Min(need, step + _row.UnsealDue) : need;
        PayerChannel[] usable = [.. found.Where(IsUsable).Select(Observe)];
        if (Array.Find(usable, channel => channel.FreeFunds >= ask) is { } ready)
        {
            UseChannel(ready);
            return;
        }
        PayerChannel? best = usable.OrderByDescending(channel => channel.FreeFunds.Atto).FirstOrDefault();
        TokenAmount missing = ask - (best?.FreeFunds ?? TokenAmount.Zero);
        IsShortByPolicy = !MayPayIn(missing);
        if (IsShortByPolicy)
        {
            ParkBeforeChannel($"The channel lacks {missing} atto for this deal; pay it in and the deal goes on.");
            return;
        }
        if (_changingChannel)
        {
            _timers.TryAdd(Timer.RailPoll, _now.Time + Policy.RailPoll);
            return;
        }
        _changingChannel = true;
        _payingIn = missing;
        Do(best is null
            ? new ClientEffect.OpenChannel(_row.Proposal.Payee, missing, Terms.LockHash)
            : new ClientEffect.TopUp(best.Id, missing));
    }

    private bool MayPayIn(TokenAmount amount) => Policy.AutoTopUp && (Policy.MostToPayIn is not { } most || _paidIn + amount <= most);

    private bool IsUsable(ChannelSnapshot channel) =>
        channel is { PartiesAreAccounts: true, IsSettling: false }
        && channel.Payer == _context.Wallet.Account && channel.Payee == _row.Proposal.Payee && channel.LockHash == Terms.LockHash;

    private PayerChannel Observe(ChannelSnapshot snapshot)
    {
        PayerChannel channel = _context.Channels.Get(snapshot.Id);
        channel.Observe(snapshot);
        return channel;
    }

    private void UseChannel(PayerChannel channel)
    {
        if (_walk.Status == InsufficientFunds)
            _walk.Deal(PaymentChannelCreating);
        int lanes = Math.Min(Terms.OpenLocks, Math.Max(1, _row.Content!.ChunkCount));
        PayerLaneRow[] allocated = [.. Enumerable.Range(0, lanes).Select(_ => channel.AllocateLane())];
        _rows.AddRange(allocated);
        _row = _row with { Channel = channel.Id, Lanes = [.. allocated.Select(row => row.Lane.Id)], Sentence = null };
        BeginWarmUp();
    }

    private void BeginWarmUp()
    {
        _timers.Remove(Timer.Channel);
        _timers.Remove(Timer.Funds);
        _timers.Remove(Timer.RailPoll);
        _walk.Deal(ChannelAllocatingLane);
        _timers[Timer.WarmUp] = _now.Time + Policy.WarmUpTimeout;
        Do(new ClientEffect.Connect());
    }

    private void OnChannelChanged(RailOutcome outcome, string sentence)
    {
        _changingChannel = false;
        if (outcome == RailOutcome.Executed)
            _paidIn += _payingIn;
        if (_stop is not null || _walk.IsOver)
            return;
        switch (outcome)
        {
            case RailOutcome.Executed or RailOutcome.AlreadyDone or RailOutcome.Pending:
                // Only what the rail shows as confirmed counts, so it is read again either way.
                if (_row.Channel is null)
                    Do(new ClientEffect.FindChannels());
                else
                    ReadChannel();
                break;
            case RailOutcome.InsufficientFunds when _row.Channel is null:
                ParkBeforeChannel(sentence);
                break;
            case RailOutcome.InsufficientFunds:
                _row = _row with { Sentence = sentence };
                _timers.TryAdd(Timer.RailPoll, _now.Time + Policy.RailPoll);
                break;
            default:
                Stop(Errored, $"The rail refused to fund the channel: {sentence}");
                break;
        }
    }

    private void ParkBeforeChannel(string sentence)
    {
        if (_walk.Status == PaymentChannelCreating)
        {
            _walk.Deal(InsufficientFunds);
            _timers.Remove(Timer.Channel);
            _timers[Timer.Funds] = _now.Time + Policy.FundsTimeout;
        }
        _row = _row with { Sentence = sentence };
        _timers.TryAdd(Timer.RailPoll, _now.Time + Policy.RailPoll);
    }

    private void ReadChannel()
    {
        if (_row.Channel is { } channel)
            Do(new ClientEffect.ReadChannel(channel));
    }

    private void OnChannelObserved(ChannelSnapshot? snapshot)
    {
        if (snapshot is not null)
            Observe(snapshot);
        bool gone = snapshot is null || (snapshot.Id == _row.Channel && snapshot.IsSettling);
        if (gone && _row.Channel is not null && !_walk.IsOver && !RemainingNeed().IsZero)
        {
            string what = snapshot is null ? $"The ledger has no channel {_row.Channel} any more: it was settled and collected" : $"The channel {_row.Channel} is being settled";
            Stop(Errored, $"{what} before the deal was done; what was paid for is held, so get the content again to buy the rest.");
            return;
        }
        if (_unsealAsked)
            PayUnseal();
        if (ParkedChunk() is { } parked && CanAfford(parked))
            Unpark(parked);
        else if (ParkedChunk() is not null)
            _timers.TryAdd(Timer.RailPoll, _now.Time + Policy.RailPoll);
    }

    private void OnRailFailed()
    {
        _changingChannel = false;
        _timers.TryAdd(Timer.RailPoll, _now.Time + Policy.RailPoll);
    }

    private void PollRail()
    {
        if (_row.Channel is null)
        {
            if (_walk.Status is PaymentChannelCreating or InsufficientFunds)
                Do(new ClientEffect.FindChannels());
            return;
        }
        if (ParkedChunk() is { } parked)
        {
            ReadChannel();
            if (Channel!.Snapshot is not null && PriceOfChunk(parked) is { } price)
                TopUp(TokenAmount.Max(_peerShortfall, price - Channel.FreeFunds));
        }
        else if (_unsealAsked || Channel?.Snapshot is null)
            ReadChannel();
        foreach ((int index, ClientChunk chunk) in _chunks)
        {
            if (_walk.StatusOf(index) == CheckFunds && chunk.Voucher is not null && chunk.Key is null)
                SendVoucher(index, chunk);
        }
        if (_chunks.Keys.Any(chunk => _walk.StatusOf(chunk) == WaitingKeyOnChain))
            WatchRail();
    }

    /// <summary>The chunk that waits for money, if any.</summary>
    private int? ParkedChunk()
    {
        foreach (int chunk in _chunks.Keys.Append(_walk.Oldest))
        {
            if (chunk >= 0 && !_walk.IsFinished(chunk) && _walk.StatusOf(chunk) == InsufficientFunds)
                return chunk;
        }
        return null;
    }

    private bool CanAfford(int chunk) =>
        _peerShortfall.IsZero && PriceOfChunk(chunk) is { } price && Channel is { Snapshot: not null } channel && channel.FreeFunds >= price;

    private void Park(int chunk, TokenAmount shortfall)
    {
        Move(chunk, InsufficientFunds);
        _row = _row with { Sentence = $"The channel lacks {shortfall} atto for the next chunk; the deal goes on once it is topped up." };
        _timers.TryAdd(Timer.Funds, _now.Time + Policy.FundsTimeout);
        _timers.TryAdd(Timer.RailPoll, _now.Time + Policy.RailPoll);
        TopUp(shortfall);
    }

    private void TopUp(TokenAmount shortfall)
    {
        if (_changingChannel || shortfall <= TokenAmount.Zero)
            return;
        // Never more than the rest of the deal can cost, whatever a peer says is missing.
        TokenAmount rest = RemainingNeed() - Channel!.FreeFunds;
        if (rest <= TokenAmount.Zero)
            return;
        TokenAmount amount = Policy.FundingStep is { } step ? TokenAmount.Min(rest, TokenAmount.Max(shortfall, step)) : rest;
        // Where all that is wanted is too much, the next chunk may still be had.
        if (!MayPayIn(amount))
            amount = TokenAmount.Min(rest, shortfall);
        IsShortByPolicy = !MayPayIn(amount);
        if (IsShortByPolicy)
            return;
        _changingChannel = true;
        _payingIn = amount;
        Do(new ClientEffect.TopUp(Channel.Id, amount));
    }

    private void Unpark(int chunk)
    {
        // Back to where the chunk was parked from.
        IReadOnlyList<DealStatus> walked = _walk.Of(chunk).Statuses;
        Move(chunk, walked.Count >= 2 ? walked[^2] : Ongoing);
        _timers.Remove(Timer.Funds);
        _row = _row with { Sentence = null };
    }

    private void PayUnseal()
    {
        if (_unsealVoucher is null && Channel is { Snapshot: { } snapshot } channel)
        {
            PayerDecision decision = channel.Book.NextPlain(snapshot, _row.Lanes[0], _row.UnsealDue);
            if (!decision.Granted)
            {
                _timers.TryAdd(Timer.RailPoll, _now.Time + Policy.RailPoll);
                return;
            }
            _unsealVoucher = _context.Wallet.SignVoucher(decision.Terms);
            Store(new PayerLaneRow(channel.Id, channel.Book.RecordSigned(decision.Terms)));
            Store(new VoucherRow(DealId, DealSide.Client, null, VoucherPurpose.Unseal, _unsealVoucher));
            KeepUnlocked(_unsealVoucher);
            _row = _row with { Paid = _row.Paid + _row.UnsealDue };
        }
        if (_unsealVoucher is not null)
            Send(new ClientMessage.UnsealPayment(_unsealVoucher.Encoded));
        _unsealAsked = _unsealVoucher is null;
    }
}
