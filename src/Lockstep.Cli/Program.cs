using System.CommandLine;
using Lockstep.Cli.Commands;
using Lockstep.Cli.Common;

var root = new RootCommand("Sell and buy files chunk by chunk, with a proof before the money and the key for it.")
{
    CommandKit.Json, CommandKit.Home, CommandKit.Ledger,
};
foreach (Command command in CommandList.All())
    root.Add(command);

ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0 && parsed.Action is not System.CommandLine.Help.HelpAction)
{
    new Output(parsed.GetValue(CommandKit.Json)).Error("usage", $"{parsed.Errors[0].Message} See 'lockstep {parsed.CommandResult.Command.Name} --help'.");
    return ExitCodes.Usage;
}

return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
