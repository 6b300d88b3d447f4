namespace Lockstep.Cli.Bench;

/// <summary>Instructions that a child process is left with: all, or fewer by the runtime's own switches.</summary>
/// <param name="Switch">An environment variable that is set to 0, or null for all instructions.</param>
/// <param name="Slowness">About how many times longer a proof takes than with all; only the time left is guessed from it.</param>
internal sealed record InstructionPath(string? Switch, int Slowness)
{
    public static InstructionPath Full { get; } = new(null, 1);

    public static IReadOnlyList<InstructionPath> All { get; } =
        [Full, new("DOTNET_EnableAVX512", 2), new("DOTNET_EnableAVX2", 6), new("DOTNET_EnableHWIntrinsic", 20)];

    public IReadOnlyDictionary<string, string> Environment =>
        Switch is null ? new Dictionary<string, string>() : new Dictionary<string, string> { [Switch] = "0" };
}

/// <summary>One measurement in a process of its own, which is also a command that anybody can type.</summary>
internal sealed record BenchCell(string What, string Suite, long Bytes, long ChunkSize, int Threads, int Runs, InstructionPath Path)
{
    public IEnumerable<string> Arguments =>
    [
        "bench", What, "--size", Text(Bytes), "--chunk-size", Text(ChunkSize), "--proof-window", Text(Bytes), "--suite", Suite,
        "--threads", Text(Threads), "--runs", Text(Runs), "--json",
    ];

    /// <summary>Bytes proven, made longer by slow instructions: the unit of the progress line.</summary>
    public long Work => Bytes * (What is "verify" or "open" ? 1 : Runs) * Path.Slowness * (Threads == 1 ? 2 : 1);

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Everything that <c>bench all</c> measures.</summary>
internal sealed record BenchPlan(IReadOnlyList<string> Suites, long ChunkSize, IReadOnlyList<long> Windows, IReadOnlyList<long> ChunkSizes, long ChunkWindow,
    IReadOnlyList<long> ReadWindows, IReadOnlyList<long> PathWindows, long DigestBytes, int ProveRuns, int ReadRuns, int SlowRuns,
    long PurchaseBytes, int PurchaseRuns, string RoundTrips, IReadOnlyList<int> Threads)
{
    private const long KiB = 1 << 10, MiB = 1 << 20;

    /// <summary>The figures of docs/benchmarks.md.</summary>
    public static BenchPlan Full(IReadOnlyList<string> suites) => new(
        suites, 256 * KiB, [256 * KiB, 512 * KiB, MiB, 2 * MiB, 4 * MiB, 8 * MiB], [64 * KiB, 128 * KiB, 256 * KiB, 512 * KiB, MiB], 4 * MiB,
        [MiB, 4 * MiB], [256 * KiB, MiB], 256 * KiB, 5, 21, 3, 32 * MiB, 3, "0ms,100ms", ThreadCounts());

    /// <summary>The same tables of tiny windows, once each: shows that all of it works, and says nothing about speed.</summary>
    public static BenchPlan Quick(IReadOnlyList<string> suites) => new(
        suites, 2 * KiB, [4 * KiB], [KiB, 4 * KiB], 4 * KiB, [4 * KiB], [4 * KiB], 4 * KiB, 1, 1, 1, 64 * KiB, 1, "0ms,10ms", ThreadCounts());

    public IEnumerable<BenchCell> ByWindow => from suite in Suites from window in Windows from threads in Threads select Prove(suite, window, ChunkSize, threads);

    public IEnumerable<BenchCell> ByChunk => from suite in Suites from chunk in ChunkSizes select Prove(suite, ChunkWindow, chunk, Threads[^1]);

    public IEnumerable<BenchCell> Reading =>
        from what in (string[])["verify", "open"]
        from suite in Suites
        from window in ReadWindows
        select new BenchCell(what, suite, window, ChunkSize, Threads[^1], ReadRuns, InstructionPath.Full);

    public IEnumerable<BenchCell> ByPath =>
        from path in InstructionPath.All
        from window in PathWindows
        where path.Slowness < 20 || window == PathWindows[0]
        select new BenchCell("prove", Suites[0], window, ChunkSize, Threads[^1], path == InstructionPath.Full ? ProveRuns : SlowRuns, path);

    private BenchCell Prove(string suite, long window, long chunk, int threads) => new("prove", suite, window, chunk, threads, ProveRuns, InstructionPath.Full);

    private static IReadOnlyList<int> ThreadCounts() => Environment.ProcessorCount == 1 ? [1] : [1, Environment.ProcessorCount];
}
