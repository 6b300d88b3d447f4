using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Lockstep.Proofs.Hashing;

/// <summary>Incremental BLAKE3: bytes in any pieces, then an output of any length.</summary>
internal sealed unsafe class Blake3Hasher : IDisposable
{
    // 2^54 chunks of 1 KiB are the longest message there is.
    private const int MaxDepth = 54;

    private readonly uint[] _key = new uint[8];
    private readonly uint _flags;
    private readonly Lanes1[] _chaining = new Lanes1[16];
    private readonly byte[] _block = new byte[Blake3Compression.BlockSize];
    private readonly Lanes1[] _stack = new Lanes1[8 * (MaxDepth + 1)];
    private int _depth;
    private int _blockLength;
    private int _blocks;
    private ulong _chunk;

    /// <summary>A hasher of the unkeyed mode.</summary>
    public Blake3Hasher()
        : this(Blake3Compression.InitialValue, 0)
    {
    }

    private Blake3Hasher(ReadOnlySpan<uint> key, uint flags)
    {
        key.CopyTo(_key);
        _flags = flags;
        StartChunk();
    }

    /// <summary>A hasher of the keyed mode; the key has 32 bytes.</summary>
    public static Blake3Hasher Keyed(ReadOnlySpan<byte> key)
    {
        Span<uint> words = stackalloc uint[8];
        Blake3.ReadWords(key, words);
        return new Blake3Hasher(words, Blake3Compression.Keyed);
    }

    /// <summary>A hasher of key material for the given context.</summary>
    public static Blake3Hasher DeriveKey(ReadOnlySpan<byte> context)
    {
        var contextHasher = new Blake3Hasher(Blake3Compression.InitialValue, Blake3Compression.DeriveKeyContext);
        contextHasher.Update(context);
        Span<byte> contextKey = stackalloc byte[Blake3.KeySize];
        contextHasher.Finish(contextKey);
        Span<uint> words = stackalloc uint[8];
        Blake3.ReadWords(contextKey, words);
        return new Blake3Hasher(words, Blake3Compression.DeriveKeyMaterial);
    }

    /// <summary>Appends bytes to the message.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Update(ReadOnlySpan<byte> input)
    {
        while (!input.IsEmpty)
        {
            // A full block is compressed only when a further byte shows that it is not the message's last.
            if (_blockLength == Blake3Compression.BlockSize)
            {
                if (_blocks == Blake3Compression.ChunkSize / Blake3Compression.BlockSize - 1)
                    FinishChunk();
                else
                    CompressBlock();
            }

            if (_blockLength == 0 && _blocks == 0 && WholeChunks(input) is > 0 and int whole)
            {
                input = input[whole..];
                continue;
            }

            int take = Math.Min(input.Length, Blake3Compression.BlockSize - _blockLength);
            input[..take].CopyTo(_block.AsSpan(_blockLength));
            _blockLength += take;
            input = input[take..];
        }
    }

    /// <summary>Writes the first bytes of the output; the hasher may go on being updated.</summary>
    public void Finish(Span<byte> output) => Finish().Fill(output);

    /// <summary>The extended output of the message so far.</summary>
    public Blake3Output Finish()
    {
        Span<Lanes1> message = stackalloc Lanes1[16];
        Span<Lanes1> chaining = stackalloc Lanes1[16];
        LoadBlock(message);
        _chaining.AsSpan(0, 8).CopyTo(chaining);
        uint flags = _flags | ChunkStartFlag | Blake3Compression.ChunkEnd;
        uint blockLength = (uint)_blockLength;
        ulong counter = _chunk;
        for (int level = _depth - 1; level >= 0; level--)
        {
            Compress(chaining, message, counter, blockLength, flags, chaining);
            chaining[..8].CopyTo(message[8..]);
            _stack.AsSpan(8 * level, 8).CopyTo(message);
            CopyKey(chaining);
            (flags, blockLength, counter) = (_flags | Blake3Compression.Parent, Blake3Compression.BlockSize, 0);
        }

        return new Blake3Output(chaining[..8], message, blockLength, flags);
    }

