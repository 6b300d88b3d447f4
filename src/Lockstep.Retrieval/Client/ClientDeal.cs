using Lockstep.Content.Blocks;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Terms;
using static Lockstep.Retrieval.Deals.DealStatus;

namespace Lockstep.Retrieval.Client;

/// <summary>What a client's deals are given from outside.</summary>
/// <param name="Content">The blocks that are held; read only, writes go through batches.</param>
public sealed record ClientContext(
    IWallet Wallet, IIdentityVerifier Provider, RailDescription Rail, IPayerChannels Channels, ISealRegistry Seals, IBlockSource Content,
    ClientPolicy Policy);

/// <summary>
/// The client's side of one deal: a state machine without input or output. Every step takes one event and returns what to
/// store and then what to do. All that matters after a crash is in the store: <see cref="Restore"/> goes on from it.
/// Not safe for concurrent use; deals on one channel take their steps one after the other.
/// </summary>
public sealed partial class ClientDeal
{
    private readonly ClientContext _context;
    private readonly StatusWalk _walk;
    private readonly bool _restored;
    private readonly Dictionary<Timer, TimeSpan> _timers = [];
    private readonly SortedDictionary<int, ClientChunk> _chunks = [];
    private readonly SortedDictionary<int, ClientChunkRow> _dirty = [];
    private readonly List<StoreWrite> _rows = [];
    private readonly List<ClientEffect> _effects = [];
    private ClientDealRow _row;
    private ClientDealRow? _stored;
    private Moment _now;
    private bool _connected;
    private bool _finished;
    private int _failedConnections;

    private ClientDeal(ClientContext context, ClientDealRow row, StatusWalk walk, bool restored)
    {
        _context = context;
        _row = row;
        _walk = walk;
        _restored = restored;
    }

    private enum Timer
    {
        Accept,
        Channel,
        WarmUp,
        Block,
        Verify,
        Funds,
        Closing,
        Reconnect,
        RailPoll,
    }

    public DealId DealId => _row.DealId;

    public DealStatus Status => _walk.Status;

    /// <summary>The deal as it will be stored, or is.</summary>
    public ClientDealRow Row => _row with { Status = _walk.Status, StatusCount = _walk.Count, OldestChunk = _walk.Oldest };

    /// <summary>Chunks of the deal that are wanted; null before the links are known.</summary>
    public WantedChunks? Wanted { get; private set; }

    /// <summary>When a <see cref="ClientEvent.Wake"/> is due; null when nothing is waited for.</summary>
    public TimeSpan? NextDeadline
    {
        get
        {
            IEnumerable<TimeSpan> all = _timers.Values.Concat(_chunks.Values.Select(chunk => chunk.KeyBy).OfType<TimeSpan>());
            return _finished || !all.Any() ? null : all.Min();
        }
    }

    private DealTerms Terms => _row.Proposal.Terms;

    private ClientPolicy Policy => _context.Policy;

    /// <summary>Makes the proposal and signs it.</summary>
    public static SignedProposal SignProposal(DealProposal proposal, IWallet wallet) =>
        new(proposal, wallet.SignStatement(proposal.ToSignedBytes()));

    /// <summary>A new deal. Its first step stores it and sends the proposal.</summary>
    public static ClientDeal Begin(ClientContext context, SignedProposal signed, string providerAddress)
    {
        var walk = new StatusWalk(ClientTable.Table, signed.Proposal.DealId, DealSide.Client);
        var row = new ClientDealRow { Signed = signed, ProviderAddress = providerAddress, Status = New, StatusCount = 0 };
        return new ClientDeal(context, row, walk, restored: false);
    }

    /// <summary>A deal as the store has it.</summary>
    public static ClientDeal Restore(ClientContext context, ClientDealSnapshot stored)
    {
        var walk = new StatusWalk(ClientTable.Table, stored.Deal.DealId, DealSide.Client, stored.Deal.Status, stored.Deal.StatusCount);
        var deal = new ClientDeal(context, stored.Deal, walk, restored: true) { _stored = stored.Deal };
        if (stored.Wanted is { } wanted)
        {
            deal.Wanted = wanted;
            walk.Begin(wanted, stored.Deal.OldestChunk, stored.Chunks.Select(row => KeyValuePair.Create(row.Index, row.Walk)));
        }
        foreach (ClientChunkRow row in stored.Chunks.Where(row => !row.Walk.Finished && row.Index >= stored.Deal.OldestChunk))
            deal._chunks[row.Index] = new ClientChunk { Window = row.Window, Offered = row.Offered, Voucher = row.Voucher, Unlocked = row.Unlocked, Key = row.Key };
        foreach (VoucherRow row in stored.Vouchers.Where(row => row.Purpose != VoucherPurpose.Locked))
            deal.KeepUnlocked(row.Voucher);
        deal._unsealVoucher = stored.Vouchers.FirstOrDefault(row => row.Purpose == VoucherPurpose.Unseal)?.Voucher;
        return deal;
    }

