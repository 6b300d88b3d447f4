using System.Security.Cryptography;
using Lockstep.Proofs.Hashing;

namespace Lockstep.Proofs.Randomness;

/// <summary>
/// The secret seed of one proof's randomness. It is consumed by being used: a second <see cref="Consume"/> throws, there is
/// no way to copy or export it, and the bytes are erased on use. Two proofs from one seed would show a chunk's bits
/// (docs/proof-system.md section 11).
/// </summary>
internal sealed class ProofSeed : IDisposable
{
    private const int SeedSize = Blake3.KeySize;

    private byte[]? _seed;

    /// <summary>A seed of given bytes, for tests that must repeat a proof.</summary>
    /// <param name="seed">32 bytes.</param>
    internal ProofSeed(ReadOnlySpan<byte> seed)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(seed.Length, SeedSize);
        _seed = seed.ToArray();
    }

    /// <summary>
    /// A fresh seed from the generator, hedged with the witness: should the generator repeat itself, different
    /// witnesses still get unrelated seeds.
    /// </summary>
    /// <param name="random">The operating system's generator.</param>
    /// <param name="witnessDigest">A digest over everything private and public that the proof is about.</param>
    public static ProofSeed Create(ISecretRandom random, ReadOnlySpan<byte> witnessDigest)
    {
        ArgumentOutOfRangeException.ThrowIfZero(witnessDigest.Length);
        Span<byte> key = stackalloc byte[Blake3.KeySize];
        Span<byte> seed = stackalloc byte[SeedSize];
        try
        {
            random.Fill(key);
            using var hasher = Blake3Hasher.Keyed(key);
            hasher.Update("lockstep/proof-seed/1"u8);
            hasher.Update(witnessDigest);
            hasher.Finish(seed);
            return new ProofSeed(seed);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    /// <summary>Turns the seed into the one generator it is good for.</summary>
    /// <exception cref="InvalidOperationException">The seed was consumed or disposed of before.</exception>
    public ProofRandom Consume()
    {
        byte[] seed = Interlocked.Exchange(ref _seed, null)
            ?? throw new InvalidOperationException("A proof seed serves one proof only: create a fresh one.");
        try
        {
            return new ProofRandom(seed);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    /// <summary>Erases a seed that was not consumed.</summary>
    public void Dispose()
    {
        byte[]? seed = Interlocked.Exchange(ref _seed, null);
        if (seed is not null)
            CryptographicOperations.ZeroMemory(seed);
    }
}
