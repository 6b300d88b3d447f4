using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Kernels;

/// <summary>Rounds of a sumcheck of sum_k w_k x_k that binds the lowest variable of the index: elements 2k and 2k + 1 are a pair.</summary>
internal static unsafe class PairRounds
{
    private const int Grain = 1024;

    /// <summary>A round's coefficients g0 and g2.</summary>
    /// <param name="w">Weights.</param>
    /// <param name="x">Values.</param>
    /// <param name="length">Elements of each, even.</param>
    /// <param name="workers">Threads.</param>
    public static (Gf128 G0, Gf128 G2) Sums(Gf128* w, Gf128* x, int length, Workers workers)
    {
        Gf128 g0 = default, g2 = default;
        object gate = new();
        workers.For(length / 2, Grain, (start, end) =>
        {
            (Gf128 s0, Gf128 s2) = Range(w, x, start, end);
            lock (gate)
            {
                g0 += s0;
                g2 += s2;
            }
        });
        return (g0, g2);
    }

    /// <summary>to_k = from_2k + s (from_2k + from_2k+1).</summary>
    /// <param name="from">2 * <paramref name="count"/> elements.</param>
    /// <param name="to">Other memory.</param>
    /// <param name="count">Elements of the result.</param>
    /// <param name="s">The challenge.</param>
    /// <param name="workers">Threads.</param>
    public static void Bind(Gf128* from, Gf128* to, int count, Gf128 s, Workers workers) => workers.For(count, Grain, (start, end) =>
    {
        int k = start;
        if (Wide.IsSupported)
        {
            Vector512<ulong> challenge = FieldVectors.Broadcast(s);
            for (; k + 4 <= end; k += 4)
            {
                var pair = (Vector512<ulong>*)(from + 2 * k);
                Vector512<ulong> low = Wide.EvenLanes(pair[0], pair[1]);
                (low ^ FieldVectors.Multiply(challenge, low ^ Wide.OddLanes(pair[0], pair[1]))).Store((ulong*)(to + k));
            }
        }

        for (; k < end; k++)
            to[k] = from[2 * k] + s * (from[2 * k] + from[2 * k + 1]);
    });

    /// <summary>target_k += factor source_k.</summary>
    public static void AddScaled(Gf128* target, Gf128 factor, Gf128* source, int count, Workers workers) => workers.For(count, Grain, (start, end) =>
        FieldSpans.AddScaled(new Span<Gf128>(target + start, end - start), factor, new ReadOnlySpan<Gf128>(source + start, end - start)));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (Gf128 G0, Gf128 G2) Range(Gf128* w, Gf128* x, int start, int end)
    {
        int k = start;
        Gf128 g0 = default, g2 = default;
        if (Wide.IsSupported)
        {
            WideSum first = default, leading = default;
            for (; k + 4 <= end; k += 4)
            {
                var weights = (Vector512<ulong>*)(w + 2 * k);
                var values = (Vector512<ulong>*)(x + 2 * k);
                Vector512<ulong> w0 = Wide.EvenLanes(weights[0], weights[1]), x0 = Wide.EvenLanes(values[0], values[1]);
                first.AddProduct(w0, x0);
                leading.AddProduct(w0 ^ Wide.OddLanes(weights[0], weights[1]), x0 ^ Wide.OddLanes(values[0], values[1]));
            }

            (g0, g2) = (first.Total(), leading.Total());
        }

        for (; k < end; k++)
        {
            g0 += w[2 * k] * x[2 * k];
            g2 += (w[2 * k] + w[2 * k + 1]) * (x[2 * k] + x[2 * k + 1]);
        }

        return (g0, g2);
    }
}
