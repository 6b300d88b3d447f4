using System.Threading.Channels;
using Grpc.Core;
using Lockstep.Node.Proving;
using Lockstep.Node.Runtime;
using Lockstep.Node.Storage;
using Lockstep.Node.Transport;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Terms;
using Service = Lockstep.Retrieval.Protocol.Wire.Retrieval;
using Wire = Lockstep.Retrieval.Protocol.Wire;

namespace Lockstep.Node.Client;

/// <summary>
/// Drives one client deal: takes its events one at a time, stores what the steps decided, and only then does what they ask
/// for. Verifying, opening and the rail run beside the loop and answer with events.
/// </summary>
internal sealed class ClientDealRunner : IAsyncDisposable
{
    // Messages read ahead of the loop; with the stream's own window this bounds what a fast seller can pile up.
    private const int MaxReadAhead = 64;

    private const int MaxStepsPerCommit = 64;

    // What asks for nothing, as a chunk that is open does, waits so long for a step to be stored with.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(20);

    private readonly ClientDeal _deal;
    private readonly ClientStore _store;
    private readonly PeerChannel _peer;
    private readonly IRail _rail;
    private readonly SecpKey _key;
    private readonly IProofSystem _proofs;
    private readonly RailClock _clock;
    private readonly TimeProvider _time;
    private readonly ProgressMeter _meter;
    private readonly bool _waitForFunds;
    private readonly ArrivingBlocks? _arriving;

    private readonly List<(ClientEvent Happened, DealStep<ClientEffect> Step)> _steps = [];
    private readonly Channel<Envelope> _mailbox = Channel.CreateUnbounded<Envelope>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim _readAhead = new(MaxReadAhead);
    private readonly SemaphoreSlim _verifying = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _background = [];
    private ExchangeStream? _stream;
    private int _streamNumber;
    private bool _walletEmpty;
    private ClientEffect.Finished? _finished;

    public ClientDealRunner(
        ClientDeal deal, ClientStore store, PeerChannel peer, IRail rail, SecpKey key, IProofSystem proofs, RailClock clock, TimeProvider time,
        ProgressMeter meter, bool waitForFunds, ArrivingBlocks? arriving)
    {
        (_deal, _store, _peer, _rail, _key, _proofs, _clock, _time, _meter, _waitForFunds, _arriving) =
            (deal, store, peer, rail, key, proofs, clock, time, meter, waitForFunds, arriving);
    }

    /// <summary>What this run has moved.</summary>
    public TrafficCounter Traffic { get; } = new();

    /// <summary>Asks the deal to stop as soon as no lock is open.</summary>
    public void Cancel() => Post(new ClientEvent.CancelRequested());

    /// <summary>Goes on until the deal is over, or parked for want of money.</summary>
    /// <returns>The deal as stored.</returns>
    /// <exception cref="OperationCanceledException">The caller stopped; the deal can be gone on with.</exception>
    /// <exception cref="NodeException">The store failed.</exception>
    public async Task<ClientDealRow> RunAsync(CancellationToken cancellation)
    {
        await StepAsync(new ClientEvent.Start()).ConfigureAwait(false);
        await FlushAsync().ConfigureAwait(false);
        while (_finished is null && !IsParkedForGood)
        {
            await TakeAsync(await NextAsync(cancellation).ConfigureAwait(false)).ConfigureAwait(false);

            // What has come meanwhile goes to the disk together with it: one flush serves many steps.
            do
            {
                while (_steps.Count is > 0 and < MaxStepsPerCommit && _mailbox.Reader.TryRead(out Envelope? more))
                    await TakeAsync(more).ConfigureAwait(false);
            }
            while (_steps.Count is > 0 and < MaxStepsPerCommit && _steps.All(taken => taken.Step.Effects.Count == 0) && await MailComesAsync(Patience, cancellation).ConfigureAwait(false));
            await FlushAsync().ConfigureAwait(false);
        }

        return _deal.Row;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await EndStreamAsync().ConfigureAwait(false);
        await Task.WhenAll(_background).ConfigureAwait(false);
        _readAhead.Dispose();
        _verifying.Dispose();
        _stop.Dispose();
    }

    private bool IsParkedForGood => (_walletEmpty || _deal.IsShortByPolicy) && !_waitForFunds && _deal.Status == DealStatus.InsufficientFunds;

