using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lockstep.Proofs.Ciphers;

/// <summary>
/// The vector kernels. A vector holds one row of the 4x4 state, one block per 128-bit lane; a diagonal round is a column
/// round between two rotations of the rows. Several independent groups keep the execution ports busy.
/// </summary>
internal static partial class ChaCha20
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Rows128(Span<uint> state, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        int done = 0;
        for (; source.Length - done >= BlockSize; done += BlockSize)
        {
            Vector128<uint> a = Vector128.Create<uint>(state), b = Vector128.Create<uint>(state[4..]);
            Vector128<uint> c = Vector128.Create<uint>(state[8..]), d = Vector128.Create<uint>(state[12..]);
            Vector128<uint> a0 = a, b0 = b, c0 = c, d0 = d;
            for (int i = 0; i < 10; i++)
            {
                Columns(ref a, ref b, ref c, ref d);
                b = Vector128.Shuffle(b, Vector128.Create(1u, 2, 3, 0));
                c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
                d = Vector128.Shuffle(d, Vector128.Create(3u, 0, 1, 2));
                Columns(ref a, ref b, ref c, ref d);
                b = Vector128.Shuffle(b, Vector128.Create(3u, 0, 1, 2));
                c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
                d = Vector128.Shuffle(d, Vector128.Create(1u, 2, 3, 0));
            }

            ReadOnlySpan<byte> from = source.Slice(done, BlockSize);
            Span<byte> to = destination.Slice(done, BlockSize);
            Vector128<byte> w = Vector128.Create(from) ^ (a + a0).AsByte(), x = Vector128.Create(from[16..]) ^ (b + b0).AsByte();
            Vector128<byte> y = Vector128.Create(from[32..]) ^ (c + c0).AsByte(), z = Vector128.Create(from[48..]) ^ (d + d0).AsByte();
            w.CopyTo(to);
            x.CopyTo(to[16..]);
            y.CopyTo(to[32..]);
            z.CopyTo(to[48..]);
            state[12]++;
        }

        return done;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Columns(ref Vector128<uint> a, ref Vector128<uint> b, ref Vector128<uint> c, ref Vector128<uint> d)
        {
            a += b;
            d ^= a;
            d = (d << 16) | (d >>> 16);
            c += d;
            b ^= c;
            b = (b << 12) | (b >>> 20);
            a += b;
            d ^= a;
            d = (d << 8) | (d >>> 24);
            c += d;
            b ^= c;
            b = (b << 7) | (b >>> 25);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Rows256(Span<uint> state, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        const int Group = 4 * BlockSize;
        int done = 0;
        for (; source.Length - done >= Group; done += Group)
        {
            Vector256<uint> a = Row(state), b = Row(state[4..]), c = Row(state[8..]);
            Vector256<uint> d0 = Row(state[12..]) + Vector256.Create(0u, 0, 0, 0, 1, 0, 0, 0);
            Vector256<uint> d1 = d0 + Vector256.Create(2u, 0, 0, 0, 2, 0, 0, 0);
            Vector256<uint> a0 = a, b0 = b, c0 = c, e0 = d0, a1 = a, b1 = b, c1 = c, e1 = d1;
            for (int i = 0; i < 10; i++)
            {
                Columns(ref a0, ref b0, ref c0, ref e0);
                Columns(ref a1, ref b1, ref c1, ref e1);
                Rotate(ref b0, ref c0, ref e0, 0b00_11_10_01, 0b10_01_00_11);
                Rotate(ref b1, ref c1, ref e1, 0b00_11_10_01, 0b10_01_00_11);
                Columns(ref a0, ref b0, ref c0, ref e0);
                Columns(ref a1, ref b1, ref c1, ref e1);
                Rotate(ref b0, ref c0, ref e0, 0b10_01_00_11, 0b00_11_10_01);
                Rotate(ref b1, ref c1, ref e1, 0b10_01_00_11, 0b00_11_10_01);
            }

            Write(source.Slice(done, Group / 2), destination.Slice(done, Group / 2), a0 + a, b0 + b, c0 + c, e0 + d0);
            Write(source.Slice(done + Group / 2, Group / 2), destination.Slice(done + Group / 2, Group / 2), a1 + a, b1 + b, c1 + c, e1 + d1);
            state[12] += 4;
        }

        return done;

        static Vector256<uint> Row(ReadOnlySpan<uint> words)
        {
            Vector128<uint> row = Vector128.Create(words);
            return Vector256.Create(row, row);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Columns(ref Vector256<uint> a, ref Vector256<uint> b, ref Vector256<uint> c, ref Vector256<uint> d)
        {
            a += b;
            d ^= a;
            d = (d << 16) | (d >>> 16);
            c += d;
            b ^= c;
            b = (b << 12) | (b >>> 20);
            a += b;
            d ^= a;
            d = (d << 8) | (d >>> 24);
            c += d;
            b ^= c;
            b = (b << 7) | (b >>> 25);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Rotate(ref Vector256<uint> b, ref Vector256<uint> c, ref Vector256<uint> d, [ConstantExpected] byte one, [ConstantExpected] byte three)
        {
            b = Avx2.Shuffle(b, one);
            c = Avx2.Shuffle(c, 0b01_00_11_10);
            d = Avx2.Shuffle(d, three);
        }

        // Rows of two blocks to two blocks in order.
        static void Write(ReadOnlySpan<byte> source, Span<byte> destination, Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, Vector256<uint> d)
        {
            Vector256<byte> w = Avx2.Permute2x128(a, b, 0x20).AsByte() ^ Vector256.Create(source);
            Vector256<byte> x = Avx2.Permute2x128(c, d, 0x20).AsByte() ^ Vector256.Create(source[32..]);
            Vector256<byte> y = Avx2.Permute2x128(a, b, 0x31).AsByte() ^ Vector256.Create(source[64..]);
            Vector256<byte> z = Avx2.Permute2x128(c, d, 0x31).AsByte() ^ Vector256.Create(source[96..]);
            w.CopyTo(destination);
            x.CopyTo(destination[32..]);
            y.CopyTo(destination[64..]);
            z.CopyTo(destination[96..]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Rows512(Span<uint> state, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        const int Group = 16 * BlockSize;
        Vector512<uint> step = Vector512.Create(4u, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0);
        int done = 0;
        for (; source.Length - done >= Group; done += Group)
        {
            Vector512<uint> a = Row(state), b = Row(state[4..]), c = Row(state[8..]);
            Vector512<uint> d0 = Row(state[12..]) + Vector512.Create(0u, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0);
            Vector512<uint> d1 = d0 + step, d2 = d1 + step, d3 = d2 + step;
            Vector512<uint> a0 = a, b0 = b, c0 = c, e0 = d0, a1 = a, b1 = b, c1 = c, e1 = d1;
            Vector512<uint> a2 = a, b2 = b, c2 = c, e2 = d2, a3 = a, b3 = b, c3 = c, e3 = d3;
            for (int i = 0; i < 10; i++)
            {
                Columns(ref a0, ref b0, ref c0, ref e0);
                Columns(ref a1, ref b1, ref c1, ref e1);
                Columns(ref a2, ref b2, ref c2, ref e2);
                Columns(ref a3, ref b3, ref c3, ref e3);
                Rotate(ref b0, ref c0, ref e0, 0b00_11_10_01, 0b10_01_00_11);
                Rotate(ref b1, ref c1, ref e1, 0b00_11_10_01, 0b10_01_00_11);
                Rotate(ref b2, ref c2, ref e2, 0b00_11_10_01, 0b10_01_00_11);
                Rotate(ref b3, ref c3, ref e3, 0b00_11_10_01, 0b10_01_00_11);
                Columns(ref a0, ref b0, ref c0, ref e0);
                Columns(ref a1, ref b1, ref c1, ref e1);
                Columns(ref a2, ref b2, ref c2, ref e2);
                Columns(ref a3, ref b3, ref c3, ref e3);
                Rotate(ref b0, ref c0, ref e0, 0b10_01_00_11, 0b00_11_10_01);
                Rotate(ref b1, ref c1, ref e1, 0b10_01_00_11, 0b00_11_10_01);
                Rotate(ref b2, ref c2, ref e2, 0b10_01_00_11, 0b00_11_10_01);
                Rotate(ref b3, ref c3, ref e3, 0b10_01_00_11, 0b00_11_10_01);
            }

            Write(source.Slice(done, 256), destination.Slice(done, 256), a0 + a, b0 + b, c0 + c, e0 + d0);
            Write(source.Slice(done + 256, 256), destination.Slice(done + 256, 256), a1 + a, b1 + b, c1 + c, e1 + d1);
            Write(source.Slice(done + 512, 256), destination.Slice(done + 512, 256), a2 + a, b2 + b, c2 + c, e2 + d2);
            Write(source.Slice(done + 768, 256), destination.Slice(done + 768, 256), a3 + a, b3 + b, c3 + c, e3 + d3);
            state[12] += 16;
        }

        return done;

        static Vector512<uint> Row(ReadOnlySpan<uint> words)
        {
            Vector128<uint> row = Vector128.Create(words);
            Vector256<uint> pair = Vector256.Create(row, row);
            return Vector512.Create(pair, pair);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Columns(ref Vector512<uint> a, ref Vector512<uint> b, ref Vector512<uint> c, ref Vector512<uint> d)
        {
            a += b;
            d = Avx512F.RotateLeft(d ^ a, 16);
            c += d;
            b = Avx512F.RotateLeft(b ^ c, 12);
            a += b;
            d = Avx512F.RotateLeft(d ^ a, 8);
            c += d;
            b = Avx512F.RotateLeft(b ^ c, 7);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Rotate(ref Vector512<uint> b, ref Vector512<uint> c, ref Vector512<uint> d, [ConstantExpected] byte one, [ConstantExpected] byte three)
        {
            b = Avx512F.Shuffle(b, one);
            c = Avx512F.Shuffle(c, 0b01_00_11_10);
            d = Avx512F.Shuffle(d, three);
        }

        // Rows of four blocks to four blocks in order: a transposition of 128-bit lanes.
        static void Write(ReadOnlySpan<byte> source, Span<byte> destination, Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d)
        {
            Vector512<uint> abLow = Avx512F.Shuffle4x128(a, b, 0x44), cdLow = Avx512F.Shuffle4x128(c, d, 0x44);
            Vector512<uint> abHigh = Avx512F.Shuffle4x128(a, b, 0xEE), cdHigh = Avx512F.Shuffle4x128(c, d, 0xEE);
            Vector512<byte> w = Avx512F.Shuffle4x128(abLow, cdLow, 0x88).AsByte() ^ Vector512.Create(source);
            Vector512<byte> x = Avx512F.Shuffle4x128(abLow, cdLow, 0xDD).AsByte() ^ Vector512.Create(source[64..]);
            Vector512<byte> y = Avx512F.Shuffle4x128(abHigh, cdHigh, 0x88).AsByte() ^ Vector512.Create(source[128..]);
            Vector512<byte> z = Avx512F.Shuffle4x128(abHigh, cdHigh, 0xDD).AsByte() ^ Vector512.Create(source[192..]);
            w.CopyTo(destination);
            x.CopyTo(destination[64..]);
            y.CopyTo(destination[128..]);
            z.CopyTo(destination[192..]);
        }
    }
}
