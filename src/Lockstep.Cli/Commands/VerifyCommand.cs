using System.CommandLine;
using System.Diagnostics;
using Lockstep.Cli.Common;
using Lockstep.Cli.Proofs;
using Lockstep.Content.Cids;
using Lockstep.Proofs;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Cli.Commands;

/// <summary><c>verify</c>: the client's check before any money, by hand. Reads the public files only.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("verify", "Check what 'prove' wrote, without the keys: exit 0, or 1 with the reason.", "lockstep verify sealed");
        var folder = new Argument<string>("DIR") { Description = "The folder with statement.bin, ciphertext.bin and proof.bin." };
        command.Add(folder);
        command.SetBody((result, output, cancellation) =>
        {
            var watch = Stopwatch.StartNew();
            var chunks = new List<SealedChunk>();
            long bytes = 0;
            int windows = 0;
            foreach (ProofFolder.Window window in new ProofFolder(result.GetValue(folder)!).Read())
            {
                cancellation.ThrowIfCancellationRequested();
                if (WindowVerifier.Verify(window.Statement, window.Ciphertexts, window.Proof.Span, VerifierPolicy.Default) is { } rejection)
                    throw new CliException(ExitCodes.Refused, rejection.Reason.ToString(), $"the proof of window {windows} is refused: {rejection}");
                windows++;
                foreach (ChunkStatement chunk in window.Statement.Chunks)
                {
                    bytes += chunk.Length;
                    chunks.Add(new SealedChunk(
                        Cid.FromDigest(Multicodec.Raw, chunk.Digest.Span).ToString(), chunk.Length, Convert.ToHexStringLower(chunk.Lock.Span),
                        ProofFolder.Name(window.Statement.LockHash), Convert.ToHexStringLower(chunk.SealId.Span)));
                }
            }

            output.Result(new { accepted = true, bytes, windows, chunks, seconds = watch.Elapsed.TotalSeconds },
                [$"accepted: {chunks.Count} chunks, {Sizes.Format(bytes)}, {watch.Elapsed.TotalMilliseconds:0} ms", .. chunks.Select(chunk => $"  {chunk.Cid}  {Sizes.Format(chunk.Length)}, {chunk.LockHash} lock {chunk.Lock[..16]}...")]);
            return ExitCodes.Ok;
        });
        return command;
    }

    private sealed record SealedChunk(string Cid, int Length, string Lock, string LockHash, string SealId);
}