    /// <summary>Erases key and state.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_key.AsSpan()));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_chaining.AsSpan()));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_stack.AsSpan()));
        CryptographicOperations.ZeroMemory(_block);
    }

    private uint ChunkStartFlag => _blocks == 0 ? Blake3Compression.ChunkStart : 0;

    private static void Compress(
        ReadOnlySpan<Lanes1> chaining, ReadOnlySpan<Lanes1> message, ulong counter, uint blockLength, uint flags, Span<Lanes1> output) =>
        Blake3Compression.Compress(
            chaining, message, new Lanes1((uint)counter), new Lanes1((uint)(counter >> 32)), new Lanes1(blockLength), new Lanes1(flags), output);

    private void CopyKey(Span<Lanes1> destination) => MemoryMarshal.Cast<uint, Lanes1>(_key.AsSpan()).CopyTo(destination);

    private void LoadBlock(Span<Lanes1> message)
    {
        _block.AsSpan(_blockLength).Clear();
        Blake3.ReadWords(_block, MemoryMarshal.Cast<Lanes1, uint>(message));
    }

    private void StartChunk()
    {
        CopyKey(_chaining);
        _blockLength = 0;
        _blocks = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CompressBlock()
    {
        Span<Lanes1> message = stackalloc Lanes1[16];
        LoadBlock(message);
        Compress(_chaining, message, _chunk, Blake3Compression.BlockSize, _flags | ChunkStartFlag, _chaining);
        _blocks++;
        _blockLength = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FinishChunk()
    {
        Span<Lanes1> message = stackalloc Lanes1[16];
        Span<Lanes1> chaining = stackalloc Lanes1[16];
        LoadBlock(message);
        Compress(
            _chaining, message, _chunk, Blake3Compression.BlockSize, _flags | ChunkStartFlag | Blake3Compression.ChunkEnd, chaining);
        PushChunk(chaining, message);
        StartChunk();
    }

    // Takes a chunk's chaining value (the first half of chaining) into the tree.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PushChunk(Span<Lanes1> chaining, Span<Lanes1> message)
    {
        _chunk++;

        // As many complete subtrees end with this chunk as its number has trailing zeros.
        for (int level = BitOperations.TrailingZeroCount(_chunk); level > 0; level--)
        {
            _depth--;
            _stack.AsSpan(8 * _depth, 8).CopyTo(message);
            chaining[..8].CopyTo(message[8..]);
            CopyKey(chaining);
            Compress(chaining, message, 0, Blake3Compression.BlockSize, _flags | Blake3Compression.Parent, chaining);
        }

        chaining[..8].CopyTo(_stack.AsSpan(8 * _depth));
        _depth++;
    }

    // Hashes whole chunks at the beginning of the input, one per lane, and returns their bytes. The input's last byte is never
    // among them: only a further byte shows that a chunk is not the message's last.
    private int WholeChunks(ReadOnlySpan<byte> input) => Blake3Batch.PreferredLanes switch
    {
        >= 16 => WholeChunks<Lanes16>(input),
        >= 8 => WholeChunks<Lanes8>(input),
        >= 4 => WholeChunks<Lanes4>(input),
        _ => 0,
    };

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int WholeChunks<T>(ReadOnlySpan<byte> input)
        where T : unmanaged, ILanes<T>
    {
        if (input.Length <= T.Count * Blake3Compression.ChunkSize)
            return 0;
        byte* memory = stackalloc byte[34 * sizeof(T) + 64];
        T* words = (T*)(((nuint)memory + 63) & ~(nuint)63), key = words + 16, state = key + 8, counter = state + 8;
        uint* digests = (uint*)words;
        Span<Lanes1> message = stackalloc Lanes1[16], chaining = stackalloc Lanes1[16];
        for (int w = 0; w < 8; w++)
            key[w] = T.Broadcast(_key[w]);
        T blockLength = T.Broadcast(Blake3Compression.BlockSize);
        int done = 0;
        fixed (byte* from = input)
        {
            for (; input.Length - done > T.Count * Blake3Compression.ChunkSize; done += T.Count * Blake3Compression.ChunkSize)
            {
                for (int lane = 0; lane < T.Count; lane++)
                    (((uint*)counter)[lane], ((uint*)(counter + 1))[lane]) = ((uint)(_chunk + (ulong)lane), (uint)((_chunk + (ulong)lane) >> 32));
                Unsafe.CopyBlockUnaligned(state, key, (uint)(8 * sizeof(T)));
                for (int block = 0; block < Blake3Compression.ChunkSize / Blake3Compression.BlockSize; block++)
                {
                    T.LoadBlocks(from + done + block * Blake3Compression.BlockSize, Blake3Compression.ChunkSize, words);
                    uint ends = block == 0 ? Blake3Compression.ChunkStart : block == Blake3Compression.ChunkSize / Blake3Compression.BlockSize - 1 ? Blake3Compression.ChunkEnd : 0;
                    Blake3Compression.Compress(state, words, counter[0], counter[1], blockLength, T.Broadcast(_flags | ends), state, false);
                }

                T.StoreDigests(state, (byte*)digests);
                for (int lane = 0; lane < T.Count; lane++)
                {
                    Blake3.ReadWords(new ReadOnlySpan<byte>(digests + 8 * lane, Blake3.DigestSize), MemoryMarshal.Cast<Lanes1, uint>(chaining[..8]));
                    PushChunk(chaining, message);
                }
            }
        }

        new Span<byte>(words, 34 * sizeof(T)).Clear();
        return done;
    }
}
