using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// For every bit position j: the sum over slots i of weight_i times bit j of slot i. Eight weights are sixteen 8 x 8 bit
/// matrices, one for each byte of the result, that act on the eight slots' bits at one position.
/// </summary>
internal static unsafe class BitSums
{
    /// <summary>Slots of one tile: its bits stay in the second-level cache with the sums of its lines.</summary>
    public const int TileSlots = 128;

    /// <summary>Bytes that are handled together; slots are a whole number of them.</summary>
    public const int LineBytes = 64;

    private const int LineWords = 8;
    private const int Groups = TileSlots / 8;
    private const int LinesPerTask = 9;

    /// <summary>Fills <paramref name="sums"/>, one element for each bit of a slot.</summary>
    /// <param name="slots">First byte of the first slot.</param>
    /// <param name="stride">Bytes from slot to slot.</param>
    /// <param name="slotBytes">Bytes of a slot, a multiple of 64.</param>
    /// <param name="weights">One weight for each slot.</param>
    /// <param name="sums">8 * slotBytes elements.</param>
    /// <param name="workers">Threads.</param>
    public static void Compute(byte* slots, long stride, int slotBytes, ReadOnlyMemory<Gf128> weights, Gf128* sums, Workers workers)
    {
        int count = weights.Length, lines = slotBytes / LineBytes;
        if (!Wide.IsSupported)
        {
            Portable(slots, stride, slotBytes, weights, sums, workers);
            return;
        }

        int groups = (count + 7) / 8;
        using NativeBlock matrices = NativePool.Shared.Rent((long)groups * 16 * sizeof(ulong));
        ulong* blocks = matrices.As<ulong>();
        workers.For(groups, 256, (start, end) => Matrices(weights.Span, start, end, blocks));

        int tasks = (lines + LinesPerTask - 1) / LinesPerTask;
        workers.For(tasks, 1, (start, end) =>
        {
            for (int task = start; task < end; task++)
            {
                int first = task * LinesPerTask, here = Math.Min(LinesPerTask, lines - first);
                using NativeBlock planes = NativePool.Shared.Rent((long)here * LineWords * 1024);
                planes.Clear(new Workers(1));
                for (int slot = 0; slot < count; slot += TileSlots)
                    AddTile(slots + slot * stride + first * LineBytes, stride, here, Math.Min(TileSlots, count - slot), blocks + slot / 8 * 16, planes.As<Vector512<byte>>());
                ToElements(planes.As<Vector512<byte>>(), here * LineWords, sums + (long)first * 8 * LineBytes);
            }
        });
    }

    /// <summary>The sixteen matrices of each group of eight weights; missing weights are zero.</summary>
    public static void Matrices(ReadOnlySpan<Gf128> weights, int firstGroup, int endGroup, ulong* blocks)
    {
        // Byte m of eight weights side by side, then the 8 x 8 bits of each transposed.
        Span<byte> bytes = stackalloc byte[128], columns = stackalloc byte[128];
        for (int group = firstGroup; group < endGroup; group++)
        {
            int have = Math.Min(8, weights.Length - 8 * group);
            bytes.Clear();
            for (int j = 0; j < have; j++)
                weights[8 * group + j].Write(bytes[(16 * j)..]);
            for (int j = 0; j < 8; j++)
                for (int m = 0; m < 16; m++)
                    columns[8 * m + j] = bytes[16 * j + m];
            ref byte source = ref MemoryMarshal.GetReference(columns);
            byte* target = (byte*)(blocks + 16 * group);
            Vector512<byte> select = Vector512.Create(BitMatrix8.Identity).AsByte();
            Wide.Affine(select, Vector512.LoadUnsafe(ref source)).Store(target);
            Wide.Affine(select, Vector512.LoadUnsafe(ref source, 64)).Store(target + 64);
        }

        bytes.Clear();
        columns.Clear();
    }

