using System.CommandLine;
using Lockstep.Cli.Common;

namespace Lockstep.Cli.Commands;

/// <summary>Every command, in the order of the help.</summary>
internal static class CommandList
{
    /// <summary>The whole command line.</summary>
    public static RootCommand Root()
    {
        var root = new RootCommand("Sell and buy files chunk by chunk, with a proof before the money and the key for it.")
        {
            CommandKit.Json, CommandKit.Home, CommandKit.Ledger, CommandKit.Rail,
        };
        foreach (Command command in All())
            root.Add(command);
        HelpText.ShowOn(root);
        return root;
    }

    public static IEnumerable<Command> All() =>
    [
        DemoCommand.Create(), AddCommand.Create(), LsCommand.Create(), ServeCommand.Create(), AskCommand.Create(), GetCommand.Create(),
        DealsCommand.Create(), DealsCommand.CreateReceipt(), WalletCommand.Create(), ChannelCommand.Create(), RailCommand.Create(),
        ProveCommand.Create(), VerifyCommand.Create(), OpenCommand.Create(), BenchCommand.Create(),
        FsmCommand.Create(), SuitesCommand.Create(),
    ];
}
