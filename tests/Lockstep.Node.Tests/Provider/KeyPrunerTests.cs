using Lockstep.Content.Cids;
using Lockstep.Node.Client;
using Lockstep.Node.Hosting;
using Lockstep.Node.Ledger;
using Lockstep.Node.Provider;
using Lockstep.Node.Storage;
using Lockstep.Node.Tests.Support;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Node.Tests.Provider;

/// <summary>Keys go when nobody can need them any more, and not before.</summary>
public class KeyPrunerTests
{
    private const int Chunks = 4;

    private readonly KeyKeeper _keys = new();

    [Fact]
    public async Task KeysOfASaleGoOnceItIsRedeemedAndLeaveNoTrace()
    {
        await using Market market = NewMarket();
        DealId deal = await SellAsync(market);
        Assert.Equal(Chunks, _keys.All.Count);
        Assert.True(_keys.All.TrueForAll(key => FilesHold(market, key)), "the test does not find keys that are there");

        // Paid by vouchers that nobody has redeemed: each key may still have to be shown.
        Assert.Equal(0, await PruneAsync(market));
        Assert.Equal(Chunks, KeysHeld(market, deal));

        await market.RedeemAllAsync();
        Assert.Equal(Chunks, await PruneAsync(market));
        Assert.Equal(0, KeysHeld(market, deal));
        Assert.True(_keys.All.TrueForAll(key => !FilesHold(market, key)), "a key is still in the files of the store");
        Assert.Equal(0, await PruneAsync(market));

        // Locks and seal ids are still known, so neither is ever offered again (I3), and nothing was lost.
        using var store = ProviderStore.Open(market.SellerHome.ProviderStorePath, TimeProvider.System);
        Assert.All(_keys.Locks, keyLock => Assert.True(store.Knows(new Bytes32(new byte[32]), keyLock)));
        Assert.All(_keys.Locks, keyLock => Assert.Null(store.Find(keyLock)));
        Assert.Equal(new TokenAmount(Market.PricePerByte * Chunks * 65536), (await market.RedeemAllAsync()).Earned);
    }

    [Fact]
    public async Task KeysOfACollectedChannelGo()
    {
        await using Market market = NewMarket(new LedgerSettings { EpochLength = TimeSpan.FromMilliseconds(20), SettleDelayEpochs = 1 });
        DealId deal = await SellAsync(market);
        await market.RedeemAllAsync();
        ChannelId channel = Assert.Single(await market.Ledger.FindChannelsAsync(market.Seller, Market.Cancellation)).Id;
        Assert.True((await market.Ledger.SettleAsync(market.SellerKey, channel, Market.Cancellation)).Succeeded);
        while (!(await market.Ledger.CollectAsync(market.SellerKey, channel, Market.Cancellation)).Succeeded)
            await Task.Delay(20, Market.Cancellation);
        Assert.Null(await market.Ledger.GetChannelAsync(channel, Market.Cancellation));
        Assert.Equal(Chunks, await PruneAsync(market));
        Assert.Equal(0, KeysHeld(market, deal));
    }

    [Fact]
    public async Task AnExpiredVoucherHoldsNoKeyBack()
    {
        // Epochs of 20 ms: locks of 120 epochs are dead after some seconds.
        await using Market market = NewMarket(new LedgerSettings { EpochLength = TimeSpan.FromMilliseconds(20) });
        DealId deal = await SellAsync(market, 150);
        Assert.Equal(0, await PruneAsync(market));
        Epoch dead = await market.Ledger.GetHeadAsync(Market.Cancellation) + 151;
        while (await market.Ledger.GetHeadAsync(Market.Cancellation) <= dead)
            await Task.Delay(50, Market.Cancellation);
        Assert.Equal(Chunks, await PruneAsync(market));
        Assert.Equal(0, KeysHeld(market, deal));

        // Its unlocked vouchers are worth as much as ever.
        Assert.Equal(new TokenAmount(Market.PricePerByte * Chunks * 65536), (await market.RedeemAllAsync()).Earned);
    }

