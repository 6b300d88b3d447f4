using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lockstep.Proofs.Hashing;

/// <summary>The BLAKE3 compression function, its constants and its domain flags, over any number of lanes.</summary>
internal static class Blake3Compression
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

    // Message word order of the seven rounds: powers of one permutation.
    private static readonly byte[] Schedule = BuildSchedule();

    /// <summary>
    /// Compresses one block per lane. <paramref name="message"/> has 16 entries, <paramref name="chaining"/> 8,
    /// <paramref name="output"/> 16: the first 8 are the new chaining value, all 16 the extended output.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compress<T>(
        ReadOnlySpan<T> chaining, ReadOnlySpan<T> message, T counterLow, T counterHigh, T blockLength, T flags, Span<T> output)
        where T : unmanaged, ILanes<T>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chaining.Length, 8);
        ArgumentOutOfRangeException.ThrowIfLessThan(message.Length, 16);
        ArgumentOutOfRangeException.ThrowIfLessThan(output.Length, 16);
        T s0 = chaining[0], s1 = chaining[1], s2 = chaining[2], s3 = chaining[3];
        T s4 = chaining[4], s5 = chaining[5], s6 = chaining[6], s7 = chaining[7];
        T s8 = T.Broadcast(InitialValue[0]), s9 = T.Broadcast(InitialValue[1]);
        T s10 = T.Broadcast(InitialValue[2]), s11 = T.Broadcast(InitialValue[3]);
        T s12 = counterLow, s13 = counterHigh, s14 = blockLength, s15 = flags;

        ref T m = ref MemoryMarshal.GetReference(message);
        ref byte order = ref MemoryMarshal.GetArrayDataReference(Schedule);
        for (int round = 0; round < 7; round++, order = ref Unsafe.Add(ref order, 16))
        {
            Mix(ref s0, ref s4, ref s8, ref s12, Unsafe.Add(ref m, Unsafe.Add(ref order, 0)), Unsafe.Add(ref m, Unsafe.Add(ref order, 1)));
            Mix(ref s1, ref s5, ref s9, ref s13, Unsafe.Add(ref m, Unsafe.Add(ref order, 2)), Unsafe.Add(ref m, Unsafe.Add(ref order, 3)));
            Mix(ref s2, ref s6, ref s10, ref s14, Unsafe.Add(ref m, Unsafe.Add(ref order, 4)), Unsafe.Add(ref m, Unsafe.Add(ref order, 5)));
            Mix(ref s3, ref s7, ref s11, ref s15, Unsafe.Add(ref m, Unsafe.Add(ref order, 6)), Unsafe.Add(ref m, Unsafe.Add(ref order, 7)));
            Mix(ref s0, ref s5, ref s10, ref s15, Unsafe.Add(ref m, Unsafe.Add(ref order, 8)), Unsafe.Add(ref m, Unsafe.Add(ref order, 9)));
            Mix(ref s1, ref s6, ref s11, ref s12, Unsafe.Add(ref m, Unsafe.Add(ref order, 10)), Unsafe.Add(ref m, Unsafe.Add(ref order, 11)));
            Mix(ref s2, ref s7, ref s8, ref s13, Unsafe.Add(ref m, Unsafe.Add(ref order, 12)), Unsafe.Add(ref m, Unsafe.Add(ref order, 13)));
            Mix(ref s3, ref s4, ref s9, ref s14, Unsafe.Add(ref m, Unsafe.Add(ref order, 14)), Unsafe.Add(ref m, Unsafe.Add(ref order, 15)));
        }

        // The upper half first: output may be the same memory as chaining.
        output[8] = s8 ^ chaining[0];
        output[9] = s9 ^ chaining[1];
        output[10] = s10 ^ chaining[2];
        output[11] = s11 ^ chaining[3];
        output[12] = s12 ^ chaining[4];
        output[13] = s13 ^ chaining[5];
        output[14] = s14 ^ chaining[6];
        output[15] = s15 ^ chaining[7];
        output[0] = s0 ^ s8;
        output[1] = s1 ^ s9;
        output[2] = s2 ^ s10;
        output[3] = s3 ^ s11;
        output[4] = s4 ^ s12;
        output[5] = s5 ^ s13;
        output[6] = s6 ^ s14;
        output[7] = s7 ^ s15;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix<T>(ref T a, ref T b, ref T c, ref T d, T x, T y)
        where T : unmanaged, ILanes<T>
    {
        a = a + b + x;
        d = T.RotateRight(d ^ a, 16);
        c += d;
        b = T.RotateRight(b ^ c, 12);
        a = a + b + y;
        d = T.RotateRight(d ^ a, 8);
        c += d;
        b = T.RotateRight(b ^ c, 7);
    }

    private static byte[] BuildSchedule()
    {
        ReadOnlySpan<byte> permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
        var schedule = new byte[7 * 16];
        for (int i = 0; i < 16; i++)
            schedule[i] = (byte)i;
        for (int i = 16; i < schedule.Length; i++)
            schedule[i] = schedule[i - 16 - i % 16 + permutation[i % 16]];
        return schedule;
    }
}
