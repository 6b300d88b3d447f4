using System.Security.Cryptography;
using Lockstep.Content;
using Lockstep.Content.Cids;
using Lockstep.Content.UnixFs;
using Lockstep.Node.Client;
using Lockstep.Node.Hosting;
using Lockstep.Node.Identity;
using Lockstep.Node.Ledger;
using Lockstep.Node.Provider;
using Lockstep.Node.Proving;
using Lockstep.Node.Storage;
using Lockstep.Payments;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Node.Tests.Support;

/// <summary>A seller, a buyer and a ledger in one folder: two homes, real sockets, real TLS, real stores.</summary>
internal sealed class Market : IAsyncDisposable
{
    public const long PricePerByte = 3;

    private readonly TemporaryFolder _folder = new();

    public Market(IProofSystem? proofs = null, LedgerSettings? ledger = null, long funds = 1_000_000_000)
    {
        Proofs = proofs ?? new StandInProofs();
        Ledger = LocalLedger.OpenOrCreate(_folder.File("ledger.db"), ledger ?? new LedgerSettings(), TimeProvider.System);
        SellerHome = HomeFolder.Open(_folder.File("seller"), _folder.File("ledger.db"));
        BuyerHome = HomeFolder.Open(_folder.File("buyer"), _folder.File("ledger.db"));
        SellerKey = SecpKey.Generate(RandomNumberGenerator.Fill);
        BuyerKey = SecpKey.Generate(RandomNumberGenerator.Fill);
        if (funds > 0)
            Ledger.FundAsync(Buyer, new TokenAmount(funds), Cancellation).Wait(Cancellation);
    }

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public IProofSystem Proofs { get; }

    public LocalLedger Ledger { get; }

    public HomeFolder SellerHome { get; }

    public HomeFolder BuyerHome { get; }

    public SecpKey SellerKey { get; }

    public SecpKey BuyerKey { get; }

    public AccountId Buyer => Ledger.Vouchers.AccountOf(BuyerKey);

    public AccountId Seller => Ledger.Vouchers.AccountOf(SellerKey);

    public NodeSettings Settings { get; init; } = new() { PricePerByteAtto = "3" };

    public ClientPolicy BuyerPolicy { get; init; } = new() { RailPoll = TimeSpan.FromMilliseconds(100), ReconnectDelay = TimeSpan.FromMilliseconds(50) };

    public string File(string name) => _folder.File(name);

    /// <summary>Adds a file of pseudo-random bytes to the seller's home.</summary>
    public (Cid Root, byte[] Bytes) Add(int size, int chunkSize = 64 << 10, bool cold = false)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        string path = _folder.File($"source-{size}-{chunkSize}");
        System.IO.File.WriteAllBytes(path, bytes);
        return (Add(path, chunkSize, cold), bytes);
    }

    public Cid Add(string path, int chunkSize = 64 << 10, bool cold = false)
    {
        using ContentHome content = SellerHome.OpenContent();
        Cid root = content.AddPath(path, new ImportOptions { ChunkSize = chunkSize }, DateTimeOffset.UtcNow, cancellation: Cancellation).Value.Record.Root;
        if (cold)
            Assert.True(content.Freeze(root, cancellation: Cancellation).IsOk);
        return root;
    }

    public Task<ProviderNode> ServeAsync(Func<ProviderOptions, ProviderOptions>? change = null)
    {
        var options = new ProviderOptions(SellerHome, Ledger, SellerKey) { Settings = Settings, Proofs = Proofs };
        return ProviderNode.StartAsync(change?.Invoke(options) ?? options, Cancellation);
    }

    public Task<RetrievalClient> OpenBuyerAsync(HomeFolder? home = null) =>
        RetrievalClient.OpenAsync(new ClientOptions(home ?? BuyerHome, Ledger, BuyerKey) { Proofs = Proofs, Policy = BuyerPolicy }, Cancellation);

    public async Task<RetrievalResult> GetAsync(ProviderAddress from, Cid root, Func<RetrievalRequest, RetrievalRequest>? change = null, IProgress<RetrievalProgress>? progress = null)
    {
        await using RetrievalClient buyer = await OpenBuyerAsync();
        var request = new RetrievalRequest(root, from);
        return await buyer.GetAsync(change?.Invoke(request) ?? request, progress, Cancellation);
    }

    /// <summary>What the seller could take from the ledger now, and has taken.</summary>
    public async Task<(TokenAmount Earned, int Redemptions)> RedeemAllAsync()
    {
        using var store = ProviderStore.Open(SellerHome.ProviderStorePath, TimeProvider.System);
        var redeemer = new Redeemer(store, Ledger, SellerKey, new Payments.Channels.PayeePolicy(90, TokenAmount.Zero), new Retrieval.Provider.RedeemPolicy());
        foreach (ChannelId channel in store.Channels())
        {
            RedeemResult result = await redeemer.RedeemAsync(channel, commanded: true, Cancellation);
            Assert.All(result.Receipts, receipt => Assert.True(receipt.Succeeded, receipt.Sentence));
        }

        TokenAmount earned = TokenAmount.Zero;
        int redemptions = 0;
        foreach (ChannelSnapshot channel in await Ledger.FindChannelsAsync(Seller, Cancellation))
        {
            earned += channel.ToSend;
            redemptions += (await Ledger.ReadRedemptionsAsync(channel.Id, RedemptionCursor.Start, Cancellation)).Redemptions.Count;
        }

        return (earned, redemptions);
    }

    public IReadOnlyList<DealStatus> SellerHistory(DealId deal)
    {
        using var store = ProviderStore.Open(SellerHome.ProviderStorePath, TimeProvider.System);
        return [.. store.History(deal).Select(entry => entry.Status)];
    }

    public async ValueTask DisposeAsync()
    {
        await Task.CompletedTask;
        SellerKey.Dispose();
        BuyerKey.Dispose();
        _folder.Dispose();
    }
}
