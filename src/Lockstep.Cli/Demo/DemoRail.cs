using System.Numerics;
using System.Security.Cryptography;
using Lockstep.Cli.Common;
using Lockstep.Node.Evm;
using Lockstep.Node.Hosting;
using Lockstep.Node.Ledger;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;

namespace Lockstep.Cli.Demo;

/// <summary>A throw-away ledger for a demo: two homes' rails on it, money at will, and time that can be made to pass.</summary>
internal interface IDemoRail : IAsyncDisposable
{
    /// <summary>The rail as the seller's home opens it.</summary>
    IRail Seller { get; }

    /// <summary>The rail as the buyer's home opens it.</summary>
    IRail Buyer { get; }

    /// <summary>Gives the buyer what it may spend. What sending costs is provided for besides.</summary>
    Task FundAsync(TokenAmount amount, CancellationToken cancellation);

    /// <summary>What the wallets have earned and spent since they were funded, the cost of sending not counted.</summary>
    Task<(TokenAmount Earned, TokenAmount Spent)> CountAsync(CancellationToken cancellation);

    /// <summary>Returns when an epoch has come.</summary>
    Task PassAsync(Epoch epoch, CancellationToken cancellation);

    /// <summary>What both wallets' transactions cost; empty where sending is free.</summary>
    IReadOnlyList<GasSpent> Spent();
}

/// <summary>The demo on a local ledger of its own. Epochs are short, so that settling can be waited for.</summary>
internal sealed class LocalDemoRail(LocalLedger ledger, AccountId seller, AccountId buyer) : IDemoRail
{
    private TokenAmount _funds;

    public IRail Seller => ledger;

    public IRail Buyer => ledger;

    public static LocalDemoRail Open(HomeFolder home, SecpKey seller, SecpKey buyer)
    {
        LocalLedger ledger = Wallets.OpenLedger(home, new LedgerSettings { EpochLength = TimeSpan.FromMilliseconds(500), SettleDelayEpochs = 4 });
        return new LocalDemoRail(ledger, ledger.Vouchers.AccountOf(seller), ledger.Vouchers.AccountOf(buyer));
    }

    public Task FundAsync(TokenAmount amount, CancellationToken cancellation)
    {
        _funds = amount;
        return ledger.FundAsync(buyer, amount, cancellation);
    }

    public async Task<(TokenAmount Earned, TokenAmount Spent)> CountAsync(CancellationToken cancellation) => (
        await ledger.GetBalanceAsync(seller, cancellation).ConfigureAwait(false),
        _funds - await ledger.GetBalanceAsync(buyer, cancellation).ConfigureAwait(false));

    public async Task PassAsync(Epoch epoch, CancellationToken cancellation)
    {
        while (await ledger.GetHeadAsync(cancellation).ConfigureAwait(false) < epoch)
            await Task.Delay(100, cancellation).ConfigureAwait(false);
    }

    public IReadOnlyList<GasSpent> Spent() => [];

