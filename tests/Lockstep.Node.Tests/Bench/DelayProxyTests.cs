using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Lockstep.Node.Bench;

namespace Lockstep.Node.Tests.Bench;

public class DelayProxyTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnAnswerTakesARoundTripAndNoMore()
    {
        await using Pair pair = await Pair.OpenAsync(TimeSpan.FromMilliseconds(200));
        await Task.Delay(50, Cancellation);
        var clock = Stopwatch.StartNew();
        await pair.Client.WriteAsync("question"u8.ToArray(), Cancellation);
        await ReadAsync(pair.Server, 8);
        double oneWay = clock.Elapsed.TotalMilliseconds;
        await pair.Server.WriteAsync("answer"u8.ToArray(), Cancellation);
        await ReadAsync(pair.Client, 6);
        double roundTrip = clock.Elapsed.TotalMilliseconds;
        Assert.InRange(oneWay, 99, 180);
        Assert.InRange(roundTrip, 199, 340);
    }

    [Fact]
    public async Task BandwidthIsNotLimitedByTheDelay()
    {
        // 32 MiB in one direction: were each piece to wait for the last one to arrive, 512 pieces would take 26 s.
        await using Pair pair = await Pair.OpenAsync(TimeSpan.FromMilliseconds(100));
        byte[] sent = new byte[32 << 20];
        new Random(1).NextBytes(sent);
        var clock = Stopwatch.StartNew();
        Task writing = pair.Client.WriteAsync(sent, Cancellation).AsTask();
        byte[] received = await ReadAsync(pair.Server, sent.Length);
        await writing;
        Assert.True(sent.AsSpan().SequenceEqual(received));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(8), $"took {clock.Elapsed}");
    }

    [Fact]
    public async Task BytesInFlightAreBounded()
    {
        await using Pair pair = await Pair.OpenAsync(TimeSpan.FromHours(1), maxBytesInFlight: 1 << 20);
        var piece = new byte[64 << 10];
        long written = 0;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(2));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (written < 256 << 20)
            {
                await pair.Client.WriteAsync(piece, limit.Token);
                written += piece.Length;
            }
        });

        // The proxy's megabyte, and what the operating system's own buffers hold.
        Assert.InRange(written, 1 << 20, 32 << 20);
    }

    [Fact]
    public async Task AnEndTravelsAfterWhatWasSentBeforeIt()
    {
        await using Pair pair = await Pair.OpenAsync(TimeSpan.FromMilliseconds(100));
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

    private sealed class Pair(TcpListener listener, DelayProxy proxy, NetworkStream client, NetworkStream server) : IAsyncDisposable
    {
        public NetworkStream Client => client;

        public NetworkStream Server => server;

        public static async Task<Pair> OpenAsync(TimeSpan roundTrip, long maxBytesInFlight = 64L << 20)
        {
            var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            DelayProxy proxy = DelayProxy.Start("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, roundTrip, maxBytesInFlight);
            var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await client.ConnectAsync(proxy.EndPoint, Cancellation);
            Socket server = await listener.AcceptSocketAsync(Cancellation);
            server.NoDelay = true;
            return new Pair(listener, proxy, new NetworkStream(client, ownsSocket: true), new NetworkStream(server, ownsSocket: true));
        }

        public async ValueTask DisposeAsync()
        {
            await client.DisposeAsync();
            await server.DisposeAsync();
            await proxy.DisposeAsync();
            listener.Dispose();
        }
    }
}
