using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Lockstep.Proofs.Kernels;

namespace Lockstep.Proofs.Hashing;

/// <summary>
/// A fixed number of 32-bit words worked on at once, one per independent hash. The compression functions are written once
/// over this interface, so every width gives the same bytes by construction.
/// </summary>
internal unsafe interface ILanes<T>
    where T : unmanaged, ILanes<T>
{
    /// <summary>Number of lanes.</summary>
    static abstract int Count { get; }

    static abstract T Broadcast(uint value);

    static abstract T operator +(T a, T b);

    static abstract T operator ^(T a, T b);

    static abstract T operator &(T a, T b);

    static abstract T operator >>(T value, int bits);

    /// <summary><paramref name="bits"/> is a constant after inlining.</summary>
    static abstract T RotateRight(T value, [ConstantExpected] byte bits);

    /// <summary>Rotation by any count from 1 to 31.</summary>
    static abstract T RotateRightBy(T value, int bits);

    static abstract T ReverseBytes(T value);

    /// <summary>Bit 0 in all 32 bits.</summary>
    static abstract T SpreadLowBit(T value);

    /// <summary>Bit i of the result is the sum of bits 0 to i - 1.</summary>
    static abstract T SumsBelow(T value);

    /// <summary>True when a lane is 0.</summary>
    static abstract bool AnyZero(T value);

    /// <summary>Entry w takes the little-endian word w of each lane's 64-byte block.</summary>
    static abstract void LoadBlocks(byte* blocks, nint stride, T* words);

    /// <summary>Writes sixteen words of each lane, 64 bytes one after the other.</summary>
    static abstract void StoreBlocks(T* words, byte* blocks);

    /// <summary>Writes the first eight words of each lane, 32 bytes one after the other.</summary>
    static abstract void StoreDigests(T* words, byte* digests);
}