    // A due deadline goes before the mail, or a busy stream could hold it off for ever.
    private async Task<Envelope?> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            TimeSpan? wait = _deal.NextDeadline - _clock.Now.Time;
            if (wait <= TimeSpan.Zero)
                return null;
            if (_mailbox.Reader.TryRead(out Envelope? mail))
                return mail;
            bool hasCome = await MailComesAsync(wait ?? Timeout.InfiniteTimeSpan, cancellation).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            if (!hasCome)
                return null;
        }
    }

    private async Task<bool> MailComesAsync(TimeSpan within, CancellationToken cancellation)
    {
        using var due = new CancellationTokenSource(within, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, cancellation);
        try
        {
            return await _mailbox.Reader.WaitToReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (due.IsCancellationRequested || cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task TakeAsync(Envelope? next)
    {
        bool isStale = next?.Stream is { } number && number != _streamNumber;
        try
        {
            if (!isStale)
                await StepAsync(next?.Event ?? new ClientEvent.Wake()).ConfigureAwait(false);
        }
        finally
        {
            if (next is { IsInbound: true })
                _readAhead.Release();
        }
    }

    private async Task StepAsync(ClientEvent happened)
    {
        if (happened is ClientEvent.ChannelChanged changed)
            _walletEmpty = changed.Outcome == RailOutcome.InsufficientFunds;
        DealStep<ClientEffect> step = _deal.Step(happened, _clock.Now);
        _steps.Add((happened, step));

        // Later steps ask the store which seals it knows, and judge later messages by what such effects do to the stream.
        bool mayWait = step.Effects.All(effect => effect is ClientEffect.Send or ClientEffect.VerifyWindow or ClientEffect.OpenChunk)
            && !step.Batch.Any(write => write is SealRow);
        if (!mayWait)
            await FlushAsync().ConfigureAwait(false);
    }

    // Everything that the steps decided is on the disk before the first effect of any of them.
    private async Task FlushAsync()
    {
        if (_steps.Count == 0)
            return;
        (ClientEvent Happened, DealStep<ClientEffect> Step)[] steps = [.. _steps];
        _steps.Clear();
        StoreWrite[] batch = [.. steps.SelectMany(taken => taken.Step.Batch)];
        if (batch.Length > 0)
            await _store.CommitAsync(batch, CancellationToken.None).ConfigureAwait(false);
        foreach (ClientEffect effect in steps.SelectMany(taken => taken.Step.Effects))
            await DoAsync(effect).ConfigureAwait(false);
        foreach ((ClientEvent happened, _) in steps)
            _meter.Observe(_deal, happened);
    }

    private async Task DoAsync(ClientEffect effect)
    {
        switch (effect)
        {
            case ClientEffect.Send send:
                _stream?.Send(send.Message);
                break;
            case ClientEffect.Connect:
                await EndStreamAsync().ConfigureAwait(false);
                Connect();
                break;
            case ClientEffect.Disconnect:
                await EndStreamAsync().ConfigureAwait(false);
                break;
            case ClientEffect.Propose propose:
                Run(() => ProposeAsync(propose.Proposal));
                break;
            case ClientEffect.VerifyWindow verify:
                Run(() => VerifyAsync(verify));
                break;
            case ClientEffect.OpenChunk open:
                Run(() => OpenAsync(open));
                break;
            case ClientEffect.Finished finished:
                _finished = finished;
                break;
            default:
                Run(() => AskRailAsync(effect));
                break;
        }
    }

    private void Connect()
    {
        int number = ++_streamNumber;

        // Before the stream exists: a connection that is refused at once must not be heard of before it was begun.
        _mailbox.Writer.TryWrite(new Envelope(new ClientEvent.Connected(), number, IsInbound: false));
        _stream = new ExchangeStream(
            _peer,
            async received =>
            {
                await _readAhead.WaitAsync(_stop.Token).ConfigureAwait(false);
                _mailbox.Writer.TryWrite(new Envelope(received, number, IsInbound: true));
            },
            sentence => _mailbox.Writer.TryWrite(new Envelope(new ClientEvent.Disconnected(sentence), number, IsInbound: false)),
            Traffic);
    }

    private async Task EndStreamAsync()
    {
        if (_stream is not { } stream)
            return;
        _stream = null;
        _streamNumber++;

        // A reader may wait for room that this loop would make: it is told to stop, and its end is not waited for here.
        if (_stop.IsCancellationRequested)
            await stream.DisposeAsync().ConfigureAwait(false);
        else
            _background.Add(stream.DisposeAsync().AsTask());
    }

    private async Task ProposeAsync(SignedProposal proposal)
    {
        try
        {
            Wire.ProposeResponse response = await new Service.RetrievalClient(_peer.Calls)
                .ProposeAsync(WireWriter.Write(proposal), deadline: Deadline, cancellationToken: _stop.Token).ConfigureAwait(false);
            if (WireReader.Read(response).Try(out ProposalAnswer? answer, out Refusal? refusal))
                Post(new ClientEvent.ProposalAnswered(answer));
            else
                Post(new ClientEvent.Disconnected($"The provider's answer breaks the protocol: {refusal.Sentence}"));
        }
        catch (RpcException fault)
        {
            Post(new ClientEvent.Disconnected(_peer.Explain(fault).Message));
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            // The library says so of a deadline that passed.
            Post(new ClientEvent.Disconnected("The provider did not answer the proposal in time."));
        }
    }

    // One at a time: the seller proves the next window meanwhile, perhaps on the same processors.
    private async Task VerifyAsync(ClientEffect.VerifyWindow verify)
    {
        await _verifying.WaitAsync(_stop.Token).ConfigureAwait(false);
        try
        {
            string? refusal = _proofs.Verify(verify.Offer, _peer.Provider.Fingerprint, verify.Ciphertexts, verify.Proof);
            if (refusal is null)
                _store.PutCiphertexts(_deal.DealId, [.. verify.Offer.Chunks.Zip(verify.Ciphertexts, (chunk, bytes) => (chunk.Index, bytes))]);
            Post(new ClientEvent.WindowVerified(verify.Offer.Window, refusal));
        }
        finally
        {
            _verifying.Release();
        }
    }

    private Task OpenAsync(ClientEffect.OpenChunk open)
    {
        (ReadOnlyMemory<byte>? block, string? refusal) = _store.FindCiphertext(_deal.DealId, open.Chunk.Index) is { } ciphertext
            ? _proofs.Open(open.Chunk, open.LockHash, open.Key, ciphertext)
            : (null, "its ciphertext is not in the store");

        // Written here, beside the loop and beside each other; the step that takes the chunk finds it on the disk.
        if (block is { } opened)
        {
            _store.PutOpenedBlock(open.Chunk.Cid, opened);
            _arriving?.Arrive(open.Chunk.Cid, opened);
        }

        Post(new ClientEvent.ChunkOpened(open.Chunk.Index, block, refusal));
        return Task.CompletedTask;
    }

    private async Task AskRailAsync(ClientEffect question)
    {
        try
        {
            Post(await AnswerAsync(question).ConfigureAwait(false));
        }
        catch (RailException fault)
        {
            Post(new ClientEvent.RailFailed(fault.Message));
        }
    }

    private async Task<ClientEvent> AnswerAsync(ClientEffect question)
    {
        CancellationToken stop = _stop.Token;
        switch (question)
        {
            case ClientEffect.FindChannels:
                return new ClientEvent.ChannelsFound(await _rail.FindChannelsAsync(_rail.Vouchers.AccountOf(_key), stop).ConfigureAwait(false));
            case ClientEffect.OpenChannel open:
                OpenChannelReceipt opened = await _rail.OpenChannelAsync(_key, open.Payee, open.Amount, open.LockHash, stop).ConfigureAwait(false);
                return new ClientEvent.ChannelChanged(opened.Receipt.Outcome, opened.Receipt.Sentence);
            case ClientEffect.TopUp topUp:
                RailReceipt paid = await _rail.TopUpAsync(_key, topUp.Channel, topUp.Amount, stop).ConfigureAwait(false);
                return new ClientEvent.ChannelChanged(paid.Outcome, paid.Sentence);
            case ClientEffect.ReadChannel read:
                return new ClientEvent.ChannelObserved(await _rail.GetChannelAsync(read.Channel, stop).ConfigureAwait(false));
            case ClientEffect.ReadRedemptions read:
                // The head is read first: what the page does not show happened, if at all, after it.
                Payments.Epoch head = await _rail.GetHeadAsync(stop).ConfigureAwait(false);
                return new ClientEvent.RedemptionsRead(await _rail.ReadRedemptionsAsync(read.Channel, read.Since, stop).ConfigureAwait(false), head);
            default:
                throw new NotSupportedException($"Nobody does a {question.GetType().Name}.");
        }
    }

    private static DateTime Deadline => DateTime.UtcNow + TransportLimits.CallTimeout;

    private void Post(ClientEvent happened) => _mailbox.Writer.TryWrite(new Envelope(happened, Stream: null, IsInbound: false));

    // A fault that is no event ends the run: the deal goes on from the store when it is started again.
    private void Run(Func<Task> work)
    {
        _background.RemoveAll(task => task.IsCompletedSuccessfully);
        _background.Add(Task.Run(async () =>
        {
            try
            {
                await work().ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // The run is over.
            }
            catch (Exception fault)
            {
                _mailbox.Writer.TryComplete(fault);
            }
        }));
    }

    /// <param name="Event">What happened.</param>
    /// <param name="Stream">The stream that it is about; null when it is about none.</param>
    /// <param name="IsInbound">It holds a place of the read-ahead.</param>
    private sealed record Envelope(ClientEvent Event, int? Stream, bool IsInbound);
}
