using System.Threading.Channels;
using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;
using Lockstep.Node.Storage;
using Lockstep.Payments;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Node.Provider;

/// <summary>Which windows are sealed ahead of demand.</summary>
/// <param name="Windows">How many in all; 0 for none.</param>
/// <param name="Contents">Only of these; of whatever sells when empty.</param>
public sealed record KeepAhead(int Windows, IReadOnlyList<Cid> Contents)
{
    public static KeepAhead None { get; } = new(0, []);

    /// <summary>The suite for content that was not sold yet; null for the provider's first. What was sold is sealed as it was sold last.</summary>
    public string? SuiteId { get; init; }

    /// <summary>The lock hash for content that was not sold yet; null for the provider's first.</summary>
    public LockHashKind? LockHash { get; init; }
}

/// <summary>How far sealing ahead has come.</summary>
/// <param name="Ready">Windows in store of those wanted.</param>
/// <param name="Wanted">Windows wanted: fewer than asked for when there is no more content.</param>
/// <param name="Sentence">Why one could not be sealed; null when all went well.</param>
public sealed record ReadyNotice(int Ready, int Wanted, string? Sentence);

/// <summary>
/// Keeps windows of hot content sealed while the prover has nothing else to do, so that a buyer of it need not wait. What
/// sold last is hottest, then what was added last; the first windows of every content come before the second ones. Each
/// window is sold once (I3): a deal takes it out of the store before anything of it is offered.
/// </summary>
internal sealed class ReadyKeeper : IAsyncDisposable
{
    // New content and news of other processes are noticed this often.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    // A sale of windows in store is as fast as the processors: they are not filled up again before none was taken for this long,
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    // nor later than this, so that steady demand cannot end the filling up.
    private static readonly TimeSpan MostQuiet = TimeSpan.FromSeconds(20);

    private readonly KeepAhead _aim;
    private readonly ProviderStore _store;
    private readonly Catalog _catalog;
    private readonly RootIndex _roots;
    private readonly WindowSource _source;
    private readonly ProvingScheduler<DealId> _prover;
    private readonly TimeProvider _time;
    private readonly Action<ReadyNotice>? _notices;
    private readonly Action? _proverReady;
    private readonly Channel<bool> _poke = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private long _taken = long.MinValue;

    public ReadyKeeper(
        KeepAhead aim, ProviderStore store, Catalog catalog, RootIndex roots, WindowSource source, ProvingScheduler<DealId> prover, TimeProvider time,
        Action<ReadyNotice>? notices, Action? proverReady)
    {
        (_aim, _store, _catalog, _roots, _source, _prover, _time) = (aim, store, catalog, roots, source, prover, time);
        (_notices, _proverReady) = (notices, proverReady);
        Completion = Task.Run(KeepAsync);
    }

    /// <summary>Ends when the keeper is disposed; faults when the store cannot be used any more.</summary>
    public Task Completion { get; }

