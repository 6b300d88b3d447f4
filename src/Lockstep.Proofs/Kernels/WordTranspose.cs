using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// Transposes squares of 32-bit words between memory in which a lane's words lie together and vectors that hold one word of
/// every lane. Source and destination may not overlap.
/// </summary>
internal static unsafe class WordTranspose
{
    private const int Quarter = 4 * sizeof(uint);

    /// <summary>16 rows of 16 words; strides are in bytes.</summary>
    /// <param name="from">First byte of the first row read.</param>
    /// <param name="fromStride">Bytes from one row read to the next.</param>
    /// <param name="to">First byte of the first row written.</param>
    /// <param name="toStride">Bytes from one row written to the next.</param>
    /// <param name="bypassCache">Whether rows, which must then be aligned to 64 bytes, may go past the caches where the machine can.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Square16(byte* from, nint fromStride, byte* to, nint toStride, bool bypassCache = false)
    {
        if (!Avx2.IsSupported)
        {
            for (int i = 0; i < 4; i++)
                for (int j = 0; j < 4; j++)
                    Square4(from + 4 * i * fromStride + j * Quarter, fromStride, to + 4 * j * toStride + i * Quarter, toStride);
            return;
        }

        byte* lower = from + 8 * fromStride;
        for (int i = 0; i < 4; i++, from += Quarter, lower += Quarter, to += 4 * toStride)
        {
            Strip(from, fromStride, out Vector256<uint> a, out Vector256<uint> b, out Vector256<uint> c, out Vector256<uint> d);
            Strip(lower, fromStride, out Vector256<uint> a2, out Vector256<uint> b2, out Vector256<uint> c2, out Vector256<uint> d2);
            if (bypassCache)
            {
                StorePast(a, a2, to);
                StorePast(b, b2, to + toStride);
                StorePast(c, c2, to + 2 * toStride);
                StorePast(d, d2, to + 3 * toStride);
            }
            else
            {
                Store(a, a2, to);
                Store(b, b2, to + toStride);
                Store(c, c2, to + 2 * toStride);
                Store(d, d2, to + 3 * toStride);
            }
        }
    }

    /// <summary>8 rows of 8 words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Square8(byte* from, nint fromStride, byte* to, nint toStride)
    {
        if (!Avx2.IsSupported)
        {
            for (int i = 0; i < 2; i++)
                for (int j = 0; j < 2; j++)
                    Square4(from + 4 * i * fromStride + j * Quarter, fromStride, to + 4 * j * toStride + i * Quarter, toStride);
            return;
        }

        for (int i = 0; i < 2; i++, from += Quarter, to += 4 * toStride)
        {
            Strip(from, fromStride, out Vector256<uint> a, out Vector256<uint> b, out Vector256<uint> c, out Vector256<uint> d);
            a.Store((uint*)to);
            b.Store((uint*)(to + toStride));
            c.Store((uint*)(to + 2 * toStride));
            d.Store((uint*)(to + 3 * toStride));
        }
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

        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
                Unsafe.WriteUnaligned(to + j * toStride + i * sizeof(uint), Unsafe.ReadUnaligned<uint>(from + i * fromStride + j * sizeof(uint)));
    }

    // Four columns of eight rows as four rows of eight. The halves of a vector are put together as they are read, which costs
    // no shuffle: those are the scarce instructions here, and at this width two of them run at once.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Strip(byte* from, nint stride, out Vector256<uint> a, out Vector256<uint> b, out Vector256<uint> c, out Vector256<uint> d)
    {
        byte* lower = from + 4 * stride;
        Vector256<uint> r0 = Halves(from, lower), r1 = Halves(from + stride, lower + stride);
        Vector256<uint> r2 = Halves(from + 2 * stride, lower + 2 * stride), r3 = Halves(from + 3 * stride, lower + 3 * stride);
        Vector256<ulong> low = Avx2.UnpackLow(r0, r1).AsUInt64(), high = Avx2.UnpackHigh(r0, r1).AsUInt64();
        Vector256<ulong> low2 = Avx2.UnpackLow(r2, r3).AsUInt64(), high2 = Avx2.UnpackHigh(r2, r3).AsUInt64();
        a = Avx2.UnpackLow(low, low2).AsUInt32();
        b = Avx2.UnpackHigh(low, low2).AsUInt32();
        c = Avx2.UnpackLow(high, high2).AsUInt32();
        d = Avx2.UnpackHigh(high, high2).AsUInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Halves(byte* low, byte* high) =>
        Avx2.InsertVector128(Vector128.Load((uint*)low).ToVector256Unsafe(), Vector128.Load((uint*)high), 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<uint> low, Vector256<uint> high, byte* to)
    {
        low.Store((uint*)to);
        high.Store((uint*)(to + 2 * Quarter));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePast(Vector256<uint> low, Vector256<uint> high, byte* to)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.InsertVector256(low.ToVector512Unsafe(), high, 1).StoreAlignedNonTemporal((uint*)to);
            return;
        }

        low.StoreAlignedNonTemporal((uint*)to);
        high.StoreAlignedNonTemporal((uint*)(to + 2 * Quarter));
    }

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
}
