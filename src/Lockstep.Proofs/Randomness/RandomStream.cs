using System.Runtime.InteropServices;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Hashing;

namespace Lockstep.Proofs.Randomness;

/// <summary>One named stream of a proof's random bytes, read forward only, by one caller at a time.</summary>
internal sealed unsafe class RandomStream : IDisposable
{
    // Bytes that one call of a worker makes.
    private const int Piece = 1 << 16;

    private readonly Blake3Output? _output;
    private ulong _position;
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
        _position += (ulong)destination.Length;
    }

    /// <summary>The next bytes, as <see cref="Fill(Span{byte})"/> gives them, made by several threads.</summary>
    /// <param name="destination">First byte to overwrite.</param>
    /// <param name="length">Any number of bytes.</param>
    /// <param name="workers">Threads to use; the bytes do not depend on it.</param>
    public void Fill(byte* destination, long length, Workers workers)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        int pieces = checked((int)((length + Piece - 1) / Piece));
        Span<byte> At(int piece) => new(destination + (long)piece * Piece, (int)Math.Min(Piece, length - (long)piece * Piece));
        if (_output == null)
        {
            for (int piece = 0; piece < pieces; piece++)
                Fill(At(piece));
            return;
        }

        ulong position = _position;
        workers.For(pieces, 1, (start, end) =>
        {
            for (int piece = start; piece < end; piece++)
                _output.FillAt(position + (ulong)piece * Piece, At(piece));
        });
        _position += (ulong)length;
        _output.Seek(_position);
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