    /// <summary>Takes one event. The batch of the result must be stored before its effects are carried out, in order.</summary>
    public DealStep<ClientEffect> Step(ClientEvent happened, Moment now)
    {
        _now = now;
        if (!_finished)
        {
            Handle(happened);
            if (!_finished)
                Settle();
        }
        return Flush();
    }

    private void Handle(ClientEvent happened)
    {
        switch (happened)
        {
            case ClientEvent.Start: OnStart(); break;
            case ClientEvent.ProposalAnswered answered: OnAnswer(answered.Answer); break;
            case ClientEvent.Connected: OnConnected(); break;
            case ClientEvent.Disconnected: OnDisconnected(); break;
            case ClientEvent.Received received: OnMessage(received.Message); break;
            case ClientEvent.WindowVerified verified: OnVerified(verified.Window, verified.Refusal); break;
            case ClientEvent.ChunkOpened opened: OnOpened(opened.Chunk, opened.Data, opened.Refusal); break;
            case ClientEvent.ChannelsFound found: OnChannelsFound(found.Channels); break;
            case ClientEvent.ChannelChanged changed: OnChannelChanged(changed.Outcome, changed.Sentence); break;
            case ClientEvent.ChannelObserved observed: OnChannelObserved(observed.Channel); break;
            case ClientEvent.RedemptionsRead read: OnRedemptions(read.Page, read.AsOf); break;
            case ClientEvent.RailFailed: OnRailFailed(); break;
            case ClientEvent.Wake: OnWake(); break;
            case ClientEvent.CancelRequested: Stop(Cancelled, "You cancelled the deal; what was paid for is held."); break;
            default: throw new ArgumentException($"Unknown event {happened.GetType().Name}.", nameof(happened));
        }
    }

    private void OnStart()
    {
        foreach ((int index, ClientChunk chunk) in _chunks)
        {
            if (chunk.Key is not null)
                OpenAgain(chunk);
            else if (_walk.StatusOf(index) == CheckFunds)
                chunk.KeyBy = _now.Time + Policy.KeyTimeout;
        }
        if (_walk.IsOver)
        {
            BeginClosing();
            return;
        }
        if (!_restored)
            _walk.Deal(WaitAcceptance);
        switch (_walk.Status)
        {
            case WaitAcceptance:
                Propose();
                break;
            case InsufficientFunds when _row.Channel is null:
            case PaymentChannelCreating:
                _timers[_walk.Status == InsufficientFunds ? Timer.Funds : Timer.Channel] =
                    _now.Time + (_walk.Status == InsufficientFunds ? Policy.FundsTimeout : Policy.ChannelTimeout);
                Do(new ClientEffect.FindChannels());
                break;
            default:
                if (_walk.Status == ChannelAllocatingLane)
                    _timers[Timer.WarmUp] = _now.Time + Policy.WarmUpTimeout;
                if (_walk.Status == InsufficientFunds)
                    _timers[Timer.Funds] = _now.Time + Policy.FundsTimeout;
                ReadChannel();
                Do(new ClientEffect.Connect());
                if (_chunks.Keys.Any(chunk => _walk.StatusOf(chunk) == WaitingKeyOnChain))
                    WatchRail();
                break;
        }
    }

    private void Propose()
    {
        _timers.TryAdd(Timer.Accept, _now.Time + Policy.AcceptTimeout);
        Do(new ClientEffect.Propose(_row.Signed));
    }

