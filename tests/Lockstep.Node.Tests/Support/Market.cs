using System.Security.Cryptography;
using Lockstep.Content;
using Lockstep.Content.Cids;
using Lockstep.Content.UnixFs;
using Lockstep.Node.Client;
using Lockstep.Node.Evm;
using Lockstep.Node.Hosting;
using Lockstep.Node.Identity;
using Lockstep.Node.Ledger;
using Lockstep.Node.Provider;
using Lockstep.Node.Proving;
using Lockstep.Node.Storage;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Tests.Support;

namespace Lockstep.Node.Tests.Support;

/// <summary>
/// A seller, a buyer and a ledger in one folder: two homes, real sockets, real TLS, real stores. The ledger is the local one, or a
/// contract on a development chain of the market's own.
/// </summary>
internal sealed class Market : IAsyncDisposable
{
    public const long PricePerByte = 3;

    /// <summary>The gas money of each side on a chain.</summary>
    private static readonly TokenAmount GasMoney = new(System.Numerics.BigInteger.Pow(10, 18));

    private readonly TemporaryFolder _folder = new();
    private AnvilNode? _chain;
    private EvmRail? _sellerRail, _buyerRail;

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

    /// <summary>A market on a rail by its name.</summary>
    /// <param name="rail">As in the settings.</param>
    /// <param name="settleDelay">Epochs between settling and collecting.</param>
    /// <param name="settings">The seller's.</param>
    /// <param name="policy">The buyer's.</param>
    public static async Task<Market> OnAsync(string rail, long settleDelay, NodeSettings? settings = null, ClientPolicy? policy = null)
    {
        // A block, or an epoch, every fifth of a second; transactions make blocks besides.
        var ledger = new LedgerSettings { EpochLength = TimeSpan.FromMilliseconds(200), SettleDelayEpochs = settleDelay };
        Market defaults = new(ledger: ledger);
        var market = new Market(ledger: ledger) { Settings = settings ?? defaults.Settings, BuyerPolicy = policy ?? defaults.BuyerPolicy };
        await defaults.DisposeAsync();
        if (rail == RailNames.Evm)
            await market.MoveOntoChainAsync(settleDelay);
        return market;
    }

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public IProofSystem Proofs { get; }

    public LocalLedger Ledger { get; }

    /// <summary>The rail as the seller's home opens it.</summary>
    public IRail SellerRail => _sellerRail ?? (IRail)Ledger;

    /// <summary>The rail as the buyer's home opens it.</summary>
    public IRail BuyerRail => _buyerRail ?? (IRail)Ledger;

    public HomeFolder SellerHome { get; }

    public HomeFolder BuyerHome { get; }

    public SecpKey SellerKey { get; }

    public SecpKey BuyerKey { get; }

    public AccountId Buyer => BuyerRail.Vouchers.AccountOf(BuyerKey);

    public AccountId Seller => SellerRail.Vouchers.AccountOf(SellerKey);

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
        var options = new ProviderOptions(SellerHome, SellerRail, SellerKey) { Settings = Settings, Proofs = Proofs };
        return ProviderNode.StartAsync(change?.Invoke(options) ?? options, Cancellation);
    }

    public Task<RetrievalClient> OpenBuyerAsync(HomeFolder? home = null) =>
        RetrievalClient.OpenAsync(new ClientOptions(home ?? BuyerHome, BuyerRail, BuyerKey) { Proofs = Proofs, Policy = BuyerPolicy }, Cancellation);

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
        var redeemer = new Redeemer(store, SellerRail, SellerKey, new Payments.Channels.PayeePolicy(90, TokenAmount.Zero), new Retrieval.Provider.RedeemPolicy());
        foreach (ChannelId channel in store.Channels())
        {
            RedeemResult result = await redeemer.RedeemAsync(channel, commanded: true, Cancellation);
            Assert.All(result.Receipts, receipt => Assert.True(receipt.Succeeded, receipt.Sentence));
        }

        TokenAmount earned = TokenAmount.Zero;
        int redemptions = 0;
        foreach (ChannelSnapshot channel in await SellerRail.FindChannelsAsync(Seller, Cancellation))
        {
            earned += channel.ToSend;
            redemptions += (await SellerRail.ReadRedemptionsAsync(channel.Id, RedemptionCursor.Start, Cancellation)).Redemptions.Count;
        }

        return (earned, redemptions);
    }

    /// <summary>What a side holds, what sending has cost it added and its gas money left out.</summary>
    public async Task<TokenAmount> HeldAsync(AccountId account)
    {
        TokenAmount held = await SellerRail.GetBalanceAsync(account, Cancellation);
        foreach (GasSpent spent in _sellerRail?.Spent(account).Concat(_buyerRail!.Spent(account)) ?? [])
            held += spent.Cost;
        return _chain is null ? held : held - GasMoney;
    }

    /// <summary>Returns when an epoch has come.</summary>
    public async Task PassAsync(Epoch epoch)
    {
        while (await SellerRail.GetHeadAsync(Cancellation) < epoch)
        {
            if (_chain is null)
                await Task.Delay(50, Cancellation);
            else
                await _chain.MineAsync(1, Cancellation);
        }
    }

    private async Task MoveOntoChainAsync(long settleDelay)
    {
        _chain = await AnvilNode.StartAsync(NodeOracle.Program("anvil"), ["--block-time", "1", "--mixed-mining"], TimeProvider.System, Cancellation);
        EvmNodeOptions In(string folder) => new() { Endpoint = _chain.Endpoint, ChainId = AnvilNode.ChainId, JournalFolder = folder };
        foreach (SecpKey key in (SecpKey[])[SellerKey, BuyerKey])
            await _chain.FundAsync(EvmAddress.FromPublicKey(key.PublicKey.Span), GasMoney + new TokenAmount(key == BuyerKey ? 1_000_000_000 : 0), Cancellation);
        using SecpKey deployer = SecpKey.Generate(RandomNumberGenerator.Fill);
        await _chain.FundAsync(EvmAddress.FromPublicKey(deployer.PublicKey.Span), GasMoney, Cancellation);
        (RailReceipt receipt, EvmAddress? contract) = await EvmRail.DeployAsync(In(Directory.CreateDirectory(_folder.File("deployer")).FullName), deployer, settleDelay, TimeProvider.System, Cancellation);
        Assert.True(receipt.Succeeded, receipt.Sentence);
        _sellerRail = await EvmRail.ConnectAsync(In(SellerHome.Folder), contract!.Value, TimeProvider.System, Cancellation);
        _buyerRail = await EvmRail.ConnectAsync(In(BuyerHome.Folder), contract.Value, TimeProvider.System, Cancellation);
    }

    public IReadOnlyList<DealStatus> SellerHistory(DealId deal)
    {
        using var store = ProviderStore.Open(SellerHome.ProviderStorePath, TimeProvider.System);
        return [.. store.History(deal).Select(entry => entry.Status)];
    }

    public async ValueTask DisposeAsync()
    {
        _sellerRail?.Dispose();
        _buyerRail?.Dispose();
        if (_chain is not null)
            await _chain.DisposeAsync();
        SellerKey.Dispose();
        BuyerKey.Dispose();
        _folder.Dispose();
    }
}
