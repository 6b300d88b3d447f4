using System.CommandLine;
using System.Diagnostics;
using Lockstep.Cli.Common;
using Lockstep.Cli.Proofs;
using Lockstep.Proofs;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Cli.Commands;

/// <summary><c>prove</c>: the provider's half of the protocol by hand.</summary>
internal static class ProveCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("prove",
            "Seal a file: write statement, ciphertext and proof for the buyer, and the keys apart.",
            "lockstep prove photo.jpg --out sealed --chunk-size 256KiB --lock sha256");
        var file = new Argument<string>("FILE") { Description = "The file to seal." };
        var folder = new Option<string>("--out") { Description = "The folder to write.", Required = true, HelpName = "DIR" };
        Option<long> chunkSize = ProofOptions.ChunkSize();
        Option<LockHash> lockHash = ProofOptions.Lock();
        Option<Suite> suite = ProofOptions.Suite();
        Option<int> threads = ProofOptions.Threads();
        foreach (Symbol symbol in (Symbol[])[file, folder, chunkSize, lockHash, suite, threads])
            ProofOptions.Add(command, symbol);
        command.SetBody((result, output, cancellation) =>
        {
            CommandKit.NoteSlowProcessor(output);
            string path = result.GetValue(file)!;
            byte[] data = ReadFile(path);
            if (data.Length == 0)
                throw new CliException(ExitCodes.Refused, "empty", $"{path} is empty; the empty file has no chunk to seal.");
            var watch = Stopwatch.StartNew();
            var workers = new Workers(result.GetValue(threads), cancellation);
            List<IReadOnlyList<ReadOnlyMemory<byte>>> windows = ProofOptions.Windows(data, result.GetValue(chunkSize));
            long proofBytes = 0;
            int chunks = 0;
            using var progress = new ProgressLine(output, "sealing", data.Length);
            ProofFolder.Write(result.GetValue(folder)!, result.GetValue(lockHash), Seal());
            output.Result(
                new { bytes = data.Length, chunks, windows = windows.Count, proofBytes, seconds = watch.Elapsed.TotalSeconds, suite = result.GetValue(suite)!.Id, @lock = ProofFolder.Name(result.GetValue(lockHash)) },
                $"sealed {Sizes.Format(data.Length)} in {chunks} chunks, proof {Sizes.Format(proofBytes)}, {watch.Elapsed.TotalSeconds:0.0} s",
                $"give away: statement.bin ciphertext.bin proof.bin    keep: keys.json");
            return ExitCodes.Ok;

            IEnumerable<SealedWindow> Seal()
            {
                foreach (IReadOnlyList<ReadOnlyMemory<byte>> window in windows)
                {
                    // By hand there is no provider's identity; the proof binds the name of this use instead.
                    using SealedWindow sealedWindow = WindowSealer.Seal(result.GetValue(suite)!, result.GetValue(lockHash), "by hand"u8.ToArray(), window, new SystemRandom(), workers);
                    chunks += window.Count;
                    proofBytes += sealedWindow.Proof.Length;
                    yield return sealedWindow;
                    progress.Advance(window.Sum(chunk => (long)chunk.Length));
                }
            }
        });
        return command;
    }

    private static byte[] ReadFile(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Local, "unreadable", $"{path} cannot be read; name a file that exists and that you may read.", failure);
        }
    }
}
