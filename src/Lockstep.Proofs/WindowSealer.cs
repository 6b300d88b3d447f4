using System.Security.Cryptography;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Ciphers;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Hashing;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Transcripts;

namespace Lockstep.Proofs;

/// <summary>
/// A sealed window: what is sent to a buyer, and the keys that are not until they are paid for. Disposing it overwrites the
/// keys.
/// </summary>
public sealed class SealedWindow : IDisposable
{
    private readonly byte[][] _keys;

    internal SealedWindow(WindowStatement statement, IReadOnlyList<ReadOnlyMemory<byte>> ciphertexts, byte[] proof, byte[][] keys) =>
        (Statement, Ciphertexts, Proof, _keys) = (statement, ciphertexts, proof, keys);

    /// <summary>The public statement: lengths, digests, seal ids, locks.</summary>
    public WindowStatement Statement { get; }

    /// <summary>One per chunk, as long as its block.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Ciphertexts { get; }

    /// <summary>The proof.</summary>
    public ReadOnlyMemory<byte> Proof { get; }

    /// <summary>The 32-byte key of a chunk: secret until paid for.</summary>
    public ReadOnlySpan<byte> Key(int chunk) => _keys[chunk];

    /// <summary>Overwrites the keys.</summary>
    public void Dispose()
    {
        foreach (byte[] key in _keys)
            CryptographicOperations.ZeroMemory(key);
    }
}

/// <summary>Seals windows: fresh keys and seal ids, ciphertexts, and the proof that they are what the digests name.</summary>
public static class WindowSealer
{
    // What threads hold for themselves, and what rounding up to whole pages adds.
    private const long ScratchBytes = 48L << 20;

    /// <summary>The stages of sealing in their order, as <c>progress</c> receives them.</summary>
    public static IReadOnlyList<string> Stages { get; } = ["encrypt", "witness", "commit", "skip", "zerocheck", "lincheck", "fold", "open"];

    // Each stage's share of the time, between those measured for windows of 1 and 4 MiB; only what progress says depends on them.
    private static readonly double[] Shares = [0.005, 0.02, 0.31, 0.245, 0.23, 0.04, 0.095, 0.055];

    /// <summary>
    /// Bytes of native memory that sealing a window takes at its highest, beside the ciphertexts and the proof themselves; more
    /// than any number when no shape of the suite holds the window.
    /// </summary>
    /// <param name="suite">Cipher and proof system.</param>
    /// <param name="lengths">Bytes of each chunk.</param>
    public static long MemoryNeeded(Suite suite, IReadOnlyList<int> lengths)
    {
        if (WindowInstance.Shape(suite, lengths) is not { } shape)
            return long.MaxValue;

        // Witness and its two forms, half as much again for each form's folds; code, salts and tree; rows, sums and ties.
        long slots = (long)shape.PresentUnits * FastWitness.UnitSize + (long)shape.Tails * FastWitness.TailSize;
        long code = (long)shape.CodeLength * (RowEncoder.Stride(shape.Rows) + MerkleHash.SaltSize + 2 * MerkleHash.DigestSize);
        long levels = shape.Levels.Sum(level => (long)level.CodeLength * (level.LeafBytes + 2 * MerkleHash.DigestSize));
        long columns = 8L * shape.RowLength * Gf128.Size, sums = 2L * (shape.PresentTops + 1) * 8 * FastWitness.UnitSize * Gf128.Size;
        long units = ((long)shape.PresentUnits * 10 + (36L << shape.Kappa)) * Gf128.Size;
        return 4 * slots + code + levels + columns + sums + units + ScratchBytes;
    }

    /// <summary>Takes most of the memory for sealing such a window from the system ahead of time, for this process's pool.</summary>
    /// <param name="suite">Cipher and proof system.</param>
    /// <param name="lengths">Bytes of each chunk.</param>
    /// <param name="cancellation">Ends the work early; what is there by then is used.</param>
    public static void Reserve(Suite suite, IReadOnlyList<int> lengths, CancellationToken cancellation)
    {
        if (WindowInstance.Shape(suite, lengths) is not { } shape)
            return;
        long units = (long)shape.PresentUnits * FastWitness.UnitSize, tails = (long)shape.Tails * FastWitness.TailSize, code = shape.CodeLength;
        long folds = FastZerocheck.FoldBytes(shape);
        NativePool.Shared.Reserve(
            [units, units, units, tails, tails, tails, code * RowEncoder.Stride(shape.Rows), folds, folds, code * MerkleHash.SaltSize, (2 * code - 1) * MerkleHash.DigestSize],
            cancellation);
    }

