using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Text.RegularExpressions;
using Lockstep.Cli.Proofs;
using Lockstep.Proofs;

namespace Lockstep.Cli.Common;

/// <summary>
/// The help of every command. The library shows a default as the program names it; people are shown the word that they
/// would type.
/// </summary>
internal sealed class HelpText(HelpAction shown) : SynchronousCommandLineAction
{
    private static readonly (Regex Shown, string Word)[] Words =
        [.. Enum.GetValues<LockHash>().Select(kind => (new Regex($@"(?<=\[default:\s+){kind}(?=\])"), ProofFolder.Name(kind)))];

    /// <inheritdoc/>
    public override bool ClearsParseErrors => shown.ClearsParseErrors;

    /// <summary>Takes the place of the library's help on a command line.</summary>
    public static void ShowOn(RootCommand root)
    {
        foreach (HelpOption option in root.Options.OfType<HelpOption>())
            option.Action = new HelpText((HelpAction)option.Action!);
    }

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        TextWriter output = parseResult.InvocationConfiguration.Output;
        using var text = new StringWriter();
        parseResult.InvocationConfiguration.Output = text;
        try
        {
            return shown.Invoke(parseResult);
        }
        finally
        {
            parseResult.InvocationConfiguration.Output = output;
            output.Write(Words.Aggregate(text.ToString(), (all, kind) => kind.Shown.Replace(all, kind.Word)));
        }
    }
}