    private void OnAnswer(ProposalAnswer answer)
    {
        if (_walk.Status != WaitAcceptance)
            return;
        _timers.Remove(Timer.Accept);
        _timers.Remove(Timer.Reconnect);
        if (answer is ProposalAnswer.Rejected rejected)
        {
            End(Rejected, rejected.Refusal.Sentence);
            return;
        }
        var accepted = (ProposalAnswer.Accepted)answer;
        TokenAmount total = Terms.PriceOf(accepted.Content.Size) + accepted.UnsealDue;
        string? refusal =
            accepted.DealId != DealId ? "The provider answered about another deal; nothing was paid."
            : accepted.UnsealDue > Terms.UnsealPrice ? $"The provider wants {accepted.UnsealDue} atto for bringing the content in; {Terms.UnsealPrice} was offered. Ask for its price again."
            : total > Terms.MostToPay ? $"The whole content costs {total} atto; the most you will pay is {Terms.MostToPay}. Raise the limit to buy it."
            : accepted.Content.ChunkCount > WireLimits.MaxChunks ? $"The content has {accepted.Content.ChunkCount} chunks; at most {WireLimits.MaxChunks} fit in one deal."
            : null;
        if (refusal is not null)
        {
            Stop(Errored, refusal);
            return;
        }
        _row = _row with { Content = accepted.Content, UnsealDue = accepted.UnsealDue };
        _walk.Deal(Accepted);
        _walk.Deal(PaymentChannelCreating);
        SeekChannel();
    }

    private void OnConnected()
    {
        _connected = true;
        _timers.Remove(Timer.Reconnect);
        LearnLocalLinks();
        ResetStream();
        int[] windows = [.. HeldWindows().Take(WireLimits.MaxWindowsHeld)];
        _granted = CreditNow();
        Send(new ClientMessage.Attach(DealId, _manifest?.LinkBlocks.Count ?? 0, windows, _row.Channel, _row.Lanes, _granted));
        if (Wanted is { } wanted)
            Send(new ClientMessage.WantChunks(wanted.ChunkCount, wanted.Bitmap));
        foreach (int[] skipped in _row.Skipped.Chunk(WireLimits.MaxKeyRequests))
            Send(new ClientMessage.SkipChunks(skipped));
        if (_walk.IsOver)
        {
            SendClosing();
            return;
        }
        foreach ((int index, ClientChunk chunk) in _chunks)
        {
            if (IsOpen(index, chunk))
                SendVoucher(index, chunk);
        }
    }

    private void OnDisconnected()
    {
        _connected = false;
        DropIncoming();
        // Transport errors are retryable; only proof and money errors are final.
        TimeSpan delay = Policy.ReconnectDelay * Math.Pow(2, Math.Min(_failedConnections++, 16));
        _timers[Timer.Reconnect] = _now.Time + (delay < Policy.MaxReconnectDelay ? delay : Policy.MaxReconnectDelay);
    }

    private void OnMessage(ProviderMessage message)
    {
        if (!_connected)
            return;
        _failedConnections = 0;
        switch (message)
        {
            case ProviderMessage.DealState state: OnDealState(state); break;
            case ProviderMessage.LinkBlock block: OnLinkBlock(block); break;
            case ProviderMessage.WindowOffer offer: OnOffer(offer.Offer); break;
            case ProviderMessage.CiphertextPart part: OnCiphertext(part); break;
            case ProviderMessage.ProofPart part: OnProof(part); break;
            case ProviderMessage.KeyReveal reveal: OnKey(reveal.Chunk, reveal.Key); break;
            case ProviderMessage.UnsealProgress: break;
            case ProviderMessage.ClosingReceipt receipt: OnClosingReceipt(receipt.Lanes); break;
            case ProviderMessage.Fault fault: OnFault(fault); break;
            default: throw new ArgumentException($"Unknown message {message.GetType().Name}.", nameof(message));
        }
    }

    private void OnFault(ProviderMessage.Fault fault)
    {
        switch (fault.Code)
        {
            case FaultCode.DealNotFound:
                Stop(DealNotFound, $"The provider does not know the deal: {fault.Sentence}");
                break;
            case FaultCode.Cancelled:
                Stop(ProviderCancelled, $"The provider cancelled: {fault.Sentence}");
                break;
            case FaultCode.InsufficientFunds:
                // The provider may see the rail later than we do: the same voucher is sent again after a pause.
                _timers.TryAdd(Timer.RailPoll, _now.Time + Policy.RailPoll);
                break;
            case FaultCode.Busy:
                Disconnect("The provider is busy.");
                break;
            default:
                Stop(Errored, $"The provider gave up: {fault.Sentence}");
                break;
        }
    }

