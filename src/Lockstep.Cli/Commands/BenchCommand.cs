using System.CommandLine;
using System.Globalization;
using Lockstep.Cli.Bench;
using Lockstep.Cli.Common;
using Lockstep.Cli.Proofs;
using Lockstep.Proofs;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Cli.Commands;

/// <summary><c>bench prove|seal|verify|open|get|all</c>: the figures of the documentation, on this machine.</summary>
internal static class BenchCommand
{
    private const long LargestWindow = 8 << 20;

    public static Command Create()
    {
        Command command = CommandKit.Create("bench", "Measure proving, sealing, verifying, opening and whole purchases on this machine.", "lockstep bench prove --size 1MiB --json");
        foreach (string what in (string[])["prove", "seal", "verify", "open"])
            command.Add(Measure(what));
        command.Add(BenchGetCommand.Create());
        command.Add(BenchAllCommand.Create());
        command.Add(BenchDigestCommand.Create());
        return command;
    }

    private static Command Measure(string what)
    {
        Command command = CommandKit.Create(what, what switch
        {
            "prove" => "Time the proof of windows whose ciphertexts exist.",
            "seal" => "Time sealing: encryption, digests, locks and proof.",
            "verify" => "Time the verification of a proof.",
            _ => "Time opening: key check, decryption, digest.",
        }, $"lockstep bench {what} --size 1MiB --runs 5 --json");
        Option<long> size = Sizes.Option("--size", 1 << 20, "Bytes of content, rounded to whole chunks.", 1, 1 << 30);
        Option<long> chunkSize = ProofOptions.ChunkSize();
        Option<long> proofWindow = Sizes.Option("--proof-window", ProofOptions.WindowBytes, "Bytes of content under one proof.", 1, LargestWindow);
        Option<int> runs = Numbers.Option("--runs", 5, "Runs; the median counts. One more comes first and is told apart: it compiles the code and touches the memory.", 1, 1000);
        Option<LockHash> lockHash = ProofOptions.Lock();
        Option<Suite> suite = ProofOptions.Suite();
        Option<int> threads = ProofOptions.Threads();
        foreach (Symbol symbol in (Symbol[])[size, chunkSize, proofWindow, runs, lockHash, suite, threads])
            ProofOptions.Add(command, symbol);
        command.SetBody((result, output, cancellation) =>
        {
            CommandKit.NoteSlowProcessor(output);
            long chunk = result.GetValue(chunkSize);
            long bytes = Math.Max(1, (result.GetValue(size) + chunk / 2) / chunk) * chunk;
            var setup = new Setup(result.GetValue(suite)!, result.GetValue(lockHash), new Workers(result.GetValue(threads), cancellation));
            var data = new byte[bytes];
            new Random(1).NextBytes(data);
            List<IReadOnlyList<ReadOnlyMemory<byte>>> windows = ProofOptions.Windows(data, chunk, Math.Min(bytes, result.GetValue(proofWindow)));

            // What only reads proofs reads the same ones in every run.
            List<SealedWindow>? made = what is "verify" or "open" ? [.. windows.Select(window => Seal(setup, window, null))] : null;
            var samples = new List<Sample>();
            for (int run = 0; run <= result.GetValue(runs); run++)
                samples.Add(made is null ? RunSealing(what, setup, windows) : RunReading(what, setup, made));
            made?.ForEach(window => window.Dispose());
            double cold = samples[0].Seconds;
            samples.RemoveAt(0);
            double[] seconds = [.. samples.Select(sample => sample.Seconds)];
            Sample last = samples.OrderBy(sample => sample.Seconds).ElementAt(samples.Count / 2);
            double median = HostFigures.Median(seconds), speed = bytes / (double)(1 << 20) / median;
            output.Result(
                new
                {
                    what,
                    suite = setup.Suite.Id,
                    bytes,
                    windows = windows.Count,
                    chunkSize = chunk,
                    @lock = ProofFolder.Name(setup.LockHash),
                    mibPerSecond = speed,
                    seconds = median,
                    runs = seconds,
                    coldSeconds = cold,
                    sealMibPerSecond = made is null ? bytes / (double)(1 << 20) / HostFigures.Median(samples.Select(sample => sample.Stages.Values.Sum())) : (double?)null,
                    proofBytes = last.ProofBytes,
                    wireBytesPerContentByte = (bytes + last.ProofBytes + last.StatementBytes) / (double)bytes,
                    peakRssBytes = HostFigures.PeakMemory(),
                    vectorPath = HostFigures.VectorPath,
                    threads = setup.Workers.Count,
                    stages = last.Stages,
                },
                string.Create(CultureInfo.InvariantCulture, $"{what} {Sizes.Format(bytes)}: {speed:0.###} MiB/s ({median:0.###} s), proof {Sizes.Format(last.ProofBytes)}, peak memory {Sizes.Format(HostFigures.PeakMemory())}, {HostFigures.VectorPath}, {setup.Workers.Count} threads"));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static SealedWindow Seal(Setup setup, IReadOnlyList<ReadOnlyMemory<byte>> window, Action<string>? stages) =>
        WindowSealer.Seal(setup.Suite, setup.LockHash, "bench"u8.ToArray(), window, new SystemRandom(), setup.Workers, stages);

    private static Sample RunSealing(string what, Setup setup, IReadOnlyList<IReadOnlyList<ReadOnlyMemory<byte>>> windows)
    {
        var sample = new Sample();
        foreach (IReadOnlyList<ReadOnlyMemory<byte>> window in windows)
        {
            using SealedWindow made = Seal(setup, window, sample.Enter);
            sample.Leave();
            sample.Count(made);
        }

        sample.Seconds = what == "prove" ? sample.Proving : sample.Stages.Values.Sum();
        return sample;
    }

    private static Sample RunReading(string what, Setup setup, IReadOnlyList<SealedWindow> windows)
    {
        var sample = new Sample();
        foreach (SealedWindow window in windows)
        {
            byte[][] plaintexts = [.. window.Ciphertexts.Select(chunk => new byte[chunk.Length])];
            sample.Enter(what);
            if (what == "verify")
                Verify(window);
            else
                Open(setup, window, plaintexts);
            sample.Leave();
            sample.Count(window);
        }

        sample.Seconds = sample.Stages[what];
        return sample;
    }

    private static void Verify(SealedWindow window)
    {
        if (WindowVerifier.Verify(window.Statement, window.Ciphertexts, window.Proof.Span, VerifierPolicy.Default) is { } rejection)
            throw new CliException(ExitCodes.Refused, "bench", $"an honest proof was refused: {rejection}");
    }

    private static void Open(Setup setup, SealedWindow window, byte[][] plaintexts)
    {
        for (int i = 0; i < plaintexts.Length; i++)
            if (!ChunkOpener.Open(window.Statement.Chunks[i], setup.LockHash, window.Key(i), window.Ciphertexts[i].Span, plaintexts[i]).IsOpened)
                throw new CliException(ExitCodes.Refused, "bench", "an honest chunk did not open");
    }

    private sealed record Setup(Suite Suite, LockHash LockHash, Workers Workers);
}
