using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// A GF(2)-linear map of 16-byte elements applied to long arrays. With GFNI 16 elements per 128 bits of vector are
/// transposed to one vector per byte position; the map is then 16 x 16 affine transforms of 8 x 8 bits. Otherwise by the
/// tables of <see cref="LinearMap"/>.
/// </summary>
internal sealed unsafe class LinearMapKernel
{
    // Elements of one piece of work.
    private const int Piece = 1 << 12;

    private static readonly Lazy<LinearMapKernel> ToPolynomialMap = new(() => new LinearMapKernel(Columns(TowerBasis.Element)));
    private static readonly Lazy<LinearMapKernel> FromPolynomialMap =
        new(() => new LinearMapKernel(Columns(j => TowerBasis.FromPolynomial(Gf128.Monomial(j)))));

    // Block (o, k) at 16 o + k: from bits 8k..8k+7 to bits 8o..8o+7, in the instruction's order of rows.
    private readonly ulong[] _blocks = GC.AllocateArray<ulong>(256, pinned: true);
    private readonly Lazy<LinearMap> _tables;

    /// <summary>The map that sends the vector with only bit j set to <c>columns[j]</c>.</summary>
    /// <param name="columns">128 images.</param>
    public LinearMapKernel(ReadOnlySpan<Gf128> columns)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(columns.Length, 128);
        Gf128[] images = columns.ToArray();
        _tables = new(() => new LinearMap(images));
        for (int j = 0; j < 128; j++)
            for (int i = 0; i < 128; i++)
                _blocks[16 * (i >> 3) + (j >> 3)] |= (ulong)images[j].Bit(i) << (8 * (7 - (i & 7)) + (j & 7));
    }

    /// <summary>Tower coordinates to the polynomial basis.</summary>
    public static LinearMapKernel ToPolynomial => ToPolynomialMap.Value;

    /// <summary>Polynomial basis to tower coordinates.</summary>
    public static LinearMapKernel FromPolynomial => FromPolynomialMap.Value;

    /// <summary>target[i] = map(source[i]).</summary>
    /// <param name="source"><paramref name="count"/> elements.</param>
    /// <param name="target">As many; may be the source itself, must not overlap it otherwise.</param>
    /// <param name="count">Elements, below 2^42.</param>
    /// <param name="workers">Threads, and how they are cancelled.</param>
    /// <param name="path">Only for tests; by default the fastest of the processor.</param>
    public void Apply(Gf128* source, Gf128* target, long count, Workers workers, KernelPath? path = null) =>
        workers.For(checked((int)((count + Piece - 1) / Piece)), 1, (start, end) =>
        {
            long first = (long)start * Piece;
            Apply(source + first, target + first, Math.Min((long)end * Piece, count) - first, path);
        });

    /// <summary>The same on the calling thread.</summary>
    public void Apply(Gf128* source, Gf128* target, long count, KernelPath? path = null)
    {
        long done = (path ?? KernelPaths.Best) switch
        {
            KernelPath.Gfni512 => Transform<Bytes64>((byte*)source, (byte*)target, count),
            KernelPath.Gfni256 => Transform<Bytes32>((byte*)source, (byte*)target, count),
            KernelPath.Gfni128 => Transform<Bytes16>((byte*)source, (byte*)target, count),
            _ => 0,
        };
        if (done < count)
            Look(source + done, target + done, count - done);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Look(Gf128* source, Gf128* target, long count)
    {
        LinearMap tables = _tables.Value;
        for (long i = 0; i < count; i++)
            target[i] = tables.Apply(source[i]);
    }

    // Whole groups of 16 elements per lane only; returns the elements done.
    [SkipLocalsInit]
    private long Transform<T>(byte* source, byte* target, long count)
        where T : unmanaged, IByteVector<T>
    {
        int group = 16 * sizeof(T);
        long groups = count * sizeof(Gf128) / group;
        if (groups == 0)
            return 0;
        byte* space = stackalloc byte[2 * group + 64];
        T* planes = (T*)(((nint)space + 63) & ~63);
        T* images = planes + 16;
        ulong* blocks = (ulong*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_blocks));
        for (long g = 0; g < groups; g++, source += group, target += group)
        {
            Transpose((T*)source, planes);
            Combine(planes, images, blocks);
            Transpose(images, (T*)target);
        }

        return groups * group / sizeof(Gf128);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Combine<T>(T* planes, T* images, ulong* blocks)
        where T : unmanaged, IByteVector<T>
    {
        T p0 = planes[0], p1 = planes[1], p2 = planes[2], p3 = planes[3], p4 = planes[4], p5 = planes[5], p6 = planes[6], p7 = planes[7];
        T p8 = planes[8], p9 = planes[9], p10 = planes[10], p11 = planes[11], p12 = planes[12], p13 = planes[13], p14 = planes[14], p15 = planes[15];
        for (int o = 0; o < 16; o++, blocks += 16)
        {
            T a = T.Xor(Image(p0, blocks), Image(p1, blocks + 1), Image(p2, blocks + 2));
            T b = T.Xor(Image(p3, blocks + 3), Image(p4, blocks + 4), Image(p5, blocks + 5));
            a = T.Xor(a, Image(p6, blocks + 6), Image(p7, blocks + 7));
            b = T.Xor(b, Image(p8, blocks + 8), Image(p9, blocks + 9));
            a = T.Xor(a, Image(p10, blocks + 10), Image(p11, blocks + 11));
            b = T.Xor(b, Image(p12, blocks + 12), Image(p13, blocks + 13));
            images[o] = T.Xor(a, Image(p14, blocks + 14), Image(p15, blocks + 15)) ^ b;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Image<T>(T plane, ulong* block)
        where T : unmanaged, IByteVector<T> => T.Affine(plane, T.Repeat(*block));

    // 16 x 16 bytes in each lane: four rounds of a perfect shuffle of the 256 bytes.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose<T>(T* from, T* to)
        where T : unmanaged, IByteVector<T>
    {
        T a0 = from[0], a1 = from[1], a2 = from[2], a3 = from[3], a4 = from[4], a5 = from[5], a6 = from[6], a7 = from[7];
        T a8 = from[8], a9 = from[9], a10 = from[10], a11 = from[11], a12 = from[12], a13 = from[13], a14 = from[14], a15 = from[15];
        for (int round = 0; round < 4; round++)
        {
            T b0 = T.UnpackLow(a0, a8), b1 = T.UnpackHigh(a0, a8), b2 = T.UnpackLow(a1, a9), b3 = T.UnpackHigh(a1, a9);
            T b4 = T.UnpackLow(a2, a10), b5 = T.UnpackHigh(a2, a10), b6 = T.UnpackLow(a3, a11), b7 = T.UnpackHigh(a3, a11);
            T b8 = T.UnpackLow(a4, a12), b9 = T.UnpackHigh(a4, a12), b10 = T.UnpackLow(a5, a13), b11 = T.UnpackHigh(a5, a13);
            T b12 = T.UnpackLow(a6, a14), b13 = T.UnpackHigh(a6, a14), b14 = T.UnpackLow(a7, a15), b15 = T.UnpackHigh(a7, a15);
            (a0, a1, a2, a3, a4, a5, a6, a7) = (b0, b1, b2, b3, b4, b5, b6, b7);
            (a8, a9, a10, a11, a12, a13, a14, a15) = (b8, b9, b10, b11, b12, b13, b14, b15);
        }

        (to[0], to[1], to[2], to[3], to[4], to[5], to[6], to[7]) = (a0, a1, a2, a3, a4, a5, a6, a7);
        (to[8], to[9], to[10], to[11], to[12], to[13], to[14], to[15]) = (a8, a9, a10, a11, a12, a13, a14, a15);
    }

    private static Gf128[] Columns(Func<int, Gf128> image)
    {
        var columns = new Gf128[128];
        for (int j = 0; j < 128; j++)
            columns[j] = image(j);
        return columns;
    }
}