    private void OnWake()
    {
        foreach (Timer timer in _timers.Where(pair => pair.Value <= _now.Time).Select(pair => pair.Key).ToArray())
        {
            if (_timers.Remove(timer) && !_finished)
                OnTimer(timer);
        }
        foreach ((int index, ClientChunk chunk) in _chunks.ToArray())
        {
            if (!_finished && chunk.KeyBy is { } by && by <= _now.Time)
                OnKeyOverdue(index, chunk);
        }
    }

    private void OnTimer(Timer timer)
    {
        switch (timer)
        {
            case Timer.Accept:
                Stop(Errored, $"The provider did not answer the proposal within {Policy.AcceptTimeout}; nothing was paid.");
                break;
            case Timer.Channel:
                Stop(Errored, $"The payment channel was not ready within {Policy.ChannelTimeout}; money in it comes back by settling and collecting it.");
                break;
            case Timer.WarmUp:
                Stop(Errored, $"The content was not readable within {Policy.WarmUpTimeout}.");
                break;
            case Timer.Block:
                Stop(Errored, $"The provider sent nothing for {Policy.BlockTimeout}; what was paid for is held.");
                break;
            case Timer.Verify:
                Stop(Errored, $"A proof was not verified within {Policy.VerifyTimeout}.");
                break;
            case Timer.Funds:
                Stop(Errored, $"No money arrived within {Policy.FundsTimeout}; what was paid for is held.");
                break;
            case Timer.Closing:
                Finish();
                break;
            case Timer.Reconnect when _walk.Status == WaitAcceptance:
                Propose();
                break;
            case Timer.Reconnect:
                Do(new ClientEffect.Connect());
                break;
            case Timer.RailPoll:
                PollRail();
                break;
        }
    }

    // What follows from where the deal now stands, whatever led there.
    private void Settle()
    {
        if (!_walk.IsOver && _stop is null && Wanted is not null)
        {
            Expect();
            PayForVerified();
            if (!_walk.IsOver)
                Expect();
        }
        if (!_finished && !_walk.IsOver && _stop is not null)
            TryEndStopped();
        bool expecting = !_walk.IsOver && _walk.Oldest >= 0 && _walk.Status is Ongoing or WaitingBlock;
        if (!expecting)
            _timers.Remove(Timer.Block);
        else
            _timers.TryAdd(Timer.Block, _now.Time + Policy.BlockTimeout);
        GrantCredit();
    }

    private void NoteProgress() => _timers.Remove(Timer.Block);

    private DealStep<ClientEffect> Flush()
    {
        var batch = new List<StoreWrite>(_rows);
        batch.AddRange(_dirty.Values);
        batch.AddRange(_walk.TakeNews());
        ClientDealRow row = Row;
        if (row != _stored)
            batch.Add(row);
        _row = row;
        _stored = row;
        ClientEffect[] effects = [.. _effects];
        _rows.Clear();
        _dirty.Clear();
        _effects.Clear();
        return new DealStep<ClientEffect>(batch, effects);
    }

    // What changed of the chunk is set before it moves: the row is taken here.
    private void Move(int index, DealStatus to) => MarkChanged(index, _walk.Chunk(index, to));

    private void MarkChanged(int index, ChunkWalk walk)
    {
        ClientChunk chunk = _chunks.GetValueOrDefault(index) ?? new ClientChunk { Window = -1 };
        _dirty[index] = new ClientChunkRow(DealId, index, walk, chunk.Window, chunk.Offered, chunk.Voucher, chunk.Unlocked, chunk.Key);
    }

    private void Store(StoreWrite row) => _rows.Add(row);

    private void Do(ClientEffect effect) => _effects.Add(effect);

    private void Send(ClientMessage message)
    {
        if (_connected)
            Do(new ClientEffect.Send(message));
    }

    private void Disconnect(string sentence)
    {
        Do(new ClientEffect.Disconnect(sentence));
        OnDisconnected();
    }

    // A chunk on its way. The key deadline runs while its lock is open.
    private sealed class ClientChunk
    {
        public int Window { get; init; }

        public OfferedChunk? Offered { get; set; }

        public PaymentVoucher? Voucher { get; set; }

        public PaymentVoucher? Unlocked { get; set; }

        public ReadOnlyMemory<byte>? Key { get; set; }

        public TimeSpan? KeyBy { get; set; }

        /// <summary>Its key is at hand and it is being decrypted.</summary>
        public bool Opening { get; set; }
    }
}
