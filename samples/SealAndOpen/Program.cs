using System.Diagnostics;
using System.Security.Cryptography;
using Lockstep.Proofs;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Verifier;

namespace SealAndOpen;

/// <summary>Both sides of a sale by hand: seals a file's first window, verifies the proof, opens the chunks with their keys.</summary>
public static class Program
{
    private const int ChunkSize = 256 << 10, WindowSize = 4 << 20;

    /// <summary>Runs the sample.</summary>
    /// <param name="args">The file to seal and, if wanted, the file that receives what was opened.</param>
    /// <returns>0, or 1 with a sentence on standard error.</returns>
    public static async Task<int> Main(string[] args)
    {
        if (args is not ([_] or [_, _]) || new FileInfo(args[0]) is not { Exists: true, Length: > 0 } file)
        {
            await Console.Error.WriteLineAsync("usage: SealAndOpen FILE [OPENED]    (FILE is not empty)");
            return 1;
        }

        // The seller cuts the content into chunks; one window is proven at a time.
        var content = new byte[Math.Min(file.Length, WindowSize)];
        await using (FileStream source = file.OpenRead())
            await source.ReadExactlyAsync(content);
        ReadOnlyMemory<byte>[] chunks = [.. Enumerable.Range(0, (content.Length + ChunkSize - 1) / ChunkSize)
            .Select(i => content.AsMemory(i * ChunkSize, Math.Min(ChunkSize, content.Length - i * ChunkSize)))];
        byte[] seller = RandomNumberGenerator.GetBytes(32);
        var watch = Stopwatch.StartNew();
        using SealedWindow window = WindowSealer.Seal(Suites.Default, LockHash.Sha256, seller, chunks, new SystemRandom(), Workers.All);
        Console.WriteLine($"sealed    {content.Length} bytes in {chunks.Length} chunks, proof {window.Proof.Length} bytes, {watch.Elapsed.TotalSeconds:0.00} s ({ProverInfo.InstructionPath})");

        // The buyer knows the digests from the content's CIDs. Statement, ciphertexts and proof come from the seller.
        watch.Restart();
        if (WindowVerifier.Verify(window.Statement, window.Ciphertexts, window.Proof.Span, VerifierPolicy.Default) is { } rejection)
        {
            await Console.Error.WriteLineAsync($"the proof is refused: {rejection}");
            return 1;
        }

        Console.WriteLine($"verified  {watch.Elapsed.TotalMilliseconds:0} ms: every ciphertext opens to its block under the preimage of its lock");

        // Paid for, each key is revealed, and opens its chunk.
        watch.Restart();
        await using Stream opened = args.Length == 2 ? File.Create(args[1]) : Stream.Null;
        for (int i = 0; i < chunks.Length; i++)
        {
            byte[] key = window.Key(i).ToArray();
            using var ciphertext = new MemoryStream(window.Ciphertexts[i].ToArray());
            OpenResult result = await ChunkOpener.OpenAsync(window.Statement.Chunks[i], LockHash.Sha256, key, ciphertext, opened);
            if (!result.IsOpened)
            {
                await Console.Error.WriteLineAsync($"chunk {i}: {result.Message}");
                return 1;
            }
        }

        Console.WriteLine($"opened    {watch.Elapsed.TotalMilliseconds:0} ms");
        return 0;
    }
}
