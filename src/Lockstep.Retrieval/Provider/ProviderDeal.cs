using Lockstep.Content.Dag;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Terms;
using static Lockstep.Retrieval.Deals.DealStatus;

namespace Lockstep.Retrieval.Provider;

/// <summary>What a provider's deals are given from outside.</summary>
public sealed record ProviderContext(
    IIdentity Identity, IPayeeChannels Channels, IVoucherScheme Vouchers, ISealRegistry Seals, IKeyVault Keys, ProviderPolicy Policy);

/// <summary>
/// The provider's side of one deal: a state machine without input or output. Every step takes one event and returns what to
/// store and then what to do. All that matters after a crash is in the store: <see cref="Restore"/> goes on from it.
/// It has no way to sign a voucher. Not safe for concurrent use; deals on one channel take their steps one after the other.
/// </summary>
public sealed partial class ProviderDeal
{
    private readonly ProviderContext _context;
    private readonly StatusWalk _walk;
    private readonly Dictionary<Timer, TimeSpan> _timers = [];
    private readonly SortedDictionary<int, ProviderChunk> _chunks = [];
    private readonly SortedDictionary<int, ProviderChunkRow> _dirty = [];
    private readonly List<StoreWrite> _rows = [];
    private readonly List<ProviderEffect> _effects = [];
    private ProviderDealRow _row;
    private ProviderDealRow? _stored;
    private WantedChunks? _wanted;
    private DagManifest? _manifest;
    private Moment _now;
    private bool _attached;
    private int _linksHeld;

    private ProviderDeal(ProviderContext context, ProviderDealRow row, StatusWalk walk)
    {
        _context = context;
        _row = row;
        _walk = walk;
    }

    private enum Timer
    {
        Prepare,
        Seal,
        Idle,
        Return,
        Funds,
        RailPoll,
    }

    public DealId DealId => _row.DealId;

    public DealStatus Status => _walk.Status;

    public bool IsOver => _walk.IsOver;

    /// <summary>The deal as it will be stored, or is.</summary>
    public ProviderDealRow Row => _row with { Status = _walk.Status, StatusCount = _walk.Count, OldestChunk = _walk.Oldest, OldestKept = _chunks.Count == 0 ? -1 : _chunks.Keys.First() };

    /// <summary>When a <see cref="ProviderEvent.Wake"/> is due; null when nothing is waited for.</summary>
    public TimeSpan? NextDeadline => _timers.Count == 0 ? null : _timers.Values.Min();

    private DealTerms Terms => _row.Proposal.Terms;

    private ProviderPolicy Policy => _context.Policy;

    private PayeeChannel? Channel => _row.Channel is { } id ? _context.Channels.Get(id) : null;

    /// <summary>A new deal on a proposal that <see cref="ProposalRules"/> accepted. Its first step stores it; then it may be answered.</summary>
    public static ProviderDeal Begin(ProviderContext context, SignedProposal signed, ContentSummary content, TokenAmount unsealDue)
    {
        var walk = new StatusWalk(ProviderTable.Table, signed.Proposal.DealId, DealSide.Provider);
        return new ProviderDeal(context, new ProviderDealRow { Signed = signed, Status = New, StatusCount = 0, Content = content, UnsealDue = unsealDue }, walk);
    }

    /// <summary>A deal as the store has it.</summary>
    public static ProviderDeal Restore(ProviderContext context, ProviderDealSnapshot stored)
    {
        ProviderDealRow row = stored.Deal;
        var walk = new StatusWalk(ProviderTable.Table, row.DealId, DealSide.Provider, row.Status, row.StatusCount);
        var deal = new ProviderDeal(context, row, walk) { _stored = row, _wanted = stored.Wanted };
        // The chunks walk from Ongoing on; before that there is nothing to go on with.
        if (stored.Wanted is { Count: > 0 } wanted && (row.OldestChunk >= 0 || row.Status == Completed))
            walk.Begin(wanted, row.OldestChunk, stored.Chunks.Select(chunk => KeyValuePair.Create(chunk.Index, chunk.Walk)));
        foreach (ProviderChunkRow chunk in stored.Chunks)
            deal._chunks[chunk.Index] = new ProviderChunk { Window = chunk.Window, Offered = chunk.Offered, Voucher = chunk.Voucher, Walk = chunk.Walk };
        return deal;
    }

