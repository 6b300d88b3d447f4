using Grpc.Core;
using Lockstep.Content.Cids;
using Lockstep.Node.Client;
using Lockstep.Node.Hosting;
using Lockstep.Node.Identity;
using Lockstep.Node.Provider;
using Lockstep.Node.Storage;
using Lockstep.Node.Tests.Support;
using Lockstep.Node.Transport;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Service = Lockstep.Retrieval.Protocol.Wire.Retrieval;
using Wire = Lockstep.Retrieval.Protocol.Wire;

namespace Lockstep.Node.Tests.EndToEnd;

/// <summary>What each side can do to the other, over the real transport and ledger.</summary>
public class FairnessTests
{
    private const int Size = 200_000;

    public static TheoryData<string> Rails => [.. RailNames.All];

    [Theory]
    [MemberData(nameof(Rails))]
    public async Task AKeyThatIsOnlyShownToTheLedgerIsTakenFromThere(string rail)
    {
        // The seller's host answers nothing once it holds the first voucher; then it redeems, which shows the key to the ledger.
        await using Market market = await Market.OnAsync(rail, settleDelay: 10_000, policy: QuickBuyer);
        (Cid root, _) = market.Add(50_000);
        await using var silent = await SilentSeller.StartAsync(market);
        Task<RetrievalResult> buying = market.GetAsync(silent.Address, root);
        RedeemResult redeemed = await silent.RedeemAsync();
        Assert.NotEmpty(redeemed.Receipts);
        RetrievalResult result = await buying;
        Assert.Equal(DealStatus.Completed, result.Deal!.Status);
        Assert.Contains(DealStatus.WaitingKeyOnChain, result.History.Select(entry => entry.Status));
        Assert.Equal(new TokenAmount(Market.PricePerByte * 50_000), result.Deal.Paid);
    }

    [Theory]
    [MemberData(nameof(Rails))]
    public async Task AClientThatVanishesAfterAKeyIsRedeemedBeforeItsLockExpires(string rail)
    {
        await using Market market = await Market.OnAsync(rail, settleDelay: 10_000, ShortLocks);
        (Cid root, _) = market.Add(Size);
        await using ProviderNode seller = await market.ServeAsync();
        DealId deal = await BuyOneChunkAndVanishAsync(market, seller.Address, root);
        TokenAmount owed = SellerRow(market, deal).Earned;
        Assert.True(owed > TokenAmount.Zero);
        await market.PassAsync(await market.SellerRail.GetHeadAsync(Market.Cancellation) + (ShortLocks.MinLockExpiryEpochs - ShortLocks.RedeemMarginEpochs));
        ChannelSnapshot channel = await UntilAsync(market, snapshot => snapshot.ToSend == owed);
        Assert.False(channel.IsSettling);
    }

    [Theory]
    [MemberData(nameof(Rails))]
    public async Task AClientThatSettlesAfterAKeyPaysAllTheSame(string rail)
    {
        await using Market market = await Market.OnAsync(rail, settleDelay: 30);
        (Cid root, _) = market.Add(Size);
        await using ProviderNode seller = await market.ServeAsync();
        DealId deal = await BuyOneChunkAndVanishAsync(market, seller.Address, root);
        await SettleAndCollectAsync(market, SellerRow(market, deal).Earned);
    }

    // Its money arrives although it was away for most of the settling period.
    [Theory]
    [MemberData(nameof(Rails))]
    public async Task AProviderThatComesBackLateStillRedeemsInTime(string rail)
    {
        await using Market market = await Market.OnAsync(rail, settleDelay: 60);
        (Cid root, _) = market.Add(Size);
        DealId deal;
        await using (ProviderNode seller = await market.ServeAsync())
            deal = await BuyOneChunkAndVanishAsync(market, seller.Address, root);
        TokenAmount owed = SellerRow(market, deal).Earned;
        Assert.True(owed > TokenAmount.Zero);
        ChannelSnapshot channel = (await market.BuyerRail.FindChannelsAsync(market.Buyer, Market.Cancellation)).Single();
        Assert.True((await market.BuyerRail.SettleAsync(market.BuyerKey, channel.Id, Market.Cancellation)).Succeeded);
        Epoch end = (await market.BuyerRail.GetChannelAsync(channel.Id, Market.Cancellation))!.SettlingAt!.Value;
        await market.PassAsync(end - 15);
        Assert.Equal(TokenAmount.Zero, (await market.BuyerRail.GetChannelAsync(channel.Id, Market.Cancellation))!.ToSend);
        await using ProviderNode back = await market.ServeAsync();
        await SettleAndCollectAsync(market, owed);
    }

