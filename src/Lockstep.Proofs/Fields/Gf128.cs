using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lockstep.Proofs.Fields;

/// <summary>
/// An element of GF(2)[X]/(X^128 + X^7 + X^2 + X + 1). Bit i of the 128-bit value is the coefficient of X^i;
/// <see cref="Lo"/> holds bits 0..63. Serialized as 16 little-endian bytes, every one of the 2^128 values valid.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
internal readonly struct Gf128(ulong lo, ulong hi) : IEquatable<Gf128>
{
    /// <summary>Serialized size in bytes.</summary>
    public const int Size = 16;

    /// <summary>Coefficients of X^0..X^63.</summary>
    public readonly ulong Lo = lo;

    /// <summary>Coefficients of X^64..X^127.</summary>
    public readonly ulong Hi = hi;

    /// <summary>The additive identity.</summary>
    public static Gf128 Zero => default;

    /// <summary>The multiplicative identity.</summary>
    public static Gf128 One => new(1, 0);

    /// <summary>The element X.</summary>
    public static Gf128 X => new(2, 0);

    /// <summary>True for the additive identity.</summary>
    public bool IsZero => (Lo | Hi) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gf128 operator +(Gf128 a, Gf128 b) => new(a.Lo ^ b.Lo, a.Hi ^ b.Hi);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gf128 operator *(Gf128 a, Gf128 b)
    {
        if (Pclmulqdq.IsSupported)
            return MultiplyClmul(a, b);
        return MultiplyPortable(a, b);
    }

    public static bool operator ==(Gf128 a, Gf128 b) => a.Equals(b);

    public static bool operator !=(Gf128 a, Gf128 b) => !a.Equals(b);

    /// <summary>The element <c>a</c> when <paramref name="bit"/> is 1 and zero when it is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Gf128 IfBit(uint bit)
    {
        ulong mask = 0UL - (bit & 1UL);
        return new Gf128(Lo & mask, Hi & mask);
    }

    /// <summary>Bit <paramref name="index"/> (0..127) of the element.</summary>
    public uint Bit(int index) => (uint)((index < 64 ? Lo >> index : Hi >> (index - 64)) & 1);

    /// <summary>The element X^<paramref name="index"/>, 0..127: the vector with one bit set.</summary>
    public static Gf128 Monomial(int index) => index < 64 ? new Gf128(1UL << index, 0) : new Gf128(0, 1UL << (index - 64));

    /// <summary>This element squared (a GF(2)-linear map).</summary>
    public Gf128 Square() => this * this;

    /// <summary>This element to the power <paramref name="exponent"/>.</summary>
    public Gf128 Pow(UInt128 exponent)
    {
        Gf128 result = One, power = this;
        for (; exponent != 0; exponent >>= 1, power = power.Square())
            if ((exponent & 1) != 0)
                result *= power;
        return result;
    }

    /// <summary>The multiplicative inverse by Fermat, this^(2^128 - 2); zero maps to zero.</summary>
    public Gf128 Inverse()
    {
        // 2^128 - 2 = sum of 2^i for i = 1..127.
        Gf128 result = One, power = this;
        for (int i = 1; i < 128; i++)
        {
            power = power.Square();
            result *= power;
        }

        return result;
    }

    /// <summary>Reads 16 little-endian bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Gf128 Read(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(source), BinaryPrimitives.ReadUInt64LittleEndian(source[8..]));

    /// <summary>Writes 16 little-endian bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, Lo);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], Hi);
    }

    /// <summary>Parses 32 hexadecimal digits, most significant first.</summary>
    public static Gf128 FromHex(string hex) => new(
        ulong.Parse(hex.AsSpan(16), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
        ulong.Parse(hex.AsSpan(0, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    public bool Equals(Gf128 other) => Lo == other.Lo && Hi == other.Hi;

    public override bool Equals(object? obj) => obj is Gf128 other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Lo, Hi);

    /// <summary>32 hexadecimal digits, most significant first.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Hi:x16}{Lo:x16}");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Gf128 MultiplyClmul(Gf128 a, Gf128 b)
    {
        Vector128<ulong> x = Vector128.Create(a.Lo, a.Hi), y = Vector128.Create(b.Lo, b.Hi);
        Vector128<ulong> low = Pclmulqdq.CarrylessMultiply(x, y, 0x00);
        Vector128<ulong> high = Pclmulqdq.CarrylessMultiply(x, y, 0x11);
        Vector128<ulong> middle = Pclmulqdq.CarrylessMultiply(x, y, 0x01) ^ Pclmulqdq.CarrylessMultiply(x, y, 0x10);
        low ^= Sse2.ShiftLeftLogical128BitLane(middle, 8);
        high ^= Sse2.ShiftRightLogical128BitLane(middle, 8);

        // X^128 = X^7 + X^2 + X + 1: fold the top 64 bits into the middle, then what is left into the bottom.
        Vector128<ulong> modulus = Vector128.Create(0x87UL, 0UL);
        Vector128<ulong> fold = Pclmulqdq.CarrylessMultiply(high, modulus, 0x01);
        high ^= Sse2.ShiftRightLogical128BitLane(fold, 8);
        low ^= Sse2.ShiftLeftLogical128BitLane(fold, 8);
        low ^= Pclmulqdq.CarrylessMultiply(high, modulus, 0x00);
        return new Gf128(low[0], low[1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static Gf128 MultiplyPortable(Gf128 a, Gf128 b)
    {
        // Karatsuba on 64-bit halves; the upper half of each product is the lower half of the reversed operands' product.
        ulong ra = Reverse(a.Lo), sa = Reverse(a.Hi), rb = Reverse(b.Lo), sb = Reverse(b.Hi);
        ulong l0 = LowProduct(a.Lo, b.Lo), l1 = Reverse(LowProduct(ra, rb)) >> 1;
        ulong h0 = LowProduct(a.Hi, b.Hi), h1 = Reverse(LowProduct(sa, sb)) >> 1;
        ulong m0 = LowProduct(a.Lo ^ a.Hi, b.Lo ^ b.Hi), m1 = Reverse(LowProduct(ra ^ sa, rb ^ sb)) >> 1;
        m0 ^= l0 ^ h0;
        m1 ^= l1 ^ h1;
        ulong r0 = l0, r1 = l1 ^ m0, r2 = h0 ^ m1, r3 = h1;

        r1 ^= r3 ^ (r3 << 1) ^ (r3 << 2) ^ (r3 << 7);
        r2 ^= (r3 >> 63) ^ (r3 >> 62) ^ (r3 >> 57);
        r0 ^= r2 ^ (r2 << 1) ^ (r2 << 2) ^ (r2 << 7);
        r1 ^= (r2 >> 63) ^ (r2 >> 62) ^ (r2 >> 57);
        return new Gf128(r0, r1);
    }

    // The lower 64 bits of the carry-less product, by integer products: with the operands' bits four apart a column sums at
    // most 16 ones, so carries stay inside the three bits above it that are masked away; the one column that can reach 16 is
    // the topmost, whose carry leaves the word.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LowProduct(ulong a, ulong b)
    {
        const ulong M = 0x1111111111111111UL;
        ulong a0 = a & M, a1 = a & (M << 1), a2 = a & (M << 2), a3 = a & (M << 3);
        ulong b0 = b & M, b1 = b & (M << 1), b2 = b & (M << 2), b3 = b & (M << 3);
        ulong z0 = (a0 * b0) ^ (a1 * b3) ^ (a2 * b2) ^ (a3 * b1);
        ulong z1 = (a0 * b1) ^ (a1 * b0) ^ (a2 * b3) ^ (a3 * b2);
        ulong z2 = (a0 * b2) ^ (a1 * b1) ^ (a2 * b0) ^ (a3 * b3);
        ulong z3 = (a0 * b3) ^ (a1 * b2) ^ (a2 * b1) ^ (a3 * b0);
        return (z0 & M) | (z1 & (M << 1)) | (z2 & (M << 2)) | (z3 & (M << 3));
    }

    // The bits of a word in reverse order.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Reverse(ulong x)
    {
        x = (x & 0x5555555555555555) << 1 | (x >> 1 & 0x5555555555555555);
        x = (x & 0x3333333333333333) << 2 | (x >> 2 & 0x3333333333333333);
        x = (x & 0x0F0F0F0F0F0F0F0F) << 4 | (x >> 4 & 0x0F0F0F0F0F0F0F0F);
        return BinaryPrimitives.ReverseEndianness(x);
    }
}
