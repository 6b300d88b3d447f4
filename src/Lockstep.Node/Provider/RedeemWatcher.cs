using Lockstep.Node.Storage;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Provider;

/// <summary>
/// Looks at every channel of the store again and again and redeems before a lock expires or a settling period ends, for
/// deals that are over and clients that are gone as well (docs/protocol.md section 3, Watching the chain). Now and then it deletes the keys
/// that are done with.
/// </summary>
internal sealed class RedeemWatcher : IAsyncDisposable
{
    // Channels that are looked at at one time.
    private const int MostAtOnce = 8;

    private static readonly TimeSpan PruneInterval = TimeSpan.FromMinutes(1);

    private readonly ProviderStore _store;
    private readonly Redeemer _redeemer;
    private readonly KeyPruner _pruner;
    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private readonly Action<RedeemResult> _redeemed;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _turns = new(MostAtOnce);

    /// <summary>Starts watching.</summary>
    /// <param name="store">Names the channels.</param>
    /// <param name="redeemer">Looks at one channel.</param>
    /// <param name="pruner">Deletes keys; asked at the start, after redemptions, and once a minute.</param>
    /// <param name="time">The clock to wait by.</param>
    /// <param name="interval">Time between two rounds.</param>
    /// <param name="redeemed">Told of every channel on which something was redeemed.</param>
    public RedeemWatcher(ProviderStore store, Redeemer redeemer, KeyPruner pruner, TimeProvider time, TimeSpan interval, Action<RedeemResult> redeemed)
    {
        (_store, _redeemer, _pruner, _time, _interval, _redeemed) = (store, redeemer, pruner, time, interval, redeemed);
        Completion = Task.Run(WatchAsync);
    }

    /// <summary>Ends when the watcher is disposed; faults when the store cannot be read any more.</summary>
    public Task Completion { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        _turns.Dispose();
    }

    private async Task WatchAsync()
    {
        long? pruned = null;
        while (true)
        {
            await AskAsync(async () =>
            {
                await _redeemer.TendAsync(_stop.Token).ConfigureAwait(false);
                return true;
            }).ConfigureAwait(false);
            // Beside each other: on a chain one redemption takes minutes, and the next one may be as urgent.
            bool[] redeemed = await Task.WhenAll(_store.Channels().Select(channel => TakeTurnAsync(() => AskAsync(() => LookAsync(channel))))).ConfigureAwait(false);
            if (redeemed.Contains(true) || pruned is not { } last || _time.GetElapsedTime(last) >= PruneInterval)
            {
                await AskAsync(async () => await _pruner.PruneAsync(_stop.Token).ConfigureAwait(false) > 0).ConfigureAwait(false);
                pruned = _time.GetTimestamp();
            }

            await Task.Delay(_interval, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested)
                return;
        }
    }

    private async Task<bool> TakeTurnAsync(Func<Task<bool>> look)
    {
        await _turns.WaitAsync().ConfigureAwait(false);
        try
        {
            return await look().ConfigureAwait(false);
        }
        finally
        {
            _turns.Release();
        }
    }

    private async Task<bool> LookAsync(ChannelId channel)
    {
        RedeemResult result = await _redeemer.RedeemAsync(channel, commanded: false, _stop.Token).ConfigureAwait(false);
        if (result.Receipts.Count > 0)
            _redeemed(result);
        return result.Receipts.Count > 0;
    }

    private async Task<bool> AskAsync(Func<Task<bool>> question)
    {
        try
        {
            return await question().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Told to stop; what was begun is found by the next start.
            return false;
        }
        catch (RailException)
        {
            // The next round asks again.
            return false;
        }
    }
}