    /// <summary>The answer to a client of a deal that is unknown here, or not its own: nothing is told apart.</summary>
    public static ProviderMessage.Fault NotFound { get; } =
        new(FaultCode.DealNotFound, "There is no such deal for your key; make a new proposal.", null);

    /// <summary>The answer to a request for a key of a deal that is over, once its payment is final on the rail and the host has deleted it.</summary>
    public static ProviderMessage.Fault KeyDeleted(int chunk) => new(
        FaultCode.VoucherRefused, $"The key of chunk {chunk} was deleted after the deal had ended and its payment was final; where it was redeemed, the rail shows it.", chunk);

    /// <summary>The answer to the proposal; the same every time it is repeated.</summary>
    public ProposalAnswer Answer() => new ProposalAnswer.Accepted(DealId, _row.Content, _row.UnsealDue);

    /// <summary>
    /// True when the connection's client key is the one that the proposal names. A stranger who knows the deal id is answered
    /// with <see cref="NotFound"/> and never reaches the deal.
    /// </summary>
    public bool Admits(Bytes32 clientKey) => clientKey == _row.Proposal.ClientKey;

    /// <summary>Takes one event. The batch of the result must be stored before its effects are carried out, in order.</summary>
    public DealStep<ProviderEffect> Step(ProviderEvent happened, Moment now)
    {
        _now = now;
        bool wasOver = _walk.IsOver;
        Handle(happened);
        if (!_walk.IsOver)
        {
            SealAhead();
            SendSealed();
        }
        else if (!wasOver || happened is ProviderEvent.Start)
            EndTimers();
        return Flush();
    }

    private void Handle(ProviderEvent happened)
    {
        switch (happened)
        {
            case ProviderEvent.Start: OnStart(); break;
            case ProviderEvent.Attached attached: OnAttached(attached.Message); break;
            case ProviderEvent.Detached: OnDetached(); break;
            case ProviderEvent.Received received: OnMessage(received.Message); break;
            case ProviderEvent.ContentReady ready: OnContent(ready.Manifest); break;
            case ProviderEvent.ContentFailed failed: OnContentFailed(failed.Sentence); break;
            case ProviderEvent.ContentProgress progress: Send(new ProviderMessage.UnsealProgress(progress.BytesDone, progress.BytesTotal)); break;
            case ProviderEvent.WindowSealed done: OnSealed(done.Window, done.Sealed); break;
            case ProviderEvent.SealFailed failed: OnSealFailed(failed.Window, failed.Sentence); break;
            case ProviderEvent.ChannelObserved observed: OnChannelObserved(observed.Channel); break;
            case ProviderEvent.RailFailed: _timers.TryAdd(Timer.RailPoll, _now.Time + Policy.RailPoll); _readingChannel = false; break;
            case ProviderEvent.Wake: OnWake(); break;
            case ProviderEvent.CancelRequested cancel: Stop(ProviderCancelled, FaultCode.Cancelled, cancel.Sentence); break;
            default: throw new ArgumentException($"Unknown event {happened.GetType().Name}.", nameof(happened));
        }
    }

    private void OnStart()
    {
        if (!_walk.IsOver)
            _timers[Timer.Return] = _now.Time + Policy.ReturnTimeout;
    }

    private void OnAttached(ClientMessage.Attach attach)
    {
        _attached = true;
        _timers.Remove(Timer.Return);
        Heard();
        _linksHeld = attach.LinkBlocksHeld;
        BeginStream(attach);
        if (BindLanes(attach) is { } refusal)
        {
            Fault(FaultCode.ChannelUnusable, refusal);
            Do(new ProviderEffect.Disconnect(refusal));
            OnDetached();
            return;
        }
        if (_walk.IsOver)
        {
            Send(new ProviderMessage.DealState(_walk.Status, Ready: false, TokenAmount.Zero));
            return;
        }
        if (_walk.Status == New)
            _walk.Deal(Unsealing);
        ReadChannel();
        Prepare();
    }

