using System.CommandLine;
using System.Globalization;
using Lockstep.Cli.Bench;
using Lockstep.Cli.Common;
using Lockstep.Cli.Demo;
using Lockstep.Node.Evm;
using Lockstep.Node.Hosting;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;

namespace Lockstep.Cli.Commands;

/// <summary><c>rail</c>: the ledgers that money can be on, and the contract of the EVM rail.</summary>
internal static class RailCommand
{
    // Half a day, as on Filecoin.
    private const double SettleSeconds = 43200;

    public static Command Create()
    {
        Command command = CommandKit.Create("rail", "The ledgers that channels can be on: show them, and set up the contract on an EVM or FEVM chain.", "lockstep rail evm status");
        Command evm = CommandKit.Create("evm", "The contract on an EVM or FEVM chain.", "lockstep rail evm use --rpc http://127.0.0.1:8545 --contract 0x5FbDB2315678afecb367f032d93F642f64180aa3");
        evm.Add(Deploy());
        evm.Add(Use());
        evm.Add(Status());
        evm.Add(Gas());
        command.Add(evm);
        return command;
    }

    private static Command Deploy()
    {
        Command command = CommandKit.Create("deploy", "Deploy the contract. Whoever does pays for it and has no rights in it; one on a chain is enough for everybody.", "lockstep rail evm deploy --rpc http://127.0.0.1:8545 --save");
        Option<string> rpc = Rpc();
        var delay = new Option<long?>("--settle-delay") { Description = "Blocks between settling and collecting, in which vouchers are still redeemed (12 hours by default).", HelpName = "N" };
        var save = new Option<bool>("--save") { Description = "Use it for this home's channels from now on." };
        command.Add(rpc);
        command.Add(delay);
        command.Add(save);
        command.SetBody(async (result, output, cancellation) =>
        {
            HomeFolder home = CommandKit.OpenHome(result);
            using SecpKey key = Wallets.Open(home);
            EvmSettings settings = await ReachAsync(result.GetValue(rpc)!, EvmAddress.Zero, cancellation).ConfigureAwait(false);
            var chain = EvmChain.Of(settings.ChainId);
            long blocks = result.GetValue(delay) ?? (long)(SettleSeconds / chain.BlockSeconds);
            if (blocks is < 1 or > ChannelContract.MaxSettleDelay)
                throw new CliException(ExitCodes.Usage, "settle-delay", $"--settle-delay is from 1 to {ChannelContract.MaxSettleDelay} blocks.");
            (RailReceipt receipt, EvmAddress? contract) = await EvmRail.DeployAsync(settings.ToOptions(home.Folder), key, blocks, TimeProvider.System, cancellation).ConfigureAwait(false);
            if (contract is not { } address)
                throw new CliException(receipt.Outcome == RailOutcome.InsufficientFunds ? ExitCodes.Money : ExitCodes.Refused, receipt.Outcome.ToString(), receipt.Sentence);
            if (result.GetValue(save))
                NodeSettings.SaveEvm(home.SettingsPath, settings with { Contract = address.ToString() });
            output.Result(
                new { contract = address.ToString(), chainId = chain.Id, chain = chain.Name, settleDelayBlocks = blocks, transaction = receipt.TransactionId, block = receipt.Epoch.Value, saved = result.GetValue(save) },
                string.Create(CultureInfo.InvariantCulture, $"deployed {address} on {chain.Name} (chain {chain.Id}), settling takes {blocks} blocks"),
                receipt.Sentence,
                result.GetValue(save) ? $"this home's channels are in it from now on ({home.SettingsPath})" : $"use it with 'lockstep rail evm use --rpc {settings.Endpoint} --contract {address}'");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Use()
    {
        Command command = CommandKit.Create("use", "Have this home's channels in a contract from now on. Checks node, chain and contract, then writes settings.json.", "lockstep rail evm use --rpc http://127.0.0.1:8545 --contract 0x5FbDB2315678afecb367f032d93F642f64180aa3");
        Option<string> rpc = Rpc();
        var contract = new Option<string>("--contract") { Description = "The contract's address.", Required = true, HelpName = "ADDRESS" };
        command.Add(rpc);
        command.Add(contract);
        command.SetBody(async (result, output, cancellation) =>
        {
            if (!EvmAddress.TryParse(result.GetValue(contract), out EvmAddress address, out string error))
                throw new CliException(ExitCodes.Usage, "contract", error);
            HomeFolder home = CommandKit.OpenHome(result);
            EvmSettings settings = await ReachAsync(result.GetValue(rpc)!, address, cancellation).ConfigureAwait(false);
            using (await EvmRail.ConnectAsync(settings.ToOptions(home.Folder), address, TimeProvider.System, cancellation).ConfigureAwait(false))
                NodeSettings.SaveEvm(home.SettingsPath, settings);
            output.Result(
                new { contract = address.ToString(), chainId = settings.ChainId, chain = EvmChain.Of(settings.ChainId).Name, settings = home.SettingsPath },
                $"this home's channels are in {address} on {EvmChain.Of(settings.ChainId).Name} from now on ({home.SettingsPath})");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Status()
    {
        Command command = CommandKit.Create("status", "Ask the node of this home's EVM rail: chain, newest block, contract, the wallet's money and what its transactions cost.", "lockstep rail evm status --json");
        command.SetBody(async (result, output, cancellation) =>
        {
            HomeFolder home = CommandKit.OpenHome(result);
            using SecpKey key = Wallets.Open(home);
            using var rail = (EvmRail)await RailNames.OpenAsync(home, home.LoadSettings(), RailNames.Evm, TimeProvider.System, cancellation).ConfigureAwait(false);
            AccountId account = rail.Vouchers.AccountOf(key);
            Epoch head = await rail.GetHeadAsync(cancellation).ConfigureAwait(false);
            TokenAmount balance = await rail.GetBalanceAsync(account, cancellation).ConfigureAwait(false);
            IReadOnlyList<ChannelSnapshot> channels = await rail.FindChannelsAsync(account, cancellation).ConfigureAwait(false);
            IReadOnlyList<GasSpent> spent = rail.Spent(account);
            TokenAmount cost = spent.Aggregate(TokenAmount.Zero, (sum, one) => sum + one.Cost);
            Currency currency = rail.Description.Currency;
            output.Result(
                new
                {
                    rail = rail.Description.Id,
                    block = head.Value,
                    settleDelayBlocks = rail.Description.SettleDelayEpochs,
                    finalityBlocks = rail.Description.FinalityEpochs,
                    account = account.Text,
                    balanceAtto = balance.ToString(),
                    channels = channels.Count,
                    transactions = spent.Select(one => new { what = one.What, transaction = one.Transaction, gas = one.Gas, costAtto = one.Cost.ToString() }),
                    costAtto = cost.ToString(),
                },
                $"rail     {rail.Description.Id}",
                string.Create(CultureInfo.InvariantCulture, $"block    {head}, final after {rail.Description.FinalityEpochs}, settling takes {rail.Description.SettleDelayEpochs}"),
                $"account  {account}, holds {currency.Format(balance)}",
                string.Create(CultureInfo.InvariantCulture, $"channels {channels.Count}"),
                string.Create(CultureInfo.InvariantCulture, $"sent     {spent.Count} transactions for {currency.Format(cost)}"));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Gas()
    {
        Command command = CommandKit.Create("gas", "Measure what each call of the contract takes, on a development chain of its own.", "lockstep rail evm gas --json");
        command.SetBody(async (result, output, cancellation) =>
        {
            string anvil = await AnvilTool.FindAsync(output, cancellation).ConfigureAwait(false);
            IReadOnlyList<(string Call, long Gas)> measured = await GasBench.RunAsync(anvil, cancellation).ConfigureAwait(false);
            output.Result(
                measured.Select(one => new { call = one.Call, gas = one.Gas }),
                ["| call | gas |", "|---|---|", .. measured.Select(one => string.Create(CultureInfo.InvariantCulture, $"| {one.Call} | {one.Gas:N0} |"))]);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Option<string> Rpc() => new("--rpc") { Description = $"The node's JSON-RPC address; a token for it comes from ${EvmSettings.TokenVariable}.", Required = true, HelpName = "URL" };

    // The chain is whichever the node is on; from then on it must stay there.
    private static async Task<EvmSettings> ReachAsync(string rpc, EvmAddress contract, CancellationToken cancellation)
    {
        if (!EvmSettings.IsEndpoint(rpc))
            throw new CliException(ExitCodes.Usage, "rpc", $"'{rpc}' is no address of a node; write http://HOST:PORT or https://..., without a password in it.");
        var settings = new EvmSettings { Endpoint = rpc, ChainId = 1, Contract = contract.ToString() };
        ulong chain = await EvmRail.GetChainIdAsync(new Uri(rpc), settings.ToOptions("").Token, TimeProvider.System, cancellation).ConfigureAwait(false);
        return settings with { ChainId = chain };
    }
}
