using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lockstep.Proofs.Hashing;

/// <summary>
/// Messages of one length where they lie in memory: each begins with a prefix out of one array, if there is one, and goes on
/// with a body at a stride.
/// </summary>
internal readonly unsafe struct Blake3Messages
{
    /// <summary>Bytes of a prefix.</summary>
    public const int PrefixSize = 16;

    private readonly byte* _prefixes;
    private readonly byte* _bodies;
    private readonly nint _stride;

    /// <summary>Messages without prefixes: message i is the <paramref name="length"/> bytes at i * <paramref name="stride"/>.</summary>
    public Blake3Messages(byte* messages, nint stride, int length)
        : this(null, messages, stride, length)
    {
    }

    /// <summary>Messages with a prefix of 16 bytes each, lying one after the other; null for none.</summary>
    public Blake3Messages(byte* prefixes, byte* bodies, nint stride, int bodyLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bodyLength);
        _prefixes = prefixes;
        _bodies = bodies;
        _stride = stride;
        Length = bodyLength + (prefixes == null ? 0 : PrefixSize);
    }

    /// <summary>Bytes of each message, at least 1 for hashing.</summary>
    public int Length { get; }

    /// <summary>The words of one block of T.Count consecutive messages; short blocks are filled with zeros.</summary>
    /// <param name="first">Number of the first message.</param>
    /// <param name="offset">Where the block begins, a multiple of 64.</param>
    /// <param name="length">Its bytes, 1 to 64.</param>
    /// <param name="words">16 entries.</param>
    /// <param name="scratch">64 bytes for each lane.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void LoadBlock<T>(nint first, int offset, int length, T* words, byte* scratch)
        where T : unmanaged, ILanes<T>
    {
        bool prefixed = _prefixes != null;
        byte* body = _bodies + first * _stride + offset - (prefixed ? PrefixSize : 0);

        // The same block of the next messages: with a line of each of them at a time, the machine does not see them coming.
        if (Sse.IsSupported)
        {
            byte* next = body + T.Count * _stride;
            for (int lane = 0; lane < T.Count; lane++, next += _stride)
                Sse.Prefetch0(next);
        }

        if (length == Blake3Compression.BlockSize && !(prefixed && offset == 0))
        {
            T.LoadBlocks(body, _stride, words);
            return;
        }

        if (length < Blake3Compression.BlockSize)
            Unsafe.InitBlockUnaligned(scratch, 0, (uint)(T.Count * Blake3Compression.BlockSize));
        for (int lane = 0; lane < T.Count; lane++)
        {
            byte* to = scratch + lane * Blake3Compression.BlockSize, from = body + lane * _stride;
            int at = 0;
            if (prefixed && offset == 0)
            {
                Vector128.Load(_prefixes + (first + lane) * PrefixSize).Store(to);
                at = PrefixSize;
            }

            for (; at + 16 <= length; at += 16)
                Vector128.Load(from + at).Store(to + at);
            for (; at < length; at++)
                to[at] = from[at];
        }

        T.LoadBlocks(scratch, Blake3Compression.BlockSize, words);
    }
}