    /// <summary>Seals one window under fresh keys.</summary>
    /// <param name="suite">Cipher and proof system.</param>
    /// <param name="lockHash">The hash of every lock of the window.</param>
    /// <param name="providerKey">The provider's identity key, 1 to 128 bytes, bound by the proof.</param>
    /// <param name="chunks">The blocks, each 1 byte to <see cref="ChunkStatement.MaxLength"/>.</param>
    /// <param name="random">Secret randomness for keys, seal ids and the proof.</param>
    /// <param name="workers">Threads and cancellation.</param>
    /// <param name="progress">Receives the name of each of the <see cref="Stages"/> as it begins; all but the first once more if a proof has to be begun anew.</param>
    /// <exception cref="ArgumentException">The window is empty, has a chunk out of range, or is larger than any shape of the suite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the keys are gone and must never be used.</exception>
    public static SealedWindow Seal(Suite suite, LockHash lockHash, ReadOnlyMemory<byte> providerKey, IReadOnlyList<ReadOnlyMemory<byte>> chunks,
        ISecretRandom random, Workers workers, Action<string>? progress = null)
    {
        progress?.Invoke("encrypt");
        var keys = new byte[chunks.Count][];
        var ciphertexts = new ReadOnlyMemory<byte>[chunks.Count];
        var statements = new ChunkStatement[chunks.Count];
        try
        {
            for (int i = 0; i < chunks.Count; i++)
            {
                // The key is fresh for this one chunk, so a zero nonce and counter repeat nothing.
                keys[i] = new byte[ChunkStatement.KeySize];
                var sealId = new byte[ChunkStatement.SealIdSize];
                random.Fill(keys[i]);
                random.Fill(sealId);
                var nonce = new byte[ChunkStatement.NonceSize];
                var ciphertext = new byte[chunks[i].Length];
                ChaCha20.Transform(keys[i], 0, nonce, chunks[i].Span, ciphertext);
                ciphertexts[i] = ciphertext;
                var keyHash = new byte[ChunkStatement.LockSize];
                ChunkOpener.HashKey(lockHash, keys[i], keyHash);
                statements[i] = new ChunkStatement(chunks[i].Length, SHA256.HashData(chunks[i].Span), sealId, nonce, 0, keyHash);
            }

            var statement = new WindowStatement(suite.Id, lockHash, providerKey, statements);
            byte[] proof = Prove(suite, statement, chunks, keys, ciphertexts, random, workers, progress);
            return new SealedWindow(statement, ciphertexts, proof, keys);
        }
        catch
        {
            // Those after the one that failed were never made.
            foreach (byte[]? key in keys)
                CryptographicOperations.ZeroMemory(key);
            throw;
        }
    }

    /// <summary>Seals one window under fresh keys and says how far it is.</summary>
    /// <param name="suite">Cipher and proof system.</param>
    /// <param name="lockHash">The hash of every lock of the window.</param>
    /// <param name="providerKey">The provider's identity key, 1 to 128 bytes, bound by the proof.</param>
    /// <param name="chunks">The blocks, each 1 byte to <see cref="ChunkStatement.MaxLength"/>.</param>
    /// <param name="random">Secret randomness for keys, seal ids and the proof.</param>
    /// <param name="workers">Threads and cancellation.</param>
    /// <param name="progress">Told as each stage begins, on this thread, and once at the end; it goes back if a proof has to be begun anew.</param>
    /// <exception cref="ArgumentException">The window is empty, has a chunk out of range, or is larger than any shape of the suite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the keys are gone and must never be used.</exception>
    public static SealedWindow Seal(Suite suite, LockHash lockHash, ReadOnlyMemory<byte> providerKey, IReadOnlyList<ReadOnlyMemory<byte>> chunks,
        ISecretRandom random, Workers workers, IProgress<SealProgress> progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        SealedWindow window = Seal(suite, lockHash, providerKey, chunks, random, workers, stage =>
        {
            double done = 0;
            for (int i = 0; Stages[i] != stage; i++)
                done += Shares[i];
            progress.Report(new SealProgress(stage, done));
        });
        progress.Report(new SealProgress(Stages[^1], 1));
        return window;
    }

    /// <summary>Proves a statement whose keys and ciphertexts exist.</summary>
    internal static byte[] Prove(Suite suite, WindowStatement statement, IReadOnlyList<ReadOnlyMemory<byte>> chunks, IReadOnlyList<byte[]> keys,
        IReadOnlyList<ReadOnlyMemory<byte>> ciphertexts, ISecretRandom random, Workers workers, Action<string>? progress = null)
    {
        if (WindowInstance.TryCreate(suite, statement, ciphertexts, out WindowInstance? instance) is { } rejection)
            throw new ArgumentException(rejection.Detail, nameof(chunks));
        byte[] digest = WitnessDigest(statement, keys);
        try
        {
            // A degenerate challenge (probability 2^-120) ends an attempt; the next has all-fresh randomness.
            while (true)
            {
                progress?.Invoke("witness");
                using var witness = FastWitness.Build(statement, instance!.Layout, chunks, [.. keys.Select(key => (ReadOnlyMemory<byte>)key)], NativePool.Shared, workers);
                using ProofSeed seed = ProofSeed.Create(random, digest);
                if (TryProve(instance, witness, seed, workers, progress) is { } proof)
                    return proof;
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(digest);
        }
    }

    /// <summary>One attempt with one seed; null when a challenge was degenerate.</summary>
    internal static byte[]? TryProve(WindowInstance instance, FastWitness witness, ProofSeed seed, Workers workers, Action<string>? progress = null)
    {
        Transcript transcript = instance.NewTranscript();
        using ProofRandom proofRandom = seed.Consume();
        var channel = new ProverChannel(transcript);
        channel.SendOpening(WindowVerifier.Header);
        using WitnessBits bits = witness.ToBits(instance.Argument.Shape);
        return WindowProver.Prove(instance.Argument, bits, proofRandom, channel, workers, progress) ? channel.ToArray() : null;
    }

    // What the seed is hedged with: everything the proof is about, keys included.
    private static byte[] WitnessDigest(WindowStatement statement, IReadOnlyList<byte[]> keys)
    {
        using var hasher = new Blake3Hasher();
        hasher.Update(statement.Encode());
        foreach (byte[] key in keys)
            hasher.Update(key);
        var digest = new byte[Blake3.DigestSize];
        hasher.Finish(digest);
        return digest;
    }
}
