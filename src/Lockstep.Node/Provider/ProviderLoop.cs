using System.Threading.Channels;
using Lockstep.Content;
using Lockstep.Content.Dag;
using Lockstep.Node.Runtime;
using Lockstep.Node.Storage;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Node.Provider;

/// <summary>What happened to a deal, for whoever runs the provider.</summary>
/// <param name="Deal">The deal.</param>
/// <param name="Row">Its row after the change.</param>
public sealed record ProviderNotice(DealId Deal, ProviderDealRow Row);

/// <summary>What the loop works with.</summary>
internal sealed record ProviderLoopParts(
    ProviderStore Store, ContentHome Content, Catalog Catalog, Unsealer Unsealer, ProvingScheduler<DealId> Prover, WindowSource Windows, Action Taken,
    IRail Rail, RailClock Clock, TimeProvider Time, ProviderContext Context, int MaxDeals, Action<ProviderNotice>? Notices);

/// <summary>
/// Steps all deals of a provider, one event at a time: deals of one channel share its books (I2), and a step is short, since
/// proving, disk reads, the rail and the peers run beside the loop and answer with events. What several steps decided goes to
/// the disk together, before the first effect of any of them. A store that fails ends the loop: nothing may be sent that is not stored.
/// </summary>
internal sealed class ProviderLoop : IAsyncDisposable
{
    private const int MaxMailsPerCommit = 64;

    private readonly ProviderLoopParts _parts;
    private readonly Channel<Func<Task>> _mailbox = Channel.CreateUnbounded<Func<Task>>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<DealId, ActiveDeal> _deals = [];
    private readonly List<(ActiveDeal Deal, DealStep<ProviderEffect> Step, ProviderDealRow? News)> _steps = [];
    private readonly CancellationTokenSource _stop = new();
    private volatile bool _draining;

    /// <summary>Starts the loop with every deal that is not over.</summary>
    public ProviderLoop(ProviderLoopParts parts)
    {
        _parts = parts;
        Completion = Task.Run(RunAsync);
    }

    /// <summary>Ends when the loop is disposed; faults when the store fails.</summary>
    public Task Completion { get; }

    /// <summary>Takes no further proposals and streams, and ends the streams there are, each after the keys that it owes.</summary>
    public Task DrainAsync()
    {
        _draining = true;
        return CallAsync(() =>
        {
            foreach (ActiveDeal deal in _deals.Values)
                deal.Stream?.End();
            return Task.FromResult(true);
        });
    }

    /// <summary>Answers a proposal; accepting one stores the deal first. The same proposal once more gets the same answer.</summary>
    public Task<ProposalAnswer> ProposeAsync(SignedProposal signed, Bytes32 clientKey) => CallUnlessDrainingAsync(async () =>
    {
        DealId id = signed.Proposal.DealId;
        if (Find(id) is { } known)
        {
            return known.Engine.Row.Signed == signed && known.Engine.Admits(clientKey)
                ? known.Engine.Answer()
                : (ProposalAnswer)Reject(FaultCode.TermsRefused, "A deal of this id was proposed before with other terms; choose a new id.");
        }

        ContentSummary? content = _parts.Catalog.Find(signed.Proposal.PayloadCid);
        ProviderAsk ask = _parts.Catalog.AskFor(signed.Proposal.PayloadCid);
        Bytes32 self = _parts.Context.Identity.Fingerprint;
        if (ProposalRules.Check(signed, ask, content, self, clientKey, _parts.Rail.Vouchers, _parts.Clock.Now.Epoch) is { } refusal)
            return new ProposalAnswer.Rejected(refusal);
        if (_deals.Values.Count(deal => !deal.Engine.IsOver) >= _parts.MaxDeals)
            return Reject(FaultCode.Busy, "The provider has as many deals as it takes at one time; try again later.");
        var deal = new ActiveDeal(ProviderDeal.Begin(_parts.Context, signed, content!, ProposalRules.UnsealDue(ask, content!)));
        _deals.Add(id, deal);
        await StepAsync(deal, new ProviderEvent.Start()).ConfigureAwait(false);
        await FlushAsync().ConfigureAwait(false);
        return deal.Engine.Answer();
    });

