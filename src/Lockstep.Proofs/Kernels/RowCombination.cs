using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// The fold of the committed bit rows: for each column x the sum over rows f of factor_f times the element that the 128 bits
/// of (f, x) are in tower coordinates. A factor and the change of basis are one 128 x 128 bit matrix.
/// </summary>
internal static unsafe class RowCombination
{
    private const int BlockColumns = 32, TileColumns = 1024;

    /// <summary>A row: some runs of 32 columns (512 bytes) at a stride in bytes; what lies beyond them is zero.</summary>
    public readonly struct Row(byte* first, long stride, int runs, Gf128 factor)
    {
        public readonly byte* First = first;
        public readonly long Stride = stride;
        public readonly int Runs = runs;
        public readonly Gf128 Factor = factor;
    }

    /// <summary>Fills <paramref name="result"/> (a multiple of 64 columns).</summary>
    public static void Compute(Row[] rows, Gf128* result, int columns, Workers workers)
    {
        // The map of row f: tower coordinates to factor times the element.
        var columnsOf = new Gf128[rows.Length][];
        for (int f = 0; f < rows.Length; f++)
        {
            columnsOf[f] = new Gf128[128];
            for (int v = 0; v < 128; v++)
                columnsOf[f][v] = rows[f].Factor * TowerBasis.Element(v);
        }

        if (!Wide.IsSupported)
        {
            workers.For(columns / BlockColumns, 16, (start, end) =>
            {
                new Span<Gf128>(result + start * BlockColumns, (end - start) * BlockColumns).Clear();
                for (int f = 0; f < rows.Length; f++)
                {
                    Gf128 factor = rows[f].Factor;
                    for (int run = start; run < Math.Min(end, rows[f].Runs); run++)
                        for (int p = 0; p < BlockColumns; p++)
                            result[run * BlockColumns + p] += factor * TowerBasis.ToPolynomial(((Gf128*)(rows[f].First + run * rows[f].Stride))[p]);
                }
            });
            return;
        }

        using NativeBlock memory = NativePool.Shared.Rent(rows.Length * 256 * sizeof(ulong));
        ulong* maps = memory.As<ulong>();
        for (int f = 0; f < rows.Length; f++)
            BitMatrix8.Blocks(columnsOf[f], new Span<ulong>(maps + 256 * f, 256));
        workers.For((columns + TileColumns - 1) / TileColumns, 1, (start, end) =>
        {
            using NativeBlock scratch = NativePool.Shared.Rent(TileColumns * Gf128.Size + 1024);
            for (int tile = start; tile < end; tile++)
                Tile(rows, maps, result, tile * TileColumns, Math.Min(TileColumns, columns - tile * TileColumns), scratch.As<Vector512<byte>>());
        });
    }

    private static void Tile(Row[] rows, ulong* maps, Gf128* result, int first, int count, Vector512<byte>* planes)
    {
        Vector512<byte>* words = planes + TileColumns / 4;
        NativeMemory.Clear(planes, (nuint)count * Gf128.Size);
        for (int f = 0; f < rows.Length; f++)
            for (int at = 0; at < count; at += 2 * BlockColumns)
            {
                int run = (first + at) / BlockColumns;
                if (run >= rows[f].Runs)
                    break;
                byte* source = rows[f].First + run * rows[f].Stride;
                Copy(source, words);
                if (run + 1 < rows[f].Runs)
                    Copy(source + rows[f].Stride, words + 8);
                else
                    NativeMemory.Clear(words + 8, 512);
                Wide.TransposePlanes(words, words);
                AddMapped(words, maps + 256 * f, planes + at / 4);
            }

        for (int at = 0; at < count; at += 2 * BlockColumns)
            Wide.TransposePlanes(planes + at / 4, (Vector512<byte>*)(result + first + at));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(byte* from, Vector512<byte>* to)
    {
        for (int i = 0; i < 8; i++)
            to[i] = ((Vector512<byte>*)from)[i];
    }

    /// <summary>Adds to sixteen planes the map of the sixteen planes x; the block from input byte c to output byte m stands at map[16 c + m].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddMapped(Vector512<byte>* x, ulong* map, Vector512<byte>* planes)
    {
        Vector512<byte> x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4], x5 = x[5], x6 = x[6], x7 = x[7];
        Vector512<byte> x8 = x[8], x9 = x[9], x10 = x[10], x11 = x[11], x12 = x[12], x13 = x[13], x14 = x[14], x15 = x[15];
        for (int m = 0; m < 16; m++, map++)
        {
            Vector512<byte> even = Times(x0, map[0]) ^ Times(x1, map[16]) ^ Times(x2, map[32]);
            Vector512<byte> odd = Times(x3, map[48]) ^ Times(x4, map[64]) ^ Times(x5, map[80]);
            even = even ^ Times(x6, map[96]) ^ Times(x7, map[112]);
            odd = odd ^ Times(x8, map[128]) ^ Times(x9, map[144]);
            even = even ^ Times(x10, map[160]) ^ Times(x11, map[176]);
            odd = odd ^ Times(x12, map[192]) ^ Times(x13, map[208]);
            even = even ^ Times(x14, map[224]) ^ Times(x15, map[240]);
            planes[m] = planes[m] ^ even ^ odd;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Times(Vector512<byte> x, ulong block) => Wide.Affine(x, Vector512.Create(block).AsByte());
}
