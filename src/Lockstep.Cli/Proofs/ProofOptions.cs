using System.CommandLine;
using System.CommandLine.Parsing;
using Lockstep.Cli.Common;
using Lockstep.Proofs;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Cli.Proofs;

/// <summary>Options shared by the commands that make or check proofs.</summary>
internal static class ProofOptions
{
    /// <summary>Content that one proof covers unless a command says otherwise: more than this costs memory, less costs size.</summary>
    public const int WindowBytes = 4 << 20;

    private const string WindowDescription = "Locks that may be open at once, each on a lane of its own.";

    public static Option<long> ChunkSize() =>
        Sizes.Option("--chunk-size", 256 << 10, "Bytes per chunk.", 1, ChunkStatement.MaxLength);

    /// <summary>Locks that may be open at once.</summary>
    public static Option<int> Window(int value = 1) =>
        Numbers.Option("--window", value, WindowDescription, 1, 64);

    /// <summary>The same with a default that depends on other options: null when it is not given.</summary>
    public static Option<int?> OptionalWindow(string defaults) => Numbers.Optional("--window", $"{WindowDescription} {defaults}", 1, 64);

    public static Option<LockHash> Lock() => new("--lock")
    {
        Description = "The hash of the locks: sha256 (local ledger, EVM) or blake2b (Filecoin).",
        HelpName = "sha256|blake2b",
        DefaultValueFactory = _ => LockHash.Sha256,
        CustomParser = ParseLock,
    };

    /// <summary>The same without a default: null when it is not given.</summary>
    public static Option<LockHash?> OptionalLock(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "sha256|blake2b",
        CustomParser = argument => ParseLock(argument),
    };

    public static Option<Suite> Suite() => new("--suite")
    {
        Description = "The proof suite; 'lockstep suites' lists them.",
        HelpName = "ID",
        DefaultValueFactory = _ => Suites.Default,
        CustomParser = ParseSuite,
    };

    /// <summary>The same without a default: null when it is not given.</summary>
    public static Option<Suite?> OptionalSuite(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "ID",
        CustomParser = ParseSuite,
    };

    public static Option<int> Threads() =>
        Numbers.Option("--threads", Environment.ProcessorCount, "Threads to use (all processors by default).", 1, 256);

    public static void Add(Command command, Symbol symbol)
    {
        if (symbol is Option option)
            command.Add(option);
        else
            command.Add((Argument)symbol);
    }

    /// <summary>Cuts data into chunks and packs consecutive chunks into windows of about <paramref name="windowBytes"/>.</summary>
    public static List<IReadOnlyList<ReadOnlyMemory<byte>>> Windows(ReadOnlyMemory<byte> data, long chunkSize, long windowBytes = WindowBytes)
    {
        int perWindow = (int)Math.Clamp(windowBytes / chunkSize, 1, 64);
        var windows = new List<IReadOnlyList<ReadOnlyMemory<byte>>>();
        var window = new List<ReadOnlyMemory<byte>>();
        for (int at = 0; at < data.Length; at += (int)chunkSize)
        {
            window.Add(data.Slice(at, (int)Math.Min(chunkSize, data.Length - at)));
            if (window.Count < perWindow && at + chunkSize < data.Length)
                continue;
            windows.Add(window);
            window = [];
        }

        return windows;
    }

    private static LockHash ParseLock(ArgumentResult argument)
    {
        foreach (LockHash kind in Enum.GetValues<LockHash>())
        {
            if (argument.Tokens[0].Value == ProofFolder.Name(kind))
                return kind;
        }

        argument.AddError($"'{argument.Tokens[0].Value}' is not a lock hash; choose sha256 or blake2b.");
        return default;
    }

    private static Suite ParseSuite(ArgumentResult argument)
    {
        if (Suites.Find(argument.Tokens[0].Value) is { } suite)
            return suite;
        argument.AddError($"'{argument.Tokens[0].Value}' is not a suite; choose {string.Join(" or ", Suites.All.Select(s => s.Id))}.");
        return Suites.Default;
    }
}