    /// <summary>Opens a stream for a deal and ends an older one; null for a stranger and for an unknown deal alike.</summary>
    public Task<DealStream?> AttachAsync(ClientMessage.Attach attach, Bytes32 clientKey) => CallUnlessDrainingAsync(async () =>
    {
        // What is owed to the older stream is sent before it ends.
        await FlushAsync().ConfigureAwait(false);
        if (Find(attach.DealId) is not { } deal || !deal.Engine.Admits(clientKey))
            return null;
        deal.Stream?.End();
        var stream = new DealStream(attach.DealId);
        deal.Stream = stream;
        await StepAsync(deal, new ProviderEvent.Attached(attach)).ConfigureAwait(false);
        await FlushAsync().ConfigureAwait(false);
        return stream;
    });

    /// <summary>Hands on a message of a stream; ends when the deal has taken it, which may be before that is on the disk. Messages of a stream that was replaced are dropped.</summary>
    public Task ReceiveAsync(DealStream stream, ClientMessage message) => CallAsync(async () =>
    {
        if (_deals.TryGetValue(stream.Deal, out ActiveDeal? deal) && deal.Stream == stream)
            await StepAsync(deal, new ProviderEvent.Received(message)).ConfigureAwait(false);
        return true;
    });

    /// <summary>No more messages come: the stream ends after the answers to those that came.</summary>
    public Task EndAsync(DealStream stream) => CallAsync(async () =>
    {
        await FlushAsync().ConfigureAwait(false);
        stream.End();
        return true;
    });

    /// <summary>The stream has ended.</summary>
    public Task DetachAsync(DealStream stream) => CallAsync(async () =>
    {
        await FlushAsync().ConfigureAwait(false);
        if (_deals.TryGetValue(stream.Deal, out ActiveDeal? deal) && deal.Stream == stream)
        {
            deal.Stream = null;
            await StepAsync(deal, new ProviderEvent.Detached()).ConfigureAwait(false);
        }

        return true;
    });

    /// <summary>Cancels a deal for its provider; false when there is no such deal.</summary>
    public Task<bool> CancelAsync(DealId id, string sentence) => CallAsync(async () =>
    {
        if (Find(id) is not { } deal)
            return false;
        await StepAsync(deal, new ProviderEvent.CancelRequested(sentence)).ConfigureAwait(false);
        await FlushAsync().ConfigureAwait(false);
        return true;
    });

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (ActiveDeal deal in _deals.Values)
        {
            deal.Stream?.End();
            deal.Dispose();
        }

