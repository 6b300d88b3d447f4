using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Lockstep.Cli.Bench;
using Lockstep.Cli.Common;
using Lockstep.Proofs;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Cli.Commands;

/// <summary><c>bench all</c>: every table of docs/benchmarks.md, measured here and now.</summary>
internal static class BenchAllCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("all", "Measure everything and write the tables of docs/benchmarks.md.", "lockstep bench all --markdown");
        var markdown = new Option<bool>("--markdown") { Description = "Write the whole document; so it is unless --json is given." };
        var quick = new Option<bool>("--quick") { Description = "Tiny windows, once each: shows that all of it works, says nothing about speed." };
        var peer = new Option<string?>("--peer") { Description = "What benchmarks/peer-circom/run printed, to be set beside.", HelpName = "FILE" };
        foreach (Option option in (Option[])[markdown, quick, peer])
            command.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(markdown) && result.GetValue(CommandKit.Json))
                result.AddError("--markdown and --json exclude each other; choose one.");
        });
        command.SetBody(async (result, output, cancellation) =>
        {
            JsonElement? peerRun = result.GetValue(peer) is { } file ? ReadPeer(file) : null;
            string[] suites = [.. Suites.All.Select(suite => suite.Id)];
            BenchPlan plan = result.GetValue(quick) ? BenchPlan.Quick(suites) : BenchPlan.Full(suites);
            BenchFigures figures = await MeasureAsync(plan, output, cancellation).ConfigureAwait(false);
            var machine = BenchMachine.Here();
            output.Result(
                new
                {
                    what = "all",
                    quick = result.GetValue(quick),
                    machine,
                    windows = figures.ByWindow.Select(Row),
                    chunks = figures.ByChunk.Select(Row),
                    reading = figures.Reading.Select(Row),
                    paths = figures.ByPath.Select(Row),
                    digests = figures.Digests,
                    identicalBytes = figures.Digests.Select(digest => digest.Sha256).Distinct().Count() == 1,
                    zeroKnowledge = figures.Hiding,
                    purchases = figures.Purchases,
                    peer = peerRun,
                },
                new BenchReport(plan, figures, machine, result.GetValue(quick), peerRun).Lines());
            return figures.Digests.Select(digest => digest.Sha256).Distinct().Count() == 1 ? ExitCodes.Ok : ExitCodes.Refused;
        });
        return command;
    }

    private static object Row(BenchFigure figure) => new
    {
        figure.Cell.What,
        figure.Cell.Suite,
        figure.Cell.Bytes,
        figure.Cell.ChunkSize,
        figure.Cell.Threads,
        figure.Cell.Runs,
        figure.MibPerSecond,
        figure.SealMibPerSecond,
        figure.Seconds,
        figure.ProofBytes,
        figure.PeakRssBytes,
        figure.VectorPath,
        figure.Stages,
    };

    private static async Task<BenchFigures> MeasureAsync(BenchPlan plan, Output output, CancellationToken cancellation)
    {
        long total = plan.ByWindow.Concat(plan.ByChunk).Concat(plan.Reading).Concat(plan.ByPath).Sum(cell => cell.Work);
        using var progress = new ProgressLine(output, "measuring", total);
        IReadOnlyList<BenchFigure> windows = await AllAsync(plan.ByWindow).ConfigureAwait(false);
        IReadOnlyList<BenchFigure> chunks = await AllAsync(plan.ByChunk).ConfigureAwait(false);
        IReadOnlyList<BenchFigure> reading = await AllAsync(plan.Reading).ConfigureAwait(false);
        IReadOnlyList<BenchFigure> paths = await AllAsync(plan.ByPath).ConfigureAwait(false);
        var digests = new List<PathDigest>();
        foreach (InstructionPath path in InstructionPath.All)
        {
            JsonElement json = await BenchRunner.RunAsync(
                path, ["bench", "digest", "--size", $"{plan.DigestBytes}", "--chunk-size", $"{plan.ChunkSize}", "--json"], cancellation).ConfigureAwait(false);
            digests.Add(new PathDigest(json.GetProperty("vectorPath").GetString()!, json.GetProperty("sha256").GetString()!));
        }

        List<HidingFigure> hiding = await Task.Run(() => Hiding(plan, cancellation), cancellation).ConfigureAwait(false);
        JsonElement purchases = await BenchRunner.RunAsync(
            InstructionPath.Full, ["bench", "get", "--rtt", plan.RoundTrips, "--size", $"{plan.PurchaseBytes}", "--runs", $"{plan.PurchaseRuns}", "--json"], cancellation).ConfigureAwait(false);
        return new BenchFigures(windows, chunks, reading, paths, digests, hiding, purchases);

        async Task<IReadOnlyList<BenchFigure>> AllAsync(IEnumerable<BenchCell> cells)
        {
            var done = new List<BenchFigure>();
            foreach (BenchCell cell in cells)
            {
                done.Add(await BenchRunner.MeasureAsync(cell, cancellation).ConfigureAwait(false));
                progress.Advance(cell.Work, $"{cell.What} {Sizes.Format(cell.Bytes)}");
            }

            return done;
        }
    }

    private static List<HidingFigure> Hiding(BenchPlan plan, CancellationToken cancellation)
    {
        var figures = new List<HidingFigure>();
        foreach (string id in plan.Suites)
            foreach (long bytes in plan.Windows)
            {
                int[] lengths = [.. Enumerable.Repeat((int)plan.ChunkSize, (int)(bytes / plan.ChunkSize))];
                using var cost = new ZeroKnowledgeCost(Suites.Find(id)!, lengths, new Workers(plan.Threads[^1], cancellation));
                var with = new List<double>();
                var without = new List<double>();

                // Turn by turn, so that a machine that grows slower or faster favours neither; the first turn warms up.
                for (int run = 0; run <= plan.ProveRuns; run++)
                {
                    double hidden = Seconds(cost.Commit), bare = Seconds(cost.CommitBare);
                    if (run == 0)
                        continue;
                    with.Add(hidden);
                    without.Add(bare);
                }

                figures.Add(new HidingFigure(id, bytes, HostFigures.Median(with), HostFigures.Median(without), cost.ProofBytes));
            }

        return figures;
    }

    private static double Seconds(Action work)
    {
        var watch = Stopwatch.StartNew();
        work();
        return watch.Elapsed.TotalSeconds;
    }

    private static JsonElement ReadPeer(string file)
    {
        try
        {
            JsonElement peer = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(file));
            foreach (string number in (string[])["bytes", "constraints", "provingKeyBytes", "proveSeconds", "verifySeconds", "proofBytes", "bytesPerSecond"])
                _ = peer.GetProperty(number).GetDouble();
            _ = peer.GetProperty("proofSystem").GetString() ?? throw new KeyNotFoundException();
            return peer;
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new CliException(ExitCodes.Usage, "peer", $"'{file}' is not what benchmarks/peer-circom/run prints; run it and name the file with its output.");
        }
    }
}
