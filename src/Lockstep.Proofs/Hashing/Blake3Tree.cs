using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lockstep.Proofs.Hashing;

/// <summary>
/// The BLAKE3 chunk tree of whole messages held in memory, one message per lane, all of one length. Messages of more
/// than one chunk split so that the left subtree has the largest power of two of whole chunks that leaves the right one non-empty.
/// </summary>
internal static unsafe class Blake3Tree
{
    /// <summary>Writes the 8 words of each lane's digest.</summary>
    /// <param name="key">8 key words.</param>
    /// <param name="flags">Mode flags of every compression.</param>
    /// <param name="messages">The messages.</param>
    /// <param name="first">Number of the message of lane 0.</param>
    /// <param name="root">8 entries.</param>
    public static void Root<T>(T* key, uint flags, in Blake3Messages messages, nint first, T* root)
        where T : unmanaged, ILanes<T> =>
        Subtree(key, flags, messages, first, 0, messages.Length, Blake3Compression.Root, root);

    /// <summary>Length of the left subtree of a message of more than one chunk.</summary>
    public static int LeftLength(int length) =>
        Blake3Compression.ChunkSize << BitOperations.Log2((uint)((length - 1) / Blake3Compression.ChunkSize));

    private static void Subtree<T>(T* key, uint flags, in Blake3Messages messages, nint first, int offset, int length, uint root, T* output)
        where T : unmanaged, ILanes<T>
    {
        if (length <= Blake3Compression.ChunkSize)
        {
            Chunk(key, flags, messages, first, offset, length, root, output);
            return;
        }

        int left = LeftLength(length);
        T* children = stackalloc T[16];
        Subtree(key, flags, messages, first, offset, left, 0, children);
        Subtree(key, flags, messages, first, offset + left, length - left, 0, children + 8);
        Blake3Compression.Compress(
            key, children, T.Broadcast(0), T.Broadcast(0), T.Broadcast(Blake3Compression.BlockSize),
            T.Broadcast(flags | Blake3Compression.Parent | root), output, false);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Chunk<T>(T* key, uint flags, in Blake3Messages messages, nint first, int offset, int length, uint root, T* state)
        where T : unmanaged, ILanes<T>
    {
        // Message words on whole cache lines: each is read seven times.
        byte* memory = stackalloc byte[2 * 16 * sizeof(T) + 64];
        T* words = (T*)(((nuint)memory + 63) & ~(nuint)63);
        byte* scratch = (byte*)(words + 16);
        T counter = T.Broadcast((uint)(offset / Blake3Compression.ChunkSize)), zero = T.Broadcast(0);
        Unsafe.CopyBlockUnaligned(state, key, (uint)(8 * sizeof(T)));
        uint start = Blake3Compression.ChunkStart;
        for (int end = offset + length; offset < end; offset += Blake3Compression.BlockSize, start = 0)
        {
            int blockLength = Math.Min(Blake3Compression.BlockSize, end - offset);
            uint last = offset + blockLength == end ? Blake3Compression.ChunkEnd | root : 0;
            messages.LoadBlock(first, offset, blockLength, words, scratch);
            Blake3Compression.Compress(state, words, counter, zero, T.Broadcast((uint)blockLength), T.Broadcast(flags | start | last), state, false);
        }
    }
}