    /// <summary>
    /// Adds a tile: at most <see cref="TileSlots"/> slots of some lines each. Plane m of the sums of 64-bit word w stands at
    /// planes[16 w + m].
    /// </summary>
    [SkipLocalsInit]
    public static void AddTile(byte* slots, long stride, int lines, int count, ulong* blocks, Vector512<byte>* planes)
    {
        Vector512<byte>* bitsRoom = stackalloc Vector512<byte>[LineWords * Groups + 1], bits = Wide.Align(bitsRoom);
        Vector512<byte> zero = Vector512<byte>.Zero;
        Vector512<byte> transpose = Vector512.Create(0x8040201008040201UL).AsByte();
        int groups = (count + 7) / 8;
        for (int line = 0; line < lines; line++)
        {
            for (int group = 0; group < Groups; group++)
            {
                if (group >= groups)
                {
                    for (int w = 0; w < LineWords; w++)
                        bits[w * Groups + group] = zero;
                    continue;
                }

                byte* at = slots + group * 8 * stride + line * LineBytes;
                int have = Math.Min(8, count - 8 * group);
                Vector512<ulong> r0 = Vector512.Load((ulong*)at);
                Vector512<ulong> r1 = have > 1 ? Vector512.Load((ulong*)(at + stride)) : default, r2 = have > 2 ? Vector512.Load((ulong*)(at + 2 * stride)) : default;
                Vector512<ulong> r3 = have > 3 ? Vector512.Load((ulong*)(at + 3 * stride)) : default, r4 = have > 4 ? Vector512.Load((ulong*)(at + 4 * stride)) : default;
                Vector512<ulong> r5 = have > 5 ? Vector512.Load((ulong*)(at + 5 * stride)) : default, r6 = have > 6 ? Vector512.Load((ulong*)(at + 6 * stride)) : default;
                Vector512<ulong> r7 = have > 7 ? Vector512.Load((ulong*)(at + 7 * stride)) : default;
                Wide.TransposeWords(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
                Vector512<byte>* into = bits + group;
                into[0] = Wide.Affine(transpose, Wide.TransposeBytes(r0.AsByte()));
                into[Groups] = Wide.Affine(transpose, Wide.TransposeBytes(r1.AsByte()));
                into[2 * Groups] = Wide.Affine(transpose, Wide.TransposeBytes(r2.AsByte()));
                into[3 * Groups] = Wide.Affine(transpose, Wide.TransposeBytes(r3.AsByte()));
                into[4 * Groups] = Wide.Affine(transpose, Wide.TransposeBytes(r4.AsByte()));
                into[5 * Groups] = Wide.Affine(transpose, Wide.TransposeBytes(r5.AsByte()));
                into[6 * Groups] = Wide.Affine(transpose, Wide.TransposeBytes(r6.AsByte()));
                into[7 * Groups] = Wide.Affine(transpose, Wide.TransposeBytes(r7.AsByte()));
            }

            for (int w = 0; w < LineWords; w++)
            {
                if (groups > Groups / 2)
                    AddWord(bits + w * Groups, blocks, planes + 16 * (line * LineWords + w));
                else
                    AddFew(bits + w * Groups, groups, blocks, planes + 16 * (line * LineWords + w));
            }
        }

        new Span<byte>(bits, LineWords * Groups * 64).Clear();
    }

    /// <summary>Planes of sums back to elements: 64 for each word.</summary>
    public static void ToElements(Vector512<byte>* planes, int words, Gf128* sums)
    {
        Vector512<byte>* rowsRoom = stackalloc Vector512<byte>[17], rows = Wide.Align(rowsRoom);
        for (int w = 0; w < words; w++)
        {
            Wide.TransposePlanes(planes + 16 * w, rows);
            for (int r = 0; r < 16; r++)
                for (int lane = 0; lane < 4; lane++)
                    sums[64 * w + 16 * lane + r] = ((Gf128*)(rows + r))[lane];
        }

        new Span<byte>(rows, 1024).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddWord(Vector512<byte>* bits, ulong* blocks, Vector512<byte>* planes)
    {
        Vector512<byte> b0 = bits[0], b1 = bits[1], b2 = bits[2], b3 = bits[3], b4 = bits[4], b5 = bits[5], b6 = bits[6], b7 = bits[7];
        Vector512<byte> b8 = bits[8], b9 = bits[9], b10 = bits[10], b11 = bits[11], b12 = bits[12], b13 = bits[13], b14 = bits[14], b15 = bits[15];
        for (int m = 0; m < 16; m++)
        {
            ulong* block = blocks + m;
            Vector512<byte> x = Times(b0, block[0]) ^ Times(b1, block[16]) ^ Times(b2, block[32]);
            Vector512<byte> y = Times(b3, block[48]) ^ Times(b4, block[64]) ^ Times(b5, block[80]);
            x = x ^ Times(b6, block[96]) ^ Times(b7, block[112]);
            y = y ^ Times(b8, block[128]) ^ Times(b9, block[144]);
            x = x ^ Times(b10, block[160]) ^ Times(b11, block[176]);
            y = y ^ Times(b12, block[192]) ^ Times(b13, block[208]);
            x = x ^ Times(b14, block[224]) ^ Times(b15, block[240]);
            planes[m] = planes[m] ^ x ^ y;
        }
    }

    private static void AddFew(Vector512<byte>* bits, int groups, ulong* blocks, Vector512<byte>* planes)
    {
        for (int m = 0; m < 16; m++)
        {
            Vector512<byte> sum = planes[m];
            for (int group = 0; group < groups; group++)
                sum ^= Times(bits[group], blocks[16 * group + m]);
            planes[m] = sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Times(Vector512<byte> bits, ulong block) => Wide.Affine(bits, Vector512.Create(block).AsByte());

    // One table of 256 sums for each byte column and value, spread over the bits at the end.
    private static void Portable(byte* slots, long stride, int slotBytes, ReadOnlyMemory<Gf128> weights, Gf128* sums, Workers workers)
    {
        const int ByteColumns = 32;
        workers.For((slotBytes + ByteColumns - 1) / ByteColumns, 1, (start, end) =>
        {
            using NativeBlock memory = NativePool.Shared.Rent(ByteColumns * 256 * Gf128.Size);
            Gf128* buckets = memory.As<Gf128>();
            ReadOnlySpan<Gf128> weight = weights.Span;
            for (int block = start; block < end; block++)
            {
                int first = block * ByteColumns, count = Math.Min(ByteColumns, slotBytes - first);
                memory.Clear(new Workers(1));
                for (int i = 0; i < weight.Length; i++)
                {
                    byte* slot = slots + i * stride + first;
                    for (int k = 0; k < count; k++)
                        buckets[k * 256 + slot[k]] += weight[i];
                }

                for (int k = 0; k < count; k++)
                {
                    Gf128* bucket = buckets + k * 256;
                    for (int bit = 0; bit < 8; bit++)
                    {
                        Gf128 sum = default;
                        for (int value = 1 << bit; value < 256; value = (value + 1) | 1 << bit)
                            sum += bucket[value];
                        sums[(first + k) * 8 + bit] = sum;
                    }
                }
            }
        });
    }
}
