using System.CommandLine;
using Lockstep.Cli.Common;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Cli.Commands;

/// <summary><c>fsm</c>: the state machines as Mermaid, drawn from the tables that the deals run on.</summary>
internal static class FsmCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("fsm", "Print a side's state machine as a Mermaid diagram.", "lockstep fsm client");
        command.Add(Side("client", ClientTable.Table));
        command.Add(Side("provider", ProviderTable.Table));
        return command;
    }

    private static Command Side(string name, TransitionTable table)
    {
        Command command = CommandKit.Create(name, $"The {name}'s machine.", $"lockstep fsm {name} --given");
        var given = new Option<bool>("--given") { Description = "Only the given core, without failure and recovery." };
        command.Add(given);
        command.SetBody((result, output, _) =>
        {
            string diagram = table.ToMermaid(result.GetValue(given));
            output.Result(new { side = name, mermaid = diagram }, diagram.TrimEnd());
            return ExitCodes.Ok;
        });
        return command;
    }
}
