using System.Security.Cryptography;
using Lockstep.Content.Cids;
using Lockstep.Node.Client;
using Lockstep.Node.Hosting;
using Lockstep.Node.Provider;
using Lockstep.Node.Storage;
using Lockstep.Node.Tests.Support;
using Lockstep.Payments;
using Lockstep.Payments.Keys;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Node.Tests.EndToEnd;

/// <summary>Windows sealed ahead of demand: a buyer gets them without a proof being made, and no two buyers get the same.</summary>
public class KeepAheadTests
{
    private const int Size = 256 << 10;

    [Fact]
    public async Task WindowsOfAnEarlierRunAreSoldOnceWithoutProving()
    {
        await using Market market = NewMarket();
        (Cid root, byte[] bytes) = market.Add(Size);
        await FillAsync(market, new KeepAhead(2, []), wanted: 2);

        // A fresh prover counts from zero: what it does not seal came from the store.
        var idle = new StandInProofs();
        await using (ProviderNode seller = await market.ServeAsync(options => options with { Proofs = idle }))
        {
            RetrievalResult result = await market.GetAsync(seller.Address, root, request => request with { Output = market.File("out") });
            Assert.Equal(DealStatus.Completed, result.Deal!.Status);
            Assert.Equal(bytes, await File.ReadAllBytesAsync(market.File("out"), Market.Cancellation));
            Assert.Equal(0, idle.WindowsSealed);
            using (var store = ProviderStore.Open(market.SellerHome.ProviderStorePath, TimeProvider.System))
                Assert.Equal(root, Assert.Single(store.LastSold()).PayloadCid);

            // The next buyer finds the store empty.
            using var wallet = SecpKey.Generate(RandomNumberGenerator.Fill);
            await market.Ledger.FundAsync(market.Ledger.Vouchers.AccountOf(wallet), new TokenAmount(1_000_000), Market.Cancellation);
            HomeFolder other = HomeFolder.Open(market.File("other"), market.BuyerHome.LedgerPath);
            await using RetrievalClient buyer = await RetrievalClient.OpenAsync(new ClientOptions(other, market.Ledger, wallet) { Proofs = market.Proofs }, Market.Cancellation);
            await buyer.GetAsync(new RetrievalRequest(root, seller.Address), null, Market.Cancellation);
            Assert.Equal(2, idle.WindowsSealed);
        }

        Assert.Equal(new TokenAmount(Market.PricePerByte * Size * 2), (await market.RedeemAllAsync()).Earned);
    }

    [Fact]
    public async Task WhatWasTakenIsReplacedAndHotContentComesFirst()
    {
        await using Market market = NewMarket();
        (Cid first, _) = market.Add(Size);
        (Cid second, _) = market.Add(Size - 1);

        // Of two contents the first window each, then the second ones: three windows are two and one.
        IReadOnlyList<ReadyNotice> notices = await FillAsync(market, new KeepAhead(3, []), wanted: 3);
        Assert.Equal([0, 1, 2, 3], notices.Select(notice => notice.Ready).Distinct());
        Assert.All(notices, notice => Assert.Null(notice.Sentence));

        // Only the named one.
        await FillAsync(market, new KeepAhead(3, [first]), wanted: 2);

        // A sale takes two windows; both are made again.
        var ready = new ReadySignal();
        var proofs = new StandInProofs();
        await using ProviderNode seller = await market.ServeAsync(options => options with { Proofs = proofs, KeepAhead = new KeepAhead(2, [second]), WindowReady = ready.Take });
        await ready.WaitAsync(2);
        int before = proofs.WindowsSealed;
        await market.GetAsync(seller.Address, second);
        await ready.WaitForAsync(() => proofs.WindowsSealed == before + 2);
    }

    [Fact]
    public async Task WhatIsNotWantedAnyMoreMakesRoom()
    {
        await using Market market = NewMarket();
        (Cid first, _) = market.Add(Size);
        (Cid second, _) = market.Add(Size - 1);
        await FillAsync(market, new KeepAhead(2, [first]), wanted: 2);
        await FillAsync(market, new KeepAhead(2, [second]), wanted: 2);
        using var store = ProviderStore.Open(market.SellerHome.ProviderStorePath, TimeProvider.System);
        Assert.Equal(2, store.CountReady().Values.Sum());
        Assert.Equal(2, Directory.GetFiles(Path.Combine(market.SellerHome.Folder, "sealed")).Length);
    }

