using System.Security.Cryptography;
using System.Text;
using Lockstep.Proofs.Hashing;

namespace Lockstep.Proofs.Randomness;

/// <summary>
/// All randomness of one proof, made only by <see cref="ProofSeed.Consume"/>. Each use takes a stream of its own by
/// name, once, so that the order and the number of workers that draw cannot change what is drawn.
/// </summary>
internal sealed class ProofRandom : IDisposable
{
    private readonly byte[] _seed = new byte[Blake3.KeySize];
    private readonly HashSet<string> _taken = [];
    private readonly Func<string, RandomStream>? _given;
    private bool _disposed;

    internal ProofRandom(ReadOnlySpan<byte> seed) => seed.CopyTo(_seed);

    /// <summary>Chosen streams, for the tests that follow each random value to what a proof shows.</summary>
    internal ProofRandom(Func<string, RandomStream> given) => _given = given;

    /// <summary>The stream of the given name: the output of BLAKE3 keyed with the seed, over the name.</summary>
    /// <exception cref="InvalidOperationException">The stream was taken before.</exception>
    public RandomStream Take(string name)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        lock (_taken)
        {
            if (!_taken.Add(name))
                throw new InvalidOperationException($"The random stream '{name}' of this proof was taken before.");
        }

        if (_given != null)
            return _given(name);
        using var hasher = Blake3Hasher.Keyed(_seed);
        hasher.Update("lockstep/proof-random/1/"u8);
        hasher.Update(Encoding.UTF8.GetBytes(name));
        return new RandomStream(hasher.Finish());
    }

    /// <summary>Erases the seed; streams already taken go on.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_seed);
        _disposed = true;
    }
}
