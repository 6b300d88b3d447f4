using System.Text.Json;
using Lockstep.Cli.Common;
using Lockstep.Cli.Demo;

namespace Lockstep.Cli.Bench;

/// <summary>What one cell came to.</summary>
/// <param name="Cell">What was measured.</param>
/// <param name="MibPerSecond">Of the median run.</param>
/// <param name="Seconds">The median run.</param>
/// <param name="SealMibPerSecond">With encryption; null for what only reads.</param>
/// <param name="ProofBytes">All proofs of the content.</param>
/// <param name="PeakRssBytes">The most memory its process held.</param>
/// <param name="VectorPath">Instructions it used.</param>
/// <param name="Stages">Seconds of each stage of the last run.</param>
internal sealed record BenchFigure(BenchCell Cell, double MibPerSecond, double Seconds, double? SealMibPerSecond, long ProofBytes, long PeakRssBytes,
    string VectorPath, IReadOnlyDictionary<string, double> Stages);

/// <summary>A window's digest under fixed randomness, from one instruction path.</summary>
internal sealed record PathDigest(string VectorPath, string Sha256);

/// <summary>One commitment with and without what hides it.</summary>
/// <param name="Suite">The proof suite.</param>
/// <param name="Bytes">Content of the window.</param>
/// <param name="CommitSeconds">Median, with.</param>
/// <param name="BareSeconds">Median, without.</param>
/// <param name="HidingBytes">Bytes of a proof that serve only to hide.</param>
internal sealed record HidingFigure(string Suite, long Bytes, double CommitSeconds, double BareSeconds, long HidingBytes);

/// <summary>All results of <c>bench all</c>.</summary>
internal sealed record BenchFigures(IReadOnlyList<BenchFigure> ByWindow, IReadOnlyList<BenchFigure> ByChunk, IReadOnlyList<BenchFigure> Reading,
    IReadOnlyList<BenchFigure> ByPath, IReadOnlyList<PathDigest> Digests, IReadOnlyList<HidingFigure> Hiding, JsonElement Purchases);

/// <summary>Runs measurements one after the other, each in a process of its own, so that no peak of memory is another's.</summary>
internal static class BenchRunner
{
    public static async Task<BenchFigure> MeasureAsync(BenchCell cell, CancellationToken cancellation)
    {
        JsonElement json = await RunAsync(cell.Path, cell.Arguments, cancellation).ConfigureAwait(false);
        return new BenchFigure(
            cell, json.GetProperty("mibPerSecond").GetDouble(), json.GetProperty("seconds").GetDouble(),
            json.TryGetProperty("sealMibPerSecond", out JsonElement sealing) ? sealing.GetDouble() : null,
            json.GetProperty("proofBytes").GetInt64(), json.GetProperty("peakRssBytes").GetInt64(), json.GetProperty("vectorPath").GetString()!,
            json.GetProperty("stages").EnumerateObject().ToDictionary(stage => stage.Name, stage => stage.Value.GetDouble()));
    }

    /// <summary>Runs this program with the instructions of a path and returns its one JSON value.</summary>
    public static async Task<JsonElement> RunAsync(InstructionPath path, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        await using ChildProcess child = ChildProcess.Start(path.Environment, arguments);
        JsonElement json = await child.ReadJsonAsync(cancellation).ConfigureAwait(false);
        (int code, string errors) = await child.WaitAsync(cancellation).ConfigureAwait(false);
        return code == ExitCodes.Ok ? json : throw new CliException(ExitCodes.Refused, "bench", $"a measurement ended with exit code {code}: {errors}");
    }
}
