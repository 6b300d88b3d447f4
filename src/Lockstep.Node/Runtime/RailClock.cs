using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval;

namespace Lockstep.Node.Runtime;

/// <summary>The time that deals are stepped with: a clock that never goes back, and the newest epoch that the rail has shown.</summary>
internal sealed class RailClock : IAsyncDisposable
{
    private static readonly TimeSpan MaxInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(50);

    private readonly IRail _rail;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _polling;
    private long _epoch;

    private RailClock(IRail rail, TimeProvider time, Epoch first)
    {
        (_rail, _time, _epoch, _start) = (rail, time, first.Value, time.GetTimestamp());
        double half = rail.Description.EpochSeconds / 2;
        Interval = half < MinInterval.TotalSeconds ? MinInterval : half > MaxInterval.TotalSeconds ? MaxInterval : TimeSpan.FromSeconds(half);
        _polling = PollAsync();
    }

    /// <summary>Time between two looks at the rail.</summary>
    public TimeSpan Interval { get; }

    /// <summary>Now.</summary>
    public Moment Now => new(_time.GetElapsedTime(_start), new Epoch(Volatile.Read(ref _epoch)));

    /// <summary>Reads the head once, then keeps reading it.</summary>
    /// <exception cref="RailException">The rail cannot be asked.</exception>
    public static async Task<RailClock> StartAsync(IRail rail, TimeProvider time, CancellationToken cancellation) =>
        new(rail, time, await rail.GetHeadAsync(cancellation).ConfigureAwait(false));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _polling.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task PollAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Interval, _time, _stop.Token).ConfigureAwait(false);
                Epoch head = await _rail.GetHeadAsync(_stop.Token).ConfigureAwait(false);
                Volatile.Write(ref _epoch, Math.Max(_epoch, head.Value));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (RailException)
            {
                // The last head stands; deals learn of the rail's silence from their own questions.
            }
        }
    }
}
