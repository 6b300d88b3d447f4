using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// Transposes squares of 32-bit words between memory in which a lane's words lie together and vectors that hold one word of
/// every lane. Rows are read and written whole; source and destination may be the same memory with the same stride.
/// </summary>
internal static unsafe class WordTranspose
{
    /// <summary>16 rows of 16 words; strides are in bytes.</summary>
    /// <param name="from">First byte of the first row read.</param>
    /// <param name="fromStride">Bytes from one row read to the next.</param>
    /// <param name="to">First byte of the first row written.</param>
    /// <param name="toStride">Bytes from one row written to the next.</param>
    /// <param name="bypassCache">Whether rows, which must then be aligned to 64 bytes, may go past the caches where the machine can.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Square16(byte* from, nint fromStride, byte* to, nint toStride, bool bypassCache = false)
    {
        if (Avx512F.IsSupported)
        {
            if (bypassCache)
                Square16Wide<PastCache>(from, fromStride, to, toStride);
            else
                Square16Wide<ToCache>(from, fromStride, to, toStride);
            return;
        }

        // Four quarters; the off-diagonal ones trade places, so both are read before either is written.
        const int Half = 8 * sizeof(uint);
        byte* kept = stackalloc byte[8 * Half];
        Square8(from, fromStride, to, toStride);
        Square8(from + Half, fromStride, kept, Half);
        Square8(from + 8 * fromStride, fromStride, to + Half, toStride);
        for (int row = 0; row < 8; row++)
            Unsafe.CopyBlockUnaligned(to + (8 + row) * toStride, kept + row * Half, Half);
        Square8(from + 8 * fromStride + Half, fromStride, to + 8 * toStride + Half, toStride);
    }

    /// <summary>8 rows of 8 words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Square8(byte* from, nint fromStride, byte* to, nint toStride)
    {
        if (Avx2.IsSupported)
        {
            Square8Wide(from, fromStride, to, toStride);
            return;
        }

        const int Half = 4 * sizeof(uint);
        byte* kept = stackalloc byte[4 * Half];
        Square4(from, fromStride, to, toStride);
        Square4(from + Half, fromStride, kept, Half);
        Square4(from + 4 * fromStride, fromStride, to + Half, toStride);
        for (int row = 0; row < 4; row++)
            Unsafe.CopyBlockUnaligned(to + (4 + row) * toStride, kept + row * Half, Half);
        Square4(from + 4 * fromStride + Half, fromStride, to + 4 * toStride + Half, toStride);
    }

    /// <summary>4 rows of 4 words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Square4(byte* from, nint fromStride, byte* to, nint toStride)
    {
        if (Sse2.IsSupported || AdvSimd.Arm64.IsSupported)
        {
            Vector128<uint> a = Row4(from), b = Row4(from + fromStride), c = Row4(from + 2 * fromStride), d = Row4(from + 3 * fromStride);
            (a, b) = (Low32(a, b), High32(a, b));
            (c, d) = (Low32(c, d), High32(c, d));
            Low64(a, c).Store((uint*)to);
            High64(a, c).Store((uint*)(to + toStride));
            Low64(b, d).Store((uint*)(to + 2 * toStride));
            High64(b, d).Store((uint*)(to + 3 * toStride));
            return;
        }

        uint* square = stackalloc uint[16];
        for (int i = 0; i < 16; i++)
            square[i] = Unsafe.ReadUnaligned<uint>(from + (i / 4) * fromStride + (i % 4) * sizeof(uint));
        for (int i = 0; i < 16; i++)
            Unsafe.WriteUnaligned(to + (i % 4) * toStride + (i / 4) * sizeof(uint), square[i]);
    }

