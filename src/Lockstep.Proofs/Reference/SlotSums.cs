using System.Runtime.InteropServices;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;

namespace Lockstep.Proofs.Reference;

/// <summary>Z(j) = sum over slots of weight * bit j: the witness summed over units at s_out, or over tails at s_q.</summary>
internal static class SlotSums
{
    // Columns of bytes handled together, so that their buckets (256 elements each) stay in the second-level cache.
    private const int ByteColumns = 32;

    /// <summary>Z_U, laid out v | p | high with a copy for each value of the dummy high variable.</summary>
    public static Gf128[] Units(ArgumentShape shape, BitMatrices z, Gf128[] weights, SecretArrays secrets, Workers workers)
    {
        Gf128[] sums = secrets.Take<Gf128>(1 << shape.LincheckVariables);
        Sum(shape.PresentUnits, shape.UnitWords, i => z.Unit(i), weights, sums, secrets, workers);
        int half = sums.Length / 2;
        sums.AsSpan(0, half).CopyTo(sums.AsSpan(half));
        return sums;
    }

    /// <summary>Z_T.</summary>
    public static Gf128[] Tails(ArgumentShape shape, BitMatrices z, Gf128[] weights, SecretArrays secrets, Workers workers)
    {
        Gf128[] sums = secrets.Take<Gf128>(1 << shape.LincheckVariables);
        Sum(shape.Tails, shape.TailWords, q => z.Tail(q), weights, sums, secrets, workers);
        return sums;
    }

    private delegate ReadOnlySpan<uint> Slot(int index);

    private static void Sum(int slots, int words, Slot slot, Gf128[] weights, Gf128[] sums, SecretArrays secrets, Workers workers) =>
        workers.For((words * 4 + ByteColumns - 1) / ByteColumns, 1, (start, end) =>
        {
            Gf128[] buckets = secrets.Take<Gf128>(ByteColumns * 256);
            for (int block = start; block < end; block++)
            {
                int first = block * ByteColumns, count = Math.Min(ByteColumns, words * 4 - first);
                Array.Clear(buckets);
                for (int i = 0; i < slots; i++)
                {
                    ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(slot(i)).Slice(first, count);
                    Gf128 weight = weights[i];
                    for (int k = 0; k < bytes.Length; k++)
                        if (bytes[k] != 0)
                            buckets[k * 256 + bytes[k]] += weight;
                }

                for (int k = 0; k < count; k++)
                    for (int value = 1; value < 256; value++)
                        for (int bit = 0; bit < 8; bit++)
                            sums[(first + k) * 8 + bit] += buckets[k * 256 + value].IfBit((uint)value >> bit);
            }
        });
}
