using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// Sumcheck rounds over values that lie in columns: column c holds one value for each unit, columns 2k and 2k + 1 are a pair.
/// The zerocheck's rounds over h, and all of its rounds over units with each column one unit long.
/// </summary>
internal static unsafe class ColumnRounds
{
    private const int Grain = 512;

    /// <summary>sum over i of weight_i x_i y_i.</summary>
    public static Gf128 WeightedProduct(Gf128* weights, Gf128* x, Gf128* y, int count, Workers workers)
    {
        Gf128 total = default;
        object gate = new();
        workers.For(count, Grain, (start, end) =>
        {
            int i = start;
            Gf128 sum = default;
            if (Wide.IsSupported)
            {
                WideSum wide = default;
                for (; i + 4 <= end; i += 4)
                    wide.AddProduct(Load(weights + i), FieldVectors.Multiply(Load(x + i), Load(y + i)));
                sum = wide.Total();
            }

            for (; i < end; i++)
                sum += weights[i] * (x[i] * y[i]);
            lock (gate)
                total += sum;
        });
        return total;
    }

    /// <summary>sum over i of weight_i (x0 + x1)_i (y0 + y1)_i.</summary>
    public static Gf128 WeightedDifferences(Gf128* weights, Gf128* x0, Gf128* x1, Gf128* y0, Gf128* y1, int count, Workers workers)
    {
        Gf128 total = default;
        object gate = new();
        workers.For(count, Grain, (start, end) =>
        {
            int i = start;
            Gf128 sum = default;
            if (Wide.IsSupported)
            {
                WideSum wide = default;
                for (; i + 4 <= end; i += 4)
                    wide.AddProduct(Load(weights + i), FieldVectors.Multiply(Load(x0 + i) ^ Load(x1 + i), Load(y0 + i) ^ Load(y1 + i)));
                sum = wide.Total();
            }

            for (; i < end; i++)
                sum += weights[i] * ((x0[i] + x1[i]) * (y0[i] + y1[i]));
            lock (gate)
                total += sum;
        });
        return total;
    }

    /// <summary>low_i becomes low_i + s (low_i + high_i).</summary>
    public static void Bind(Gf128* low, Gf128* high, int count, Gf128 s, Workers workers) => workers.For(count, Grain, (start, end) =>
        FieldSpans.Bind(new Span<Gf128>(low + start, end - start), new ReadOnlySpan<Gf128>(high + start, end - start), s));

    /// <summary>sum over i of x_i y_i.</summary>
    public static Gf128 InnerProduct(Gf128* x, Gf128* y, int count, Workers workers)
    {
        Gf128 total = default;
        object gate = new();
        workers.For(count, Grain, (start, end) =>
        {
            Gf128 sum = FieldSpans.InnerProduct(new ReadOnlySpan<Gf128>(x + start, end - start), new ReadOnlySpan<Gf128>(y + start, end - start));
            lock (gate)
                total += sum;
        });
        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Load(Gf128* x) => Vector512.Load((ulong*)x);
}
