using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// Butterflies without intrinsics: a factor is a linear map of four bytes, applied by eight tables of sixteen entries
/// made for each run, or by four of 256 where the run is long enough to pay for them.
/// </summary>
internal readonly unsafe struct PortableButterflies : IButterflies
{
    private const int Tables = 8 * 16, ByteTables = 4 * 256, LongRun = 16 << 10;

    public static void Enter(byte* lines, nint bytes)
    {
    }

    public static void Leave(byte* lines, nint bytes)
    {
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(byte* low, byte* high, nint bytes, Twiddle w, int products)
    {
        uint* tables = stackalloc uint[Tables];
        Prepare(w, tables);
        if (bytes >= LongRun)
        {
            ForwardLong(low, high, bytes, tables);
            return;
        }

        for (nint i = 0; i < bytes; i += 8)
        {
            ulong b = *(ulong*)(high + i), a = *(ulong*)(low + i) ^ Product(tables, b);
            *(ulong*)(low + i) = a;
            *(ulong*)(high + i) = a ^ b;
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ForwardLong(byte* low, byte* high, nint bytes, uint* tables)
    {
        uint* wide = stackalloc uint[ByteTables];
        for (int k = 0; k < 4; k++)
        {
            for (int value = 0; value < 256; value++)
                wide[256 * k + value] = tables[32 * k + (value & 15)] ^ tables[32 * k + 16 + (value >> 4)];
        }

        for (nint i = 0; i < bytes; i += 8)
        {
            ulong b = *(ulong*)(high + i), a = *(ulong*)(low + i) ^ LongProduct(wide, b);
            *(ulong*)(low + i) = a;
            *(ulong*)(high + i) = a ^ b;
        }
    }

    public static void Forward4(byte* block, nint bytes, Twiddle w, Twiddle w0, Twiddle w1, int products)
    {
        Forward(block, block + 2 * bytes, 2 * bytes, w, products);
        Forward(block, block + bytes, bytes, w0, products);
        Forward(block + 2 * bytes, block + 3 * bytes, bytes, w1, products);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transposed(byte* low, byte* high, nint bytes, Twiddle w, int products)
    {
        uint* tables = stackalloc uint[Tables];
        Prepare(w, tables);
        for (nint i = 0; i < bytes; i += 8)
        {
            ulong b = *(ulong*)(high + i), a = *(ulong*)(low + i) ^ b;
            *(ulong*)(low + i) = a;
            *(ulong*)(high + i) = b ^ Product(tables, a);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(byte* source, byte* target, nint bytes, Twiddle w, int products)
    {
        uint* tables = stackalloc uint[Tables];
        Prepare(w, tables);
        for (nint i = 0; i < bytes; i += 8)
            *(ulong*)(target + i) = Product(tables, *(ulong*)(source + i));
    }

    // Table 2k + h: the images of the sixteen values of half h of byte k.
    private static void Prepare(Twiddle w, uint* tables)
    {
        byte* constants = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(new Span<byte>(constants, 8), w.Low);
        BinaryPrimitives.WriteUInt64LittleEndian(new Span<byte>(constants + 8, 8), w.High);
        for (int k = 0; k < 4; k++)
        {
            ref byte p0 = ref MemoryMarshal.GetReference(AesFieldTables.NibbleProducts(constants[4 * k]));
            ref byte p1 = ref MemoryMarshal.GetReference(AesFieldTables.NibbleProducts(constants[4 * (k ^ 1) + 1]));
            ref byte p2 = ref MemoryMarshal.GetReference(AesFieldTables.NibbleProducts(constants[4 * (k ^ 2) + 2]));
            ref byte p3 = ref MemoryMarshal.GetReference(AesFieldTables.NibbleProducts(constants[4 * (k ^ 3) + 3]));
            for (int half = 0; half < 2; half++)
            {
                uint* table = tables + 16 * (2 * k + half);
                table[0] = 0;
                for (int top = 1; top < 16; top *= 2)
                {
                    int at = 16 * half + top;
                    uint column = Unsafe.Add(ref p0, at) | (uint)Unsafe.Add(ref p1, at) << 8
                        | (uint)Unsafe.Add(ref p2, at) << 16 | (uint)Unsafe.Add(ref p3, at) << 24;
                    for (int v = 0; v < top; v++)
                        table[top + v] = table[v] ^ column;
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Product(uint* tables, ulong x)
    {
        // A word read from memory has its bytes in order of address only on little-endian machines.
        if (!BitConverter.IsLittleEndian)
            return BinaryPrimitives.ReverseEndianness(Product((uint)BinaryPrimitives.ReverseEndianness(x), (uint)(BinaryPrimitives.ReverseEndianness(x) >> 32), tables));
        return Product((uint)x, (uint)(x >> 32), tables);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Product(uint low, uint high, uint* tables) => Product(low, tables) | (ulong)Product(high, tables) << 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Product(uint x, uint* tables) =>
        tables[x & 15] ^ tables[16 + (x >> 4 & 15)] ^ tables[32 + (x >> 8 & 15)] ^ tables[48 + (x >> 12 & 15)]
        ^ tables[64 + (x >> 16 & 15)] ^ tables[80 + (x >> 20 & 15)] ^ tables[96 + (x >> 24 & 15)] ^ tables[112 + (x >> 28)];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LongProduct(uint* wide, ulong x)
    {
        if (!BitConverter.IsLittleEndian)
            return BinaryPrimitives.ReverseEndianness(LongProduct((uint)BinaryPrimitives.ReverseEndianness(x), (uint)(BinaryPrimitives.ReverseEndianness(x) >> 32), wide));
        return LongProduct((uint)x, (uint)(x >> 32), wide);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LongProduct(uint low, uint high, uint* wide) => LongProduct(low, wide) | (ulong)LongProduct(high, wide) << 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint LongProduct(uint x, uint* wide) => wide[x & 255] ^ wide[256 + (x >> 8 & 255)] ^ wide[512 + (x >> 16 & 255)] ^ wide[768 + (x >> 24)];
}