    // A sale under other terms than those sealed for is a sale like any other.
    [Fact]
    public async Task OtherTermsAreSealedForAsEver()
    {
        await using Market market = NewMarket();
        (Cid root, _) = market.Add(Size);
        await FillAsync(market, new KeepAhead(2, []) { LockHash = LockHashKind.Blake2b256 }, wanted: 2);
        var proofs = new StandInProofs();
        await using ProviderNode seller = await market.ServeAsync(options => options with { Proofs = proofs });
        await market.GetAsync(seller.Address, root, request => request with { LockHash = LockHashKind.Sha256 });
        Assert.Equal(2, proofs.WindowsSealed);
        using var store = ProviderStore.Open(market.SellerHome.ProviderStorePath, TimeProvider.System);
        Assert.Equal(2, store.CountReady().Values.Sum());
    }

    [Fact]
    public async Task ColdContentIsNotSealedAhead()
    {
        await using Market market = NewMarket();
        market.Add(Size, cold: true);
        await FillAsync(market, new KeepAhead(2, []), wanted: 0);
    }

    // A block that has rotted: said, and the rest is sealed.
    [Fact]
    public async Task ContentThatCannotBeReadHoldsUpNoOther()
    {
        await using Market market = NewMarket();
        (_, byte[] bytes) = market.Add(Size);
        market.Add(Size - 1);
        var leaf = Cid.Of(Multicodec.Raw, bytes.AsSpan(0, 64 << 10));
        string file = Assert.Single(
            Directory.EnumerateFiles(market.SellerHome.Folder, "*", SearchOption.AllDirectories),
            path => new FileInfo(path).Length == 64 << 10 && File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes.AsSpan(0, 64 << 10)));
        await File.WriteAllBytesAsync(file, new byte[64 << 10], Market.Cancellation);
        var ready = new ReadySignal();
        await using ProviderNode seller = await market.ServeAsync(options => options with { KeepAhead = new KeepAhead(4, []), WindowReady = ready.Take });
        await ready.WaitForAsync(() => ready.Notices.Any(notice => notice.Sentence is not null));
        ReadyNotice last = ready.Notices[^1];
        Assert.Equal((3, 4), (last.Ready, last.Wanted));
        Assert.Contains(leaf.ToString(), last.Sentence, StringComparison.Ordinal);
    }

    // Whoever only proposes has paid nothing, and does not decide what is hot.
    [Fact]
    public async Task ADealThatWasNotPaidForMakesNothingHot()
    {
        await using Market market = NewMarket();
        (Cid root, _) = market.Add(Size);
        await using ProviderNode seller = await market.ServeAsync(options => options with { Proofs = new StandInProofs(TimeSpan.FromMinutes(10)) });
        using var store = ProviderStore.Open(market.SellerHome.ProviderStorePath, TimeProvider.System);
        using var leaving = new CancellationTokenSource();
        await using (RetrievalClient buyer = await market.OpenBuyerAsync())
        {
            Task buying = buyer.GetAsync(new RetrievalRequest(root, seller.Address), null, leaving.Token);
            while (store.ListDeals().Count == 0)
                await Task.Delay(10, Market.Cancellation);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => buying);
        }

        Assert.Single(store.ListDeals());
        Assert.Empty(store.LastSold());
    }

    [Fact]
    public async Task WithoutSealingAheadTheProverIsMadeReadyForTheFirstWindow()
    {
        await using Market market = NewMarket();
        market.Add(Size);
        var proofs = new StandInProofs();
        await using ProviderNode seller = await market.ServeAsync(options => options with { Proofs = proofs });
        while (proofs.Prepared.IsEmpty)
            await Task.Delay(10, Market.Cancellation);
        Assert.Equal([64 << 10, 64 << 10], Assert.Single(proofs.Prepared));
        Assert.Equal(0, proofs.WindowsSealed);
    }

    private static Market NewMarket() => new() { Settings = new NodeSettings { PricePerByteAtto = "3", ProofWindowBytes = 128 << 10 } };

    // Serves until as many windows are ready as are wanted, and stops.
    private static async Task<IReadOnlyList<ReadyNotice>> FillAsync(Market market, KeepAhead aim, int wanted)
    {
        var ready = new ReadySignal();
        await using ProviderNode seller = await market.ServeAsync(options => options with { KeepAhead = aim, WindowReady = ready.Take });
        await ready.WaitAsync(wanted);
        return ready.Notices;
    }

    private sealed class ReadySignal
    {
        private readonly List<ReadyNotice> _notices = [];

        public IReadOnlyList<ReadyNotice> Notices
        {
            get
            {
                lock (_notices)
                    return [.. _notices];
            }
        }

        public void Take(ReadyNotice notice)
        {
            lock (_notices)
                _notices.Add(notice);
        }

        public Task WaitAsync(int windows) => WaitForAsync(() => Notices is [.., var last] && last.Wanted == windows && last.Ready == windows);

        public async Task WaitForAsync(Func<bool> condition)
        {
            while (!condition())
                await Task.Delay(10, Market.Cancellation);
        }
    }
}