/// <summary>One lane: the portable path.</summary>
internal readonly unsafe struct Lanes1(uint value) : ILanes<Lanes1>
{
    private readonly uint _value = value;

    public static int Count => 1;

    public static Lanes1 Broadcast(uint value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator +(Lanes1 a, Lanes1 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator ^(Lanes1 a, Lanes1 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator &(Lanes1 a, Lanes1 b) => new(a._value & b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator >>(Lanes1 value, int bits) => new(value._value >> bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 RotateRight(Lanes1 value, [ConstantExpected] byte bits) => new(BitOperations.RotateRight(value._value, bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 RotateRightBy(Lanes1 value, int bits) => new(BitOperations.RotateRight(value._value, bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 ReverseBytes(Lanes1 value) => new(BinaryPrimitives.ReverseEndianness(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 SpreadLowBit(Lanes1 value) => new(0u - (value._value & 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 SumsBelow(Lanes1 value)
    {
        uint c = value._value << 1;
        c ^= c << 1;
        c ^= c << 2;
        c ^= c << 4;
        c ^= c << 8;
        return new(c ^ (c << 16));
    }

    public static bool AnyZero(Lanes1 value) => value._value == 0;

    public static void LoadBlocks(byte* blocks, nint stride, Lanes1* words) => Copy(blocks, (byte*)words, 16);

    public static void StoreBlocks(Lanes1* words, byte* blocks) => Copy((byte*)words, blocks, 16);

    public static void StoreDigests(Lanes1* words, byte* digests) => Copy((byte*)words, digests, 8);

    private static void Copy(byte* from, byte* to, int words)
    {
        for (int w = 0; w < words; w++, from += sizeof(uint), to += sizeof(uint))
        {
            uint word = Unsafe.ReadUnaligned<uint>(from);
            Unsafe.WriteUnaligned(to, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        }
    }
}

/// <summary>Four lanes of a 128-bit vector.</summary>
internal readonly unsafe struct Lanes4(Vector128<uint> value) : ILanes<Lanes4>
{
    private readonly Vector128<uint> _value = value;

    public static int Count => 4;

    public static Lanes4 Broadcast(uint value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator +(Lanes4 a, Lanes4 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator ^(Lanes4 a, Lanes4 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator &(Lanes4 a, Lanes4 b) => new(a._value & b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator >>(Lanes4 value, int bits) => new(Vector128.ShiftRightLogical(value._value, bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 RotateRight(Lanes4 value, [ConstantExpected] byte bits)
    {
        if (Avx512F.VL.IsSupported)
            return new(Avx512F.VL.RotateRight(value._value, bits));
        // Whole bytes move in one shuffle.
        if (Ssse3.IsSupported && bits == 16)
            return new(Ssse3.Shuffle(value._value.AsByte(), Vector128.Create((byte)2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)).AsUInt32());
        if (Ssse3.IsSupported && bits == 8)
            return new(Ssse3.Shuffle(value._value.AsByte(), Vector128.Create((byte)1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12)).AsUInt32());
        return new(Vector128.ShiftRightLogical(value._value, bits) | Vector128.ShiftLeft(value._value, 32 - bits));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 RotateRightBy(Lanes4 value, int bits) => Avx512F.VL.IsSupported
        ? new(Avx512F.VL.RotateRightVariable(value._value, Vector128.Create((uint)bits)))
        : new(Vector128.ShiftRightLogical(value._value, bits) | Vector128.ShiftLeft(value._value, 32 - bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 ReverseBytes(Lanes4 value)
    {
        Vector128<uint> pairs = ((value._value & Vector128.Create(0x00ff00ffu)) << 8) | ((value._value >>> 8) & Vector128.Create(0x00ff00ffu));
        return new((pairs << 16) | (pairs >>> 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 SpreadLowBit(Lanes4 value) => new(Vector128<uint>.Zero - (value._value & Vector128<uint>.One));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 SumsBelow(Lanes4 value)
    {
        if (Gfni.IsSupported)
        {
            // Inside each byte by one matrix; then each byte's own sum, by another, goes to the bytes above it.
            Vector128<byte> bytes = value._value.AsByte();
            Vector128<uint> below = Gfni.GaloisFieldAffineTransform(bytes, Vector128.Create(LaneMatrices.SumsBelow).AsByte(), 0).AsUInt32();
            Vector128<uint> sum = Gfni.GaloisFieldAffineTransform(bytes, Vector128.Create(LaneMatrices.Sum).AsByte(), 0).AsUInt32();
            return new(below ^ (sum << 8) ^ (sum << 16) ^ (sum << 24));
        }

        Vector128<uint> c = value._value << 1;
        c ^= c << 1;
        c ^= c << 2;
        c ^= c << 4;
        c ^= c << 8;
        return new(c ^ (c << 16));
    }

    public static bool AnyZero(Lanes4 value) => Vector128.EqualsAny(value._value, Vector128<uint>.Zero);

    public static void LoadBlocks(byte* blocks, nint stride, Lanes4* words)
    {
        for (int quarter = 0; quarter < 4; quarter++)
            WordTranspose.Square4(blocks + 16 * quarter, stride, (byte*)(words + 4 * quarter), sizeof(Lanes4));
    }

    public static void StoreBlocks(Lanes4* words, byte* blocks)
    {
        for (int quarter = 0; quarter < 4; quarter++)
            WordTranspose.Square4((byte*)(words + 4 * quarter), sizeof(Lanes4), blocks + 16 * quarter, Blake3Compression.BlockSize);
    }

    public static void StoreDigests(Lanes4* words, byte* digests)
    {
        WordTranspose.Square4((byte*)words, sizeof(Lanes4), digests, Blake3.DigestSize);
        WordTranspose.Square4((byte*)(words + 4), sizeof(Lanes4), digests + 16, Blake3.DigestSize);
    }
}

/// <summary>Eight lanes of a 256-bit vector.</summary>
internal readonly unsafe struct Lanes8(Vector256<uint> value) : ILanes<Lanes8>
{
    private readonly Vector256<uint> _value = value;

    public static int Count => 8;

    public static Lanes8 Broadcast(uint value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator +(Lanes8 a, Lanes8 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator ^(Lanes8 a, Lanes8 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator &(Lanes8 a, Lanes8 b) => new(a._value & b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator >>(Lanes8 value, int bits) => new(Vector256.ShiftRightLogical(value._value, bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 RotateRight(Lanes8 value, [ConstantExpected] byte bits)
    {
        if (Avx512F.VL.IsSupported)
            return new(Avx512F.VL.RotateRight(value._value, bits));
        if (Avx2.IsSupported && bits == 16)
            return new(Avx2.Shuffle(value._value.AsByte(), Vector256.Create(
                (byte)2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)).AsUInt32());
        if (Avx2.IsSupported && bits == 8)
            return new(Avx2.Shuffle(value._value.AsByte(), Vector256.Create(
                (byte)1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12)).AsUInt32());
        return new(Vector256.ShiftRightLogical(value._value, bits) | Vector256.ShiftLeft(value._value, 32 - bits));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 RotateRightBy(Lanes8 value, int bits) => Avx512F.VL.IsSupported
        ? new(Avx512F.VL.RotateRightVariable(value._value, Vector256.Create((uint)bits)))
        : new(Vector256.ShiftRightLogical(value._value, bits) | Vector256.ShiftLeft(value._value, 32 - bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 ReverseBytes(Lanes8 value)
    {
        Vector256<uint> pairs = ((value._value & Vector256.Create(0x00ff00ffu)) << 8) | ((value._value >>> 8) & Vector256.Create(0x00ff00ffu));
        return new((pairs << 16) | (pairs >>> 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 SpreadLowBit(Lanes8 value) => new(Vector256<uint>.Zero - (value._value & Vector256<uint>.One));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 SumsBelow(Lanes8 value)
    {
        if (Gfni.V256.IsSupported)
        {
            // Inside each byte by one matrix; then each byte's own sum, by another, goes to the bytes above it.
            Vector256<byte> bytes = value._value.AsByte();
            Vector256<uint> below = Gfni.V256.GaloisFieldAffineTransform(bytes, Vector256.Create(LaneMatrices.SumsBelow).AsByte(), 0).AsUInt32();
            Vector256<uint> sum = Gfni.V256.GaloisFieldAffineTransform(bytes, Vector256.Create(LaneMatrices.Sum).AsByte(), 0).AsUInt32();
            return new(below ^ (sum << 8) ^ (sum << 16) ^ (sum << 24));
        }

        Vector256<uint> c = value._value << 1;
        c ^= c << 1;
        c ^= c << 2;
        c ^= c << 4;
        c ^= c << 8;
        return new(c ^ (c << 16));
    }

    public static bool AnyZero(Lanes8 value) => Vector256.EqualsAny(value._value, Vector256<uint>.Zero);

    public static void LoadBlocks(byte* blocks, nint stride, Lanes8* words)
    {
        WordTranspose.Square8(blocks, stride, (byte*)words, sizeof(Lanes8));
        WordTranspose.Square8(blocks + 32, stride, (byte*)(words + 8), sizeof(Lanes8));
    }

    public static void StoreBlocks(Lanes8* words, byte* blocks)
    {
        WordTranspose.Square8((byte*)words, sizeof(Lanes8), blocks, Blake3Compression.BlockSize);
        WordTranspose.Square8((byte*)(words + 8), sizeof(Lanes8), blocks + 32, Blake3Compression.BlockSize);
    }

    public static void StoreDigests(Lanes8* words, byte* digests) => WordTranspose.Square8((byte*)words, sizeof(Lanes8), digests, Blake3.DigestSize);
}

/// <summary>Sixteen lanes of a 512-bit vector.</summary>
internal readonly unsafe struct Lanes16(Vector512<uint> value) : ILanes<Lanes16>
{
    private readonly Vector512<uint> _value = value;

    public static int Count => 16;

    public static Lanes16 Broadcast(uint value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator +(Lanes16 a, Lanes16 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator ^(Lanes16 a, Lanes16 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator &(Lanes16 a, Lanes16 b) => new(a._value & b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator >>(Lanes16 value, int bits) => new(Vector512.ShiftRightLogical(value._value, bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 RotateRight(Lanes16 value, [ConstantExpected] byte bits) => Avx512F.IsSupported
        ? new(Avx512F.RotateRight(value._value, bits))
        : new(Vector512.ShiftRightLogical(value._value, bits) | Vector512.ShiftLeft(value._value, 32 - bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 RotateRightBy(Lanes16 value, int bits) => Avx512F.IsSupported
        ? new(Avx512F.RotateRightVariable(value._value, Vector512.Create((uint)bits)))
        : new(Vector512.ShiftRightLogical(value._value, bits) | Vector512.ShiftLeft(value._value, 32 - bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 ReverseBytes(Lanes16 value)
    {
        Vector512<uint> pairs = ((value._value & Vector512.Create(0x00ff00ffu)) << 8) | ((value._value >>> 8) & Vector512.Create(0x00ff00ffu));
        return new((pairs << 16) | (pairs >>> 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 SpreadLowBit(Lanes16 value) => new(Vector512<uint>.Zero - (value._value & Vector512<uint>.One));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 SumsBelow(Lanes16 value)
    {
        if (Gfni.V512.IsSupported)
        {
            // Inside each byte by one matrix; then each byte's own sum, by another, goes to the bytes above it.
            Vector512<byte> bytes = value._value.AsByte();
            Vector512<uint> below = Gfni.V512.GaloisFieldAffineTransform(bytes, Vector512.Create(LaneMatrices.SumsBelow).AsByte(), 0).AsUInt32();
            Vector512<uint> sum = Gfni.V512.GaloisFieldAffineTransform(bytes, Vector512.Create(LaneMatrices.Sum).AsByte(), 0).AsUInt32();
            return new(below ^ (sum << 8) ^ (sum << 16) ^ (sum << 24));
        }

        Vector512<uint> c = value._value << 1;
        c ^= c << 1;
        c ^= c << 2;
        c ^= c << 4;
        c ^= c << 8;
        return new(c ^ (c << 16));
    }

    public static bool AnyZero(Lanes16 value) => Vector512.EqualsAny(value._value, Vector512<uint>.Zero);

    public static void LoadBlocks(byte* blocks, nint stride, Lanes16* words) =>
        WordTranspose.Square16(blocks, stride, (byte*)words, sizeof(Lanes16));

    public static void StoreBlocks(Lanes16* words, byte* blocks) =>
        WordTranspose.Square16((byte*)words, sizeof(Lanes16), blocks, Blake3Compression.BlockSize);

    public static void StoreDigests(Lanes16* words, byte* digests)
    {
        // Two squares of eight: the low lanes' digests, then the high lanes'.
        WordTranspose.Square8((byte*)words, sizeof(Lanes16), digests, Blake3.DigestSize);
        WordTranspose.Square8((byte*)words + 32, sizeof(Lanes16), digests + 8 * Blake3.DigestSize, Blake3.DigestSize);
    }
}

/// <summary>Matrices over the bits of a byte, as the affine instruction reads them: byte 7 - i is the row of bit i.</summary>
internal static class LaneMatrices
{
    /// <summary>Bit i becomes the sum of bits 0 to i - 1.</summary>
    public const ulong SumsBelow = 0x00_01_03_07_0f_1f_3f_7f;

    /// <summary>Every bit becomes the sum of all.</summary>
    public const ulong Sum = ulong.MaxValue;
}
