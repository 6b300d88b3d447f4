using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lockstep.Proofs.Hashing;

/// <summary>
/// BLAKE3 of many messages of one length: sixteen, eight or four at a time as the machine's vectors allow, one at a
/// time for the rest. Every width gives the same bytes.
/// </summary>
internal static unsafe class Blake3Batch
{
    /// <summary>Lanes of the widest vector that this process may use: 16, 8, 4 or 1.</summary>
    public static int PreferredLanes { get; } =
        Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : Vector128.IsHardwareAccelerated ? 4 : 1;

    /// <summary>keyed_hash of each of the messages lying one after the other in <paramref name="inputs"/>.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="inputs">count * <paramref name="inputLength"/> bytes.</param>
    /// <param name="inputLength">Bytes of one message, at least 1.</param>
    /// <param name="outputs">count * 32 bytes; may not overlap the inputs.</param>
    public static void KeyedHashMany(ReadOnlySpan<byte> key, ReadOnlySpan<byte> inputs, int inputLength, Span<byte> outputs) =>
        KeyedHashMany(key, inputs, inputLength, outputs, PreferredLanes);

    /// <summary>The unkeyed hash of each of the messages lying one after the other in <paramref name="inputs"/>.</summary>
    public static void HashMany(ReadOnlySpan<byte> inputs, int inputLength, Span<byte> outputs) =>
        Many(Blake3Compression.InitialValue, 0, inputs, inputLength, outputs, PreferredLanes);

    /// <summary>keyed_hash of messages wherever they lie.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="messages">At least <paramref name="count"/> messages of at least 1 byte.</param>
    /// <param name="count">How many.</param>
    /// <param name="digests">32 bytes for each.</param>
    public static void KeyedHashMany(ReadOnlySpan<byte> key, in Blake3Messages messages, nint count, byte* digests) =>
        KeyedHashMany(key, messages, count, digests, PreferredLanes);

    /// <summary>As above with the widest number of lanes allowed (16, 8, 4 or 1) given.</summary>
    internal static void KeyedHashMany(ReadOnlySpan<byte> key, in Blake3Messages messages, nint count, byte* digests, int lanes)
    {
        Span<uint> keyWords = stackalloc uint[8];
        Blake3.ReadWords(key, keyWords);
        Many(keyWords, Blake3Compression.Keyed, messages, count, digests, lanes);
    }

    /// <summary>As above with the widest number of lanes allowed (16, 8, 4 or 1) given.</summary>
    internal static void KeyedHashMany(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> inputs, int inputLength, Span<byte> outputs, int lanes)
    {
        Span<uint> keyWords = stackalloc uint[8];
        Blake3.ReadWords(key, keyWords);
        Many(keyWords, Blake3Compression.Keyed, inputs, inputLength, outputs, lanes);
    }

    private static void Many(
        ReadOnlySpan<uint> key, uint flags, ReadOnlySpan<byte> inputs, int inputLength, Span<byte> outputs, int lanes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputLength, 1);
        int count = outputs.Length / Blake3.DigestSize;
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, count * Blake3.DigestSize);
        ArgumentOutOfRangeException.ThrowIfNotEqual((long)inputs.Length, (long)count * inputLength);
        fixed (byte* from = inputs, to = outputs)
            Many(key, flags, new Blake3Messages(from, inputLength, inputLength), count, to, lanes);
    }

    private static void Many(ReadOnlySpan<uint> key, uint flags, in Blake3Messages messages, nint count, byte* digests, int lanes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(messages.Length, 1);
        nint done = 0;
        if (lanes >= 16)
            done = Groups<Lanes16>(key, flags, messages, digests, done, count);
        if (lanes >= 8)
            done = Groups<Lanes8>(key, flags, messages, digests, done, count);
        if (lanes >= 4)
            done = Groups<Lanes4>(key, flags, messages, digests, done, count);
        Groups<Lanes1>(key, flags, messages, digests, done, count);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static nint Groups<T>(ReadOnlySpan<uint> key, uint flags, in Blake3Messages messages, byte* digests, nint done, nint count)
        where T : unmanaged, ILanes<T>
    {
        if (count - done < T.Count)
            return done;
        T* keyLanes = stackalloc T[8];
        T* root = stackalloc T[8];
        for (int w = 0; w < 8; w++)
            keyLanes[w] = T.Broadcast(key[w]);
        for (; count - done >= T.Count; done += T.Count)
        {
            Blake3Tree.Root(keyLanes, flags, messages, done, root);
            T.StoreDigests(root, digests + done * Blake3.DigestSize);
        }

        return done;
    }
}
