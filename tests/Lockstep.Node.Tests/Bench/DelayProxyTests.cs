using System.Net;
using System.Net.Sockets;
using Lockstep.Node.Bench;
using Microsoft.Extensions.Time.Testing;

namespace Lockstep.Node.Tests.Bench;

public class DelayProxyTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task BytesArriveWhenHalfARoundTripHasPassedAndNotBefore()
    {
        await using Pair pair = await Pair.OpenAsync(TimeSpan.FromMilliseconds(200));
        await pair.Client.WriteAsync("question"u8.ToArray(), Cancellation);
        await pair.HeldAsync(8);
        pair.Time.Advance(TimeSpan.FromMilliseconds(99));
        Task<byte[]> arriving = ReadAsync(pair.Server, 8);
        await Task.Delay(20, Cancellation);
        Assert.Equal(8, pair.Proxy.BytesInFlight);
        Assert.False(arriving.IsCompleted);
        pair.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("question"u8.ToArray(), await arriving);
    }

    [Fact]
    public async Task BandwidthIsNotLimitedByTheDelay()
    {
        // In one direction at one time: all of it arrives after one delay, were it cut into ever so many pieces.
        await using Pair pair = await Pair.OpenAsync(TimeSpan.FromMilliseconds(100));
        byte[] sent = new byte[32 << 20];
        new Random(1).NextBytes(sent);
        Task writing = pair.Client.WriteAsync(sent, Cancellation).AsTask();
        await pair.HeldAsync(sent.Length);
        pair.Time.Advance(TimeSpan.FromMilliseconds(50));
        byte[] received = await ReadAsync(pair.Server, sent.Length);
        await writing;
        Assert.True(sent.AsSpan().SequenceEqual(received));
    }

    [Fact]
    public async Task BytesInFlightAreBounded()
    {
        const int Bound = 1 << 20, Piece = 64 << 10;
        await using Pair pair = await Pair.OpenAsync(TimeSpan.FromHours(1), maxBytesInFlight: Bound);
        byte[] sent = new byte[64 << 20];
        Task writing = pair.Client.WriteAsync(sent, Cancellation).AsTask();
        Task<byte[]> reading = ReadAsync(pair.Server, sent.Length);
        await pair.HeldAsync(Bound - Piece + 1);
        await Task.Delay(50, Cancellation);
        Assert.InRange(pair.Proxy.BytesInFlight, Bound - Piece + 1, Bound);
        Assert.False(writing.IsCompleted);

        // It goes on as room is made.
        while (!reading.IsCompleted)
        {
            Assert.True(pair.Proxy.BytesInFlight <= Bound);
            pair.Time.Advance(TimeSpan.FromHours(1));
            await Task.Delay(1, Cancellation);
        }

        await writing;
    }

    [Fact]
    public async Task AnEndTravelsAfterWhatWasSentBeforeIt()
    {
        await using Pair pair = await Pair.OpenAsync(TimeSpan.Zero);
        await pair.Client.WriteAsync("last words"u8.ToArray(), Cancellation);
        pair.Client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("last words"u8.ToArray(), await ReadAsync(pair.Server, 10));
        Assert.Equal(0, await pair.Server.ReadAsync(new byte[1], Cancellation));
        await pair.Server.WriteAsync("heard"u8.ToArray(), Cancellation);
        Assert.Equal("heard"u8.ToArray(), await ReadAsync(pair.Client, 5));
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, Cancellation);
        return bytes;
    }

    private sealed class Pair(TcpListener listener, DelayProxy proxy, WatchedTime time, NetworkStream client, NetworkStream server) : IAsyncDisposable
    {
        public DelayProxy Proxy => proxy;

        public WatchedTime Time => time;

        public NetworkStream Client => client;

        public NetworkStream Server => server;

        public static async Task<Pair> OpenAsync(TimeSpan roundTrip, long maxBytesInFlight = 64L << 20)
        {
            var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var time = new WatchedTime();
            DelayProxy proxy = DelayProxy.Start("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, roundTrip, maxBytesInFlight, time);
            var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await client.ConnectAsync(proxy.EndPoint, Cancellation);
            Socket server = await listener.AcceptSocketAsync(Cancellation);
            server.NoDelay = true;
            return new Pair(listener, proxy, time, new NetworkStream(client, ownsSocket: true), new NetworkStream(server, ownsSocket: true));
        }

        /// <summary>Waits until the proxy holds at least this much and waits for the clock.</summary>
        public async Task HeldAsync(long bytes)
        {
            while (proxy.BytesInFlight < bytes || time.Timers == 0)
                await Task.Delay(1, Cancellation);
        }

        public async ValueTask DisposeAsync()
        {
            await client.DisposeAsync();
            await server.DisposeAsync();
            await proxy.DisposeAsync();
            listener.Dispose();
        }
    }

    /// <summary>A clock that stands still until it is moved, and counts who waits for it.</summary>
    private sealed class WatchedTime : FakeTimeProvider
    {
        private int _timers;

        public int Timers => Volatile.Read(ref _timers);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            Interlocked.Increment(ref _timers);
            return timer;
        }
    }
}
