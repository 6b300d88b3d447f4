using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Lockstep.Node.Identity;
using Lockstep.Node.Runtime;

namespace Lockstep.Node.Transport;

/// <summary>
/// A connection to a provider: gRPC over HTTP/2 and TLS 1.3. The key that answers must be the one in the address; anything
/// else ends the handshake before a byte of ours is sent.
/// </summary>
internal sealed class PeerChannel : IDisposable
{
    private readonly GrpcChannel _channel;
    private volatile string? _stranger;

    /// <summary>Makes a channel; nothing is sent before the first call.</summary>
    /// <param name="address">Where the provider is, and its key.</param>
    /// <param name="identity">The TLS key that this client shows.</param>
    /// <param name="through">A place to connect to instead of the address's own, for a proxy; the key is checked all the same.</param>
    public PeerChannel(ProviderAddress address, NodeIdentity identity, EndPoint? through = null)
    {
        Address = address;
        Provider = new PinnedProvider(address.Provider);
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            EnableMultipleHttp2Connections = false,
            ConnectTimeout = TransportLimits.ConnectTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingDelay = TransportLimits.PingAfter,
            KeepAlivePingTimeout = TransportLimits.PingTimeout,
            InitialHttp2StreamWindowSize = TransportLimits.StreamWindowBytes,
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificates = [identity.Certificate],
                LocalCertificateSelectionCallback = (_, _, _, _, _) => identity.Certificate,
                RemoteCertificateValidationCallback = IsProvider,
            },
        };
        if (through is not null)
            handler.ConnectCallback = (_, cancellation) => ConnectAsync(through, cancellation);
        _channel = GrpcChannel.ForAddress(address.ToHttps(), new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = TransportLimits.MaxMessageBytes,
            MaxSendMessageSize = TransportLimits.MaxMessageBytes,
            ThrowOperationCanceledOnCancellation = true,
            MaxReconnectBackoff = TimeSpan.FromSeconds(5),
        });
    }

    public ProviderAddress Address { get; }

    /// <summary>Checks what the provider signed; knows its key from the first handshake on.</summary>
    public PinnedProvider Provider { get; }

    /// <summary>For stubs.</summary>
    public CallInvoker Calls => _channel.CreateCallInvoker();

    /// <summary>Puts a failed call into words.</summary>
    public NodeException Explain(RpcException fault)
    {
        if (_stranger is { } stranger)
        {
            return new NodeException(
                NodeFault.PeerIdentity,
                string.Create(CultureInfo.InvariantCulture, $"Whoever answers at {Address.Host}:{Address.Port} holds the key {stranger}, not the {Address.Provider} of the address; do not trust it, and ask the provider for its address again."),
                fault);
        }

        string place = string.Create(CultureInfo.InvariantCulture, $"{Address.Host}:{Address.Port}");
        return fault.StatusCode switch
        {
            StatusCode.Unavailable or StatusCode.Internal when fault.Status.DebugException is HttpRequestException =>
                new(NodeFault.PeerUnreachable, $"No provider answers at {place}; check that it serves and that the address is right.", fault),
            StatusCode.Unavailable => new(NodeFault.PeerUnreachable, $"The connection to {place} was lost.", fault),
            StatusCode.DeadlineExceeded => new(NodeFault.PeerUnreachable, $"The provider at {place} did not answer in time; try again later.", fault),
            StatusCode.ResourceExhausted => new(NodeFault.PeerRefused, $"The provider at {place} is busy or a message was too large: {fault.Status.Detail}", fault),
            StatusCode.NotFound or StatusCode.PermissionDenied or StatusCode.Unauthenticated =>
                new(NodeFault.NotFound, $"The provider at {place} knows no such deal of this client.", fault),
            _ => new(NodeFault.PeerRefused, $"The provider at {place} refused: {fault.Status.Detail}", fault),
        };
    }

    /// <summary>True when trying again later can help: the connection failed, not the peer's identity or will.</summary>
    public bool IsTransient(RpcException fault) =>
        _stranger is null && fault.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Internal or StatusCode.Cancelled;

    public void Dispose() => _channel.Dispose();

    private bool IsProvider(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        // Names, dates and chains say nothing here; the key says everything.
        KeyFingerprint? shown = certificate is X509Certificate2 known ? KeyFingerprint.Of(known) : null;
        bool isProvider = Address.Provider.Equals(shown);
        if (isProvider)
            Provider.Learn(((X509Certificate2)certificate!).PublicKey.ExportSubjectPublicKeyInfo());
        _stranger = isProvider ? null : shown?.ToString() ?? "(none)";
        return isProvider;
    }

    private static async ValueTask<Stream> ConnectAsync(EndPoint through, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(through, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
