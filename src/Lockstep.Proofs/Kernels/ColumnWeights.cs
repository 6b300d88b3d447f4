using System.Runtime.Intrinsics;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// The folded weights of the columns: unit map (wordWeights[p] unitLow[low]) + tail map (wordWeights[p] tailLow[low]) at column
/// p + 32 low, both maps linear over GF(2) only.
/// </summary>
internal static unsafe class ColumnWeights
{
    private const int Words = 32;

    /// <summary>Fills <paramref name="result"/>, 32 elements for each low index (an even number of them).</summary>
    /// <param name="wordWeights">eq over p, 32 elements.</param>
    /// <param name="unitLow">Weights of the units' columns.</param>
    /// <param name="tailLow">Weights of the tails' columns.</param>
    /// <param name="unitMap">128 images.</param>
    /// <param name="tailMap">128 images.</param>
    /// <param name="result">32 * unitLow.Length elements.</param>
    /// <param name="workers">Threads.</param>
    public static void Compute(Gf128[] wordWeights, Gf128[] unitLow, Gf128[] tailLow, Gf128[] unitMap, Gf128[] tailMap, Gf128* result, Workers workers)
    {
        if (!Wide.IsSupported)
        {
            var unit = new LinearMap(unitMap);
            var tail = new LinearMap(tailMap);
            workers.For(unitLow.Length, 64, (start, end) =>
            {
                for (int low = start; low < end; low++)
                    for (int p = 0; p < Words; p++)
                        result[low * Words + p] = unit.Apply(unitLow[low] * wordWeights[p]) + tail.Apply(tailLow[low] * wordWeights[p]);
            });
            return;
        }

        using NativeBlock memory = NativePool.Shared.Rent(2 * 256 * sizeof(ulong) + Words * Gf128.Size);
        ulong* maps = memory.As<ulong>();
        Gf128* weights = (Gf128*)(maps + 512);
        BitMatrix8.Blocks(unitMap, new Span<ulong>(maps, 256));
        BitMatrix8.Blocks(tailMap, new Span<ulong>(maps + 256, 256));
        wordWeights.CopyTo(new Span<Gf128>(weights, Words));
        workers.For(unitLow.Length / 2, 32, (start, end) =>
        {
            using NativeBlock scratch = NativePool.Shared.Rent(2 * 1024);
            var words = scratch.As<Vector512<byte>>();
            Vector512<byte>* planes = words + 16;
            for (int two = start; two < end; two++)
            {
                for (int m = 0; m < 16; m++)
                    planes[m] = Vector512<byte>.Zero;
                Products(unitLow[2 * two], unitLow[2 * two + 1], weights, words);
                RowCombination.AddMapped(words, maps, planes);
                Products(tailLow[2 * two], tailLow[2 * two + 1], weights, words);
                RowCombination.AddMapped(words, maps + 256, planes);
                Wide.TransposePlanes(planes, (Vector512<byte>*)(result + (long)two * 2 * Words));
            }
        });
    }

    private static void Products(Gf128 first, Gf128 second, Gf128* weights, Vector512<byte>* words)
    {
        Vector512<ulong> x = FieldVectors.Broadcast(first), y = FieldVectors.Broadcast(second);
        for (int i = 0; i < 8; i++)
        {
            Vector512<ulong> weight = ((Vector512<ulong>*)weights)[i];
            words[i] = FieldVectors.Multiply(x, weight).AsByte();
            words[8 + i] = FieldVectors.Multiply(y, weight).AsByte();
        }

        Wide.TransposePlanes(words, words);
    }
}