    private void OnDetached()
    {
        _attached = false;
        _timers.Remove(Timer.Idle);
        if (!_walk.IsOver)
            _timers.TryAdd(Timer.Return, _now.Time + Policy.ReturnTimeout);
    }

    private void Heard()
    {
        if (_attached && !_walk.IsOver)
            _timers[Timer.Idle] = _now.Time + Policy.IdleTimeout;
    }

    private void OnMessage(ClientMessage message)
    {
        if (!_attached)
            return;
        Heard();
        switch (message)
        {
            case ClientMessage.WantChunks want: OnWant(want); break;
            case ClientMessage.LockedVoucher voucher: OnVoucher(voucher); break;
            case ClientMessage.ClosingVouchers closing: OnClosing(closing.Vouchers); break;
            case ClientMessage.UnsealPayment payment: OnUnsealPayment(payment.Voucher); break;
            case ClientMessage.KeyRequest request: OnKeyRequest(request.Chunks); break;
            case ClientMessage.SkipChunks skip: OnSkip(skip.Chunks); break;
            case ClientMessage.Credit credit: _credit = Math.Max(_credit, credit.Windows); break;
            case ClientMessage.Cancel cancel: Stop(Cancelled, null, $"The client cancelled: {cancel.Sentence}"); break;
            case ClientMessage.Attach: Refuse("A stream is attached once."); break;
            default: throw new ArgumentException($"Unknown message {message.GetType().Name}.", nameof(message));
        }
    }

    // Unsealing: paid first when the content is cold and has a price, so that cheap requests cannot force costly work.
    private void Prepare()
    {
        if (_manifest is not null)
        {
            AnnounceReady();
            return;
        }
        if (_walk.Status == Unsealing && !_row.UnsealDue.IsZero && !_row.UnsealPaid)
            _walk.Deal(FundsNeededUnseal);
        if (_walk.Status == FundsNeededUnseal)
        {
            SendState(ready: false);
            return;
        }
        SendState(ready: false);
        if (_timers.TryAdd(Timer.Prepare, _now.Time + Policy.PrepareTimeout))
            Do(new ProviderEffect.PrepareContent(_row.Proposal.PayloadCid, _row.Content.Cold));
    }

    private void OnContent(DagManifest manifest)
    {
        _timers.Remove(Timer.Prepare);
        if (_walk.IsOver || _manifest is not null)
            return;
        if (manifest.ChunkBytes != _row.Content.Size || manifest.Chunks.Count != _row.Content.ChunkCount)
        {
            Stop(Errored, FaultCode.Internal, "The content on disk is not what was accepted; import it again.");
            return;
        }
        _manifest = manifest;
        if (_walk.Status == Unsealing)
            _walk.Deal(Unsealed);
        AnnounceReady();
        BeginSelling();
    }

    private void OnContentFailed(string sentence)
    {
        _timers.Remove(Timer.Prepare);
        if (!_walk.IsOver)
            Stop(Errored, FaultCode.UnsealFailed, $"The content could not be brought in: {sentence}");
    }

    private void AnnounceReady()
    {
        SendState(ready: true);
        if (!_attached)
            return;
        _linksSent = true;
        Do(new ProviderEffect.SendLinkBlocks(_manifest!, Math.Min(_linksHeld, _manifest!.LinkBlocks.Count)));
    }

    private void OnWant(ClientMessage.WantChunks message)
    {
        WantedChunks? wanted = WantedChunks.FromBitmap(message.ChunkCount, message.Bitmap.Span);
        if (wanted is null || wanted.ChunkCount != _row.Content.ChunkCount)
        {
            Refuse($"The content has {_row.Content.ChunkCount} chunks; the list of wanted chunks does not fit.");
            return;
        }
        if (_wanted is { } known)
        {
            if (!known.SameAs(wanted))
                Refuse("Which chunks are wanted is said once; it cannot change.");
            return;
        }
        _wanted = wanted;
        Store(new WantedRow(DealId, DealSide.Provider, wanted));
        BeginSelling();
    }