    // All sixteen rows stay in registers on their way.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Square16Wide<TStore>(byte* from, nint fromStride, byte* to, nint toStride)
        where TStore : struct, IRowStore
    {
        byte* upper = from + 8 * fromStride, top = to + 8 * toStride;
        Vector512<uint> r0 = Row16(from), r1 = Row16(from + fromStride), r2 = Row16(from + 2 * fromStride), r3 = Row16(from + 3 * fromStride);
        Vector512<uint> r4 = Row16(from + 4 * fromStride), r5 = Row16(from + 5 * fromStride), r6 = Row16(from + 6 * fromStride), r7 = Row16(from + 7 * fromStride);
        Vector512<uint> r8 = Row16(upper), r9 = Row16(upper + fromStride), r10 = Row16(upper + 2 * fromStride), r11 = Row16(upper + 3 * fromStride);
        Vector512<uint> r12 = Row16(upper + 4 * fromStride), r13 = Row16(upper + 5 * fromStride), r14 = Row16(upper + 6 * fromStride), r15 = Row16(upper + 7 * fromStride);

        // Inside each quarter of a vector: words 4k..4k+3 of four rows become four rows of word 4k + i.
        Quad(ref r0, ref r1, ref r2, ref r3);
        Quad(ref r4, ref r5, ref r6, ref r7);
        Quad(ref r8, ref r9, ref r10, ref r11);
        Quad(ref r12, ref r13, ref r14, ref r15);

        // Then the quarters themselves: vector i of group g holds word 4k + i of rows 4g.. in quarter k.
        Quarters<TStore>(r0, r4, r8, r12, to, 4 * toStride);
        Quarters<TStore>(r1, r5, r9, r13, to + toStride, 4 * toStride);
        Quarters<TStore>(r2, r6, r10, r14, to + 2 * toStride, 4 * toStride);
        Quarters<TStore>(r3, r7, r11, r15, to + 3 * toStride, 4 * toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quad(ref Vector512<uint> a, ref Vector512<uint> b, ref Vector512<uint> c, ref Vector512<uint> d)
    {
        Vector512<ulong> low = Avx512F.UnpackLow(a, b).AsUInt64(), high = Avx512F.UnpackHigh(a, b).AsUInt64();
        Vector512<ulong> low2 = Avx512F.UnpackLow(c, d).AsUInt64(), high2 = Avx512F.UnpackHigh(c, d).AsUInt64();
        a = Avx512F.UnpackLow(low, low2).AsUInt32();
        b = Avx512F.UnpackHigh(low, low2).AsUInt32();
        c = Avx512F.UnpackLow(high, high2).AsUInt32();
        d = Avx512F.UnpackHigh(high, high2).AsUInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quarters<TStore>(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d, byte* to, nint stride)
        where TStore : struct, IRowStore
    {
        Vector512<uint> ab = Avx512F.Shuffle4x128(a, b, 0b01_00_01_00), ab2 = Avx512F.Shuffle4x128(a, b, 0b11_10_11_10);
        Vector512<uint> cd = Avx512F.Shuffle4x128(c, d, 0b01_00_01_00), cd2 = Avx512F.Shuffle4x128(c, d, 0b11_10_11_10);
        TStore.Store(Avx512F.Shuffle4x128(ab, cd, 0b10_00_10_00), (uint*)to);
        TStore.Store(Avx512F.Shuffle4x128(ab, cd, 0b11_01_11_01), (uint*)(to + stride));
        TStore.Store(Avx512F.Shuffle4x128(ab2, cd2, 0b10_00_10_00), (uint*)(to + 2 * stride));
        TStore.Store(Avx512F.Shuffle4x128(ab2, cd2, 0b11_01_11_01), (uint*)(to + 3 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Square8Wide(byte* from, nint fromStride, byte* to, nint toStride)
    {
        Vector256<uint> r0 = Row8(from), r1 = Row8(from + fromStride), r2 = Row8(from + 2 * fromStride), r3 = Row8(from + 3 * fromStride);
        byte* upper = from + 4 * fromStride;
        Vector256<uint> r4 = Row8(upper), r5 = Row8(upper + fromStride), r6 = Row8(upper + 2 * fromStride), r7 = Row8(upper + 3 * fromStride);
        Quad(ref r0, ref r1, ref r2, ref r3);
        Quad(ref r4, ref r5, ref r6, ref r7);
        Halves(r0, r4, to, 4 * toStride);
        Halves(r1, r5, to + toStride, 4 * toStride);
        Halves(r2, r6, to + 2 * toStride, 4 * toStride);
        Halves(r3, r7, to + 3 * toStride, 4 * toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quad(ref Vector256<uint> a, ref Vector256<uint> b, ref Vector256<uint> c, ref Vector256<uint> d)
    {
        Vector256<ulong> low = Avx2.UnpackLow(a, b).AsUInt64(), high = Avx2.UnpackHigh(a, b).AsUInt64();
        Vector256<ulong> low2 = Avx2.UnpackLow(c, d).AsUInt64(), high2 = Avx2.UnpackHigh(c, d).AsUInt64();
        a = Avx2.UnpackLow(low, low2).AsUInt32();
        b = Avx2.UnpackHigh(low, low2).AsUInt32();
        c = Avx2.UnpackLow(high, high2).AsUInt32();
        d = Avx2.UnpackHigh(high, high2).AsUInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Halves(Vector256<uint> a, Vector256<uint> b, byte* to, nint stride)
    {
        Avx2.Permute2x128(a, b, 0x20).Store((uint*)to);
        Avx2.Permute2x128(a, b, 0x31).Store((uint*)(to + stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Row16(byte* row) => Vector512.Load((uint*)row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Row8(byte* row) => Vector256.Load((uint*)row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Row4(byte* row) => Vector128.Load((uint*)row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Low32(Vector128<uint> a, Vector128<uint> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> High32(Vector128<uint> a, Vector128<uint> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Low64(Vector128<uint> a, Vector128<uint> b) => Sse2.IsSupported
        ? Sse2.UnpackLow(a.AsUInt64(), b.AsUInt64()).AsUInt32()
        : AdvSimd.Arm64.ZipLow(a.AsUInt64(), b.AsUInt64()).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> High64(Vector128<uint> a, Vector128<uint> b) => Sse2.IsSupported
        ? Sse2.UnpackHigh(a.AsUInt64(), b.AsUInt64()).AsUInt32()
        : AdvSimd.Arm64.ZipHigh(a.AsUInt64(), b.AsUInt64()).AsUInt32();

    private interface IRowStore
    {
        static abstract void Store(Vector512<uint> row, uint* to);
    }

    private readonly struct ToCache : IRowStore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<uint> row, uint* to) => row.Store(to);
    }

    private readonly struct PastCache : IRowStore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector512<uint> row, uint* to) => row.StoreAlignedNonTemporal(to);
    }
}
