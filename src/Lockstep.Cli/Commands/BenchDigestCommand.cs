using System.CommandLine;
using System.Security.Cryptography;
using Lockstep.Cli.Bench;
using Lockstep.Cli.Common;
using Lockstep.Cli.Proofs;
using Lockstep.Proofs;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Cli.Commands;

/// <summary>
/// <c>bench digest</c>: the SHA-256 of a window's ciphertexts, statement and proof under repeated randomness. Two processes that
/// print the same made the same bytes, whatever instructions they used.
/// </summary>
internal static class BenchDigestCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("digest", "Hash a window sealed with fixed randomness, to compare instruction sets.", "lockstep bench digest --size 256KiB --json");
        command.Hidden = true;
        Option<long> size = Sizes.Option("--size", 256 << 10, "Bytes of content.", 1, ProofOptions.WindowBytes);
        Option<long> chunkSize = ProofOptions.ChunkSize();
        Option<LockHash> lockHash = ProofOptions.Lock();
        Option<Suite> suite = ProofOptions.Suite();
        Option<int> threads = ProofOptions.Threads();
        foreach (Option option in (Option[])[size, chunkSize, lockHash, suite, threads])
            command.Add(option);
        command.SetBody((result, output, cancellation) =>
        {
            var data = new byte[result.GetValue(size)];
            new Random(1).NextBytes(data);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var random = new RepeatedRandom();
            foreach (IReadOnlyList<ReadOnlyMemory<byte>> chunks in ProofOptions.Windows(data, result.GetValue(chunkSize)))
            {
                using SealedWindow window = WindowSealer.Seal(
                    result.GetValue(suite)!, result.GetValue(lockHash), "bench"u8.ToArray(), chunks, random, new Workers(result.GetValue(threads), cancellation));
                foreach (ReadOnlyMemory<byte> ciphertext in window.Ciphertexts)
                    hash.AppendData(ciphertext.Span);
                hash.AppendData(window.Statement.Encode());
                hash.AppendData(window.Proof.Span);
            }

            string digest = Convert.ToHexStringLower(hash.GetHashAndReset());
            output.Result(new { what = "digest", bytes = data.Length, vectorPath = HostFigures.VectorPath, sha256 = digest }, $"{digest}  {HostFigures.VectorPath}");
            return ExitCodes.Ok;
        });
        return command;
    }
}
