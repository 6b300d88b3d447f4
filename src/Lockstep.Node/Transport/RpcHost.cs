using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Lockstep.Node.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lockstep.Node.Transport;

/// <summary>
/// A gRPC server over HTTP/2 and TLS 1.3 that shows the provider's key and takes a client's. Any client key is let in: which
/// key may do what is decided call by call, by <see cref="ClientKey"/>.
/// </summary>
internal sealed class RpcHost : IAsyncDisposable
{
    private readonly WebApplication _application;

    private RpcHost(WebApplication application, IPEndPoint endPoint) => (_application, EndPoint) = (application, endPoint);

    /// <summary>Where it listens, with the port that was chosen when port 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Starts listening.</summary>
    /// <param name="listen">Where.</param>
    /// <param name="identity">The key to show.</param>
    /// <param name="services">Adds the service and what it needs.</param>
    /// <param name="routes">Maps the service.</param>
    /// <param name="cancellation">Ends the start.</param>
    /// <exception cref="NodeException">The address is taken or not this machine's.</exception>
    public static async Task<RpcHost> StartAsync(
        ListenAddress listen, NodeIdentity identity, Action<IServiceCollection> services, Action<IEndpointRouteBuilder> routes, CancellationToken cancellation)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = TransportLimits.MaxMessageBytes;
            options.MaxSendMessageSize = TransportLimits.MaxMessageBytes;
            options.EnableDetailedErrors = false;
        });
        services(builder.Services);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Configure(kestrel, listen, identity));

        WebApplication application = builder.Build();
        application.UseRouting();
        routes(application);
        try
        {
            await application.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or SocketException)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            string why = fault is AddressInUseException || fault.InnerException is AddressInUseException
                ? "another program listens there; end it or name another port"
                : fault.Message;
            throw new NodeException(NodeFault.CannotListen, $"Could not listen on {listen}: {why}.", fault);
        }

        string url = application.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single();
        return new RpcHost(application, new IPEndPoint(listen.Host, new Uri(url).Port));
    }

    /// <summary>The fingerprint of the TLS key that the caller proved to hold, or null when it showed none.</summary>
    public static KeyFingerprint? ClientKey(HttpContext context) =>
        context.Connection.ClientCertificate is { } certificate ? KeyFingerprint.Of(certificate) : null;

    /// <summary>Refuses new calls and waits for those at work, at most until <paramref name="cancellation"/>.</summary>
    public Task StopAsync(CancellationToken cancellation) => _application.StopAsync(cancellation);

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static void Configure(KestrelServerOptions kestrel, ListenAddress listen, NodeIdentity identity)
    {
        kestrel.AddServerHeader = false;
        KestrelServerLimits limits = kestrel.Limits;
        limits.MaxConcurrentConnections = TransportLimits.MaxConnections;
        limits.Http2.MaxStreamsPerConnection = TransportLimits.MaxStreamsPerConnection;
        limits.Http2.InitialStreamWindowSize = TransportLimits.StreamWindowBytes;
        limits.Http2.InitialConnectionWindowSize = TransportLimits.ConnectionWindowBytes;
        limits.Http2.KeepAlivePingDelay = TransportLimits.PingAfter;
        limits.Http2.KeepAlivePingTimeout = TransportLimits.PingTimeout;

        // A deal may be silent in one direction for as long as a proof takes; pings tell the dead from the quiet.
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        kestrel.Listen(listen.Host, listen.Port, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http2;
            endpoint.UseHttps(https =>
            {
                https.SslProtocols = SslProtocols.Tls13;
                https.ServerCertificate = identity.Certificate;
                https.HandshakeTimeout = TransportLimits.ConnectTimeout;

                // Keys are pinned, not certified: a client proves that it holds a key, and a proposal names that key.
                https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                https.ClientCertificateValidation = static (certificate, _, _) => certificate.PublicKey.Oid.Value == EllipticCurveKey;
            });
        });
    }

    private const string EllipticCurveKey = "1.2.840.10045.2.1";

    /// <summary>Signals are the command's business, not the host's.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
