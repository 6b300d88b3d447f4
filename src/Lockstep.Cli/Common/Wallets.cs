using System.CommandLine;
using System.Security.Cryptography;
using Lockstep.Node.Hosting;
using Lockstep.Node.Ledger;
using Lockstep.Payments;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;

namespace Lockstep.Cli.Common;

/// <summary>The home's wallet and the ledger it uses.</summary>
internal static class Wallets
{
    /// <summary>The environment variable that holds the wallet's passphrase, for scripts.</summary>
    public const string PassphraseVariable = "LOCKSTEP_PASSPHRASE";

    /// <summary>Opens the home's wallet, and makes one without a passphrase when there is none.</summary>
    public static SecpKey OpenOrCreate(HomeFolder home)
    {
        if (!File.Exists(home.WalletPath))
        {
            using SecpKey key = SecpKey.Generate(RandomNumberGenerator.Fill);
            WalletFile.Create(home.WalletPath, key, null, RandomNumberGenerator.Fill);
        }

        return Open(home);
    }

    /// <summary>Opens the home's wallet.</summary>
    public static SecpKey Open(HomeFolder home)
    {
        if (!File.Exists(home.WalletPath))
            throw new CliException(ExitCodes.Local, "no-wallet", "This home has no wallet yet; make one with 'lockstep wallet new'.");
        string? passphrase = null;
        if (WalletFile.NeedsPassphrase(home.WalletPath))
        {
            passphrase = Environment.GetEnvironmentVariable(PassphraseVariable);
            if (string.IsNullOrEmpty(passphrase))
                passphrase = Console.IsInputRedirected ? Console.In.ReadLine() : AskPassphrase("passphrase: ");
        }

        return WalletFile.Open(home.WalletPath, passphrase);
    }

    /// <summary>Opens the ledger, or makes it with <paramref name="settings"/>.</summary>
    public static LocalLedger OpenLedger(HomeFolder home, LedgerSettings? settings = null) =>
        LocalLedger.OpenOrCreate(home.LedgerPath, settings ?? new LedgerSettings(), TimeProvider.System);

    /// <summary>Opens the rail that the command line or else the home's settings name.</summary>
    public static Task<IRail> OpenRailAsync(ParseResult result, HomeFolder home, CancellationToken cancellation) =>
        RailNames.OpenAsync(home, home.LoadSettings(), result.GetValue(CommandKit.Rail), TimeProvider.System, cancellation);

    /// <summary>Reads an amount that a person typed.</summary>
    public static TokenAmount ParseAmount(string text, Currency currency) => currency.TryParse(text, out TokenAmount amount)
        ? amount
        : throw new CliException(ExitCodes.Usage, "amount", $"'{text}' is not an amount; write for example 1.5, '1.5 {currency.Symbol}' or '1500 atto'.");

    /// <summary>Reads a passphrase from the terminal without showing it.</summary>
    public static string AskPassphrase(string prompt)
    {
        Console.Error.Write(prompt);
        var text = new System.Text.StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
                text.Length = Math.Max(0, text.Length - 1);
            else
                text.Append(key.KeyChar);
        }

        Console.Error.WriteLine();
        return text.ToString();
    }
}
