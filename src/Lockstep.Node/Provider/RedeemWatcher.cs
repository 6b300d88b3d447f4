using Lockstep.Node.Storage;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Provider;

/// <summary>
/// Looks at every channel of the store again and again and redeems before a lock expires or a settling period ends, for
/// deals that are over and clients that are gone as well (docs/protocol.md section 3, Watching the chain).
/// </summary>
internal sealed class RedeemWatcher : IAsyncDisposable
{
    private readonly ProviderStore _store;
    private readonly Redeemer _redeemer;
    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private readonly Action<RedeemResult> _redeemed;
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Starts watching.</summary>
    /// <param name="store">Names the channels.</param>
    /// <param name="redeemer">Looks at one channel.</param>
    /// <param name="time">The clock to wait by.</param>
    /// <param name="interval">Time between two rounds.</param>
    /// <param name="redeemed">Told of every channel on which something was redeemed.</param>
    public RedeemWatcher(ProviderStore store, Redeemer redeemer, TimeProvider time, TimeSpan interval, Action<RedeemResult> redeemed)
    {
        (_store, _redeemer, _time, _interval, _redeemed) = (store, redeemer, time, interval, redeemed);
        Completion = Task.Run(WatchAsync);
    }

    /// <summary>Ends when the watcher is disposed; faults when the store cannot be read any more.</summary>
    public Task Completion { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        while (true)
        {
            foreach (ChannelId channel in _store.Channels())
                await LookAsync(channel).ConfigureAwait(false);
            await Task.Delay(_interval, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested)
                return;
        }
    }

    private async Task LookAsync(ChannelId channel)
    {
        try
        {
            RedeemResult result = await _redeemer.RedeemAsync(channel, commanded: false, _stop.Token).ConfigureAwait(false);
            if (result.Receipts.Count > 0)
                _redeemed(result);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Told to stop; what was begun is found by the next start.
        }
        catch (RailException)
        {
            // The next round asks again.
        }
    }
}
