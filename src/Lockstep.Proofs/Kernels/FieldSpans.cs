using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Kernels;

/// <summary>Sums and products over spans of field elements on one thread, four at a time where the machine can.</summary>
internal static class FieldSpans
{
    private const int Lanes = 4;

    /// <summary>into_k = factor source_k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(ReadOnlySpan<Gf128> source, Gf128 factor, Span<Gf128> into)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(into.Length, source.Length);
        int k = 0;
        if (Wide.IsSupported)
        {
            ref ulong from = ref Words(source), to = ref Words(into);
            Vector512<ulong> by = FieldVectors.Broadcast(factor);
            for (; k + Lanes <= source.Length; k += Lanes)
                FieldVectors.Multiply(by, Load(ref from, k)).StoreUnsafe(ref to, (nuint)(2 * k));
        }

        for (; k < source.Length; k++)
            into[k] = factor * source[k];
    }

    /// <summary>target_k += factor source_k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled(Span<Gf128> target, Gf128 factor, ReadOnlySpan<Gf128> source)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(target.Length, source.Length);
        int k = 0;
        if (Wide.IsSupported)
        {
            ref ulong from = ref Words(source), to = ref Words(target);
            Vector512<ulong> by = FieldVectors.Broadcast(factor);
            for (; k + Lanes <= source.Length; k += Lanes)
                (Load(ref to, k) ^ FieldVectors.Multiply(by, Load(ref from, k))).StoreUnsafe(ref to, (nuint)(2 * k));
        }

        for (; k < source.Length; k++)
            target[k] += factor * source[k];
    }

    /// <summary>low_k += r (low_k + high_k): binds the variable that tells the halves apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Bind(Span<Gf128> low, ReadOnlySpan<Gf128> high, Gf128 r)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(high.Length, low.Length);
        int k = 0;
        if (Wide.IsSupported)
        {
            ref ulong first = ref Words(low), second = ref Words(high);
            Vector512<ulong> challenge = FieldVectors.Broadcast(r);
            for (; k + Lanes <= low.Length; k += Lanes)
            {
                Vector512<ulong> x = Load(ref first, k);
                (x ^ FieldVectors.Multiply(challenge, x ^ Load(ref second, k))).StoreUnsafe(ref first, (nuint)(2 * k));
            }
        }

        for (; k < low.Length; k++)
            low[k] += r * (low[k] + high[k]);
    }

    /// <summary>high_k = r low_k, then low_k += high_k: splits a table of eq in two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Split(Span<Gf128> low, Span<Gf128> high, Gf128 r)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(high.Length, low.Length);
        int k = 0;
        if (Wide.IsSupported)
        {
            ref ulong first = ref Words(low), second = ref Words(high);
            Vector512<ulong> challenge = FieldVectors.Broadcast(r);
            for (; k + Lanes <= low.Length; k += Lanes)
            {
                Vector512<ulong> x = Load(ref first, k), product = FieldVectors.Multiply(challenge, x);
                product.StoreUnsafe(ref second, (nuint)(2 * k));
                (x ^ product).StoreUnsafe(ref first, (nuint)(2 * k));
            }
        }

        for (; k < low.Length; k++)
        {
            high[k] = r * low[k];
            low[k] += high[k];
        }
    }

    /// <summary>The sum of a_k b_k; <paramref name="b"/> may be longer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Gf128 InnerProduct(ReadOnlySpan<Gf128> a, ReadOnlySpan<Gf128> b)
    {
        b = b[..a.Length];
        int k = 0;
        Gf128 sum = default;
        if (Wide.IsSupported && a.Length >= Lanes)
        {
            ref ulong x = ref Words(a), y = ref Words(b);
            WideSum wide = default;
            for (; k + Lanes <= a.Length; k += Lanes)
                wide.AddProduct(Load(ref x, k), Load(ref y, k));
            sum = wide.Total();
        }

        for (; k < a.Length; k++)
            sum += a[k] * b[k];
        return sum;
    }

    private static ref ulong Words(ReadOnlySpan<Gf128> span) => ref Unsafe.As<Gf128, ulong>(ref MemoryMarshal.GetReference(span));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Load(ref ulong words, int element) => Vector512.LoadUnsafe(ref words, (nuint)(2 * element));
}
