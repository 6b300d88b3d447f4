namespace Lockstep.Cli.Common;

/// <summary>Exit codes of every command (docs/cli.md).</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>A check failed, or a peer or rule refused.</summary>
    public const int Refused = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Money is missing, or a price is above the limit.</summary>
    public const int Money = 3;

    /// <summary>The peer or the network cannot be reached.</summary>
    public const int Network = 4;

    /// <summary>A file, folder or store of this machine cannot be used.</summary>
    public const int Local = 5;

    /// <summary>A fault of the program.</summary>
    public const int Internal = 70;

    /// <summary>Interrupted by the user.</summary>
    public const int Interrupted = 130;
}

/// <summary>A failure that the user is told about in one sentence.</summary>
internal sealed class CliException(int exitCode, string code, string sentence, Exception? inner = null) : Exception(sentence, inner)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>The word for machines in a JSON error.</summary>
    public string Code { get; } = code;
}
