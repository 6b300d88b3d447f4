using Lockstep.Node.Evm;
using Lockstep.Node.Ledger;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Hosting;

/// <summary>The ledgers that a home can have its channels on, and how they are opened.</summary>
public static class RailNames
{
    /// <summary>The embedded local ledger: test money in a file.</summary>
    public const string Local = "local";

    /// <summary>The contract on an EVM or FEVM chain.</summary>
    public const string Evm = "evm";

    /// <summary>Every name.</summary>
    public static IReadOnlyList<string> All { get; } = [Local, Evm];

    /// <summary>Opens a home's rail.</summary>
    /// <param name="home">The home.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="name">Which; null for what the settings say.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="NodeException">The settings do not say where it is.</exception>
    /// <exception cref="RailException">It cannot be opened or reached.</exception>
    public static async Task<IRail> OpenAsync(HomeFolder home, NodeSettings settings, string? name, TimeProvider time, CancellationToken cancellation)
    {
        switch (name ?? settings.Rail)
        {
            case Local:
                return LocalLedger.OpenOrCreate(home.LedgerPath, new LedgerSettings(), time);
            case Evm when settings.Evm is { } evm:
                return await EvmRail.ConnectAsync(evm.ToOptions(home.Folder), EvmAddress.Parse(evm.Contract), time, cancellation).ConfigureAwait(false);
            case Evm:
                throw new NodeException(
                    NodeFault.BadSetting,
                    $"{home.SettingsPath} does not say where the EVM rail is; have 'lockstep rail evm use --rpc URL --contract ADDRESS' write it.");
            case var other:
                throw new NodeException(NodeFault.BadSetting, $"'{other}' is no rail; expected one of {string.Join(", ", All)}.");
        }
    }
}
