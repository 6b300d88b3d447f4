using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Tests.Circuits;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Windows;

/// <summary>
/// A sealed window in which nothing is random: data, keys, nonces, counters, seal ids and the proof's seed are expanded from
/// a label, so that the same label and lengths give the same bytes on every machine. Ciphertexts and locks come from the
/// tests' own primitives, not from the code under test.
/// </summary>
internal sealed class DeterministicWindow
{
    private static readonly ConcurrentDictionary<string, Lazy<DeterministicWindow>> Cache = new();

    private DeterministicWindow(Suite suite, WindowStatement statement, ReadOnlyMemory<byte>[] data, ReadOnlyMemory<byte>[] ciphertexts, byte[] proof) =>
        (Suite, Statement, Data, Ciphertexts, Proof) = (suite, statement, data, ciphertexts, proof);

    public Suite Suite { get; }

    public WindowStatement Statement { get; }

    public ReadOnlyMemory<byte>[] Data { get; }

    public ReadOnlyMemory<byte>[] Ciphertexts { get; }

    public byte[] Proof { get; }

    /// <summary>The window of one byte under the default suite that most corruption tests use; sealed once.</summary>
    public static DeterministicWindow OneByte => Shared(Suites.Default, LockHash.Sha256, "one byte", 1);

    /// <summary>A window sealed once and shared by all tests that name the same arguments.</summary>
    public static DeterministicWindow Shared(Suite suite, LockHash lockHash, string label, params int[] lengths) =>
        Cache.GetOrAdd($"{suite.Id} {lockHash} {label} {string.Join(' ', lengths)}", _ => new(() => Seal(suite, lockHash, label, lengths))).Value;

    /// <summary>Seals a window.</summary>
    public static DeterministicWindow Seal(Suite suite, LockHash lockHash, string label, params int[] lengths) =>
        Seal(suite, lockHash, label, new Workers(2), lengths);

    /// <summary>Seals a window on a given number of threads.</summary>
    public static DeterministicWindow Seal(Suite suite, LockHash lockHash, string label, Workers workers, params int[] lengths)
    {
        byte[] Expand(string use, int count) => DeterministicWindow.Expand($"lockstep golden {label} {use}", count);

        int count = lengths.Length;
        var data = new ReadOnlyMemory<byte>[count];
        var keys = new ReadOnlyMemory<byte>[count];
        var ciphertexts = new ReadOnlyMemory<byte>[count];
        var chunks = new ChunkStatement[count];
        for (int i = 0; i < count; i++)
        {
            byte[] block = Expand($"data {i}", lengths[i]), key = Expand($"key {i}", 32), nonce = Expand($"nonce {i}", 12);
            uint counter = i % 3 == 0 ? 0 : BitConverter.ToUInt32(Expand($"counter {i}", 4)) >> 1;
            (data[i], keys[i]) = (block, key);
            ciphertexts[i] = Textbook.Crypt(key, counter, nonce, block);
            byte[] y = lockHash == LockHash.Sha256 ? SHA256.HashData(key) : Textbook.Blake2b256(key);
            chunks[i] = new ChunkStatement(lengths[i], SHA256.HashData(block), Expand($"seal id {i}", 32), nonce, counter, y);
        }

        var statement = new WindowStatement(suite.Id, lockHash, Expand("provider", 33), chunks);
        Assert.Null(WindowInstance.TryCreate(suite, statement, ciphertexts, out WindowInstance? instance));
        using var witness = FastWitness.Build(statement, instance!.Layout, data, keys, NativePool.Shared, workers);
        using var seed = new ProofSeed(Expand("proof seed", 32));
        byte[]? proof = WindowSealer.TryProve(instance, witness, seed, workers);
        Assert.NotNull(proof);
        return new DeterministicWindow(suite, statement, data, ciphertexts, proof);
    }

    /// <summary>Verifies this window with some part exchanged.</summary>
    public Rejection? Verify(byte[]? proof = null, WindowStatement? statement = null, IReadOnlyList<ReadOnlyMemory<byte>>? ciphertexts = null, VerifierPolicy? policy = null) =>
        WindowVerifier.Verify(statement ?? Statement, ciphertexts ?? Ciphertexts, proof ?? Proof, policy ?? VerifierPolicy.Default);

    /// <summary>SHA-256 of label and block number, as many blocks as needed.</summary>
    public static byte[] Expand(string label, int count)
    {
        var bytes = new byte[count];
        for (int at = 0; at < count; at += SHA256.HashSizeInBytes)
        {
            byte[] block = SHA256.HashData(Encoding.ASCII.GetBytes($"{label} {at}"));
            block.AsSpan(0, Math.Min(block.Length, count - at)).CopyTo(bytes.AsSpan(at));
        }

        return bytes;
    }
}
