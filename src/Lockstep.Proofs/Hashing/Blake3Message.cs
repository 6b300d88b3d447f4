using System.Buffers.Binary;

namespace Lockstep.Proofs.Hashing;

/// <summary>
/// The unkeyed hash of one long message in memory: chunks, then the parents of each level, as many at once as the machine's
/// vectors allow. The same bytes as <see cref="Blake3Hasher"/>.
/// </summary>
internal static unsafe class Blake3Message
{
    /// <summary>The 32-byte hash of <paramref name="input"/>.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> input) => Hash(input, Blake3Batch.PreferredLanes);

    /// <summary>As above with the widest number of lanes allowed (16, 8, 4 or 1) given.</summary>
    internal static byte[] Hash(ReadOnlySpan<byte> input, int lanes)
    {
        int chunks = (input.Length + Blake3Compression.ChunkSize - 1) / Blake3Compression.ChunkSize;
        if (chunks < 4)
            return Blake3.Hash(input);

        // Chaining values of the chunks, eight words each; the last chunk may be short.
        var values = new uint[8 * chunks];
        int whole = input.Length / Blake3Compression.ChunkSize, done = 0;
        if (lanes >= 16)
            done = Chunks<Lanes16>(input, values, done, whole);
        if (lanes >= 8)
            done = Chunks<Lanes8>(input, values, done, whole);
        if (lanes >= 4)
            done = Chunks<Lanes4>(input, values, done, whole);
        done = Chunks<Lanes1>(input, values, done, whole);
        if (done < chunks)
            Chunk<Lanes1>(input[(done * Blake3Compression.ChunkSize)..], input.Length - done * Blake3Compression.ChunkSize, done, values.AsSpan(8 * done));

        // Parents in place: pair k becomes value k, and one that is left over goes up as it is.
        for (int count = chunks; count > 1; count = (count + 1) / 2)
        {
            uint root = count == 2 ? Blake3Compression.Root : 0;
            int pairs = count / 2, made = 0;
            if (lanes >= 16)
                made = Parents<Lanes16>(values, made, pairs, root);
            if (lanes >= 4)
                made = Parents<Lanes4>(values, made, pairs, root);
            Parents<Lanes1>(values, made, pairs, root);
            if ((count & 1) != 0)
                values.AsSpan(8 * (count - 1), 8).CopyTo(values.AsSpan(8 * pairs));
        }

        var digest = new byte[Blake3.DigestSize];
        for (int w = 0; w < 8; w++)
            BinaryPrimitives.WriteUInt32LittleEndian(digest.AsSpan(4 * w), values[w]);
        return digest;
    }

    private static int Chunks<T>(ReadOnlySpan<byte> input, Span<uint> values, int done, int count)
        where T : unmanaged, ILanes<T>
    {
        for (; count - done >= T.Count; done += T.Count)
            Chunk<T>(input[(done * Blake3Compression.ChunkSize)..], Blake3Compression.ChunkSize, done, values[(8 * done)..]);
        return done;
    }

    // One chunk per lane, of one length, numbered from first on.
    private static void Chunk<T>(ReadOnlySpan<byte> input, int length, int first, Span<uint> values)
        where T : unmanaged, ILanes<T>
    {
        T* state = stackalloc T[16], words = stackalloc T[16];
        byte* scratch = stackalloc byte[16 * sizeof(T)];
        T counter = T.Broadcast((uint)first), zero = T.Broadcast(0);
        for (int lane = 0; lane < T.Count; lane++)
            ((uint*)&counter)[lane] = (uint)(first + lane);
        Initial(state);
        fixed (byte* memory = input)
        {
            var chunks = new Blake3Messages(memory, Blake3Compression.ChunkSize, length);
            for (int offset = 0; offset < length; offset += Blake3Compression.BlockSize)
            {
                int blockLength = Math.Min(Blake3Compression.BlockSize, length - offset);
                uint flags = (offset == 0 ? Blake3Compression.ChunkStart : 0) | (offset + blockLength == length ? Blake3Compression.ChunkEnd : 0);
                chunks.LoadBlock(0, offset, blockLength, words, scratch);
                Blake3Compression.Compress(state, words, counter, zero, T.Broadcast((uint)blockLength), T.Broadcast(flags), state, false);
            }
        }

        Spread(state, values);
    }

    private static int Parents<T>(Span<uint> values, int done, int count, uint root)
        where T : unmanaged, ILanes<T>
    {
        T* state = stackalloc T[16], words = stackalloc T[16];
        byte* scratch = stackalloc byte[16 * sizeof(T)];
        fixed (uint* memory = values)
        {
            var pairs = new Blake3Messages((byte*)memory, Blake3Compression.BlockSize, Blake3Compression.BlockSize);
            for (; count - done >= T.Count; done += T.Count)
            {
                Initial(state);
                pairs.LoadBlock(done, 0, Blake3Compression.BlockSize, words, scratch);
                Blake3Compression.Compress(state, words, T.Broadcast(0), T.Broadcast(0), T.Broadcast(Blake3Compression.BlockSize),
                    T.Broadcast(Blake3Compression.Parent | root), state, false);
                Spread(state, values[(8 * done)..]);
            }
        }

        return done;
    }

    private static void Initial<T>(T* state)
        where T : unmanaged, ILanes<T>
    {
        for (int w = 0; w < 8; w++)
            state[w] = T.Broadcast(Blake3Compression.InitialValue[w]);
    }

    // From word-major lanes to eight words per lane.
    private static void Spread<T>(T* state, Span<uint> values)
        where T : unmanaged, ILanes<T>
    {
        var words = (uint*)state;
        for (int lane = 0; lane < T.Count; lane++)
            for (int w = 0; w < 8; w++)
                values[8 * lane + w] = words[w * T.Count + lane];
    }
}