    // The buyer settles, the seller's money arrives, and the rest comes back to its owner, whatever the other side does (I7).
    private static async Task SettleAndCollectAsync(Market market, TokenAmount owed)
    {
        ChannelSnapshot channel = (await market.BuyerRail.FindChannelsAsync(market.Buyer, Market.Cancellation)).Single();
        Assert.True((await market.BuyerRail.SettleAsync(market.BuyerKey, channel.Id, Market.Cancellation)).Succeeded);
        channel = await UntilAsync(market, snapshot => snapshot.ToSend == owed);
        Assert.True(channel.IsSettling);
        TokenAmount before = await market.HeldAsync(market.Buyer);
        await market.PassAsync(channel.SettlingAt!.Value);
        Assert.True((await market.BuyerRail.CollectAsync(market.BuyerKey, channel.Id, Market.Cancellation)).Succeeded);
        Assert.Equal(before + channel.Balance - owed, await market.HeldAsync(market.Buyer));
        Assert.Equal(owed, await market.HeldAsync(market.Seller));
    }

    [Fact]
    public async Task AJunkChunkIsNeverPaidFor()
    {
        await using var market = new Market(new StandInProofs { Spoil = ciphertext => ciphertext[0] ^= 1 });
        (Cid root, _) = market.Add(Size);
        await using ProviderNode seller = await market.ServeAsync();
        NodeException fault = await Assert.ThrowsAsync<NodeException>(() => market.GetAsync(seller.Address, root));
        Assert.Equal(NodeFault.PeerMisbehaved, fault.Fault);
        using var store = ClientStore.Open(market.BuyerHome.ClientStorePath, null, TimeProvider.System);
        StoredDeal<ClientDealRow> deal = store.ListDeals().Single();
        Assert.Equal(DealStatus.Errored, deal.Row.Status);
        Assert.True(deal.Row.Paid.IsZero);
        Assert.Equal(0, (await market.RedeemAllAsync()).Redemptions);
        Assert.Empty(VouchersOf(market));
    }

    [Fact]
    public async Task AStrangerWithADealsIdGetsNothing()
    {
        await using var market = new Market();
        (Cid root, _) = market.Add(Size);
        await using ProviderNode seller = await market.ServeAsync();
        RetrievalResult bought = await market.GetAsync(seller.Address, root);
        using var stranger = NodeIdentity.Generate();
        Wire.ProviderFrame[] known = await AttachAsync(seller.Address, stranger, bought.Deal!.DealId);
        Wire.ProviderFrame[] unknown = await AttachAsync(seller.Address, stranger, new DealId(new Bytes32(new byte[32])));
        Assert.Equal(unknown, known);
        Wire.ProviderFrame only = Assert.Single(known);
        Assert.Equal(Wire.FaultCode.DealNotFound, only.Fault.Code);

        // Its own client is still answered, after the end of the deal too.
        using NodeIdentity owner = market.BuyerHome.LoadClientIdentity();
        Wire.ProviderFrame[] own = await AttachAsync(seller.Address, owner, bought.Deal.DealId, bought.Deal, keysOf: [0]);
        Assert.Contains(own, frame => frame.KeyReveal is { Chunk: 0, Key.Length: 32 });
    }

