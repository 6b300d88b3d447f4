using System.CommandLine;
using Lockstep.Node;
using Lockstep.Node.Hosting;
using Lockstep.Payments.Keys;
using Lockstep.Proofs;

namespace Lockstep.Cli.Common;

/// <summary>What every command has: the shared options, its example, and one place where failures become sentences.</summary>
internal static class CommandKit
{
    public static readonly Option<bool> Json = new("--json") { Description = "Print one JSON value for machines.", Recursive = true };

    public static readonly Option<string?> Home = new("--home")
    {
        Description = "The folder with keys, wallet, content and deals (else $LOCKSTEP_HOME, else ~/.lockstep).",
        Recursive = true,
        HelpName = "DIR",
    };

    public static readonly Option<string?> Ledger = new("--ledger")
    {
        Description = "The local ledger's file (else $LOCKSTEP_LEDGER, else beside the home).",
        Recursive = true,
        HelpName = "FILE",
    };

    public static readonly Option<string?> Rail = RailOption();

    /// <summary>A command whose help ends with an example.</summary>
    public static Command Create(string name, string description, string example) => new(name, $"{description}\n\nExample:\n  {example}");

    /// <summary>Runs a command's body and turns what goes wrong into one sentence and an exit code.</summary>
    public static void SetBody(this Command command, Func<ParseResult, Output, CancellationToken, Task<int>> body) =>
        command.SetAction(async (result, cancellation) =>
        {
            var output = new Output(result.GetValue(Json));
            try
            {
                return await body(result, output, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                output.Error("interrupted", "Interrupted; nothing is lost, run the command again to go on.");
                return ExitCodes.Interrupted;
            }
            catch (CliException failure)
            {
                output.Error(failure.Code, failure.Message);
                return failure.ExitCode;
            }
            catch (NodeException failure)
            {
                output.Error(failure.Fault.ToString(), failure.Message);
                return ExitCodeOf(failure.Fault);
            }
            catch (WalletException failure)
            {
                output.Error(failure.Fault.ToString(), failure.Message);
                return ExitCodes.Local;
            }
            catch (Payments.Rails.RailException failure)
            {
                output.Error("rail", failure.Message);
                return ExitCodes.Local;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException || IsFileTooLarge(failure))
            {
                output.Error("io", failure.Message);
                return ExitCodes.Local;
            }
            catch (Exception failure)
            {
                output.Error("internal", $"The program met a fault of its own ({failure.GetType().Name}: {failure.Message.ReplaceLineEndings(" ")}); please report it.");
                return ExitCodes.Internal;
            }
        });

    /// <summary>A synchronous body.</summary>
    public static void SetBody(this Command command, Func<ParseResult, Output, CancellationToken, int> body) =>
        command.SetBody((result, output, cancellation) => Task.Run(() => body(result, output, cancellation), CancellationToken.None));

    /// <summary>The home that the options name.</summary>
    public static HomeFolder OpenHome(ParseResult result) => HomeFolder.Open(result.GetValue(Home), result.GetValue(Ledger));

    /// <summary>For the commands that prove: one line when this processor makes that slow.</summary>
    public static void NoteSlowProcessor(Output output)
    {
        if (ProverInfo.SlowProcessorNotice is { } notice)
            output.Note($"note: {notice}");
    }

    private static Option<string?> RailOption()
    {
        var option = new Option<string?>("--rail")
        {
            Description = "The ledger that the money is on: local or evm (settings.json otherwise, local by default).",
            Recursive = true,
            HelpName = string.Join('|', RailNames.All),
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !RailNames.All.Contains(token.Value))
                result.AddError($"--rail must be one of {string.Join(", ", RailNames.All)}, not '{token.Value}'.");
        });
        return option;
    }

    // The runtime reports a file that may not grow any more as a wrong argument of its own.
    private static bool IsFileTooLarge(Exception failure) =>
        failure is ArgumentOutOfRangeException { ParamName: "value" } && failure.Message.StartsWith("Specified file length", StringComparison.Ordinal);

    private static int ExitCodeOf(NodeFault fault) => fault switch
    {
        NodeFault.InsufficientFunds or NodeFault.OverLimit => ExitCodes.Money,
        NodeFault.PeerUnreachable or NodeFault.PeerIdentity => ExitCodes.Network,
        NodeFault.PeerMisbehaved or NodeFault.PeerRefused or NodeFault.NotFound => ExitCodes.Refused,
        NodeFault.BadAddress => ExitCodes.Usage,
        _ => ExitCodes.Local,
    };
}
