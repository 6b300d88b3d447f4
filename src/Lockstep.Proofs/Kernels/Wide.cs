using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// The few 512-bit operations that the kernels are written in, each with a form in 256-bit halves, so that one text serves
/// both. <see cref="IsSupported"/> says whether this machine has them; without, every kernel has a portable form.
/// </summary>
internal static class Wide
{
    /// <summary>Whether the vector forms of the kernels may be used.</summary>
    public static bool IsSupported => (Gfni.V512.IsSupported && Pclmulqdq.V512.IsSupported && Avx512BW.IsSupported && Avx512Vbmi.IsSupported)
        || (Gfni.V256.IsSupported && Pclmulqdq.V256.IsSupported && Avx2.IsSupported);

    // Within every 64-bit lane: byte r of lane c goes to byte c of lane r.
    private static readonly Vector512<byte> ByteTranspose = BuildByteTranspose();

    /// <summary>The first address in stack memory at which a vector does not cross a cache line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<byte>* Align(Vector512<byte>* memory) => (Vector512<byte>*)(((nuint)memory + 63) & ~(nuint)63);

    /// <summary>A table that lives as long as the process, aligned to cache lines.</summary>
    public static unsafe Vector512<byte>* Table(ReadOnlySpan<ulong> words)
    {
        var table = (ulong*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc((nuint)words.Length * sizeof(ulong), 64);
        words.CopyTo(new Span<ulong>(table, words.Length));
        return (Vector512<byte>*)table;
    }

    /// <summary>Applies to every byte the 8 x 8 bit matrix of its 64-bit lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Affine(Vector512<byte> x, Vector512<byte> matrix) => Gfni.V512.IsSupported
        ? Gfni.V512.GaloisFieldAffineTransform(x, matrix, 0)
        : Vector512.Create(
            Gfni.V256.GaloisFieldAffineTransform(x.GetLower(), matrix.GetLower(), 0),
            Gfni.V256.GaloisFieldAffineTransform(x.GetUpper(), matrix.GetUpper(), 0));

    /// <summary>Products in the AES field, byte by byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Multiply(Vector512<byte> x, Vector512<byte> y) => Gfni.V512.IsSupported
        ? Gfni.V512.GaloisFieldMultiply(x, y)
        : Vector512.Create(
            Gfni.V256.GaloisFieldMultiply(x.GetLower(), y.GetLower()),
            Gfni.V256.GaloisFieldMultiply(x.GetUpper(), y.GetUpper()));

    /// <summary>Carry-less products of one 64-bit half of each 128-bit lane; bit 0 of <paramref name="halves"/> chooses that of x, bit 4 that of y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Clmul(Vector512<ulong> x, Vector512<ulong> y, [ConstantExpected] byte halves) => Pclmulqdq.V512.IsSupported
        ? Pclmulqdq.V512.CarrylessMultiply(x, y, halves)
        : Vector512.Create(
            Pclmulqdq.V256.CarrylessMultiply(x.GetLower(), y.GetLower(), halves),
            Pclmulqdq.V256.CarrylessMultiply(x.GetUpper(), y.GetUpper(), halves));

    /// <summary>The low half of every 128-bit lane moved to the high half, zeros below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> HalfUp(Vector512<ulong> x) => Avx512BW.IsSupported
        ? Avx512BW.ShiftLeftLogical128BitLane(x.AsByte(), 8).AsUInt64()
        : Vector512.Create(Avx2.ShiftLeftLogical128BitLane(x.GetLower(), 8), Avx2.ShiftLeftLogical128BitLane(x.GetUpper(), 8));

    /// <summary>The high half of every 128-bit lane moved to the low half, zeros above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> HalfDown(Vector512<ulong> x) => Avx512BW.IsSupported
        ? Avx512BW.ShiftRightLogical128BitLane(x.AsByte(), 8).AsUInt64()
        : Vector512.Create(Avx2.ShiftRightLogical128BitLane(x.GetLower(), 8), Avx2.ShiftRightLogical128BitLane(x.GetUpper(), 8));

    /// <summary>The 128-bit lanes 0 and 2 of x, then of y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> EvenLanes(Vector512<ulong> x, Vector512<ulong> y) => Avx512F.IsSupported
        ? Avx512F.Shuffle4x128(x, y, 0x88)
        : Vector512.Create(
            Avx2.Permute2x128(x.GetLower(), x.GetUpper(), 0x20), Avx2.Permute2x128(y.GetLower(), y.GetUpper(), 0x20));

    /// <summary>The 128-bit lanes 1 and 3 of x, then of y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> OddLanes(Vector512<ulong> x, Vector512<ulong> y) => Avx512F.IsSupported
        ? Avx512F.Shuffle4x128(x, y, 0xDD)
        : Vector512.Create(
            Avx2.Permute2x128(x.GetLower(), x.GetUpper(), 0x31), Avx2.Permute2x128(y.GetLower(), y.GetUpper(), 0x31));

    /// <summary>The 8 x 8 bytes of a vector transposed: byte r of lane c goes to byte c of lane r.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> TransposeBytes(Vector512<byte> x) => Avx512Vbmi.IsSupported
        ? Avx512Vbmi.PermuteVar64x8(x, ByteTranspose)
        : TransposeBytes256(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> UnpackLow(Vector512<ulong> x, Vector512<ulong> y) => Avx512F.IsSupported
        ? Avx512F.UnpackLow(x, y)
        : Vector512.Create(Avx2.UnpackLow(x.GetLower(), y.GetLower()), Avx2.UnpackLow(x.GetUpper(), y.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> UnpackHigh(Vector512<ulong> x, Vector512<ulong> y) => Avx512F.IsSupported
        ? Avx512F.UnpackHigh(x, y)
        : Vector512.Create(Avx2.UnpackHigh(x.GetLower(), y.GetLower()), Avx2.UnpackHigh(x.GetUpper(), y.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> UnpackLow8(Vector512<byte> x, Vector512<byte> y) => Avx512BW.IsSupported
        ? Avx512BW.UnpackLow(x, y)
        : Vector512.Create(Avx2.UnpackLow(x.GetLower(), y.GetLower()), Avx2.UnpackLow(x.GetUpper(), y.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> UnpackHigh8(Vector512<byte> x, Vector512<byte> y) => Avx512BW.IsSupported
        ? Avx512BW.UnpackHigh(x, y)
        : Vector512.Create(Avx2.UnpackHigh(x.GetLower(), y.GetLower()), Avx2.UnpackHigh(x.GetUpper(), y.GetUpper()));

    /// <summary>Transposes the 8 x 8 matrix of 64-bit words, one vector for each row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TransposeWords(ref Vector512<ulong> r0, ref Vector512<ulong> r1, ref Vector512<ulong> r2, ref Vector512<ulong> r3,
        ref Vector512<ulong> r4, ref Vector512<ulong> r5, ref Vector512<ulong> r6, ref Vector512<ulong> r7)
    {
        // Pairs within 128-bit lanes, then the lanes as a 4 x 4 matrix of each parity.
        Vector512<ulong> a0 = UnpackLow(r0, r1), a1 = UnpackHigh(r0, r1), a2 = UnpackLow(r2, r3), a3 = UnpackHigh(r2, r3);
        Vector512<ulong> a4 = UnpackLow(r4, r5), a5 = UnpackHigh(r4, r5), a6 = UnpackLow(r6, r7), a7 = UnpackHigh(r6, r7);
        Lanes(a0, a2, a4, a6, out r0, out r2, out r4, out r6);
        Lanes(a1, a3, a5, a7, out r1, out r3, out r5, out r7);
    }

    // 4 x 4 transpose of 128-bit lanes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Lanes(Vector512<ulong> a, Vector512<ulong> b, Vector512<ulong> c, Vector512<ulong> d,
        out Vector512<ulong> e, out Vector512<ulong> f, out Vector512<ulong> g, out Vector512<ulong> h)
    {
        // (a0 a2 b0 b2), (a1 a3 b1 b3), then the same again.
        Vector512<ulong> ab0 = EvenLanes(a, b), ab1 = OddLanes(a, b), cd0 = EvenLanes(c, d), cd1 = OddLanes(c, d);
        e = EvenLanes(ab0, cd0);
        g = OddLanes(ab0, cd0);
        f = EvenLanes(ab1, cd1);
        h = OddLanes(ab1, cd1);
    }

    /// <summary>
    /// Transposes, in each of the four 128-bit lanes, the 16 x 16 bytes of sixteen vectors: byte m of
    /// vector r goes to byte r of vector m. Its own inverse.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void TransposePlanes(Vector512<byte>* source, Vector512<byte>* target)
    {
        // Four times: interleave the bytes of vectors eight apart, which rotates (vector number, byte number) by one bit. In
        // registers throughout: a store of 64 bytes costs two cycles.
        Vector512<byte> a0 = source[0], a1 = source[1], a2 = source[2], a3 = source[3];
        Vector512<byte> a4 = source[4], a5 = source[5], a6 = source[6], a7 = source[7];
        Vector512<byte> a8 = source[8], a9 = source[9], a10 = source[10], a11 = source[11];
        Vector512<byte> a12 = source[12], a13 = source[13], a14 = source[14], a15 = source[15];
        Vector512<byte> b0 = UnpackLow8(a0, a8), b1 = UnpackHigh8(a0, a8);
        Vector512<byte> b2 = UnpackLow8(a1, a9), b3 = UnpackHigh8(a1, a9);
        Vector512<byte> b4 = UnpackLow8(a2, a10), b5 = UnpackHigh8(a2, a10);
        Vector512<byte> b6 = UnpackLow8(a3, a11), b7 = UnpackHigh8(a3, a11);
        Vector512<byte> b8 = UnpackLow8(a4, a12), b9 = UnpackHigh8(a4, a12);
        Vector512<byte> b10 = UnpackLow8(a5, a13), b11 = UnpackHigh8(a5, a13);
        Vector512<byte> b12 = UnpackLow8(a6, a14), b13 = UnpackHigh8(a6, a14);
        Vector512<byte> b14 = UnpackLow8(a7, a15), b15 = UnpackHigh8(a7, a15);
        Vector512<byte> c0 = UnpackLow8(b0, b8), c1 = UnpackHigh8(b0, b8);
        Vector512<byte> c2 = UnpackLow8(b1, b9), c3 = UnpackHigh8(b1, b9);
        Vector512<byte> c4 = UnpackLow8(b2, b10), c5 = UnpackHigh8(b2, b10);
        Vector512<byte> c6 = UnpackLow8(b3, b11), c7 = UnpackHigh8(b3, b11);
        Vector512<byte> c8 = UnpackLow8(b4, b12), c9 = UnpackHigh8(b4, b12);
        Vector512<byte> c10 = UnpackLow8(b5, b13), c11 = UnpackHigh8(b5, b13);
        Vector512<byte> c12 = UnpackLow8(b6, b14), c13 = UnpackHigh8(b6, b14);
        Vector512<byte> c14 = UnpackLow8(b7, b15), c15 = UnpackHigh8(b7, b15);
        Vector512<byte> d0 = UnpackLow8(c0, c8), d1 = UnpackHigh8(c0, c8);
        Vector512<byte> d2 = UnpackLow8(c1, c9), d3 = UnpackHigh8(c1, c9);
        Vector512<byte> d4 = UnpackLow8(c2, c10), d5 = UnpackHigh8(c2, c10);
        Vector512<byte> d6 = UnpackLow8(c3, c11), d7 = UnpackHigh8(c3, c11);
        Vector512<byte> d8 = UnpackLow8(c4, c12), d9 = UnpackHigh8(c4, c12);
        Vector512<byte> d10 = UnpackLow8(c5, c13), d11 = UnpackHigh8(c5, c13);
        Vector512<byte> d12 = UnpackLow8(c6, c14), d13 = UnpackHigh8(c6, c14);
        Vector512<byte> d14 = UnpackLow8(c7, c15), d15 = UnpackHigh8(c7, c15);
        target[0] = UnpackLow8(d0, d8);
        target[1] = UnpackHigh8(d0, d8);
        target[2] = UnpackLow8(d1, d9);
        target[3] = UnpackHigh8(d1, d9);
        target[4] = UnpackLow8(d2, d10);
        target[5] = UnpackHigh8(d2, d10);
        target[6] = UnpackLow8(d3, d11);
        target[7] = UnpackHigh8(d3, d11);
        target[8] = UnpackLow8(d4, d12);
        target[9] = UnpackHigh8(d4, d12);
        target[10] = UnpackLow8(d5, d13);
        target[11] = UnpackHigh8(d5, d13);
        target[12] = UnpackLow8(d6, d14);
        target[13] = UnpackHigh8(d6, d14);
        target[14] = UnpackLow8(d7, d15);
        target[15] = UnpackHigh8(d7, d15);
    }

    private static Vector512<byte> TransposeBytes256(Vector512<byte> x)
    {
        Vector256<byte> low = x.GetLower(), high = x.GetUpper();

        // Inside each 128-bit lane: the two 64-bit rows interleaved byte by byte.
        Vector256<byte> pairs = Vector256.Create((byte)0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
        low = Avx2.Shuffle(low, pairs);
        high = Avx2.Shuffle(high, pairs);

        // Rows 0..3 of column pairs: lanes (01, 23), then (45, 67).
        Vector256<ushort> q0 = low.AsUInt16(), q1 = high.AsUInt16();
        Vector256<ulong> even = Avx2.Permute2x128(q0.AsUInt64(), q1.AsUInt64(), 0x20), odd = Avx2.Permute2x128(q0.AsUInt64(), q1.AsUInt64(), 0x31);

        // even: rows 01 | 45, odd: rows 23 | 67; 16-bit interleave gives four rows per column.
        Vector256<uint> first = Avx2.UnpackLow(even.AsUInt16(), odd.AsUInt16()).AsUInt32(), second = Avx2.UnpackHigh(even.AsUInt16(), odd.AsUInt16()).AsUInt32();

        // first: columns 0..3 with rows 0..3 | rows 4..7; second: columns 4..7.
        Vector256<uint> swap = Vector256.Create(0u, 4, 1, 5, 2, 6, 3, 7);
        return Vector512.Create(Avx2.PermuteVar8x32(first, swap).AsByte(), Avx2.PermuteVar8x32(second, swap).AsByte());
    }

    private static Vector512<byte> BuildByteTranspose()
    {
        Span<byte> index = stackalloc byte[64];
        for (int i = 0; i < 64; i++)
            index[i] = (byte)((i & 7) << 3 | i >> 3);
        return Vector512.Create<byte>(index);
    }
}
