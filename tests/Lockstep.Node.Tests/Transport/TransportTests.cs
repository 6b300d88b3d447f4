using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Lockstep.Node.Identity;
using Lockstep.Node.Tests.Support;
using Lockstep.Node.Transport;
using Microsoft.AspNetCore.Builder;

namespace Lockstep.Node.Tests.Transport;

public sealed class TransportTests : IAsyncLifetime
{
    private readonly NodeIdentity _provider = NodeIdentity.Generate();
    private readonly NodeIdentity _client = NodeIdentity.Generate();
    private RpcHost _host = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ProviderAddress Address => new("127.0.0.1", _host.EndPoint.Port, _provider.Fingerprint);

    public async ValueTask InitializeAsync() => _host = await StartAsync(new ListenAddress(IPAddress.Loopback, 0), _provider);

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _provider.Dispose();
        _client.Dispose();
    }

    [Fact]
    public async Task BothSidesProveTheirKeys()
    {
        using var channel = new PeerChannel(Address, _client);
        byte[] seen = await CallAsync(channel, EchoService.WhoMethod, []);
        Assert.Equal(_client.Fingerprint.Bytes.ToArray(), seen);
    }

    [Fact]
    public async Task AnotherKeyThanTheAddressNamesIsRefusedBeforeAnythingIsSent()
    {
        using var other = NodeIdentity.Generate();
        using var channel = new PeerChannel(Address with { Provider = other.Fingerprint }, _client);
        RpcException fault = await Assert.ThrowsAsync<RpcException>(() => CallAsync(channel, EchoService.WhoMethod, []));
        NodeException sentence = channel.Explain(fault);
        Assert.Equal(NodeFault.PeerIdentity, sentence.Fault);
        Assert.Contains(_provider.Fingerprint.ToString(), sentence.Message, StringComparison.Ordinal);
        Assert.False(channel.IsTransient(fault));
    }

    [Fact]
    public async Task NobodyAnsweringIsSaidInOneSentence()
    {
        ProviderAddress address = Address;
        await _host.StopAsync(Cancellation);
        using var channel = new PeerChannel(address, _client);
        RpcException fault = await Assert.ThrowsAsync<RpcException>(() => CallAsync(channel, EchoService.WhoMethod, []));
        NodeException sentence = channel.Explain(fault);
        Assert.Equal(NodeFault.PeerUnreachable, sentence.Fault);
        Assert.True(channel.IsTransient(fault));
    }

    [Fact]
    public async Task MessagesAboveTheLimitAreRefusedOnBothSides()
    {
        using var channel = new PeerChannel(Address, _client);
        byte[] largest = new byte[TransportLimits.MaxMessageBytes];
        Assert.Equal(largest.Length, (await CallAsync(channel, EchoService.EchoMethod, largest)).Length);
        RpcException fault = await Assert.ThrowsAsync<RpcException>(() => CallAsync(channel, EchoService.EchoMethod, new byte[largest.Length + 1]));
        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);

        // A sender that does not hold itself to the limit is cut off by the receiver.
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = IsProvider } };
        using var http = new HttpClient(handler) { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        byte[] header = [0, 0x7f, 0xff, 0xff, 0xff];
        using var body = new ByteArrayContent([.. header, .. new byte[1000]]);
        body.Headers.ContentType = new("application/grpc");
        using HttpResponseMessage answer = await http.PostAsync(new Uri(Address.ToHttps(), "lockstep.test.Echo/Echo"), body, Cancellation);
        string status = answer.Headers.Concat(answer.TrailingHeaders).First(h => h.Key == "grpc-status").Value.Single();
        Assert.Equal("8", status);
    }

    [Fact]
    public async Task TheTransportIsTls13AndHttp2Only()
    {
        using (var old = new TcpClient())
        {
            await old.ConnectAsync(_host.EndPoint, Cancellation);
            await using var tls = new SslStream(old.GetStream(), false, IsProvider);
            var options = new SslClientAuthenticationOptions { TargetHost = "x", EnabledSslProtocols = SslProtocols.Tls12 };
            await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsClientAsync(options, Cancellation));
        }

        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = IsProvider } };
        using var http = new HttpClient(handler);
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(Address.ToHttps(), Cancellation));
        using var plain = new HttpClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => plain.GetAsync(new UriBuilder(Address.ToHttps()) { Scheme = "http" }.Uri, Cancellation));
    }

    [Fact]
    public async Task ATakenPortIsSaidInOneSentence()
    {
        NodeException fault = await Assert.ThrowsAsync<NodeException>(() => StartAsync(new ListenAddress(IPAddress.Loopback, _host.EndPoint.Port), _provider));
        Assert.Equal(NodeFault.CannotListen, fault.Fault);
        Assert.Contains("another program listens there", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1:0", true)]
    [InlineData("localhost:4410", true)]
    [InlineData("[::1]:1", true)]
    [InlineData("0.0.0.0:65535", true)]
    [InlineData("::1:1", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.0.0.1:65536", false)]
    [InlineData("127.0.0.1:+1", false)]
    [InlineData("example.org:1", false)]
    [InlineData(":1", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void PlacesToListenAreReadStrictly(string? text, bool good)
    {
        Assert.Equal(good, ListenAddress.TryParse(text, out _, out string? error));
        Assert.Equal(good, error is null);
    }

    private bool IsProvider(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        certificate is X509Certificate2 shown && KeyFingerprint.Of(shown).Equals(_provider.Fingerprint);

    private static Task<RpcHost> StartAsync(ListenAddress listen, NodeIdentity identity) =>
        RpcHost.StartAsync(listen, identity, _ => { }, routes => routes.MapGrpcService<EchoService>(), Cancellation);

    private static async Task<byte[]> CallAsync(PeerChannel channel, Method<byte[], byte[]> method, byte[] request) =>
        await channel.Calls.AsyncUnaryCall(method, null, new CallOptions(deadline: DateTime.UtcNow.AddSeconds(20), cancellationToken: Cancellation), request);
}
