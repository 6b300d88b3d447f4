using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// A vector of bytes of one width, so that a kernel is written once for all. Unpack and Shuffle work within each
/// 128-bit lane. <see cref="FieldProduct"/> and <see cref="Affine"/> need GFNI.
/// </summary>
internal unsafe interface IByteVector<T>
    where T : unmanaged, IByteVector<T>
{
    static abstract T Load(byte* source);

    /// <summary>Sixteen bytes in every 128-bit lane.</summary>
    static abstract T Repeat(Vector128<byte> lane);

    /// <summary>Eight bytes in every 64-bit lane.</summary>
    static abstract T Repeat(ulong value);

    /// <summary>Four bytes in every 32-bit lane.</summary>
    static abstract T Repeat(uint value);

    /// <summary>One 16-byte piece per 128-bit lane, 64 bytes from the next: the same quarter of consecutive lines.</summary>
    static abstract T LoadQuarters(byte* source);

    void Store(byte* target);

    void StoreQuarters(byte* target);

    static abstract T operator ^(T a, T b);

    static abstract T operator &(T a, T b);

    static abstract T Xor(T a, T b, T c);

    static abstract T Shuffle(T value, T indices);

    /// <summary>The upper four bits of every byte.</summary>
    static abstract T HighNibbles(T value);

    static abstract T UnpackLow(T a, T b);

    static abstract T UnpackHigh(T a, T b);

    /// <summary>Bytewise products in the AES field.</summary>
    static abstract T FieldProduct(T a, T b);

    /// <summary>The 8 x 8 bit matrix of each 64-bit lane applied to its eight bytes.</summary>
    static abstract T Affine(T value, T matrices);
}

/// <summary>A 128-bit vector.</summary>
internal readonly unsafe struct Bytes16(Vector128<byte> value) : IByteVector<Bytes16>
{
    private readonly Vector128<byte> _value = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 Load(byte* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 Repeat(Vector128<byte> lane) => new(lane);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 Repeat(ulong value) => new(Vector128.Create(value).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 Repeat(uint value) => new(Vector128.Create(value).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 LoadQuarters(byte* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(byte* target) => _value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreQuarters(byte* target) => _value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 operator ^(Bytes16 a, Bytes16 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 operator &(Bytes16 a, Bytes16 b) => new(a._value & b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 Xor(Bytes16 a, Bytes16 b, Bytes16 c) => new(a._value ^ b._value ^ c._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 Shuffle(Bytes16 value, Bytes16 indices) => new(Ssse3.Shuffle(value._value, indices._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 HighNibbles(Bytes16 value) =>
        new((value._value.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)15));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 UnpackLow(Bytes16 a, Bytes16 b) => new(Sse2.UnpackLow(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 UnpackHigh(Bytes16 a, Bytes16 b) => new(Sse2.UnpackHigh(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 FieldProduct(Bytes16 a, Bytes16 b) => new(Gfni.GaloisFieldMultiply(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes16 Affine(Bytes16 value, Bytes16 matrices) =>
        new(Gfni.GaloisFieldAffineTransform(value._value, matrices._value, 0));
}

/// <summary>A 256-bit vector.</summary>
internal readonly unsafe struct Bytes32(Vector256<byte> value) : IByteVector<Bytes32>
{
    private readonly Vector256<byte> _value = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 Load(byte* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 Repeat(Vector128<byte> lane) => new(Vector256.Create(lane));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 Repeat(ulong value) => new(Vector256.Create(value).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 Repeat(uint value) => new(Vector256.Create(value).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 LoadQuarters(byte* source) => new(Vector256.Create(Vector128.Load(source), Vector128.Load(source + 64)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(byte* target) => _value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreQuarters(byte* target)
    {
        _value.GetLower().Store(target);
        _value.GetUpper().Store(target + 64);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 operator ^(Bytes32 a, Bytes32 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 operator &(Bytes32 a, Bytes32 b) => new(a._value & b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 Xor(Bytes32 a, Bytes32 b, Bytes32 c) => new(a._value ^ b._value ^ c._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 Shuffle(Bytes32 value, Bytes32 indices) => new(Avx2.Shuffle(value._value, indices._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 HighNibbles(Bytes32 value) =>
        new((value._value.AsUInt16() >>> 4).AsByte() & Vector256.Create((byte)15));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 UnpackLow(Bytes32 a, Bytes32 b) => new(Avx2.UnpackLow(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 UnpackHigh(Bytes32 a, Bytes32 b) => new(Avx2.UnpackHigh(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 FieldProduct(Bytes32 a, Bytes32 b) => new(Gfni.V256.GaloisFieldMultiply(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 Affine(Bytes32 value, Bytes32 matrices) =>
        new(Gfni.V256.GaloisFieldAffineTransform(value._value, matrices._value, 0));
}

/// <summary>A 512-bit vector.</summary>
internal readonly unsafe struct Bytes64(Vector512<byte> value) : IByteVector<Bytes64>
{
    private readonly Vector512<byte> _value = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 Load(byte* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 Repeat(Vector128<byte> lane) => new(Vector512.Create(lane));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 Repeat(ulong value) => new(Vector512.Create(value).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 Repeat(uint value) => new(Vector512.Create(value).AsByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 LoadQuarters(byte* source) => new(Vector512.Create(
        Vector256.Create(Vector128.Load(source), Vector128.Load(source + 64)),
        Vector256.Create(Vector128.Load(source + 128), Vector128.Load(source + 192))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(byte* target) => _value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreQuarters(byte* target)
    {
        new Bytes32(_value.GetLower()).StoreQuarters(target);
        new Bytes32(_value.GetUpper()).StoreQuarters(target + 128);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 operator ^(Bytes64 a, Bytes64 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 operator &(Bytes64 a, Bytes64 b) => new(a._value & b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 Xor(Bytes64 a, Bytes64 b, Bytes64 c) => new(Avx512F.TernaryLogic(a._value, b._value, c._value, 0x96));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 Shuffle(Bytes64 value, Bytes64 indices) => new(Avx512BW.Shuffle(value._value, indices._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 HighNibbles(Bytes64 value) =>
        new((value._value.AsUInt16() >>> 4).AsByte() & Vector512.Create((byte)15));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 UnpackLow(Bytes64 a, Bytes64 b) => new(Avx512BW.UnpackLow(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 UnpackHigh(Bytes64 a, Bytes64 b) => new(Avx512BW.UnpackHigh(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 FieldProduct(Bytes64 a, Bytes64 b) => new(Gfni.V512.GaloisFieldMultiply(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes64 Affine(Bytes64 value, Bytes64 matrices) =>
        new(Gfni.V512.GaloisFieldAffineTransform(value._value, matrices._value, 0));
}
