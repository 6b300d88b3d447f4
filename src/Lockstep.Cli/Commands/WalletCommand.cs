using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Lockstep.Cli.Common;
using Lockstep.Node.Hosting;
using Lockstep.Node.Ledger;
using Lockstep.Payments;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;

namespace Lockstep.Cli.Commands;

/// <summary><c>wallet</c>: the home's key and its money.</summary>
internal static class WalletCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("wallet", "Show the home's wallet: address and balance.", "lockstep wallet");
        command.SetBody(ShowAsync);
        command.Add(New());
        command.Add(Fund());
        return command;
    }

    private static async Task<int> ShowAsync(ParseResult result, Output output, CancellationToken cancellation)
    {
        HomeFolder home = CommandKit.OpenHome(result);
        using SecpKey key = Wallets.Open(home);
        using IRail ledger = await Wallets.OpenRailAsync(result, home, cancellation).ConfigureAwait(false);
        await WriteAsync(key, ledger, output, cancellation).ConfigureAwait(false);
        return ExitCodes.Ok;
    }

    private static Command New()
    {
        Command command = CommandKit.Create("new", "Make the home's wallet, with a passphrase if you want one.", "lockstep wallet new --passphrase");
        var passphrase = new Option<bool>("--passphrase") { Description = $"Protect the key by a passphrase: asked for, or taken from ${Wallets.PassphraseVariable}." };
        command.Add(passphrase);
        command.SetBody(async (result, output, cancellation) =>
        {
            HomeFolder home = CommandKit.OpenHome(result);
            string? words = null;
            if (result.GetValue(passphrase))
            {
                words = Environment.GetEnvironmentVariable(Wallets.PassphraseVariable);
                if (string.IsNullOrEmpty(words))
                {
                    words = Wallets.AskPassphrase("new passphrase: ");
                    if (words != Wallets.AskPassphrase("again: "))
                        throw new CliException(ExitCodes.Usage, "passphrase", "The two passphrases differ; nothing was written.");
                }

                if (words.Length == 0)
                    throw new CliException(ExitCodes.Usage, "passphrase", "An empty passphrase protects nothing; leave --passphrase out or type one.");
            }

            using SecpKey key = SecpKey.Generate(RandomNumberGenerator.Fill);
            WalletFile.Create(home.WalletPath, key, words, RandomNumberGenerator.Fill);
            using IRail ledger = await Wallets.OpenRailAsync(result, home, cancellation).ConfigureAwait(false);
            await WriteAsync(key, ledger, output, cancellation).ConfigureAwait(false);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Fund()
    {
        Command command = CommandKit.Create("fund", "Take test money from the local ledger's faucet; makes wallet and ledger when there are none.", "lockstep wallet fund 10");
        var amount = new Argument<string>("AMOUNT") { Description = "How much, e.g. 10, 0.5 or '1500 atto'." };
        var epoch = new Option<double>("--epoch-seconds") { Description = "Length of an epoch, when this makes the ledger.", DefaultValueFactory = _ => 30, HelpName = "S" };
        var delay = new Option<long>("--settle-delay") { Description = "Epochs between settle and collect, when this makes the ledger.", DefaultValueFactory = _ => new LedgerSettings().SettleDelayEpochs, HelpName = "N" };
        command.Add(amount);
        command.Add(epoch);
        command.Add(delay);
        command.SetBody(async (result, output, cancellation) =>
        {
            TokenAmount sum = Wallets.ParseAmount(result.GetValue(amount)!, Currency.LocalTest);
            if (sum.IsZero)
                throw new CliException(ExitCodes.Usage, "amount", "The amount must be more than zero.");
            if (result.GetValue(epoch) is not (>= 0.001 and <= 86400) || result.GetValue(delay) is < 1 or > 10_000_000)
                throw new CliException(ExitCodes.Usage, "ledger", "An epoch lasts 0.001 to 86400 seconds, and the settle delay is 1 to 10000000 epochs.");
            HomeFolder home = CommandKit.OpenHome(result);
            using SecpKey key = Wallets.OpenOrCreate(home);
            if ((result.GetValue(CommandKit.Rail) ?? home.LoadSettings().Rail) is not RailNames.Local and var other)
                throw new CliException(ExitCodes.Usage, "rail", $"The faucet is the local ledger's; send money to this wallet's address on the {other} rail instead ('lockstep wallet' shows it).");
            using LocalLedger ledger = Wallets.OpenLedger(home, new LedgerSettings { EpochLength = TimeSpan.FromSeconds(result.GetValue(epoch)), SettleDelayEpochs = result.GetValue(delay) });
            await ledger.FundAsync(ledger.Vouchers.AccountOf(key), sum, cancellation).ConfigureAwait(false);
            await WriteAsync(key, ledger, output, cancellation).ConfigureAwait(false);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task WriteAsync(SecpKey key, IRail ledger, Output output, CancellationToken cancellation)
    {
        AccountId account = ledger.Vouchers.AccountOf(key);
        TokenAmount balance = await ledger.GetBalanceAsync(account, cancellation).ConfigureAwait(false);
        Epoch head = await ledger.GetHeadAsync(cancellation).ConfigureAwait(false);
        output.Result(
            new { address = account.Text, balanceAtto = balance.ToString(), rail = ledger.Description.Id, epoch = head.ToString(), epochSeconds = ledger.Description.EpochSeconds },
            $"address  {account}",
            $"balance  {ledger.Description.Currency.Format(balance)}",
            string.Create(CultureInfo.InvariantCulture, $"ledger   {ledger.Description.Id}, epoch {head}"));
    }
}