        _stop.Dispose();
    }

    private static ProposalAnswer.Rejected Reject(FaultCode code, string sentence) => new ProposalAnswer.Rejected(new Refusal(code, sentence));

    private async Task RunAsync()
    {
        try
        {
            foreach (StoredDeal<ProviderDealRow> stored in _parts.Store.ListDeals())
            {
                if (!ProviderTable.Table.IsTerminal(stored.Row.Status))
                    Find(stored.Row.DealId);
            }

            foreach (ActiveDeal deal in _deals.Values.ToArray())
                await StepAsync(deal, new ProviderEvent.Start()).ConfigureAwait(false);
            while (!_stop.IsCancellationRequested)
            {
                await WakeDueAsync().ConfigureAwait(false);
                int taken = 0;
                for (; taken < MaxMailsPerCommit && _mailbox.Reader.TryRead(out Func<Task>? mail); taken++)
                    await mail().ConfigureAwait(false);
                await FlushAsync().ConfigureAwait(false);
                if (taken == 0)
                    await WaitAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            // A step that could not be stored must not be built on: nothing more is stepped, stored or sent.
            await _stop.CancelAsync().ConfigureAwait(false);
            _mailbox.Writer.TryComplete();
            while (_mailbox.Reader.TryRead(out Func<Task>? mail))
                await mail().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WakeDueAsync()
    {
        TimeSpan now = _parts.Clock.Now.Time;
        foreach (ActiveDeal deal in _deals.Values.Where(deal => deal.Engine.NextDeadline <= now).ToArray())
            await StepAsync(deal, new ProviderEvent.Wake()).ConfigureAwait(false);
    }

    private async Task WaitAsync()
    {
        TimeSpan? due = _deals.Values.Min(deal => deal.Engine.NextDeadline);
        TimeSpan wait = due is { } at ? at - _parts.Clock.Now.Time : Timeout.InfiniteTimeSpan;
        if (due is not null && wait <= TimeSpan.Zero)
            return;
        using var timer = new CancellationTokenSource(wait, _parts.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, _stop.Token);
        try
        {
            await _mailbox.Reader.WaitToReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // A deadline came, or the end.
        }
    }

    // The deal in memory, or from the store: deals that are over come back when their client asks for a key again.
    private ActiveDeal? Find(DealId id)
    {
        if (_deals.TryGetValue(id, out ActiveDeal? deal))
            return deal;
        if (_parts.Store.Load(id) is not { } stored)
            return null;
        deal = new ActiveDeal(ProviderDeal.Restore(_parts.Context, stored));
        _deals.Add(id, deal);
        return deal;
    }

    private async Task<DealStep<ProviderEffect>> StepAsync(ActiveDeal deal, ProviderEvent happened)
    {
        DealStatus before = deal.Engine.Status;
        DealStep<ProviderEffect> step = deal.Engine.Step(happened, _parts.Clock.Now);
        _steps.Add((deal, step, deal.Engine.Status == before ? null : deal.Engine.Row));

        // Later steps ask the store which seals it knows, and an effect that ends a stream or a deal changes what they meet.
        if (step.Batch.Any(write => write is SealRow) || step.Effects.Any(effect => effect is ProviderEffect.Disconnect or ProviderEffect.Finished))
            await FlushAsync().ConfigureAwait(false);
        return step;
    }

    private async Task FlushAsync()
    {
        if (_steps.Count == 0)
            return;
        (ActiveDeal Deal, DealStep<ProviderEffect> Step, ProviderDealRow? News)[] steps = [.. _steps];
        _steps.Clear();
        StoreWrite[] batch = [.. steps.SelectMany(taken => taken.Step.Batch)];
        if (batch.Length > 0)
            await _parts.Store.CommitAsync(batch, CancellationToken.None).ConfigureAwait(false);
        foreach ((ActiveDeal deal, DealStep<ProviderEffect> step, ProviderDealRow? news) in steps)
        {
            foreach (ProviderEffect effect in step.Effects)
                Do(deal, effect);
            if (news is not null)
                _parts.Notices?.Invoke(new ProviderNotice(deal.Engine.DealId, news));
        }

        foreach (ActiveDeal deal in steps.Select(taken => taken.Deal).Distinct())
        {
            DropDelivered(deal);
            if (deal.Engine.IsOver && deal.Stream is null && _deals.Remove(deal.Engine.DealId))
                deal.Dispose();
        }
    }

    // Once for about a window of chunks: looking which windows are wholly below costs as much as a chunk.
    private void DropDelivered(ActiveDeal deal)
    {
        (int below, int least) = deal.Engine.IsOver ? (int.MaxValue, 1) : (deal.Engine.Row.OldestChunk, deal.Engine.Row.Proposal.Terms.ChunksPerWindow);
        if (below - deal.DroppedBelow < least)
            return;
        deal.DroppedBelow = below;
        _parts.Store.DropDelivered(deal.Engine.DealId, below);
    }

    private void Do(ActiveDeal deal, ProviderEffect effect)
    {
        switch (effect)
        {
            case ProviderEffect.Send send:
                deal.Stream?.Send(send.Message);
                break;
            case ProviderEffect.Disconnect:
                deal.Stream?.End();
                deal.Stream = null;
                break;
            case ProviderEffect.SendLinkBlocks links:
                deal.Stream?.Send(LinkBlocks(deal, links));
                break;
            case ProviderEffect.SendWindow window:
                deal.Stream?.Send(WindowParts(deal, window.Window));
                break;
            case ProviderEffect.ResendKey resend:
                ResendKey(deal, resend.Chunk);
                break;
            case ProviderEffect.PrepareContent prepare:
                Run(deal, token => PrepareAsync(deal, prepare, token), deal.Ended);
                break;
            case ProviderEffect.SealWindow seal:
                Run(deal, token => SealAsync(deal, seal, token), deal.Ended);
                break;
            case ProviderEffect.ReadChannel read:
                // Rail reads go on after the end of a deal: closing vouchers are judged on them.
                Run(deal, token => ReadChannelAsync(deal, read.Channel, token), _stop.Token);
                break;
            case ProviderEffect.Finished:
                deal.End();
                break;
            default:
                throw new NotSupportedException($"Nobody does a {effect.GetType().Name}.");
        }
    }

    private IEnumerable<ProviderMessage> LinkBlocks(ActiveDeal deal, ProviderEffect.SendLinkBlocks links)
    {
        foreach (Outcome<ProviderMessage.LinkBlock> block in LinkBlockStream.Read(links.Manifest, _parts.Content.Blocks, links.From))
        {
            if (!block.Try(out ProviderMessage.LinkBlock? message, out ContentError? error))
            {
                Post(deal, new ProviderEvent.ContentFailed(error.Message));
                yield break;
            }

            yield return message;
        }
    }

    private IEnumerable<ProviderMessage> WindowParts(ActiveDeal deal, int window)
    {
        if (_parts.Store.FindWindow(deal.Engine.DealId, window) is not { } sealedWindow)
        {
            Post(deal, new ProviderEvent.CancelRequested($"Window {window} is not in the provider's store any more."));
            yield break;
        }

        foreach (ProviderMessage frame in WireWriter.WindowFrames(sealedWindow))
            yield return frame;
    }

    private void ResendKey(ActiveDeal deal, int chunk)
    {
        if (_parts.Store.FindChunk(deal.Engine.DealId, chunk) is not { Walk.Finished: true, Offered: { } offered } row)
            return;
        bool isPaid = row.Voucher is not null || deal.Engine.Row.Proposal.Terms.IsFree;
        if (!isPaid)
            return;
        deal.Stream?.Send(_parts.Store.Find(offered.Lock) is { } key ? new ProviderMessage.KeyReveal(chunk, key) : ProviderDeal.KeyDeleted(chunk));
    }

    private async Task PrepareAsync(ActiveDeal deal, ProviderEffect.PrepareContent prepare, CancellationToken cancellation)
    {
        var progress = new Relay(report => Post(deal, new ProviderEvent.ContentProgress(report.Done, report.Total)));
        string? failure = await _parts.Unsealer.UnsealAsync(prepare.Root, progress, cancellation).ConfigureAwait(false);
        if (failure is not null)
            Post(deal, new ProviderEvent.ContentFailed(failure));
        else if (_parts.Content.ManifestOf(prepare.Root).Try(out DagManifest? manifest, out ContentError? error))
            Post(deal, new ProviderEvent.ContentReady(manifest));
        else
            Post(deal, new ProviderEvent.ContentFailed(error.Message));
    }

    private async Task SealAsync(ActiveDeal deal, ProviderEffect.SealWindow seal, CancellationToken cancellation)
    {
        var wish = new WindowWish(seal.SuiteId, seal.LockHash, [.. seal.Chunks.Select(chunk => chunk.Cid)]);
        try
        {
            cancellation.ThrowIfCancellationRequested();
            if (_parts.Windows.Take(wish) is { } ready)
            {
                PostSealed(deal, seal.Window, ready);
                _parts.Taken();
                return;
            }

            Outcome<SealedWindow> made = await _parts.Prover.RunAsync(deal.Engine.DealId, token => _parts.Windows.Make(wish, token), cancellation).ConfigureAwait(false);
            if (made.Try(out SealedWindow? window, out ContentError? error))
                PostSealed(deal, seal.Window, window);
            else
                Post(deal, new ProviderEvent.SealFailed(seal.Window, error.Message));
        }
        catch (NodeException fault)
        {
            // A store that fails, as when the disk is full, ends the loop and not the deal: it goes on at the next start.
            _mailbox.Writer.TryWrite(() => Task.FromException(fault));
        }
    }

    private async Task ReadChannelAsync(ActiveDeal deal, ChannelId channel, CancellationToken cancellation)
    {
        try
        {
            Post(deal, new ProviderEvent.ChannelObserved(await _parts.Rail.GetChannelAsync(channel, cancellation).ConfigureAwait(false)));
        }
        catch (RailException fault)
        {
            Post(deal, new ProviderEvent.RailFailed(fault.Message));
        }
    }

    private void Run(ActiveDeal deal, Func<CancellationToken, Task> work, CancellationToken cancellation) => _ = Task.Run(async () =>
    {
        try
        {
            await work(cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The deal, or the provider, came to its end.
        }
        catch (Exception fault)
        {
            // Anything else is a fault of this machine: the deal ends with it instead of waiting for ever.
            Post(deal, new ProviderEvent.CancelRequested($"The provider failed: {fault.Message}"));
        }
    }, CancellationToken.None);

    private void Post(ActiveDeal deal, ProviderEvent happened) => _mailbox.Writer.TryWrite(async () =>
    {
        // A deal that was let go while work for it ran is not woken by its result.
        if (!_stop.IsCancellationRequested && _deals.GetValueOrDefault(deal.Engine.DealId) == deal)
            await StepAsync(deal, happened).ConfigureAwait(false);
    });

    // A window that came too late for its deal is for nobody: its keys were never stored, and its bytes go.
    private void PostSealed(ActiveDeal deal, int number, SealedWindow window)
    {
        bool isPosted = _mailbox.Writer.TryWrite(async () =>
        {
            bool isKept = !_stop.IsCancellationRequested && _deals.GetValueOrDefault(deal.Engine.DealId) == deal
                && (await StepAsync(deal, new ProviderEvent.WindowSealed(number, window)).ConfigureAwait(false)).Batch.Any(write => write is SealedWindowRow);
            if (!isKept)
                _parts.Store.DropBytes(window);
        });
        if (!isPosted)
            _parts.Store.DropBytes(window);
    }

    private Task<T> CallUnlessDrainingAsync<T>(Func<Task<T>> body) =>
        _draining ? Task.FromCanceled<T>(new CancellationToken(canceled: true)) : CallAsync(body);

    private Task<T> CallAsync<T>(Func<Task<T>> body)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isTaken = _mailbox.Writer.TryWrite(async () =>
        {
            if (_stop.IsCancellationRequested)
            {
                answer.SetCanceled(CancellationToken.None);
                return;
            }

            try
            {
                answer.SetResult(await body().ConfigureAwait(false));
            }
            catch (Exception fault)
            {
                answer.SetException(fault);
                throw;
            }
        });
        return isTaken ? answer.Task : Task.FromCanceled<T>(new CancellationToken(canceled: true));
    }

    private sealed class ActiveDeal : IDisposable
    {
        private readonly CancellationTokenSource _over = new();

        public ActiveDeal(ProviderDeal engine) => (Engine, Ended) = (engine, _over.Token);

        public ProviderDeal Engine { get; }

        /// <summary>Cancelled when the deal is over, or let go.</summary>
        public CancellationToken Ended { get; }

        public DealStream? Stream { get; set; }

        public int DroppedBelow { get; set; }

        public void End() => _over.Cancel();

        public void Dispose()
        {
            _over.Cancel();
            _over.Dispose();
        }
    }

    private sealed class Relay(Action<UnsealingProgress> target) : IProgress<UnsealingProgress>
    {
        public void Report(UnsealingProgress value) => target(value);
    }
}