    public ValueTask DisposeAsync()
    {
        ledger.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>The demo on a development chain of its own, with the contract deployed there: a transaction makes a block, and so does every second.</summary>
internal sealed class EvmDemoRail : IDemoRail
{
    private const long SettleDelayBlocks = 30;

    // One unit of the currency for each wallet's gas.
    private static readonly TokenAmount GasMoney = new(BigInteger.Pow(10, 18));

    private readonly AnvilNode _node;
    private readonly EvmRail _seller, _buyer;
    private readonly AccountId _sellerAccount, _buyerAccount;
    private TokenAmount _funds;

    private EvmDemoRail(AnvilNode node, EvmRail seller, EvmRail buyer, SecpKey sellerKey, SecpKey buyerKey)
    {
        (_node, _seller, _buyer) = (node, seller, buyer);
        (_sellerAccount, _buyerAccount) = (seller.Vouchers.AccountOf(sellerKey), buyer.Vouchers.AccountOf(buyerKey));
    }

    public IRail Seller => _seller;

    public IRail Buyer => _buyer;

    /// <summary>Starts a chain, deploys the contract, and writes it into both homes' settings, where the demo's processes find it.</summary>
    /// <param name="anvil">The program.</param>
    /// <param name="folder">For the deployment's journal.</param>
    /// <param name="seller">The seller's home and key.</param>
    /// <param name="buyer">The buyer's home and key.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public static async Task<EvmDemoRail> StartAsync(string anvil, string folder, (HomeFolder Home, SecpKey Key) seller, (HomeFolder Home, SecpKey Key) buyer, CancellationToken cancellation)
    {
        AnvilNode node = await AnvilNode.StartAsync(anvil, ["--block-time", "1", "--mixed-mining"], TimeProvider.System, cancellation).ConfigureAwait(false);
        EvmRail? first = null;
        try
        {
            using SecpKey deployer = SecpKey.Generate(RandomNumberGenerator.Fill);
            await node.FundAsync(EvmAddress.FromPublicKey(deployer.PublicKey.Span), GasMoney, cancellation).ConfigureAwait(false);
            var options = new EvmNodeOptions { Endpoint = node.Endpoint, ChainId = AnvilNode.ChainId, JournalFolder = folder };
            (RailReceipt receipt, EvmAddress? contract) = await EvmRail.DeployAsync(options, deployer, SettleDelayBlocks, TimeProvider.System, cancellation).ConfigureAwait(false);
            if (contract is not { } address)
                throw new CliException(ExitCodes.Refused, "deploy", receipt.Sentence);
            var settings = new EvmSettings { Endpoint = node.Endpoint.ToString(), ChainId = AnvilNode.ChainId, Contract = address.ToString() };
            first = await ConnectAsync(seller.Home).ConfigureAwait(false);
            return new EvmDemoRail(node, first, await ConnectAsync(buyer.Home).ConfigureAwait(false), seller.Key, buyer.Key);

            Task<EvmRail> ConnectAsync(HomeFolder home)
            {
                NodeSettings.SaveEvm(home.SettingsPath, settings);
                return EvmRail.ConnectAsync(settings.ToOptions(home.Folder), address, TimeProvider.System, cancellation);
            }
        }
        catch
        {
            first?.Dispose();
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async Task FundAsync(TokenAmount amount, CancellationToken cancellation)
    {
        _funds = amount;
        await _node.FundAsync(EvmAddress.Parse(_sellerAccount.Text), GasMoney, cancellation).ConfigureAwait(false);
        await _node.FundAsync(EvmAddress.Parse(_buyerAccount.Text), GasMoney + amount, cancellation).ConfigureAwait(false);
    }

    public async Task<(TokenAmount Earned, TokenAmount Spent)> CountAsync(CancellationToken cancellation) => (
        await _seller.GetBalanceAsync(_sellerAccount, cancellation).ConfigureAwait(false) + Cost(_seller.Spent(_sellerAccount)) - GasMoney,
        _funds + GasMoney - await _buyer.GetBalanceAsync(_buyerAccount, cancellation).ConfigureAwait(false) - Cost(_buyer.Spent(_buyerAccount)));

    public async Task PassAsync(Epoch epoch, CancellationToken cancellation)
    {
        long missing = epoch.Value - (await _seller.GetHeadAsync(cancellation).ConfigureAwait(false)).Value;
        if (missing > 0)
            await _node.MineAsync(missing, cancellation).ConfigureAwait(false);
    }

    public IReadOnlyList<GasSpent> Spent() => [.. _buyer.Spent(_buyerAccount), .. _seller.Spent(_sellerAccount)];

    public async ValueTask DisposeAsync()
    {
        _seller.Dispose();
        _buyer.Dispose();
        await _node.DisposeAsync().ConfigureAwait(false);
    }

    private static TokenAmount Cost(IEnumerable<GasSpent> spent) => spent.Aggregate(TokenAmount.Zero, (sum, one) => sum + one.Cost);
}
