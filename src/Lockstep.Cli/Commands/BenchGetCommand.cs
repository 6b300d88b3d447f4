using System.CommandLine;
using System.Globalization;
using Lockstep.Cli.Bench;
using Lockstep.Cli.Common;
using Lockstep.Cli.Proofs;
using Lockstep.Content.UnixFs;
using Lockstep.Node.Hosting;
using Lockstep.Payments;
using Lockstep.Proofs;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Cli.Commands;

/// <summary>
/// <c>bench get</c>: whole purchases over links of several lengths beside bare proving, all in one run. Speeds of one machine
/// at different times say little, so ratios are taken within each run and their median counts.
/// </summary>
internal static class BenchGetCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("get", "Time whole purchases through a delaying proxy, beside bare proving of the same bytes.", "lockstep bench get --rtt 0ms,100ms --size 32MiB --json");
        var rtt = new Option<string>("--rtt")
        {
            Description = "Round-trip times of the link, separated by commas; what is lost counts from the first.",
            HelpName = "TIME,...",
            DefaultValueFactory = _ => "0ms,100ms",
        };
        Option<long> size = Sizes.Option("--size", 32 << 20, "Bytes of content.", 1, 1 << 30);
        Option<long> chunkSize = Sizes.Option("--chunk-size", ImportOptions.DefaultChunkSize, "Bytes per leaf.", ImportOptions.MinChunkSize, ImportOptions.MaxChunkSize);
        Option<long> proofWindow = Sizes.Option("--proof-window", new NodeSettings().ProofWindowBytes, "Bytes of content under one proof.", 1, NodeSettings.MaxProofWindowBytes);
        Option<int> runs = Numbers.Option("--runs", 3, "Runs; the median counts.", 1, 1000);
        Option<int> window = ProofOptions.Window(16);
        Option<LockHash> lockHash = ProofOptions.Lock();
        Option<Suite> suite = ProofOptions.Suite();
        Option<int> threads = ProofOptions.Threads();
        foreach (Option option in (Option[])[rtt, size, chunkSize, proofWindow, runs, window, lockHash, suite, threads])
            command.Add(option);
        command.SetBody(async (result, output, cancellation) =>
        {
            Suite chosen = result.GetValue(suite)!;
            LockHash hash = result.GetValue(lockHash);
            List<TimeSpan> links = ParseTimes(result.GetValue(rtt)!);
            var plan = new ExchangePlan(
                result.GetValue(size), (int)result.GetValue(chunkSize), (LockHashKind)(byte)hash, chosen.Id, result.GetValue(window), result.GetValue(proofWindow),
                result.GetValue(threads));
            var proving = new List<double>();
            var purchases = links.Select(_ => new List<ExchangeSample>()).ToArray();
            ExchangeBench exchange = await ExchangeBench.StartAsync(plan, cancellation).ConfigureAwait(false);
            await using (exchange.ConfigureAwait(false))
            {
                await exchange.WarmUpAsync(cancellation).ConfigureAwait(false);
                await Task.Run(() => Prove(chosen, hash, plan with { Bytes = Math.Min(plan.Bytes, plan.ProofWindowBytes) }, cancellation), cancellation).ConfigureAwait(false);
                for (int run = 0; run < result.GetValue(runs); run++)
                {
                    proving.Add(await Task.Run(() => Prove(chosen, hash, plan, cancellation), cancellation).ConfigureAwait(false));
                    output.Note(string.Create(CultureInfo.InvariantCulture, $"proving alone: {proving[^1]:0.00} s"));
                    // There and back, so that a machine that grows slower or faster favours no link.
                    IEnumerable<int> order = Enumerable.Range(0, links.Count);
                    foreach (int link in run % 2 == 0 ? order : order.Reverse())
                    {
                        purchases[link].Add(await exchange.BuyAsync(links[link], cancellation).ConfigureAwait(false));
                        output.Note(string.Create(CultureInfo.InvariantCulture, $"purchase at {links[link].TotalMilliseconds} ms: {purchases[link][^1].Seconds:0.00} s"));
                    }
                }
            }

            Report(output, plan, proving, links, purchases);
            return ExitCodes.Ok;
        });
        return command;
    }

    // The work of bench prove.
    private static double Prove(Suite suite, LockHash lockHash, ExchangePlan plan, CancellationToken cancellation)
    {
        var data = new byte[plan.Bytes];
        new Random(1).NextBytes(data);
        var sample = new Sample();
        foreach (IReadOnlyList<ReadOnlyMemory<byte>> window in ProofOptions.Windows(data, plan.ChunkSize, plan.ProofWindowBytes))
        {
            using SealedWindow made = WindowSealer.Seal(
                suite, lockHash, "bench"u8.ToArray(), window, new SystemRandom(), new Workers(plan.Threads, cancellation), sample.Enter);
            sample.Leave();
        }

        return sample.Proving;
    }

    private static void Report(Output output, ExchangePlan plan, List<double> proving, List<TimeSpan> links, List<ExchangeSample>[] purchases)
    {
        double mib = plan.Bytes / (double)(1 << 20), alone = HostFigures.Median(proving);
        var lines = links.Select((link, at) => new
        {
            rttMs = link.TotalMilliseconds,
            mibPerSecond = mib / HostFigures.Median(purchases[at].Select(bought => bought.Seconds)),
            seconds = HostFigures.Median(purchases[at].Select(bought => bought.Seconds)),
            runs = purchases[at].Select(bought => bought.Seconds),
            ofProving = HostFigures.Median(purchases[at].Select((bought, run) => proving[run] / bought.Seconds)),
            lost = HostFigures.Median(purchases[at].Select((bought, run) => 1 - purchases[0][run].Seconds / bought.Seconds)),
        }).ToArray();
        ExchangeSample last = purchases[^1][^1];
        output.Result(
            new
            {
                what = "get",
                suite = plan.SuiteId,
                bytes = plan.Bytes,
                chunkSize = plan.ChunkSize,
                openLocks = plan.OpenLocks,
                proving = new { mibPerSecond = mib / alone, seconds = alone, runs = proving },
                links = lines,
                lines[0].mibPerSecond,
                lines[0].seconds,
                proofBytes = last.ProofBytes,
                wireBytesPerContentByte = last.WireBytes / (double)plan.Bytes,
                peakRssBytes = HostFigures.PeakMemory(),
                vectorPath = HostFigures.VectorPath,
                threads = plan.Threads,
            },
            [
                string.Create(CultureInfo.InvariantCulture, $"{Sizes.Format(plan.Bytes)}, {HostFigures.VectorPath}, {plan.Threads} threads"),
                string.Create(CultureInfo.InvariantCulture, $"proving alone       {mib / alone:0.###} MiB/s"),
                .. lines.Select(line => string.Create(
                    CultureInfo.InvariantCulture,
                    $"purchase at {line.rttMs,4} ms {line.mibPerSecond:0.###} MiB/s, {line.ofProving:P0} of proving, {line.lost:P1} lost")),
            ]);
    }

    private static List<TimeSpan> ParseTimes(string list)
    {
        var times = new List<TimeSpan>();
        foreach (string text in list.Split(','))
        {
            (string number, double unit) = text switch
            {
                _ when text.EndsWith("ms", StringComparison.Ordinal) => (text[..^2], 0.001),
                _ when text.EndsWith('s') => (text[..^1], 1),
                _ => ("", 0),
            };
            if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) || value * unit > 10)
                throw new CliException(ExitCodes.Usage, "rtt", $"'{text}' is not a round-trip time; write for example 0ms, 100ms or 1.5s, at most 10s.");
            times.Add(TimeSpan.FromSeconds(value * unit));
        }

        return times;
    }
}
