using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Lockstep.Proofs.Hashing;

/// <summary>
/// The BLAKE3 chunk tree of whole messages held in memory, one message per lane, all of one length. Messages of more
/// than one chunk split so that the left subtree has the largest power of two of whole chunks that leaves the right one non-empty.
/// </summary>
internal static class Blake3Tree
{
    /// <summary>Writes the 16 output words of each lane's root (the first 8 are the 32-byte digest).</summary>
    /// <param name="key">8 key words.</param>
    /// <param name="flags">Mode flags of every compression.</param>
    /// <param name="messages">Lane i's message begins at byte i * <paramref name="stride"/>.</param>
    /// <param name="stride">Bytes between the beginnings of two messages.</param>
    /// <param name="length">Bytes of each message.</param>
    /// <param name="root">16 entries.</param>
    public static void Root<T>(
        ReadOnlySpan<T> key, uint flags, ReadOnlySpan<byte> messages, int stride, int length, Span<T> root)
        where T : unmanaged, ILanes<T> =>
        Subtree(key, flags, messages, stride, length, 0, Blake3Compression.Root, root);

    /// <summary>Length of the left subtree of a message of more than one chunk.</summary>
    public static int LeftLength(int length) =>
        Blake3Compression.ChunkSize << BitOperations.Log2((uint)((length - 1) / Blake3Compression.ChunkSize));

    private static void Subtree<T>(
        ReadOnlySpan<T> key, uint flags, ReadOnlySpan<byte> messages, int stride, int length, uint chunk, uint root, Span<T> output)
        where T : unmanaged, ILanes<T>
    {
        if (length <= Blake3Compression.ChunkSize)
        {
            Chunk(key, flags, messages, stride, length, chunk, root, output);
            return;
        }

        int left = LeftLength(length);
        Span<T> children = stackalloc T[24];
        Subtree(key, flags, messages, stride, left, chunk, 0, children);
        Subtree(
            key, flags, messages[left..], stride, length - left, chunk + (uint)(left / Blake3Compression.ChunkSize), 0, children[8..]);
        Blake3Compression.Compress(
            key, children[..16], T.Broadcast(0), T.Broadcast(0), T.Broadcast(Blake3Compression.BlockSize),
            T.Broadcast(flags | Blake3Compression.Parent | root), output);
    }

    private static void Chunk<T>(
        ReadOnlySpan<T> key, uint flags, ReadOnlySpan<byte> messages, int stride, int length, uint chunk, uint root, Span<T> output)
        where T : unmanaged, ILanes<T>
    {
        Span<T> state = stackalloc T[16];
        Span<T> message = stackalloc T[16];
        key[..8].CopyTo(state);
        uint start = Blake3Compression.ChunkStart;
        int offset = 0;
        while (true)
        {
            int blockLength = Math.Min(Blake3Compression.BlockSize, length - offset);
            bool last = offset + blockLength == length;
            LoadBlock(messages[offset..], stride, blockLength, message);
            Blake3Compression.Compress(
                state, message, T.Broadcast(chunk), T.Broadcast(0), T.Broadcast((uint)blockLength),
                T.Broadcast(flags | start | (last ? Blake3Compression.ChunkEnd | root : 0)), last ? output : state);
            if (last)
                return;
            start = 0;
            offset += blockLength;
        }
    }

    // Transposes one block of every lane: entry w holds word w of all lanes; short blocks are filled with zeros.
    internal static void LoadBlock<T>(ReadOnlySpan<byte> messages, int stride, int blockLength, Span<T> message)
        where T : unmanaged, ILanes<T>
    {
        Span<uint> words = MemoryMarshal.Cast<T, uint>(message);
        Span<byte> padded = stackalloc byte[Blake3Compression.BlockSize];
        for (int lane = 0; lane < T.Count; lane++)
        {
            scoped ReadOnlySpan<byte> block = messages.Slice(lane * stride, blockLength);
            if (blockLength < Blake3Compression.BlockSize)
            {
                padded.Clear();
                block.CopyTo(padded);
                block = padded;
            }

            for (int w = 0; w < 16; w++)
                words[w * T.Count + lane] = BinaryPrimitives.ReadUInt32LittleEndian(block[(4 * w)..]);
        }
    }
}
