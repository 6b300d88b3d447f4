using System.Net;
using Lockstep.Content.Cids;
using Lockstep.Node.Client;
using Lockstep.Node.Hosting;
using Lockstep.Node.Ledger;
using Lockstep.Node.Provider;
using Lockstep.Node.Proving;
using Lockstep.Node.Storage;
using Lockstep.Node.Tests.Support;
using Lockstep.Node.Transport;
using Lockstep.Payments;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;

namespace Lockstep.Node.Tests.EndToEnd;

/// <summary>Deals that are cut short and gone on with, links that are long, and the real prover.</summary>
public class ResumeTests
{
    [Theory]
    [InlineData(1, 11)]
    [InlineData(4, 12)]
    public async Task ABuyerThatIsStoppedAgainAndAgainPaysEachChunkOnce(int openLocks, int seed)
    {
        const int Size = 1_000_000;
        await using var market = new Market(new StandInProofs(TimeSpan.FromMilliseconds(30))) { Settings = SmallWindows };
        (Cid root, byte[] bytes) = market.Add(Size);
        ClientDealRow? deal = null;
        int stops = 0;
        var random = new Random(seed);
        await using (ProviderNode seller = await market.ServeAsync())
        {
            while (deal is null)
            {
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(Market.Cancellation);
                stop.CancelAfter(random.Next(20, 500));
                try
                {
                    await using RetrievalClient buyer = await market.OpenBuyerAsync();
                    var request = new RetrievalRequest(root, seller.Address) { Output = market.File("out"), OpenLocks = openLocks, Overwrite = true };
                    RetrievalResult result = await buyer.GetAsync(request, null, stop.Token);

                    // A stop between the end of the deal and the answer leaves nothing to buy: the deal is in the store.
                    deal = result.Deal ?? StoredDeal(market);
                }
                catch (OperationCanceledException) when (!Market.Cancellation.IsCancellationRequested)
                {
                    stops++;
                }
            }
        }

        Assert.True(stops > 0, "the buyer was never stopped, so nothing was shown");
        await AssertSoldOnceAsync(market, deal, bytes, openLocks);
    }

    private static ClientDealRow StoredDeal(Market market)
    {
        using var store = ClientStore.Open(market.BuyerHome.ClientStorePath, null, TimeProvider.System);
        return Assert.Single(store.ListDeals()).Row;
    }

    [Fact]
    public async Task ASellerThatIsRestartedAgainAndAgainIsPaidForEachChunkOnce()
    {
        const int Size = 1_000_000;
        await using var market = new Market(new StandInProofs(TimeSpan.FromMilliseconds(60))) { Settings = SmallWindows };
        (Cid root, byte[] bytes) = market.Add(Size);
        ProviderNode seller = await market.ServeAsync();
        var listen = new ListenAddress(IPAddress.Loopback, seller.Address.Port);
        Task<RetrievalResult> buying = market.GetAsync(seller.Address, root, request => request with { Output = market.File("out") });
        var random = new Random(13);
        int restarts = 0;
        while (!buying.IsCompleted)
        {
            await Task.WhenAny(buying, Task.Delay(random.Next(100, 500), Market.Cancellation));
            await seller.DisposeAsync();
            seller = await market.ServeAsync(options => options with { Listen = listen });
            restarts++;
        }

        ClientDealRow deal = (await buying).Deal!;
        await seller.DisposeAsync();
        Assert.True(restarts > 1, "the seller was never restarted, so nothing was shown");
        await AssertSoldOnceAsync(market, deal, bytes, openLocks: 1);
    }

    // As when the disk is full: whoever has paid so far loses nothing by it.
    [Fact]
    public async Task ASellerThatCannotWriteAWindowStopsAndItsDealGoesOnAtTheNextStart()
    {
        const int Size = 300_000;
        await using var market = new Market { Settings = SmallWindows };
        (Cid root, byte[] bytes) = market.Add(Size);
        ProviderNode seller = await market.ServeAsync();
        var listen = new ListenAddress(IPAddress.Loopback, seller.Address.Port);
        string windows = Path.Combine(market.SellerHome.Folder, "sealed");
        await File.WriteAllTextAsync(windows, "in the way", Market.Cancellation);
        Task<RetrievalResult> buying = market.GetAsync(seller.Address, root, request => request with { Output = market.File("out") });

        NodeException fault = await Assert.ThrowsAsync<NodeException>(() => seller.Completion.WaitAsync(Market.Cancellation));
        Assert.Equal(NodeFault.HomeUnusable, fault.Fault);
        Assert.Contains(windows, fault.Message, StringComparison.Ordinal);
        await seller.DisposeAsync();
        File.Delete(windows);
        await using (await market.ServeAsync(options => options with { Listen = listen }))
            await AssertSoldOnceAsync(market, (await buying).Deal!, bytes, openLocks: 1);
    }

