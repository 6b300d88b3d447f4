using System.Net;
using Grpc.Core;
using Lockstep.Node.Identity;
using Lockstep.Node.Provider;
using Lockstep.Node.Storage;
using Lockstep.Node.Transport;
using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Provider;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Service = Lockstep.Retrieval.Protocol.Wire.Retrieval;
using Wire = Lockstep.Retrieval.Protocol.Wire;

namespace Lockstep.Node.Tests.Support;

/// <summary>An honest seller behind a relay that passes everything on but keys: it takes vouchers and says nothing.</summary>
internal sealed class SilentSeller : IAsyncDisposable
{
    private readonly Market _market;
    private readonly ProviderNode _seller;
    private readonly NodeIdentity _clientKey;
    private readonly NodeIdentity _identity;
    private readonly RpcHost _relay;
    private readonly Relay _service;

    private SilentSeller(Market market, ProviderNode seller, NodeIdentity clientKey, NodeIdentity identity, RpcHost relay, Relay service) =>
        (_market, _seller, _clientKey, _identity, _relay, _service) = (market, seller, clientKey, identity, relay, service);

    public ProviderAddress Address => new("127.0.0.1", _relay.EndPoint.Port, _identity.Fingerprint);

    public static async Task<SilentSeller> StartAsync(Market market)
    {
        ProviderNode seller = await market.ServeAsync();

        // The relay is the seller's own: it has the seller's key, and for its inner leg the buyer's, as one process would.
        NodeIdentity clientKey = market.BuyerHome.LoadClientIdentity();
        NodeIdentity identity = market.SellerHome.LoadProviderIdentity();
        var service = new Relay(new PeerChannel(seller.Address, clientKey));
        RpcHost relay = await RpcHost.StartAsync(
            new ListenAddress(IPAddress.Loopback, 0), identity, services => services.AddSingleton(service), routes => routes.MapGrpcService<Relay>(), Market.Cancellation);
        return new SilentSeller(market, seller, clientKey, identity, relay, service);
    }

    /// <summary>Waits until vouchers are held, and redeems them.</summary>
    public async Task<RedeemResult> RedeemAsync()
    {
        using var store = ProviderStore.Open(_market.SellerHome.ProviderStorePath, TimeProvider.System);
        var redeemer = new Redeemer(store, _market.SellerRail, _market.SellerKey, new PayeePolicy(90, TokenAmount.Zero), new RedeemPolicy());
        while (true)
        {
            foreach (ChannelId channel in store.Channels())
            {
                RedeemResult result = await redeemer.RedeemAsync(channel, commanded: true, Market.Cancellation);
                if (result.Receipts.Count > 0)
                    return result;
            }

            await Task.Delay(50, Market.Cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        _service.Dispose();
        await _seller.DisposeAsync();
        _clientKey.Dispose();
        _identity.Dispose();
    }

    internal sealed class Relay(PeerChannel inner) : Service.RetrievalBase, IDisposable
    {
        public override async Task<Wire.QueryResponse> Query(Wire.QueryRequest request, ServerCallContext context) =>
            await new Service.RetrievalClient(inner.Calls).QueryAsync(request, cancellationToken: context.CancellationToken);

        public override async Task<Wire.ProposeResponse> Propose(Wire.ProposeRequest request, ServerCallContext context) =>
            await new Service.RetrievalClient(inner.Calls).ProposeAsync(request, cancellationToken: context.CancellationToken);

        public override async Task Exchange(
            IAsyncStreamReader<Wire.ClientFrame> requestStream, IServerStreamWriter<Wire.ProviderFrame> responseStream, ServerCallContext context)
        {
            using AsyncDuplexStreamingCall<Wire.ClientFrame, Wire.ProviderFrame> call =
                new Service.RetrievalClient(inner.Calls).Exchange(cancellationToken: context.CancellationToken);
            Task up = PassAsync(requestStream, call.RequestStream, context.CancellationToken);
            await foreach (Wire.ProviderFrame frame in call.ResponseStream.ReadAllAsync(context.CancellationToken))
            {
                if (frame.KeyReveal is null)
                    await responseStream.WriteAsync(frame, context.CancellationToken);
            }

            await up;
        }

        public void Dispose() => inner.Dispose();

        private static async Task PassAsync(IAsyncStreamReader<Wire.ClientFrame> from, IClientStreamWriter<Wire.ClientFrame> to, CancellationToken cancellation)
        {
            await foreach (Wire.ClientFrame frame in from.ReadAllAsync(cancellation))
                await to.WriteAsync(frame, cancellation);
            await to.CompleteAsync();
        }
    }
}
