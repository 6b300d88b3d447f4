using System.CommandLine;
using Lockstep.Cli.Commands;
using Lockstep.Cli.Common;

ParseResult parsed = CommandList.Root().Parse(args);
if (parsed.Errors.Count > 0 && parsed.Action is not HelpText)
{
    // A word that means nothing says more about what went wrong than the argument that is missing because of it.
    string sentence = parsed.UnmatchedTokens is [string word, ..]
        ? $"'{word}' is not known here."
        : parsed.Errors[0].Message;
    new Output(args.Contains("--json")).Error("usage", $"{sentence} See '{PathOf(parsed.CommandResult.Command)} --help'.");
    return ExitCodes.Usage;
}

using var signals = new TerminationSignals(patience: TimeSpan.FromSeconds(30));
return await signals.WatchAsync(parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, signals.Token));

// "lockstep channel open", not "open": the help that is pointed at must be the right one.
static string PathOf(Command command) =>
    command is RootCommand ? "lockstep" : $"{PathOf((Command)command.Parents.First())} {command.Name}";
