using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// Butterflies without GFNI: a product with a constant is two byte shuffles of a sixteen-entry table. For that all bytes of
/// a 16-byte piece must have the same constant, so a line is kept as four pieces, piece c with the bytes c, c+4, c+8,
/// c+12 of its four elements. A vector takes that piece of as many consecutive lines as it has 128-bit lanes.
/// </summary>
internal readonly unsafe struct ShuffleButterflies<T> : IButterflies
    where T : unmanaged, IByteVector<T>
{
    private const int Line = 64;

    private static int Step => Line / 16 * sizeof(T);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Enter(byte* lines, nint bytes)
    {
        for (nint i = 0; i < bytes; i += Line)
            Regroup(lines + i, before: true);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Leave(byte* lines, nint bytes)
    {
        for (nint i = 0; i < bytes; i += Line)
            Regroup(lines + i, before: false);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(byte* low, byte* high, nint bytes, Twiddle w, int products)
    {
        // A run with an odd number of lines ends in a narrower vector.
        nint whole = bytes / Step * Step;
        byte* tables = stackalloc byte[32 * 64];
        Prepare<T>(w, products, (T*)tables);
        Forward<T>(low, high, whole, products, (T*)tables);
        if (whole == bytes)
            return;
        Prepare<Bytes16>(w, products, (Bytes16*)tables);
        Forward<Bytes16>(low + whole, high + whole, bytes - whole, products, (Bytes16*)tables);
    }

    public static void Forward4(byte* block, nint bytes, Twiddle w, Twiddle w0, Twiddle w1, int products)
    {
        Forward(block, block + 2 * bytes, 2 * bytes, w, products);
        Forward(block, block + bytes, bytes, w0, products);
        Forward(block + 2 * bytes, block + 3 * bytes, bytes, w1, products);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transposed(byte* low, byte* high, nint bytes, Twiddle w, int products)
    {
        // With high' = high + w (low + high): the forward butterfly's product, sums exchanged.
        for (nint i = 0; i < bytes; i += sizeof(T))
            (T.Load(low + i) ^ T.Load(high + i)).Store(low + i);
        AddProducts(high, low, bytes, w, products);
    }

    public static void Multiply(byte* source, byte* target, nint bytes, Twiddle w, int products)
    {
        new Span<byte>(target, (int)bytes).Clear();
        AddProducts(target, source, bytes, w, products);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddProducts(byte* sum, byte* factor, nint bytes, Twiddle w, int products)
    {
        nint whole = bytes / Step * Step;
        byte* tables = stackalloc byte[32 * 64];
        Prepare<T>(w, products, (T*)tables);
        AddProducts<T>(sum, factor, whole, products, (T*)tables);
        if (whole == bytes)
            return;
        Prepare<Bytes16>(w, products, (Bytes16*)tables);
        AddProducts<Bytes16>(sum + whole, factor + whole, bytes - whole, products, (Bytes16*)tables);
    }

    // Tables 8o + 2d and 8o + 2d + 1: the products of C_d[o] with low and with high halves of bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prepare<V>(Twiddle w, int products, V* tables)
        where V : unmanaged, IByteVector<V>
    {
        for (int d = 0; d < products; d++)
        {
            uint constants = w[d];
            for (int o = 0; o < products; o++, constants >>= 8)
            {
                fixed (byte* table = &MemoryMarshal.GetReference(AesFieldTables.NibbleProducts((byte)constants)))
                {
                    tables[8 * o + 2 * d] = V.Repeat(Vector128.Load(table));
                    tables[8 * o + 2 * d + 1] = V.Repeat(Vector128.Load(table + 16));
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Forward<V>(byte* low, byte* high, nint bytes, int products, V* tables)
        where V : unmanaged, IByteVector<V>
    {
        AddProducts(low, high, bytes, products, tables);
        for (nint i = 0; i < bytes; i += sizeof(V))
            (V.Load(low + i) ^ V.Load(high + i)).Store(high + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddProducts<V>(byte* sum, byte* factor, nint bytes, int products, V* tables)
        where V : unmanaged, IByteVector<V>
    {
        if (products == 1)
            AddOne(sum, factor, bytes, tables);
        else if (products == 2)
            AddTwo(sum, factor, bytes, tables);
        else
            AddFour(sum, factor, bytes, tables);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddOne<V>(byte* sum, byte* factor, nint bytes, V* tables)
        where V : unmanaged, IByteVector<V>
    {
        V nibble = V.Repeat(0x0f0f0f0fu), low = tables[0], high = tables[1];
        for (nint i = 0; i < bytes; i += sizeof(V))
        {
            V x = V.Load(factor + i);
            V.Xor(V.Load(sum + i), V.Shuffle(low, x & nibble), V.Shuffle(high, V.HighNibbles(x))).Store(sum + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTwo<V>(byte* sum, byte* factor, nint bytes, V* tables)
        where V : unmanaged, IByteVector<V>
    {
        V nibble = V.Repeat(0x0f0f0f0fu);
        for (nint i = 0; i < bytes; i += 4 * sizeof(V))
        {
            AddPair(sum + i, factor + i, nibble, tables);
            AddPair(sum + i + 32, factor + i + 32, nibble, tables);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddPair<V>(byte* sum, byte* factor, V nibble, V* tables)
        where V : unmanaged, IByteVector<V>
    {
        V x0 = V.LoadQuarters(factor), x1 = V.LoadQuarters(factor + 16);
        V l0 = x0 & nibble, l1 = x1 & nibble, h0 = V.HighNibbles(x0), h1 = V.HighNibbles(x1);
        V y0 = V.Xor(V.LoadQuarters(sum), V.Shuffle(tables[0], l0), V.Shuffle(tables[1], h0));
        V y1 = V.Xor(V.LoadQuarters(sum + 16), V.Shuffle(tables[8], l1), V.Shuffle(tables[9], h1));
        V.Xor(y0, V.Shuffle(tables[2], l1), V.Shuffle(tables[3], h1)).StoreQuarters(sum);
        V.Xor(y1, V.Shuffle(tables[10], l0), V.Shuffle(tables[11], h0)).StoreQuarters(sum + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddFour<V>(byte* sum, byte* factor, nint bytes, V* tables)
        where V : unmanaged, IByteVector<V>
    {
        V nibble = V.Repeat(0x0f0f0f0fu);
        for (nint i = 0; i < bytes; i += 4 * sizeof(V))
        {
            byte* from = factor + i, to = sum + i;
            V x0 = V.LoadQuarters(from), x1 = V.LoadQuarters(from + 16), x2 = V.LoadQuarters(from + 32), x3 = V.LoadQuarters(from + 48);
            V l0 = x0 & nibble, l1 = x1 & nibble, l2 = x2 & nibble, l3 = x3 & nibble;
            V h0 = V.HighNibbles(x0), h1 = V.HighNibbles(x1), h2 = V.HighNibbles(x2), h3 = V.HighNibbles(x3);
            Sum(V.LoadQuarters(to), tables, l0, h0, l1, h1, l2, h2, l3, h3).StoreQuarters(to);
            Sum(V.LoadQuarters(to + 16), tables + 8, l1, h1, l0, h0, l3, h3, l2, h2).StoreQuarters(to + 16);
            Sum(V.LoadQuarters(to + 32), tables + 16, l2, h2, l3, h3, l0, h0, l1, h1).StoreQuarters(to + 32);
            Sum(V.LoadQuarters(to + 48), tables + 24, l3, h3, l2, h2, l1, h1, l0, h0).StoreQuarters(to + 48);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Sum<V>(V sum, V* tables, V la, V ha, V lb, V hb, V lc, V hc, V ld, V hd)
        where V : unmanaged, IByteVector<V>
    {
        sum = V.Xor(sum, V.Shuffle(tables[0], la), V.Shuffle(tables[1], ha));
        sum = V.Xor(sum, V.Shuffle(tables[2], lb), V.Shuffle(tables[3], hb));
        sum = V.Xor(sum, V.Shuffle(tables[4], lc), V.Shuffle(tables[5], hc));
        return V.Xor(sum, V.Shuffle(tables[6], ld), V.Shuffle(tables[7], hd));
    }

    // The transposition of 4 x 4 bytes in each element and of 4 x 4 words across them; each undoes itself.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Regroup(byte* line, bool before)
    {
        Vector128<byte> order = Vector128.Create((byte)0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        Vector128<byte> a = Vector128.Load(line), b = Vector128.Load(line + 16), c = Vector128.Load(line + 32), d = Vector128.Load(line + 48);
        if (before)
        {
            a = Ssse3.Shuffle(a, order);
            b = Ssse3.Shuffle(b, order);
            c = Ssse3.Shuffle(c, order);
            d = Ssse3.Shuffle(d, order);
        }

        Vector128<ulong> ab = Sse2.UnpackLow(a.AsUInt32(), b.AsUInt32()).AsUInt64(), cd = Sse2.UnpackLow(c.AsUInt32(), d.AsUInt32()).AsUInt64();
        Vector128<ulong> ef = Sse2.UnpackHigh(a.AsUInt32(), b.AsUInt32()).AsUInt64(), gh = Sse2.UnpackHigh(c.AsUInt32(), d.AsUInt32()).AsUInt64();
        a = Sse2.UnpackLow(ab, cd).AsByte();
        b = Sse2.UnpackHigh(ab, cd).AsByte();
        c = Sse2.UnpackLow(ef, gh).AsByte();
        d = Sse2.UnpackHigh(ef, gh).AsByte();
        if (!before)
        {
            a = Ssse3.Shuffle(a, order);
            b = Ssse3.Shuffle(b, order);
            c = Ssse3.Shuffle(c, order);
            d = Ssse3.Shuffle(d, order);
        }

        a.Store(line);
        b.Store(line + 16);
        c.Store(line + 32);
        d.Store(line + 48);
    }
}