    /// <summary>A window was taken: its sale goes before filling up.</summary>
    public void Taken()
    {
        Volatile.Write(ref _taken, _time.GetTimestamp());
        _prover.GiveWay();
        _poke.Writer.TryWrite(true);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task KeepAsync()
    {
        await PrepareAsync().ConfigureAwait(false);
        _proverReady?.Invoke();

        // What an earlier run sealed stays for sale, whatever this one is to seal.
        if (_aim.Windows == 0)
            await Task.Delay(Timeout.InfiniteTimeSpan, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        while (!_stop.IsCancellationRequested)
        {
            string? fault = await FillAsync().ConfigureAwait(false);
            if (fault is not null)
                Report(fault);
            using var wait = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            await Task.WhenAny(_poke.Reader.ReadAsync(wait.Token).AsTask(), Task.Delay(Interval, _time, wait.Token)).ConfigureAwait(false);
            await wait.CancelAsync().ConfigureAwait(false);
        }
    }

    // The first buyer need not wait for a prover that has to get going.
    private async Task PrepareAsync()
    {
        (WindowWish Wish, IReadOnlyList<int> Lengths) first = Contents().SelectMany(content => WindowsOf(content.Root, content.Sold).Take(1)).FirstOrDefault();
        if (first.Wish is not { } wish)
            return;
        Task<bool> prepared = _prover.RunWhenIdleAsync(
            token =>
            {
                _source.Prepare(wish.SuiteId, first.Lengths, token);
                return true;
            },
            _stop.Token);
        await ((Task)prepared).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // Seals what is missing, one by one, each time for what is wanted by then. Returns a sentence when something was in the way.
    private async Task<string?> FillAsync()
    {
        string? fault = null;
        var failed = new HashSet<Bytes32>();
        DropSurplus();
        Report(null);
        while (!_stop.IsCancellationRequested && Missing(failed) is { } wish)
        {
            await WaitForQuietAsync().ConfigureAwait(false);
            Bytes32 mark = _source.FingerprintOf(wish);
            try
            {
                Outcome<SealedWindow> made = await _prover.RunWhenIdleAsync(token => _source.Make(wish, token), _stop.Token).ConfigureAwait(false);
                if (made.Try(out SealedWindow? window, out ContentError? error))
                {
                    Put(mark, window);
                    Report(null);
                    continue;
                }

                fault = error.Message;
            }
            catch (OperationCanceledException)
            {
                // A buyer came first, or the end. The keys made so far are gone.
                continue;
            }
            catch (NodeException failure)
            {
                // No room on the disk, say: every further window would be proven for nothing.
                return failure.Message;
            }
            catch (Exception failure)
            {
                fault = failure.Message;
            }

            // Whatever is wrong with this one, the others are sealed all the same; the next round tries it again.
            failed.Add(mark);
        }

        return fault;
    }

    private async Task WaitForQuietAsync()
    {
        long began = _time.GetTimestamp();
        while (!_stop.IsCancellationRequested && Volatile.Read(ref _taken) is > long.MinValue and var taken)
        {
            TimeSpan rest = Quiet - _time.GetElapsedTime(taken), most = MostQuiet - _time.GetElapsedTime(began);
            TimeSpan wait = rest < most ? rest : most;
            if (wait <= TimeSpan.Zero)
                return;
            await Task.Delay(wait, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Put(Bytes32 mark, SealedWindow window)
    {
        try
        {
            _store.PutReady(mark, window);
        }
        catch
        {
            _store.DropBytes(window);
            throw;
        }
    }

    private void Report(string? sentence)
    {
        if (_notices is null)
            return;
        IReadOnlyDictionary<Bytes32, int> wanted = Wanted(), held = _store.CountReady();
        _notices(new ReadyNotice(wanted.Sum(pair => Math.Min(pair.Value, held.GetValueOrDefault(pair.Key))), wanted.Values.Sum(), sentence));
    }

    // The first wish of which fewer windows are in store than are wanted, but for those that failed.
    private WindowWish? Missing(HashSet<Bytes32> failed)
    {
        var left = new Dictionary<Bytes32, int>(_store.CountReady());
        foreach (WindowWish wish in Wishes())
        {
            Bytes32 mark = _source.FingerprintOf(wish);
            if (failed.Contains(mark))
                continue;
            if (left.GetValueOrDefault(mark) == 0)
                return wish;
            left[mark]--;
        }

        return null;
    }

    // What was kept for content that is not hot any more makes room once room is needed.
    private void DropSurplus()
    {
        IReadOnlyDictionary<Bytes32, int> wanted = Wanted(), held = _store.CountReady();
        if (held.Values.Sum() + wanted.Sum(pair => Math.Max(0, pair.Value - held.GetValueOrDefault(pair.Key))) <= _aim.Windows)
            return;
        _store.DropReady(held.Where(pair => pair.Value > wanted.GetValueOrDefault(pair.Key)).ToDictionary(pair => pair.Key, pair => wanted.GetValueOrDefault(pair.Key)));
    }

    private Dictionary<Bytes32, int> Wanted() => Wishes().GroupBy(_source.FingerprintOf).ToDictionary(group => group.Key, group => group.Count());

    // The first window of each content, hottest first, then the second of each, and so on.
    private List<WindowWish> Wishes()
    {
        var wishes = new List<WindowWish>();
        List<IEnumerator<WindowWish>> contents = [.. Contents().Select(content => WindowsOf(content.Root, content.Sold).Select(window => window.Wish).GetEnumerator())];
        while (contents.Count > 0 && wishes.Count < _aim.Windows)
        {
            contents.RemoveAll(windows => !windows.MoveNext());
            wishes.AddRange(contents.Take(_aim.Windows - wishes.Count).Select(windows => windows.Current));
        }

        return wishes;
    }

    private IEnumerable<(Cid Root, DealTerms? Sold)> Contents()
    {
        IReadOnlyList<DealProposal> sold = _store.LastSold();
        Dictionary<Cid, DealTerms> terms = sold.ToDictionary(deal => deal.PayloadCid, deal => deal.Terms);
        IEnumerable<Cid> roots = _aim.Contents.Count > 0
            ? _aim.Contents
            : sold.Select(deal => deal.PayloadCid).Concat(
                _roots.List().Select(record => record.Try(out RootRecord? known, out _) ? known : null).OfType<RootRecord>()
                    .OrderByDescending(record => record.AddedAt).Select(record => record.Root)).Distinct();
        return roots.Select(root => (root, terms.GetValueOrDefault(root)));
    }

    // As it was sold last, since the next buyer may well ask for the same; else as a buyer asks by default.
    private IEnumerable<(WindowWish Wish, IReadOnlyList<int> Lengths)> WindowsOf(Cid root, DealTerms? sold)
    {
        if (_catalog.ManifestOf(root) is not (RootRecord { IsCold: false }, DagManifest manifest))
            yield break;
        ProviderAsk ask = _catalog.AskFor(root);
        string suite = sold?.SuiteId ?? _aim.SuiteId ?? ask.Suites[0];
        LockHashKind lockHash = sold?.LockHash ?? _aim.LockHash ?? ask.LockHashes[0];
        if (!ask.Suites.Contains(suite) || !ask.LockHashes.Contains(lockHash))
            yield break;
        int perWindow = Math.Clamp(sold?.ChunksPerWindow ?? ask.MaxChunksPerWindow, 1, ask.MaxChunksPerWindow);
        foreach (SizedCid[] window in manifest.Chunks.Chunk(perWindow))
            yield return (new WindowWish(suite, lockHash, [.. window.Select(chunk => chunk.Cid)]), [.. window.Select(chunk => (int)chunk.Length)]);
    }
}
