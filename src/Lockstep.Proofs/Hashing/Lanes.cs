using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lockstep.Proofs.Hashing;

/// <summary>
/// A fixed number of 32-bit words worked on at once, one per independent hash. The compression function is written once
/// over this interface, so every width gives the same bytes by construction.
/// </summary>
internal interface ILanes<T>
    where T : unmanaged, ILanes<T>
{
    /// <summary>Number of lanes.</summary>
    static abstract int Count { get; }

    static abstract T Broadcast(uint value);

    /// <summary>Lane i takes the word <c>first + i</c>.</summary>
    static abstract T Load(ref uint first);

    void Store(ref uint first);

    static abstract T operator +(T a, T b);

    static abstract T operator ^(T a, T b);

    static abstract T RotateRight(T value, int bits);
}

/// <summary>One lane: the portable path.</summary>
internal readonly struct Lanes1(uint value) : ILanes<Lanes1>
{
    private readonly uint _value = value;

    public static int Count => 1;

    public static Lanes1 Broadcast(uint value) => new(value);

    public static Lanes1 Load(ref uint first) => new(first);

    public void Store(ref uint first) => first = _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator +(Lanes1 a, Lanes1 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 operator ^(Lanes1 a, Lanes1 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes1 RotateRight(Lanes1 value, int bits) => new(BitOperations.RotateRight(value._value, bits));
}

/// <summary>Four lanes of a 128-bit vector.</summary>
internal readonly struct Lanes4(Vector128<uint> value) : ILanes<Lanes4>
{
    private readonly Vector128<uint> _value = value;

    public static int Count => 4;

    public static Lanes4 Broadcast(uint value) => new(Vector128.Create(value));

    public static Lanes4 Load(ref uint first) => new(Vector128.LoadUnsafe(ref first));

    public void Store(ref uint first) => _value.StoreUnsafe(ref first);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator +(Lanes4 a, Lanes4 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 operator ^(Lanes4 a, Lanes4 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes4 RotateRight(Lanes4 value, int bits) =>
        new(Vector128.ShiftRightLogical(value._value, bits) | Vector128.ShiftLeft(value._value, 32 - bits));
}

/// <summary>Eight lanes of a 256-bit vector.</summary>
internal readonly struct Lanes8(Vector256<uint> value) : ILanes<Lanes8>
{
    private readonly Vector256<uint> _value = value;

    public static int Count => 8;

    public static Lanes8 Broadcast(uint value) => new(Vector256.Create(value));

    public static Lanes8 Load(ref uint first) => new(Vector256.LoadUnsafe(ref first));

    public void Store(ref uint first) => _value.StoreUnsafe(ref first);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator +(Lanes8 a, Lanes8 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 operator ^(Lanes8 a, Lanes8 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes8 RotateRight(Lanes8 value, int bits) =>
        new(Vector256.ShiftRightLogical(value._value, bits) | Vector256.ShiftLeft(value._value, 32 - bits));
}

/// <summary>Sixteen lanes of a 512-bit vector.</summary>
internal readonly struct Lanes16(Vector512<uint> value) : ILanes<Lanes16>
{
    private readonly Vector512<uint> _value = value;

    public static int Count => 16;

    public static Lanes16 Broadcast(uint value) => new(Vector512.Create(value));

    public static Lanes16 Load(ref uint first) => new(Vector512.LoadUnsafe(ref first));

    public void Store(ref uint first) => _value.StoreUnsafe(ref first);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator +(Lanes16 a, Lanes16 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator ^(Lanes16 a, Lanes16 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 RotateRight(Lanes16 value, int bits) =>
        new(Vector512.ShiftRightLogical(value._value, bits) | Vector512.ShiftLeft(value._value, 32 - bits));
}
