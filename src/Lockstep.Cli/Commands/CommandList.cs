using System.CommandLine;

namespace Lockstep.Cli.Commands;

/// <summary>Every command, in the order of the help.</summary>
internal static class CommandList
{
    public static IEnumerable<Command> All() =>
    [
        DemoCommand.Create(), AddCommand.Create(), LsCommand.Create(), ServeCommand.Create(), AskCommand.Create(), GetCommand.Create(),
        DealsCommand.Create(), DealsCommand.CreateReceipt(), WalletCommand.Create(), ChannelCommand.Create(),
        ProveCommand.Create(), VerifyCommand.Create(), OpenCommand.Create(), BenchCommand.Create(),
        FsmCommand.Create(), SuitesCommand.Create(),
    ];
}
