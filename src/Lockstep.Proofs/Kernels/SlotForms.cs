using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Kernels;

/// <summary>For every slot i: the sum over bit positions j of weight_j times bit j of slot i, one linear form of many slots.</summary>
internal static unsafe class SlotForms
{
    private const int LineBytes = 64, LineWords = 8;
    private const int Groups = 4, TileSlots = 8 * Groups;

    /// <summary>Fills <paramref name="values"/>, one element for each slot.</summary>
    /// <param name="slots">First byte of the first slot.</param>
    /// <param name="stride">Bytes from slot to slot.</param>
    /// <param name="slotBytes">Bytes of a slot, a multiple of 64.</param>
    /// <param name="count">Slots.</param>
    /// <param name="weights">8 * slotBytes weights.</param>
    /// <param name="values">count elements.</param>
    /// <param name="workers">Threads.</param>
    public static void Compute(byte* slots, long stride, int slotBytes, int count, ReadOnlyMemory<Gf128> weights, Gf128* values, Workers workers)
    {
        if (!Wide.IsSupported)
        {
            Portable(slots, stride, slotBytes, count, weights, values, workers);
            return;
        }

        // Matrix m of 64-bit word w: in lane c the block of its byte c.
        int words = slotBytes / 8;
        using NativeBlock memory = NativePool.Shared.Rent((long)words * 1024);
        ulong* matrices = memory.As<ulong>();
        workers.For(words, 16, (start, end) =>
        {
            ulong* blocks = stackalloc ulong[128];
            for (int w = start; w < end; w++)
            {
                Columns(weights.Span.Slice(64 * w, 64), blocks);
                for (int c = 0; c < 8; c++)
                    for (int m = 0; m < 16; m++)
                        matrices[(16 * w + m) * 8 + c] = blocks[16 * c + m];
            }
        });
        int tiles = (count + TileSlots - 1) / TileSlots;
        workers.For(tiles, 8, (start, end) =>
        {
            for (int tile = start; tile < end; tile++)
                Tile(slots + (long)tile * TileSlots * stride, stride, slotBytes / LineBytes, Math.Min(TileSlots, count - tile * TileSlots),
                    (Vector512<byte>*)matrices, values + tile * TileSlots);
        });
    }

    // 64 weights as 8 x 16 matrices from bytes to bytes.
    private static void Columns(ReadOnlySpan<Gf128> weights, ulong* blocks)
    {
        Vector512<byte> select = Vector512.Create(BitMatrix8.Identity).AsByte();
        Span<byte> columns = stackalloc byte[128];
        ref byte source = ref MemoryMarshal.GetReference(columns);
        for (int c = 0; c < 8; c++)
        {
            ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(weights.Slice(8 * c, 8));

            // The matrix operand counts its bytes from the highest row down.
            for (int j = 0; j < 8; j++)
                for (int m = 0; m < 16; m++)
                    columns[8 * m + 7 - j] = bytes[16 * j + m];
            Wide.Affine(select, Vector512.LoadUnsafe(ref source)).Store((byte*)(blocks + 16 * c));
            Wide.Affine(select, Vector512.LoadUnsafe(ref source, 64)).Store((byte*)(blocks + 16 * c + 8));
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile(byte* slots, long stride, int lines, int count, Vector512<byte>* matrices, Gf128* values)
    {
        Vector512<byte>* sumsRoom = stackalloc Vector512<byte>[16 * Groups + 1], sums = Wide.Align(sumsRoom);
        Vector512<byte>* bitsRoom = stackalloc Vector512<byte>[LineWords * Groups + 1], bits = Wide.Align(bitsRoom);
        for (int i = 0; i < 16 * Groups; i++)
            sums[i] = Vector512<byte>.Zero;
        byte* last = slots + (count - 1) * stride;
        for (int line = 0; line < lines; line++, matrices += 16 * LineWords)
        {
            for (int group = 0; group < Groups; group++)
            {
                // Slots beyond the last repeat it; their values are not stored.
                byte* at = slots + group * 8 * stride;
                Vector512<ulong> r0 = Load(at, last, line), r1 = Load(at + stride, last, line), r2 = Load(at + 2 * stride, last, line), r3 = Load(at + 3 * stride, last, line);
                Vector512<ulong> r4 = Load(at + 4 * stride, last, line), r5 = Load(at + 5 * stride, last, line), r6 = Load(at + 6 * stride, last, line), r7 = Load(at + 7 * stride, last, line);
                Wide.TransposeWords(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
                Vector512<byte>* into = bits + group;
                into[0] = Wide.TransposeBytes(r0.AsByte());
                into[Groups] = Wide.TransposeBytes(r1.AsByte());
                into[2 * Groups] = Wide.TransposeBytes(r2.AsByte());
                into[3 * Groups] = Wide.TransposeBytes(r3.AsByte());
                into[4 * Groups] = Wide.TransposeBytes(r4.AsByte());
                into[5 * Groups] = Wide.TransposeBytes(r5.AsByte());
                into[6 * Groups] = Wide.TransposeBytes(r6.AsByte());
                into[7 * Groups] = Wide.TransposeBytes(r7.AsByte());
            }

            for (int m = 0; m < 16; m++)
            {
                Vector512<byte> s0 = sums[4 * m], s1 = sums[4 * m + 1], s2 = sums[4 * m + 2], s3 = sums[4 * m + 3];
                for (int w = 0; w < LineWords; w++)
                {
                    Vector512<byte> matrix = matrices[16 * w + m];
                    Vector512<byte>* x = bits + w * Groups;
                    s0 ^= Wide.Affine(x[0], matrix);
                    s1 ^= Wide.Affine(x[1], matrix);
                    s2 ^= Wide.Affine(x[2], matrix);
                    s3 ^= Wide.Affine(x[3], matrix);
                }

                (sums[4 * m], sums[4 * m + 1], sums[4 * m + 2], sums[4 * m + 3]) = (s0, s1, s2, s3);
            }
        }

        // Byte u of any lane belongs to slot u of the group.
        for (int group = 0; group < Groups; group++)
            for (int m = 0; m < 16; m++)
            {
                ulong* lanes = (ulong*)(sums + Groups * m + group);
                ulong all = lanes[0] ^ lanes[1] ^ lanes[2] ^ lanes[3] ^ lanes[4] ^ lanes[5] ^ lanes[6] ^ lanes[7];
                for (int u = 0; u < 8 && 8 * group + u < count; u++)
                    ((byte*)(values + 8 * group + u))[m] = (byte)(all >> (8 * u));
            }

        new Span<byte>(sums, 16 * Groups * 64).Clear();
        new Span<byte>(bits, LineWords * Groups * 64).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Load(byte* slot, byte* last, int line) => Vector512.Load((ulong*)((slot <= last ? slot : last) + line * LineBytes));

    private static void Portable(byte* slots, long stride, int slotBytes, int count, ReadOnlyMemory<Gf128> weights, Gf128* values, Workers workers)
    {
        // A quarter of a slot at a time, so that its tables stay in the cache.
        const int Part = 512;
        new Span<Gf128>(values, count).Clear();
        for (int first = 0; first < slotBytes; first += Part)
        {
            int bytes = Math.Min(Part, slotBytes - first), at = first;
            var fold = new BitFold(weights.Span.Slice(8 * first, 8 * bytes));
            workers.For(count, 64, (start, end) =>
            {
                for (int i = start; i < end; i++)
                    values[i] += fold.Apply(new ReadOnlySpan<uint>(slots + i * stride + at, bytes / sizeof(uint)));
            });
        }
    }
}
