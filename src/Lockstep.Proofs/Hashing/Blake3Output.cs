using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Lockstep.Proofs.Hashing;

/// <summary>
/// The extended output of one message: a stream of up to 2^64 bytes that can be read from any place, by several threads at
/// once through <see cref="FillAt(ulong, Span{byte})"/>.
/// </summary>
internal sealed unsafe class Blake3Output : IDisposable
{
    private readonly Lanes1[] _chaining = new Lanes1[8];
    private readonly Lanes1[] _message = new Lanes1[16];
    private readonly uint _blockLength;
    private readonly uint _flags;

    // The block of the reading place, so that many small reads make it once.
    private readonly byte[] _block = new byte[Blake3Compression.BlockSize];
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
            int offset = (int)(_position % Blake3Compression.BlockSize), take = destination.Length / Blake3Compression.BlockSize * Blake3Compression.BlockSize;
            if (offset == 0 && take > 0)
            {
                FillAt(_position, destination[..take]);
            }
            else
            {
                take = Math.Min(destination.Length, Blake3Compression.BlockSize - offset);
                ulong index = _position / Blake3Compression.BlockSize;
                if (index != _blockIndex)
                    Blocks(index, _block);
                _blockIndex = index;
                _block.AsSpan(offset, take).CopyTo(destination);
            }

            destination = destination[take..];
            _position += (ulong)take;
        }
    }

    /// <summary>Reads the bytes at a place of the stream without moving the reading place.</summary>
    public void FillAt(ulong position, Span<byte> destination) => FillAt(position, destination, Blake3Batch.PreferredLanes);

    /// <summary>As above with the widest number of lanes allowed (16, 8, 4 or 1) given.</summary>
    internal void FillAt(ulong position, Span<byte> destination, int lanes)
    {
        Span<byte> block = stackalloc byte[Blake3Compression.BlockSize];
        int offset = (int)(position % Blake3Compression.BlockSize);
        ulong index = position / Blake3Compression.BlockSize;
        if (offset > 0)
        {
            int take = Math.Min(destination.Length, Blake3Compression.BlockSize - offset);
            Blocks(index++, block);
            block.Slice(offset, take).CopyTo(destination);
            destination = destination[take..];
        }

        int whole = destination.Length / Blake3Compression.BlockSize * Blake3Compression.BlockSize;
        Blocks(index, destination[..whole], lanes);
        destination = destination[whole..];
        if (!destination.IsEmpty)
        {
            Blocks(index + (ulong)(whole / Blake3Compression.BlockSize), block);
            block[..destination.Length].CopyTo(destination);
        }

        block.Clear();
    }

    /// <summary>Moves the reading place to the given byte of the stream.</summary>
    public void Seek(ulong position) => _position = position;

    /// <summary>Erases key and state.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_chaining.AsSpan()));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_message.AsSpan()));
        CryptographicOperations.ZeroMemory(_block);
    }

    private void Blocks(ulong index, Span<byte> blocks, int lanes = 1)
    {
        int done = 0, count = blocks.Length / Blake3Compression.BlockSize;
        fixed (byte* to = blocks)
        {
            if (lanes >= 16)
                done = Groups<Lanes16>(index, to, done, count);
            if (lanes >= 8)
                done = Groups<Lanes8>(index, to, done, count);
            if (lanes >= 4)
                done = Groups<Lanes4>(index, to, done, count);
            Groups<Lanes1>(index, to, done, count);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Groups<T>(ulong index, byte* blocks, int done, int count)
        where T : unmanaged, ILanes<T>
    {
        if (count - done < T.Count)
            return done;
        byte* memory = stackalloc byte[40 * sizeof(T) + 64];
        T* message = (T*)(((nuint)memory + 63) & ~(nuint)63), chaining = message + 16, output = chaining + 8;
        for (int w = 0; w < 16; w++)
            message[w] = T.Broadcast(Unsafe.BitCast<Lanes1, uint>(_message[w]));
        for (int w = 0; w < 8; w++)
            chaining[w] = T.Broadcast(Unsafe.BitCast<Lanes1, uint>(_chaining[w]));
        T blockLength = T.Broadcast(_blockLength), flags = T.Broadcast(_flags);
        for (; count - done >= T.Count; done += T.Count)
        {
            // Read starting at any block, so the high half of the counter may change inside a group.
            for (int lane = 0; lane < T.Count; lane++)
            {
                ulong counter = index + (ulong)(done + lane);
                ((uint*)output)[lane] = (uint)counter;
                ((uint*)(output + 1))[lane] = (uint)(counter >> 32);
            }

            Blake3Compression.Compress(chaining, message, output[0], output[1], blockLength, flags, output, true);
            T.StoreBlocks(output, blocks + (nint)done * Blake3Compression.BlockSize);
        }

        // Key, message and the last block are as secret as the stream itself.
        new Span<byte>(message, 40 * sizeof(T)).Clear();
        return done;
    }
}
