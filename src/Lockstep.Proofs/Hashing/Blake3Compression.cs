using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lockstep.Proofs.Hashing;

/// <summary>The BLAKE3 compression function, its constants and its domain flags, over any number of lanes.</summary>
internal static unsafe class Blake3Compression
{
    public const int BlockSize = 64;
    public const int ChunkSize = 1024;

    public const uint ChunkStart = 1;
    public const uint ChunkEnd = 2;
    public const uint Parent = 4;
    public const uint Root = 8;
    public const uint Keyed = 16;
    public const uint DeriveKeyContext = 32;
    public const uint DeriveKeyMaterial = 64;

    /// <summary>The initial values of SHA-256, used as the key of the unkeyed modes.</summary>
    public static ReadOnlySpan<uint> InitialValue =>
    [
        0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
    ];

    // Message word order of the seven rounds: powers of the permutation in the second line.
    private static ReadOnlySpan<byte> Schedule =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8,
        3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1,
        10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6,
        12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4,
        9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7,
        11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13,
    ];

    /// <summary>Compresses one block per lane, over spans; see the other overload.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compress<T>(
        ReadOnlySpan<T> chaining, ReadOnlySpan<T> message, T counterLow, T counterHigh, T blockLength, T flags, Span<T> output)
        where T : unmanaged, ILanes<T>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chaining.Length, 8);
        ArgumentOutOfRangeException.ThrowIfLessThan(message.Length, 16);
        ArgumentOutOfRangeException.ThrowIfLessThan(output.Length, 16);
        fixed (T* c = chaining, m = message, o = output)
            Compress(c, m, counterLow, counterHigh, blockLength, flags, o, true);
    }

    /// <summary>Compresses one block per lane.</summary>
    /// <param name="chaining">8 entries.</param>
    /// <param name="message">16 entries.</param>
    /// <param name="counterLow">Low halves of the chunk or output block numbers.</param>
    /// <param name="counterHigh">High halves.</param>
    /// <param name="blockLength">Bytes of the block.</param>
    /// <param name="flags">Domain flags.</param>
    /// <param name="output">The new chaining value in the first 8 entries, which may be <paramref name="chaining"/> itself.</param>
    /// <param name="extended">Whether entries 8 to 15 receive the rest of the extended output.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compress<T>(
        T* chaining, T* message, T counterLow, T counterHigh, T blockLength, T flags, T* output, bool extended)
        where T : unmanaged, ILanes<T>
    {
        T s0 = chaining[0], s1 = chaining[1], s2 = chaining[2], s3 = chaining[3];
        T s4 = chaining[4], s5 = chaining[5], s6 = chaining[6], s7 = chaining[7];
        T s8 = T.Broadcast(InitialValue[0]), s9 = T.Broadcast(InitialValue[1]);
        T s10 = T.Broadcast(InitialValue[2]), s11 = T.Broadcast(InitialValue[3]);
        T s12 = counterLow, s13 = counterHigh, s14 = blockLength, s15 = flags;

        ref byte order = ref MemoryMarshal.GetReference(Schedule);
        for (int round = 0; round < 7; round++, order = ref Unsafe.Add(ref order, 16))
        {
            Mix(ref s0, ref s4, ref s8, ref s12, message + order, message + Unsafe.Add(ref order, 1));
            Mix(ref s1, ref s5, ref s9, ref s13, message + Unsafe.Add(ref order, 2), message + Unsafe.Add(ref order, 3));
            Mix(ref s2, ref s6, ref s10, ref s14, message + Unsafe.Add(ref order, 4), message + Unsafe.Add(ref order, 5));
            Mix(ref s3, ref s7, ref s11, ref s15, message + Unsafe.Add(ref order, 6), message + Unsafe.Add(ref order, 7));
            Mix(ref s0, ref s5, ref s10, ref s15, message + Unsafe.Add(ref order, 8), message + Unsafe.Add(ref order, 9));
            Mix(ref s1, ref s6, ref s11, ref s12, message + Unsafe.Add(ref order, 10), message + Unsafe.Add(ref order, 11));
            Mix(ref s2, ref s7, ref s8, ref s13, message + Unsafe.Add(ref order, 12), message + Unsafe.Add(ref order, 13));
            Mix(ref s3, ref s4, ref s9, ref s14, message + Unsafe.Add(ref order, 14), message + Unsafe.Add(ref order, 15));
        }

        // The upper half first: output may be the same memory as chaining.
        if (extended)
        {
            output[8] = s8 ^ chaining[0];
            output[9] = s9 ^ chaining[1];
            output[10] = s10 ^ chaining[2];
            output[11] = s11 ^ chaining[3];
            output[12] = s12 ^ chaining[4];
            output[13] = s13 ^ chaining[5];
            output[14] = s14 ^ chaining[6];
            output[15] = s15 ^ chaining[7];
        }

        output[0] = s0 ^ s8;
        output[1] = s1 ^ s9;
        output[2] = s2 ^ s10;
        output[3] = s3 ^ s11;
        output[4] = s4 ^ s12;
        output[5] = s5 ^ s13;
        output[6] = s6 ^ s14;
        output[7] = s7 ^ s15;
    }

    // The words are read where they are added: with sixteen words of state there are no registers to keep them in.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix<T>(ref T a, ref T b, ref T c, ref T d, T* x, T* y)
        where T : unmanaged, ILanes<T>
    {
        a = a + *x + b;
        d = T.RotateRight(d ^ a, 16);
        c += d;
        b = T.RotateRight(b ^ c, 12);
        a = a + *y + b;
        d = T.RotateRight(d ^ a, 8);
        c += d;
        b = T.RotateRight(b ^ c, 7);
    }
}
