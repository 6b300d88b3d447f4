using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Lockstep.Proofs.Hashing;

/// <summary>The extended output of one message: a stream of up to 2^64 bytes that can be read from any place.</summary>
internal sealed class Blake3Output : IDisposable
{
    private readonly Lanes1[] _chaining = new Lanes1[8];
    private readonly Lanes1[] _message = new Lanes1[16];
    private readonly uint _blockLength;
    private readonly uint _flags;
    private readonly Lanes1[] _block = new Lanes1[16];
    private ulong _blockIndex = ulong.MaxValue;
    private ulong _position;

    internal Blake3Output(ReadOnlySpan<Lanes1> chaining, ReadOnlySpan<Lanes1> message, uint blockLength, uint flags)
    {
        chaining.CopyTo(_chaining);
        message.CopyTo(_message);
        (_blockLength, _flags) = (blockLength, flags | Blake3Compression.Root);
    }

    /// <summary>Reads the next bytes of the stream.</summary>
    public void Fill(Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            ulong index = _position / Blake3Compression.BlockSize;
            if (index != _blockIndex)
                Expand(index);
            int offset = (int)(_position % Blake3Compression.BlockSize);
            int take = Math.Min(destination.Length, Blake3Compression.BlockSize - offset);
            Bytes.Slice(offset, take).CopyTo(destination);
            destination = destination[take..];
            _position += (ulong)take;
        }
    }

    /// <summary>Moves the reading place to the given byte of the stream.</summary>
    public void Seek(ulong position) => _position = position;

    /// <summary>Erases key and state.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_chaining.AsSpan()));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_message.AsSpan()));
        CryptographicOperations.ZeroMemory(Bytes);
    }

    private Span<byte> Bytes => MemoryMarshal.AsBytes(_block.AsSpan());

    private void Expand(ulong index)
    {
        Blake3Compression.Compress<Lanes1>(
            _chaining, _message, new Lanes1((uint)index), new Lanes1((uint)(index >> 32)), new Lanes1(_blockLength), new Lanes1(_flags), _block);
        if (!BitConverter.IsLittleEndian)
        {
            Span<uint> words = MemoryMarshal.Cast<Lanes1, uint>(_block.AsSpan());
            System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(words, words);
        }

        _blockIndex = index;
    }
}