    [Fact]
    public async Task AStoppedDealIsCancelledOnRequestAndKeepsWhatWasPaid()
    {
        await using var market = new Market(new StandInProofs(TimeSpan.FromMilliseconds(50))) { Settings = SmallWindows };
        (Cid root, _) = market.Add(1_000_000);
        await using ProviderNode seller = await market.ServeAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Market.Cancellation);
        stop.CancelAfter(600);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await using RetrievalClient buyer = await market.OpenBuyerAsync();
            await buyer.GetAsync(new RetrievalRequest(root, seller.Address), null, stop.Token);
        });
        await using RetrievalClient canceller = await market.OpenBuyerAsync();
        DealId id;
        using (var store = ClientStore.Open(market.BuyerHome.ClientStorePath, null, TimeProvider.System))
            id = store.ListDeals().Single().Row.DealId;
        ClientDealRow row = await canceller.CancelAsync(id, Market.Cancellation);
        Assert.Equal(DealStatus.Cancelled, row.Status);
        Assert.Equal(new TokenAmount(Market.PricePerByte * row.BytesReceived), row.Paid);
        await Assert.ThrowsAsync<NodeException>(() => canceller.CancelAsync(id, Market.Cancellation));
    }

    [Fact]
    public async Task ASoldDealIsCancelledWhileNobodyServesAndItsBuyerKeepsWhatItPaidFor()
    {
        // Short epochs: a voucher that was on its way when the buyer was stopped is dead after seconds, not after a day.
        await using var market = new Market(new StandInProofs(TimeSpan.FromMilliseconds(50)), new LedgerSettings { EpochLength = TimeSpan.FromMilliseconds(20) }) { Settings = SmallWindows };
        (Cid root, _) = market.Add(1_000_000);
        var options = new ProviderOptions(market.SellerHome, market.Ledger, market.SellerKey);
        ProviderNode seller = await market.ServeAsync();
        var listen = new ListenAddress(IPAddress.Loopback, seller.Address.Port);
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(Market.Cancellation))
        {
            await using RetrievalClient buyer = await market.OpenBuyerAsync();
            var progress = new Trigger(report => report.BytesReceived > 0, stop.Cancel);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => buyer.GetAsync(new RetrievalRequest(root, seller.Address) { LockExpiryEpochs = 150 }, progress, stop.Token));
        }

        DealId deal = StoredDeal(market).DealId;
        NodeException busy = await Assert.ThrowsAsync<NodeException>(() => SoldDeals.CancelAsync(options, deal, Market.Cancellation));
        Assert.Equal(NodeFault.HomeInUse, busy.Fault);
        Assert.Contains("stop that", busy.Message, StringComparison.Ordinal);
        await seller.DisposeAsync();

        ProviderDealRow ended = await SoldDeals.CancelAsync(options, deal, Market.Cancellation);
        Assert.Equal(DealStatus.ProviderCancelled, ended.Status);
        Assert.Equal(DealStatus.ProviderCancelled, market.SellerHistory(deal)[^1]);
        Assert.True(ProviderTable.Table.IsWalk(market.SellerHistory(deal)));
        foreach (DealId none in (DealId[])[deal, new DealId(new Bytes32(new byte[32]))])
            Assert.Equal(NodeFault.NotFound, (await Assert.ThrowsAsync<NodeException>(() => SoldDeals.CancelAsync(options, none, Market.Cancellation))).Fault);

        // The buyer hears of it when it comes back; both books say the same.
        await using (seller = await market.ServeAsync(served => served with { Listen = listen }))
        {
            NodeException told = await Assert.ThrowsAsync<NodeException>(() => market.GetAsync(seller.Address, root));
            Assert.Equal(NodeFault.PeerRefused, told.Fault);
        }

        ClientDealRow bought = StoredDeal(market);
        Assert.Equal(DealStatus.ProviderCancelled, bought.Status);
        Assert.InRange(bought.BytesReceived, 1, 999_999);
        Assert.Equal(new TokenAmount(Market.PricePerByte * bought.BytesReceived), bought.Paid);
        Assert.Equal(bought.Paid, (await market.RedeemAllAsync()).Earned);
    }

    [Fact]
    public async Task ADealOnAnotherLedgerIsLeftAloneAndTheLedgerNamed()
    {
        await using var market = new Market(new StandInProofs(TimeSpan.FromMilliseconds(50))) { Settings = SmallWindows };
        (Cid root, byte[] bytes) = market.Add(1_000_000);
        await using ProviderNode seller = await market.ServeAsync();
        var request = new RetrievalRequest(root, seller.Address) { Output = market.File("out") };
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(Market.Cancellation))
        {
            await using RetrievalClient buyer = await market.OpenBuyerAsync();
            var progress = new Trigger(report => report.BytesReceived > 0, stop.Cancel);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => buyer.GetAsync(request, progress, stop.Token));
        }

        ClientDealRow stopped = StoredDeal(market);
        using (var other = LocalLedger.OpenOrCreate(market.File("other.db"), new LedgerSettings(), TimeProvider.System))
        {
            HomeFolder home = HomeFolder.Open(market.BuyerHome.Folder, market.File("other.db"));
            await using RetrievalClient buyer = await RetrievalClient.OpenAsync(new ClientOptions(home, other, market.BuyerKey) { Proofs = market.Proofs }, Market.Cancellation);
            foreach (Func<Task> act in (Func<Task>[])[() => buyer.GetAsync(request, null, Market.Cancellation), () => buyer.CancelAsync(stopped.DealId, Market.Cancellation)])
            {
                NodeException fault = await Assert.ThrowsAsync<NodeException>(act);
                Assert.Equal(NodeFault.WrongLedger, fault.Fault);
                foreach (string part in (string[])[market.File("other.db"), stopped.Channel!.Value.Text, market.Ledger.Description.Id, other.Description.Id, "--ledger"])
                    Assert.Contains(part, fault.Message, StringComparison.Ordinal);
            }
        }

        // Nothing happened to it: on its own ledger it goes on.
        Assert.Equal(stopped.Status, StoredDeal(market).Status);
        RetrievalResult result = await market.GetAsync(seller.Address, root, _ => request);
        Assert.Equal(stopped.DealId, result.Deal!.DealId);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(market.File("out"), Market.Cancellation));
    }

    [Fact]
    public async Task TheRealProverSellsAFile()
    {
        await using var market = new Market(new LockstepProofs()) { Settings = SmallWindows };
        (Cid root, byte[] bytes) = market.Add(70_000);
        ClientDealRow deal;
        await using (ProviderNode seller = await market.ServeAsync())
        {
            RetrievalResult result = await market.GetAsync(seller.Address, root, request => request with { Output = market.File("out") });
            deal = result.Deal!;
            Assert.True(result.Traffic.ProofBytes > 0 && result.Traffic.WireBytes > result.Traffic.ProofBytes + 70_000);
        }

        await AssertSoldOnceAsync(market, deal, bytes, openLocks: 1);
    }

    private static NodeSettings SmallWindows { get; } = new() { PricePerByteAtto = "3", ProofWindowBytes = 64 << 10 };

    private static async Task AssertSoldOnceAsync(Market market, ClientDealRow deal, byte[] bytes, int openLocks)
    {
        Assert.Equal(bytes, await File.ReadAllBytesAsync(market.File("out"), Market.Cancellation));
        Assert.Equal(DealStatus.Completed, deal.Status);
        Assert.Equal(bytes.Length, deal.BytesReceived);
        Assert.Equal(new TokenAmount(Market.PricePerByte * bytes.Length), deal.Paid);
        Assert.True(ProviderTable.Table.IsWalk(market.SellerHistory(deal.DealId)));
        (TokenAmount earned, int redemptions) = await market.RedeemAllAsync();
        Assert.Equal(deal.Paid, earned);
        Assert.InRange(redemptions, 1, openLocks);
    }

    // Does something as soon as a condition holds.
    private sealed class Trigger(Predicate<RetrievalProgress> when, Action then) : IProgress<RetrievalProgress>
    {
        public void Report(RetrievalProgress value)
        {
            if (when(value))
                then();
        }
    }
}