    private void BeginSelling()
    {
        if (_wanted is not { } wanted || _manifest is null || _walk.Status != Unsealed)
            return;
        if (wanted.Count == 0)
        {
            _walk.Deal(Completed);
            return;
        }
        _walk.Begin(wanted, wanted.FirstFrom(0), []);
        _walk.Deal(Ongoing);
    }

    private void OnWake()
    {
        foreach (Timer timer in _timers.Where(pair => pair.Value <= _now.Time).Select(pair => pair.Key).ToArray())
        {
            if (!_timers.Remove(timer))
                continue;
            switch (timer)
            {
                case Timer.Prepare: Stop(Errored, FaultCode.UnsealFailed, $"The content was not readable within {Policy.PrepareTimeout}."); break;
                case Timer.Seal: Stop(Errored, FaultCode.Internal, $"A window was not proven within {Policy.SealTimeout}."); break;
                case Timer.Return: Stop(Cancelled, null, $"The client did not come back within {Policy.ReturnTimeout}."); break;
                case Timer.Funds: Stop(Cancelled, FaultCode.Cancelled, $"No money arrived in the channel within {Policy.FundsTimeout}."); break;
                case Timer.RailPoll: ReadChannel(); break;
                case Timer.Idle when _sealing is not null || _timers.ContainsKey(Timer.Prepare):
                    // It is the provider that is slow.
                    Heard();
                    break;
                case Timer.Idle:
                    Do(new ProviderEffect.Disconnect($"The client said nothing for {Policy.IdleTimeout}; it may come back."));
                    OnDetached();
                    break;
            }
        }
    }

    // Nothing that was paid for is taken back: keys are still handed out, and closing vouchers still taken.
    private void Stop(DealStatus status, FaultCode? code, string sentence)
    {
        if (_walk.IsOver)
            return;
        _row = _row with { Sentence = sentence };
        if (code is { } fault)
            Fault(fault, sentence);
        _walk.Deal(status);
    }

    private void Refuse(string sentence) => Stop(Errored, FaultCode.BadMessage, sentence);

    private void EndTimers()
    {
        _timers.Clear();
        Do(new ProviderEffect.Finished(_walk.Status, _row.Sentence));
    }

    private void SendState(bool ready) => Send(new ProviderMessage.DealState(_walk.Status, ready, _shortfall));

    private void Fault(FaultCode code, string sentence, int? chunk = null) => Send(new ProviderMessage.Fault(
        code, sentence.Length <= WireLimits.MaxSentenceLength ? sentence : sentence[..WireLimits.MaxSentenceLength], chunk));

    private DealStep<ProviderEffect> Flush()
    {
        var batch = new List<StoreWrite>(_rows);
        batch.AddRange(_dirty.Values);
        batch.AddRange(_walk.TakeNews());
        ProviderDealRow row = Row;
        if (row != _stored)
            batch.Add(row);
        _row = row;
        _stored = row;
        ProviderEffect[] effects = [.. _effects];
        _rows.Clear();
        _dirty.Clear();
        _effects.Clear();
        return new DealStep<ProviderEffect>(batch, effects);
    }

    // What changed of the chunk is set before it moves: the row is taken here.
    private void Move(int index, DealStatus to) => MarkChanged(index, _walk.Chunk(index, to));

    private void MarkChanged(int index, ChunkWalk walk)
    {
        ProviderChunk chunk = _chunks.GetValueOrDefault(index) ?? new ProviderChunk { Window = -1 };
        chunk.Walk = walk;
        _dirty[index] = new ProviderChunkRow(DealId, index, walk, chunk.Window, chunk.Offered, chunk.Voucher);
    }

    private void Store(StoreWrite row) => _rows.Add(row);

    private void Do(ProviderEffect effect) => _effects.Add(effect);

    private void Send(ProviderMessage message)
    {
        if (_attached)
            Do(new ProviderEffect.Send(message));
    }

    private sealed class ProviderChunk
    {
        public int Window { get; init; }

        public OfferedChunk? Offered { get; set; }

        public VoucherKey? Voucher { get; set; }

        public ChunkWalk Walk { get; set; } = ChunkWalk.None;
    }
}
