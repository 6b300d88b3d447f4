using System.CommandLine;
using System.Text;
using System.Text.RegularExpressions;
using Lockstep.Cli.Commands;
using Lockstep.Cli.Tests.Support;

namespace Lockstep.Cli.Tests.Commands;

/// <summary>Every command explains itself, with an example; the text is held against a committed copy.</summary>
public class HelpTests
{
    /// <summary>Set to write the copy anew, after reading the difference: <c>LOCKSTEP_ACCEPT_HELP=1 ./run-tests Cli</c>.</summary>
    private const string AcceptVariable = "LOCKSTEP_ACCEPT_HELP";

    [Fact]
    public async Task TheProgramItselfAnswers()
    {
        RunResult help = (await Support.Lockstep.RunAsync("--help")).Ok();
        foreach (Command command in CommandList.All())
            Assert.Contains($"  {command.Name}", help.Output, StringComparison.Ordinal);
        Assert.Matches(@"^\d+\.\d+\.\d+", (await Support.Lockstep.RunAsync("--version")).Ok().Output);
    }

    [Fact]
    public void EveryCommandHasAnExampleThatParses()
    {
        RootCommand root = CommandList.Root();
        foreach (Command command in root.Subcommands.SelectMany(WithChildren))
        {
            Assert.Contains("\n\nExample:\n  lockstep ", command.Description, StringComparison.Ordinal);
            string example = command.Description!.Split("Example:\n  lockstep ")[1];
            Assert.True(root.Parse(example).Errors.Count == 0, $"the example 'lockstep {example}' does not parse: {string.Join(" ", root.Parse(example).Errors)}");
        }
    }

    [Fact]
    public void TheTextIsTheAcceptedOne()
    {
        var text = new StringBuilder();
        RootCommand root = CommandList.Root();
        foreach (string[] path in root.Subcommands.SelectMany(command => Paths(command, [])))
        {
            using var writer = new StringWriter();
            Assert.Equal(0, root.Parse([.. path, "--help"]).Invoke(new InvocationConfiguration { Output = writer }));
            text.AppendLine(writer.ToString().TrimEnd()).AppendLine().AppendLine("--------").AppendLine();
        }

        // Two things are the test's own: the program's name, and the machine's number of processors.
        string actual = text.ToString().ReplaceLineEndings("\n")
            .Replace($"  {RootCommand.ExecutableName} ", "  lockstep ", StringComparison.Ordinal)
            .Replace($"(all processors by default). [default: {Environment.ProcessorCount}]", "(all processors by default).", StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable(AcceptVariable) == "1")
            File.WriteAllText(Path.Combine(SourceTree.Root, "tests", "vectors", "cli-help.v1.txt"), actual);
        else
            Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "vectors", "cli-help.v1.txt")), actual);
    }

    [Fact]
    public void WhatIsShownAsTheDefaultIsAcceptedWhenTyped()
    {
        RootCommand root = CommandList.Root();
        int shown = 0;
        foreach (string[] path in root.Subcommands.SelectMany(command => Paths(command, [])))
        {
            using var writer = new StringWriter();
            root.Parse([.. path, "--help"]).Invoke(new InvocationConfiguration { Output = writer });
            foreach (Match match in Regex.Matches(writer.ToString(), @"^  (--[\w-]+).*\[default: (\S+)\]", RegexOptions.Multiline))
            {
                string option = match.Groups[1].Value, word = match.Groups[2].Value;
                Assert.DoesNotContain(root.Parse([.. path, option, word]).Errors, error => error.Message.Contains(word, StringComparison.Ordinal) || error.Message.Contains(option, StringComparison.Ordinal));
                shown++;
            }
        }

        Assert.True(shown > 20, $"only {shown} defaults were found in the help");
    }

    private static IEnumerable<string[]> Paths(Command command, string[] above)
    {
        string[] path = [.. above, command.Name];
        return command.Subcommands.SelectMany(child => Paths(child, path)).Prepend(path);
    }

    private static IEnumerable<Command> WithChildren(Command command) => command.Subcommands.SelectMany(WithChildren).Prepend(command);
}
