using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Lockstep.Node.Bench;

/// <summary>
/// A TCP proxy that holds every byte back for half a round-trip time in each direction and limits nothing else: a long link
/// with bandwidth to spare, for measurements. Bytes on their way are bounded, so a sender that is far ahead is slowed as a
/// real link would slow it.
/// </summary>
public sealed class DelayProxy : IAsyncDisposable
{
    private const int ReadBytes = 64 << 10;

    private readonly TcpListener _listener;
    private readonly DnsEndPoint _target;
    private readonly TimeSpan _oneWay;
    private readonly long _maxBytesInFlight;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private long _bytesInFlight;

    private DelayProxy(TcpListener listener, DnsEndPoint target, TimeSpan roundTrip, long maxBytesInFlight, TimeProvider time)
    {
        (_listener, _target, _oneWay, _maxBytesInFlight, _time) = (listener, target, roundTrip / 2, maxBytesInFlight, time);
        EndPoint = (IPEndPoint)listener.LocalEndpoint;
        _accepting = AcceptAsync();
    }

    /// <summary>Where the proxy listens, on the loopback interface.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Bytes that it holds now, in both directions of all connections.</summary>
    public long BytesInFlight => Interlocked.Read(ref _bytesInFlight);

    /// <summary>Starts a proxy on a free loopback port.</summary>
    /// <param name="host">Where connections go.</param>
    /// <param name="port">Port of that host.</param>
    /// <param name="roundTrip">Delay of both directions together.</param>
    /// <param name="maxBytesInFlight">Bytes held in one direction of one connection before its sender has to wait.</param>
    /// <param name="time">The clock of the delay; null for the system's.</param>
    public static DelayProxy Start(string host, int port, TimeSpan roundTrip, long maxBytesInFlight = 64L << 20, TimeProvider? time = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(roundTrip, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytesInFlight, ReadBytes);
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new DelayProxy(listener, new DnsEndPoint(host, port), roundTrip, maxBytesInFlight, time ?? TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token).ConfigureAwait(false);
                connections.RemoveAll(connection => connection.IsCompleted);
                connections.Add(RelayAsync(client));
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The proxy was told to stop.
        }

        await Task.WhenAll(connections).ConfigureAwait(false);
    }

    private async Task RelayAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        using (var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token))
        {
            try
            {
                await server.ConnectAsync(_target.Host, _target.Port, over.Token).ConfigureAwait(false);
                client.NoDelay = server.NoDelay = true;

                // Taken first: once its sending side is shut down a client hands out no stream, though it can still be read.
                (NetworkStream near, NetworkStream far) = (client.GetStream(), server.GetStream());
                Task up = PumpAsync(near, far, over);
                Task down = PumpAsync(far, near, over);
                await Task.WhenAll(up, down).ConfigureAwait(false);
            }
            catch (Exception fault) when (IsConnectionEnd(fault))
            {
                // Either end went away: both ends of the relay are closed, as a broken link would.
            }
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to, CancellationTokenSource over)
    {
        try
        {
            // In pieces, so that the bound in bytes holds however small the reads are.
            using var room = new ByteBudget(_maxBytesInFlight);
            var queue = Channel.CreateUnbounded<(byte[] Bytes, long Due)>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
            Task reading = ReadAsync(from, queue.Writer, room, over);
            Task writing = WriteAsync(to, queue.Reader, room, over);
            await Task.WhenAll(reading, writing).ConfigureAwait(false);
        }
        catch
        {
            await over.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task ReadAsync(NetworkStream from, ChannelWriter<(byte[], long)> queue, ByteBudget room, CancellationTokenSource over)
    {
        var buffer = new byte[ReadBytes];
        long delay = (long)(_oneWay.TotalSeconds * _time.TimestampFrequency);
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer, over.Token).ConfigureAwait(false)) > 0)
            {
                long due = _time.GetTimestamp() + delay;
                await room.TakeAsync(read, over.Token).ConfigureAwait(false);
                Interlocked.Add(ref _bytesInFlight, read);
                queue.TryWrite((buffer.AsSpan(0, read).ToArray(), due));
            }

            queue.Complete();
        }
        catch (Exception fault) when (IsConnectionEnd(fault))
        {
            // A reset travels as an end does: after what was sent before it.
            queue.Complete(fault);
        }
    }

    private async Task WriteAsync(NetworkStream to, ChannelReader<(byte[] Bytes, long Due)> queue, ByteBudget room, CancellationTokenSource over)
    {
        await foreach ((byte[] bytes, long due) in queue.ReadAllAsync(over.Token).ConfigureAwait(false))
        {
            // A timer may come a little early.
            for (long wait; (wait = due - _time.GetTimestamp()) > 0;)
                await Task.Delay(TimeSpan.FromTicks((long)Math.Ceiling((double)wait / _time.TimestampFrequency * TimeSpan.TicksPerSecond)), _time, over.Token).ConfigureAwait(false);
            await to.WriteAsync(bytes, over.Token).ConfigureAwait(false);
            room.Return(bytes.Length);
            Interlocked.Add(ref _bytesInFlight, -bytes.Length);
        }

        to.Socket.Shutdown(SocketShutdown.Send);
    }

    private static bool IsConnectionEnd(Exception fault) =>
        fault is IOException or SocketException or OperationCanceledException or ObjectDisposedException;

    /// <summary>Counts bytes in flight; one taker at a time.</summary>
    private sealed class ByteBudget(long total) : IDisposable
    {
        private readonly SemaphoreSlim _returned = new(0);
        private long _left = total;

        public async Task TakeAsync(int bytes, CancellationToken cancellation)
        {
            while (Interlocked.Read(ref _left) < bytes)
                await _returned.WaitAsync(cancellation).ConfigureAwait(false);
            Interlocked.Add(ref _left, -bytes);
        }

        public void Return(int bytes)
        {
            Interlocked.Add(ref _left, bytes);
            _returned.Release();
        }

        public void Dispose() => _returned.Dispose();
    }
}
