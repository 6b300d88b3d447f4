using System.CommandLine;
using Lockstep.Node.Hosting;
using Lockstep.Node.Provider;

namespace Lockstep.Cli.Common;

/// <summary>The options about windows that are sealed before anybody asks for them.</summary>
internal static class KeepAheadOptions
{
    public static Option<int?> Windows(string description, bool isNumberOptional = false)
    {
        var option = new Option<int?>("--keep-ahead") { Description = description, HelpName = "N", Arity = isNumberOptional ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, out int windows) && windows is >= 0 and <= NodeSettings.MaxKeepAheadWindows))
                result.AddError($"--keep-ahead must be a whole number from 0 to {NodeSettings.MaxKeepAheadWindows}.");
        });
        return option;
    }

    public static Option<string[]> Contents() => new("--keep-ahead-for")
    {
        Description = "Seal ahead only windows of this content; may be given several times.",
        HelpName = "CID",
        AllowMultipleArgumentsPerToken = false,
    };

    public static KeepAhead Read(int windows, string[]? contents)
    {
        if (contents is { Length: > 0 } && windows == 0)
            throw new CliException(ExitCodes.Usage, "keep-ahead", "--keep-ahead-for names contents, but no windows are to be sealed ahead; say how many with --keep-ahead, for example --keep-ahead 16.");
        return new KeepAhead(windows, [.. (contents ?? []).Select(Parsing.Cid)]);
    }
}