    [Fact]
    public async Task AClientWithoutAKeyIsToldNothingEither()
    {
        await using var market = new Market();
        await using ProviderNode seller = await market.ServeAsync();
        using var handler = new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is System.Security.Cryptography.X509Certificates.X509Certificate2 certificate && KeyFingerprint.Of(certificate).Equals(seller.Address.Provider) },
        };
        using Grpc.Net.Client.GrpcChannel channel = Grpc.Net.Client.GrpcChannel.ForAddress(seller.Address.ToHttps(), new() { HttpHandler = handler });
        RpcException fault = await Assert.ThrowsAsync<RpcException>(
            async () => await new Service.RetrievalClient(channel).ProposeAsync(new Wire.ProposeRequest(), cancellationToken: Market.Cancellation));
        Assert.Equal(StatusCode.Unauthenticated, fault.StatusCode);
    }

    private static ClientPolicy QuickBuyer { get; } = new()
    {
        RailPoll = TimeSpan.FromMilliseconds(100),
        ReconnectDelay = TimeSpan.FromMilliseconds(50),
        KeyTimeout = TimeSpan.FromSeconds(1),
    };

    private static NodeSettings ShortLocks { get; } = new()
    {
        PricePerByteAtto = "3",
        RedeemMarginEpochs = 40,
        ExpiryMarginEpochs = 60,
        MinLockExpiryEpochs = 100,
        ProofWindowBytes = 64 << 10,
    };

    // The buyer stops as soon as one chunk is in; no unlocked voucher ever follows.
    private static async Task<DealId> BuyOneChunkAndVanishAsync(Market market, ProviderAddress from, Cid root)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Market.Cancellation);
        var progress = new Watcher(report =>
        {
            if (report.BytesReceived > 0)
                gone.Cancel();
        });
        await using RetrievalClient buyer = await market.OpenBuyerAsync();
        var request = new RetrievalRequest(root, from) { LockExpiryEpochs = market.Settings.MinLockExpiryEpochs, ChunksPerWindow = 1 };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => buyer.GetAsync(request, progress, gone.Token));
        return progress.Deal!.Value;
    }

    private static Retrieval.Provider.ProviderDealRow SellerRow(Market market, DealId deal)
    {
        using var store = ProviderStore.Open(market.SellerHome.ProviderStorePath, TimeProvider.System);
        return store.FindDeal(deal)!.Row;
    }

    private static List<VoucherRow> VouchersOf(Market market)
    {
        using var store = ProviderStore.Open(market.SellerHome.ProviderStorePath, TimeProvider.System);
        return [.. store.Channels().SelectMany(channel => store.Vouchers(channel, market.SellerRail.Vouchers))];
    }

    private static async Task<ChannelSnapshot> UntilAsync(Market market, Func<ChannelSnapshot, bool> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Market.Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            ChannelSnapshot channel = (await market.BuyerRail.FindChannelsAsync(market.Buyer, limit.Token)).Single();
            if (condition(channel))
                return channel;
            await Task.Delay(50, limit.Token);
        }
    }

    private static async Task<Wire.ProviderFrame[]> AttachAsync(
        ProviderAddress address, NodeIdentity identity, DealId deal, ClientDealRow? row = null, int[]? keysOf = null)
    {
        using var peer = new PeerChannel(address, identity);
        using AsyncDuplexStreamingCall<Wire.ClientFrame, Wire.ProviderFrame> call =
            new Service.RetrievalClient(peer.Calls).Exchange(cancellationToken: Market.Cancellation);
        await call.RequestStream.WriteAsync(WireWriter.Write(new ClientMessage.Attach(deal, 0, [], row?.Channel, row?.Lanes ?? [], 1)), Market.Cancellation);
        if (keysOf is not null)
            await call.RequestStream.WriteAsync(WireWriter.Write(new ClientMessage.KeyRequest(keysOf)), Market.Cancellation);
        await call.RequestStream.CompleteAsync();
        var frames = new List<Wire.ProviderFrame>();
        await foreach (Wire.ProviderFrame frame in call.ResponseStream.ReadAllAsync(Market.Cancellation))
            frames.Add(frame);
        return [.. frames];
    }

    private sealed class Watcher(Action<RetrievalProgress> action) : IProgress<RetrievalProgress>
    {
        public DealId? Deal { get; private set; }

        public void Report(RetrievalProgress value)
        {
            Deal = value.Deal;
            action(value);
        }
    }
}
