using System.Runtime.InteropServices;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Hashing;

namespace Lockstep.Proofs.Randomness;

/// <summary>One named stream of a proof's random bytes, read forward only.</summary>
internal sealed class RandomStream : IDisposable
{
    private readonly Blake3Output? _output;
    private readonly Action<Span<byte>>? _given;

    internal RandomStream(Blake3Output output) => _output = output;

    /// <summary>A stream of chosen bytes, for the tests that follow each random value to what a proof shows.</summary>
    internal RandomStream(Action<Span<byte>> given) => _given = given;

    /// <summary>The next bytes.</summary>
    public void Fill(Span<byte> destination)
    {
        if (_output != null)
            _output.Fill(destination);
        else
            _given!(destination);
    }

    /// <summary>The next elements, uniform, 16 bytes each.</summary>
    public void Fill(Span<Gf128> destination)
    {
        // Gf128 is two 64-bit words, low one first: on a little-endian machine its memory is its serialization.
        if (BitConverter.IsLittleEndian)
        {
            Fill(MemoryMarshal.AsBytes(destination));
            return;
        }

        Span<byte> bytes = stackalloc byte[Gf128.Size];
        foreach (ref Gf128 element in destination)
        {
            Fill(bytes);
            element = Gf128.Read(bytes);
        }
    }

    /// <summary>The next elements as a new array.</summary>
    public Gf128[] Elements(int count)
    {
        var elements = new Gf128[count];
        Fill(elements);
        return elements;
    }

    /// <summary>Erases the stream's key.</summary>
    public void Dispose() => _output?.Dispose();
}
