using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lockstep.Proofs.Kernels;

/// <summary>The number of products per vector as a type, so that each has its own compiled loop.</summary>
internal interface IProductCount
{
    static abstract int Count { get; }
}

internal readonly struct OneProduct : IProductCount
{
    public static int Count => 1;
}

internal readonly struct TwoProducts : IProductCount
{
    public static int Count => 2;
}

internal readonly struct FourProducts : IProductCount
{
    public static int Count => 4;
}

/// <summary>Butterflies with GFNI: one field product per constant, on the vector with its bytes exchanged k to k xor d.</summary>
internal readonly unsafe struct GfniButterflies<T> : IButterflies
    where T : unmanaged, IByteVector<T>
{
    private static T Exchange1 => T.Repeat(Vector128.Create((byte)1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));

    private static T Exchange2 => T.Repeat(Vector128.Create((byte)2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));

    private static T Exchange3 => T.Repeat(Vector128.Create((byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));

    public static void Enter(byte* lines, nint bytes)
    {
    }

    public static void Leave(byte* lines, nint bytes)
    {
    }

    public static void Forward(byte* low, byte* high, nint bytes, Twiddle w, int products)
    {
        if (products == 1)
            Forward<OneProduct>(low, high, bytes, w);
        else if (products == 2)
            Forward<TwoProducts>(low, high, bytes, w);
        else
            Forward<FourProducts>(low, high, bytes, w);
    }

    public static void Forward4(byte* block, nint bytes, Twiddle w, Twiddle w0, Twiddle w1, int products)
    {
        if (products == 1)
            Forward4<OneProduct>(block, bytes, w, w0, w1);
        else if (products == 2)
            Forward4<TwoProducts>(block, bytes, w, w0, w1);
        else
            Forward4<FourProducts>(block, bytes, w, w0, w1);
    }

    public static void Transposed(byte* low, byte* high, nint bytes, Twiddle w, int products)
    {
        if (products == 1)
            Transposed<OneProduct>(low, high, bytes, w);
        else if (products == 2)
            Transposed<TwoProducts>(low, high, bytes, w);
        else
            Transposed<FourProducts>(low, high, bytes, w);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(byte* source, byte* target, nint bytes, Twiddle w, int products)
    {
        T c0 = T.Repeat(w[0]), c1 = T.Repeat(w[1]), c2 = T.Repeat(w[2]), c3 = T.Repeat(w[3]);
        T x1 = Exchange1, x2 = Exchange2, x3 = Exchange3;
        for (nint i = 0; i < bytes; i += sizeof(T))
            AddProduct<FourProducts>(default, T.Load(source + i), c0, c1, c2, c3, x1, x2, x3).Store(target + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Forward<P>(byte* low, byte* high, nint bytes, Twiddle w)
        where P : struct, IProductCount
    {
        T c0 = T.Repeat(w[0]), c1 = T.Repeat(w[1]), c2 = T.Repeat(w[2]), c3 = T.Repeat(w[3]);
        T x1 = Exchange1, x2 = Exchange2, x3 = Exchange3;
        for (nint i = 0; i < bytes; i += sizeof(T))
        {
            T b = T.Load(high + i);
            T a = AddProduct<P>(T.Load(low + i), b, c0, c1, c2, c3, x1, x2, x3);
            a.Store(low + i);
            (a ^ b).Store(high + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transposed<P>(byte* low, byte* high, nint bytes, Twiddle w)
        where P : struct, IProductCount
    {
        T c0 = T.Repeat(w[0]), c1 = T.Repeat(w[1]), c2 = T.Repeat(w[2]), c3 = T.Repeat(w[3]);
        T x1 = Exchange1, x2 = Exchange2, x3 = Exchange3;
        for (nint i = 0; i < bytes; i += sizeof(T))
        {
            T b = T.Load(high + i);
            T a = T.Load(low + i) ^ b;
            a.Store(low + i);
            AddProduct<P>(b, a, c0, c1, c2, c3, x1, x2, x3).Store(high + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Forward4<P>(byte* block, nint bytes, Twiddle w, Twiddle w0, Twiddle w1)
        where P : struct, IProductCount
    {
        byte* p0 = block, p1 = p0 + bytes, p2 = p1 + bytes, p3 = p2 + bytes;
        T c0 = T.Repeat(w[0]), c1 = T.Repeat(w[1]), c2 = T.Repeat(w[2]), c3 = T.Repeat(w[3]);
        T d0 = T.Repeat(w0[0]), d1 = T.Repeat(w0[1]), d2 = T.Repeat(w0[2]), d3 = T.Repeat(w0[3]);
        T e0 = T.Repeat(w1[0]), e1 = T.Repeat(w1[1]), e2 = T.Repeat(w1[2]), e3 = T.Repeat(w1[3]);
        T x1 = Exchange1, x2 = Exchange2, x3 = Exchange3;
        for (nint i = 0; i < bytes; i += sizeof(T))
        {
            T c = T.Load(p2 + i), d = T.Load(p3 + i);
            T a = AddProduct<P>(T.Load(p0 + i), c, c0, c1, c2, c3, x1, x2, x3);
            T b = AddProduct<P>(T.Load(p1 + i), d, c0, c1, c2, c3, x1, x2, x3);
            c ^= a;
            d ^= b;
            a = AddProduct<P>(a, b, d0, d1, d2, d3, x1, x2, x3);
            c = AddProduct<P>(c, d, e0, e1, e2, e3, x1, x2, x3);
            a.Store(p0 + i);
            (b ^ a).Store(p1 + i);
            c.Store(p2 + i);
            (d ^ c).Store(p3 + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T AddProduct<P>(T sum, T value, T c0, T c1, T c2, T c3, T x1, T x2, T x3)
        where P : struct, IProductCount
    {
        T first = T.FieldProduct(value, c0);
        if (P.Count == 1)
            return sum ^ first;
        sum = T.Xor(sum, first, T.FieldProduct(T.Shuffle(value, x1), c1));
        return P.Count == 2
            ? sum
            : T.Xor(sum, T.FieldProduct(T.Shuffle(value, x2), c2), T.FieldProduct(T.Shuffle(value, x3), c3));
    }
}
