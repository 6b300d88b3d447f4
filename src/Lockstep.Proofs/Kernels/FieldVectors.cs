using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Kernels;

/// <summary>A sum of products of field elements before its reduction, four sums side by side.</summary>
internal struct WideSum
{
    public Vector512<ulong> Low, Middle, High;

    /// <summary>Adds the products of four pairs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Vector512<ulong> x, Vector512<ulong> y)
    {
        Low ^= Wide.Clmul(x, y, 0x00);
        High ^= Wide.Clmul(x, y, 0x11);
        Middle = Vector512.Xor(Middle, Wide.Clmul(x, y, 0x01)) ^ Wide.Clmul(x, y, 0x10);
    }

    /// <summary>The four sums, reduced.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Vector512<ulong> Reduce() => FieldVectors.Reduce(Low, Middle, High);

    /// <summary>The four sums added up.</summary>
    public readonly Gf128 Total()
    {
        Vector512<ulong> four = Reduce();
        Vector256<ulong> two = four.GetLower() ^ four.GetUpper();
        Vector128<ulong> one = two.GetLower() ^ two.GetUpper();
        return new Gf128(one[0], one[1]);
    }
}

/// <summary>Field elements four at a time, in the polynomial basis.</summary>
internal static class FieldVectors
{
    /// <summary>One element in all four places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Broadcast(Gf128 x)
    {
        Vector128<ulong> one = Vector128.Create(x.Lo, x.Hi);
        if (Avx512F.IsSupported)
        {
            Vector512<ulong> low = one.ToVector256Unsafe().ToVector512Unsafe();
            return Avx512F.Shuffle4x128(low, low, 0);
        }

        Vector256<ulong> two = Vector256.Create(one, one);
        return Vector512.Create(two, two);
    }

    /// <summary>Four products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Multiply(Vector512<ulong> x, Vector512<ulong> y) =>
        Reduce(Wide.Clmul(x, y, 0x00), Wide.Clmul(x, y, 0x01) ^ Wide.Clmul(x, y, 0x10), Wide.Clmul(x, y, 0x11));

    /// <summary>low + middle X^64 + high X^128 modulo X^128 + X^7 + X^2 + X + 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Reduce(Vector512<ulong> low, Vector512<ulong> middle, Vector512<ulong> high)
    {
        Vector512<ulong> modulus = Vector512.Create(0x87UL, 0, 0x87, 0, 0x87, 0, 0x87, 0);
        low ^= Wide.HalfUp(middle);
        high ^= Wide.HalfDown(middle);
        Vector512<ulong> fold = Wide.Clmul(high, modulus, 0x01);
        high ^= Wide.HalfDown(fold);
        return low ^ Wide.HalfUp(fold) ^ Wide.Clmul(high, modulus, 0x00);
    }
}