    [Fact]
    public async Task ADealThatGoesOnKeepsItsKeysAndAnEndedOneThoseThatAreOwed()
    {
        // One window, offered whole and paid chunk by chunk: when its buyer stops, part of it is paid and part is not.
        await using Market market = NewMarket(settings: new NodeSettings { PricePerByteAtto = "3", ProofWindowBytes = 40 * 65536 });
        (Cid root, _) = market.Add(40 * 65536, 65536);
        DealId deal;
        int sold;
        await using (ProviderNode seller = await market.ServeAsync())
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Market.Cancellation);
            await using (RetrievalClient buyer = await market.OpenBuyerAsync())
            {
                var progress = new Trigger(report => report.BytesReceived >= 2 * 65536, stop.Cancel);
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => buyer.GetAsync(new RetrievalRequest(root, seller.Address), progress, stop.Token));
            }

            deal = Deals(market).Single().Row.DealId;
            Assert.Equal(0, await PruneAsync(market));
            Assert.True(await seller.CancelDealAsync(deal));
            int offered = KeysHeld(market, deal);
            ProviderDealRow ended = Deals(market).Single().Row;
            Assert.Equal(DealStatus.ProviderCancelled, ended.Status);
            sold = ended.ChunksSold;
            Assert.InRange(sold, 1, offered - 1);

            // What was offered and never paid goes at once; what was paid and is not redeemed stays.
            Assert.Equal(offered - sold, await PruneAsync(market));
            Assert.Equal(sold, KeysHeld(market, deal));
        }

        await market.RedeemAllAsync();
        Assert.Equal(sold, await PruneAsync(market));
    }

    [Fact]
    public async Task OnAnotherLedgerNothingIsDeleted()
    {
        await using Market market = NewMarket();
        DealId deal = await SellAsync(market);
        await market.RedeemAllAsync();
        using var other = LocalLedger.OpenOrCreate(market.File("other.db"), new LedgerSettings(), TimeProvider.System);
        Assert.Equal(0, await PruneAsync(market, other));
        Assert.Equal(Chunks, KeysHeld(market, deal));
    }

    [Fact]
    public async Task TheSellerDoesItByItself()
    {
        await using Market market = NewMarket();
        DealId deal = await SellAsync(market);
        await market.RedeemAllAsync();
        await using ProviderNode seller = await market.ServeAsync();
        while (KeysHeld(market, deal) > 0)
            await Task.Delay(50, Market.Cancellation);
    }

    private Market NewMarket(LedgerSettings? ledger = null, NodeSettings? settings = null) =>
        new(_keys, ledger) { Settings = settings ?? new NodeSettings { PricePerByteAtto = "3" } };

    private static async Task<DealId> SellAsync(Market market, long? expiry = null)
    {
        (Cid root, _) = market.Add(Chunks * 65536, 65536);
        await using ProviderNode seller = await market.ServeAsync();
        return (await market.GetAsync(seller.Address, root, request => request with { LockExpiryEpochs = expiry })).Deal!.DealId;
    }

    private static async Task<int> PruneAsync(Market market, IRail? rail = null)
    {
        using var store = ProviderStore.Open(market.SellerHome.ProviderStorePath, TimeProvider.System);
        return await new KeyPruner(store, rail ?? market.Ledger).PruneAsync(Market.Cancellation);
    }

    private static IReadOnlyList<StoredDeal<ProviderDealRow>> Deals(Market market)
    {
        using var store = ProviderStore.Open(market.SellerHome.ProviderStorePath, TimeProvider.System);
        return store.ListDeals();
    }

    private static int KeysHeld(Market market, DealId deal)
    {
        using var store = ProviderStore.Open(market.SellerHome.ProviderStorePath, TimeProvider.System);
        return store.ChunksWithKeys(deal).Count;
    }

    // Anywhere in the store's files, whether a row leads there or not.
    private static bool FilesHold(Market market, byte[] key) => Directory.EnumerateFiles(market.SellerHome.Folder, "provider.db*")
        .Any(file => File.ReadAllBytes(file).AsSpan().IndexOf(key) >= 0);

    private sealed class Trigger(Predicate<RetrievalProgress> when, Action then) : IProgress<RetrievalProgress>
    {
        public void Report(RetrievalProgress value)
        {
            if (when(value))
                then();
        }
    }

    /// <summary>The stand-in, remembering what it made.</summary>
    private sealed class KeyKeeper : Node.Proving.IProofSystem
    {
        private readonly StandInProofs _proofs = new(TimeSpan.FromMilliseconds(20));

        public List<byte[]> All { get; } = [];

        public List<Bytes32> Locks { get; } = [];

        public IReadOnlyList<string> Suites => _proofs.Suites;

        public SealedWindow Seal(string suiteId, LockHashKind lockHash, Bytes32 provider, IReadOnlyList<ReadOnlyMemory<byte>> blocks, CancellationToken cancellation)
        {
            SealedWindow made = _proofs.Seal(suiteId, lockHash, provider, blocks, cancellation);
            lock (All)
            {
                All.AddRange(made.Chunks.Select(chunk => chunk.Key.ToArray()));
                Locks.AddRange(made.Chunks.Select(chunk => chunk.Lock));
            }

            return made;
        }

        public void Prepare(string suiteId, IReadOnlyList<int> lengths, CancellationToken cancellation)
        {
        }

        public string? Verify(SealedOffer offer, Bytes32 provider, IReadOnlyList<ReadOnlyMemory<byte>> ciphertexts, ReadOnlyMemory<byte> proof) =>
            _proofs.Verify(offer, provider, ciphertexts, proof);

        public (ReadOnlyMemory<byte>? Block, string? Refusal) Open(OfferedChunk chunk, LockHashKind lockHash, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> ciphertext) =>
            _proofs.Open(chunk, lockHash, key, ciphertext);
    }
}
