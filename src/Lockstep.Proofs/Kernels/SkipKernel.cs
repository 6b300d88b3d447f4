using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// The univariate skip's sum of products: for each of the 64 points Y of Lambda, the sum over blocks of
/// weight * sum over rows x of X^j gamma^k a_x(Y) b_x(Y). A block is the 64 rows of (i, h) and its neighbour at i + 1.
/// </summary>
/// <remarks>
/// A row index is v6 | p0 p1 | p2 p3 p4; the first three choose j (with i0 as its bit 3), the last three k. Values on Lambda
/// are bytes of the AES field. Extending a row from S to Lambda is a convolution over (Z/2)^6, because a Lagrange
/// polynomial's value depends on point xor node only: three levels of Karatsuba leave 27 of 64 products of 8 x 8 bits.
/// </remarks>
internal static unsafe class SkipKernel
{
    /// <summary>Bytes of one block of rows.</summary>
    public const int BlockBytes = 512;

    private const int Half = SkipDomain.Half;
    private const int SlotBytes = 1024, SlotsPerTile = BitSums.TileSlots;

    // The byte of Lagrange polynomial j at point 64 + y is Lagrange[j ^ y].
    private static readonly byte[] Lagrange = BuildLagrange();
    private static readonly Vector512<byte>* Products = Wide.Table(BuildProducts());
    private static readonly byte[] AesProduct = BuildAesProduct();
    private static readonly byte[] Extension = BuildExtension();

    /// <summary>Adds the sums to <paramref name="total"/> (64 elements).</summary>
    /// <param name="a">First block of the first unit's form a; forms of row x at unit * stride + group * 512 + 8 x.</param>
    /// <param name="b">The same for form b.</param>
    /// <param name="stride">Bytes from unit to unit.</param>
    /// <param name="groups">Blocks of each unit.</param>
    /// <param name="pairs">Pairs of units.</param>
    /// <param name="groupWeights">One weight for each block of a unit.</param>
    /// <param name="pairWeights">One weight for each pair of units.</param>
    /// <param name="total">64 elements.</param>
    /// <param name="workers">Threads.</param>
    public static void Add(byte* a, byte* b, long stride, int groups, int pairs, ReadOnlyMemory<Gf128> groupWeights, ReadOnlyMemory<Gf128> pairWeights, Gf128[] total, Workers workers)
    {
        int pairsPerTile = Math.Max(1, SlotsPerTile / groups), tiles = (pairs + pairsPerTile - 1) / pairsPerTile;
        workers.For(tiles, 4, (start, end) =>
        {
            using NativeBlock memory = NativePool.Shared.Rent((SlotsPerTile + SlotBytes / 8) * 1024 + SlotsPerTile * 128), sums = NativePool.Shared.Rent(8 * SlotBytes * Gf128.Size);
            byte* slots = memory.Memory;
            Vector512<byte>* planes = (Vector512<byte>*)(slots + SlotsPerTile * 1024);
            ulong* matrices = (ulong*)(planes + SlotBytes / 8 * 16);
            Span<Gf128> weights = stackalloc Gf128[SlotsPerTile];
            memory.Clear(new Workers(1));
            sums.Clear(new Workers(1));
            for (int tile = start; tile < end; tile++)
            {
                int first = tile * pairsPerTile, here = Math.Min(pairsPerTile, pairs - first), slot = 0;
                for (int pair = first; pair < first + here; pair++)
                    for (int group = 0; group < groups; group++, slot++)
                    {
                        long at = 2 * pair * stride + group * BlockBytes;
                        weights[slot] = groupWeights.Span[group] * pairWeights.Span[pair];
                        Block(a + at, b + at, slots + slot * SlotBytes);
                        Block(a + at + stride, b + at + stride, slots + slot * SlotBytes + SlotBytes / 2);
                    }

                if (Wide.IsSupported)
                {
                    BitSums.Matrices(weights[..slot], 0, (slot + 7) / 8, matrices);
                    BitSums.AddTile(slots, SlotBytes, SlotBytes / BitSums.LineBytes, slot, matrices, planes);
                }
                else
                {
                    AddPortable(slots, weights[..slot], sums.As<Gf128>());
                }
            }

            weights.Clear();
            if (Wide.IsSupported)
                BitSums.ToElements(planes, SlotBytes / 8, sums.As<Gf128>());
            lock (total)
                Collect(sums.As<Gf128>(), total);
        });
    }

    // Byte r3 of point y at 8 y + r3 (and half a slot further for the odd unit): sum_k gamma^k a(Y) b(Y) of rows r3 + 8 k.
    private static void Block(byte* a, byte* b, byte* slot)
    {
        if (Wide.IsSupported)
            BlockWide(a, b, (Vector512<byte>*)slot);
        else
            BlockPortable((ulong*)a, (ulong*)b, slot);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BlockWide(byte* a, byte* b, Vector512<byte>* sum)
    {
        Vector512<byte>* room = stackalloc Vector512<byte>[3], forms = Wide.Align(room);
        Vector512<byte> gamma = Vector512.Create((byte)2);
        for (int y = 0; y < 8; y++)
            sum[y] = Vector512<byte>.Zero;
        for (int k = 7; k >= 0; k--)
        {
            Forms(((Vector512<byte>*)a)[k], forms);
            Extend((ulong*)forms, Products, out Vector512<byte> l0, out Vector512<byte> l1, out Vector512<byte> l2, out Vector512<byte> l3,
                out Vector512<byte> l4, out Vector512<byte> l5, out Vector512<byte> l6, out Vector512<byte> l7);
            Forms(((Vector512<byte>*)b)[k], forms + 1);
            Extend((ulong*)(forms + 1), Products, out Vector512<byte> r0, out Vector512<byte> r1, out Vector512<byte> r2, out Vector512<byte> r3,
                out Vector512<byte> r4, out Vector512<byte> r5, out Vector512<byte> r6, out Vector512<byte> r7);
            sum[0] = Wide.Multiply(sum[0], gamma) ^ Wide.Multiply(l0, r0);
            sum[1] = Wide.Multiply(sum[1], gamma) ^ Wide.Multiply(l1, r1);
            sum[2] = Wide.Multiply(sum[2], gamma) ^ Wide.Multiply(l2, r2);
            sum[3] = Wide.Multiply(sum[3], gamma) ^ Wide.Multiply(l3, r3);
            sum[4] = Wide.Multiply(sum[4], gamma) ^ Wide.Multiply(l4, r4);
            sum[5] = Wide.Multiply(sum[5], gamma) ^ Wide.Multiply(l5, r5);
            sum[6] = Wide.Multiply(sum[6], gamma) ^ Wide.Multiply(l6, r6);
            sum[7] = Wide.Multiply(sum[7], gamma) ^ Wide.Multiply(l7, r7);
        }

        forms[0] = forms[1] = Vector512<byte>.Zero;
    }

    // Byte c of eight rows in 64-bit word c, then the Karatsuba forms: where a bit of the word's index is 0 the sum of both
    // halves, where it is 1 the upper half.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Forms(Vector512<byte> rows, Vector512<byte>* forms)
    {
        Vector512<ulong> t = Wide.TransposeBytes(rows).AsUInt64();
        if (Avx512F.IsSupported)
        {
            t ^= Avx512F.PermuteVar8x64(t, Vector512.Create(4UL, 5, 6, 7, 4, 5, 6, 7)) & Vector512.Create(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, 0, 0, 0, 0);
            t ^= Avx512F.PermuteVar8x64(t, Vector512.Create(2UL, 3, 2, 3, 6, 7, 6, 7)) & Vector512.Create(ulong.MaxValue, ulong.MaxValue, 0, 0, ulong.MaxValue, ulong.MaxValue, 0, 0);
            t ^= Avx512BW.ShiftRightLogical128BitLane(t.AsByte(), 8).AsUInt64();
            *forms = t.AsByte();
            return;
        }

        *forms = t.AsByte();
        var x = (ulong*)forms;
        for (int half = 4; half > 0; half >>= 1)
            for (int c = 0; c < 8; c++)
                if ((c & half) == 0)
                    x[c] ^= x[c + half];
    }

    // Eight rows (one 64-bit word each) to their values at all 64 points: lane e, byte r of vector d is row r at 8 d + e.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Extend(ulong* forms, Vector512<byte>* products,
        out Vector512<byte> y0, out Vector512<byte> y1, out Vector512<byte> y2, out Vector512<byte> y3,
        out Vector512<byte> y4, out Vector512<byte> y5, out Vector512<byte> y6, out Vector512<byte> y7)
    {
        Vector512<byte> f0 = Vector512.Create(forms[4]).AsByte(), f1 = Vector512.Create(forms[5]).AsByte(), f2 = Vector512.Create(forms[6]).AsByte(), f3 = Vector512.Create(forms[7]).AsByte();
        Four(f0, f1, f2, f3, products + 18, out Vector512<byte> z0, out Vector512<byte> z1, out Vector512<byte> z2, out Vector512<byte> z3);
        f0 = Vector512.Create(forms[0]).AsByte();
        f1 = Vector512.Create(forms[1]).AsByte();
        f2 = Vector512.Create(forms[2]).AsByte();
        f3 = Vector512.Create(forms[3]).AsByte();
        Four(f0, f1, f2, f3, products, out y0, out y1, out y2, out y3);
        y0 ^= z0;
        y1 ^= z1;
        y2 ^= z2;
        y3 ^= z3;
        Four(f0, f1, f2, f3, products + 9, out y4, out y5, out y6, out y7);
        y4 ^= z0;
        y5 ^= z1;
        y6 ^= z2;
        y7 ^= z3;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(Vector512<byte> f0, Vector512<byte> f1, Vector512<byte> f2, Vector512<byte> f3, Vector512<byte>* products,
        out Vector512<byte> y0, out Vector512<byte> y1, out Vector512<byte> y2, out Vector512<byte> y3)
    {
        Three(f2, f3, products + 6, out Vector512<byte> w0, out Vector512<byte> w1);
        Vector512<byte> both = Wide.Affine(f1, products[2]);
        y0 = Wide.Affine(f0, products[0]) ^ both ^ w0;
        y1 = Wide.Affine(f0, products[1]) ^ both ^ w1;
        both = Wide.Affine(f1, products[5]);
        y2 = Wide.Affine(f0, products[3]) ^ both ^ w0;
        y3 = Wide.Affine(f0, products[4]) ^ both ^ w1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Three(Vector512<byte> sum, Vector512<byte> upper, Vector512<byte>* products, out Vector512<byte> low, out Vector512<byte> high)
    {
        Vector512<byte> both = Wide.Affine(upper, products[2]);
        low = Wide.Affine(sum, products[0]) ^ both;
        high = Wide.Affine(sum, products[1]) ^ both;
    }

    private static void BlockPortable(ulong* a, ulong* b, byte* slot)
    {
        Span<ulong> left = stackalloc ulong[8], right = stackalloc ulong[8];
        Span<byte> leftBytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(left), rightBytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(right);
        ref byte product = ref AesProduct[0];
        for (int r = 0; r < 8; r++)
            for (int y = 0; y < Half; y++)
                slot[8 * y + r] = 0;
        for (int k = 7; k >= 0; k--)
            for (int r = 0; r < 8; r++)
            {
                ExtendPortable(a[8 * k + r], left);
                ExtendPortable(b[8 * k + r], right);
                for (int y = 0; y < Half; y++)
                {
                    byte sum = slot[8 * y + r];
                    slot[8 * y + r] = (byte)(sum << 1 ^ (0x1b & -(sum >> 7)) ^ Unsafe.Add(ref product, leftBytes[y] << 8 | rightBytes[y]));
                }
            }

        left.Clear();
        right.Clear();
    }

    private static void ExtendPortable(ulong row, Span<ulong> values)
    {
        values.Clear();
        ReadOnlySpan<ulong> table = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(Extension);
        for (int c = 0; c < 8; c++, row >>= 8)
        {
            ReadOnlySpan<ulong> entry = table.Slice((c * 256 + (int)(byte)row) * 8, 8);
            for (int i = 0; i < 8; i++)
                values[i] ^= entry[i];
        }
    }

    private static void AddPortable(byte* slots, ReadOnlySpan<Gf128> weights, Gf128* sums)
    {
        for (int slot = 0; slot < weights.Length; slot++)
            for (int i = 0; i < SlotBytes; i++)
                for (int bit = 0; bit < 8; bit++)
                    sums[8 * i + bit] += weights[slot].IfBit((uint)slots[slot * SlotBytes + i] >> bit);
    }

    // total(y) += sum over j and t of X^j gamma^t times the sum of bit t of byte j.
    private static void Collect(Gf128* sums, Gf128[] total)
    {
        Gf128 shift = Gf128.One;
        for (int j = 0; j < 16; j++, shift *= Gf128.X)
        {
            Gf128 factor = shift;
            for (int t = 0; t < 8; t++, factor *= TowerBasis.Gamma)
                for (int y = 0; y < Half; y++)
                    total[y] += factor * sums[8 * ((j >> 3) * (SlotBytes / 2) + 8 * y + (j & 7)) + t];
        }
    }

    private static byte[] BuildLagrange()
    {
        var values = new byte[Half];
        Gf128[] lagrange = SkipDomain.LagrangeOfS(SkipDomain.Point(Half));
        for (int j = 0; j < Half; j++)
            values[j] = (byte)TowerBasis.FromPolynomial(lagrange[j]).Lo;
        return values;
    }

    // Product (e2, e1, e0) at 8 (9 e2 + 3 e1 + e0): digit 0 and 1 take the block of that bit, digit 2 the sum of both.
    private static ulong[] BuildProducts()
    {
        var blocks = new ulong[64];
        Span<byte> columns = stackalloc byte[8];
        for (int d = 0; d < 8; d++)
            for (int e = 0; e < 8; e++)
            {
                for (int bit = 0; bit < 8; bit++)
                    columns[bit] = Lagrange[8 * d | (e ^ bit)];
                blocks[8 * d + e] = BitMatrix8.FromColumns(columns);
            }

        var products = new ulong[27 * 8];
        for (int code = 0; code < 27; code++)
            for (int d = 0; d < 8; d++)
                if (Takes(code / 9, d >> 2) && Takes(code / 3 % 3, d >> 1 & 1) && Takes(code % 3, d & 1))
                    for (int e = 0; e < 8; e++)
                        products[8 * code + e] ^= blocks[8 * d + e];
        return products;

        static bool Takes(int digit, int bit) => digit == 2 || digit == bit;
    }

    private static byte[] BuildExtension()
    {
        var table = new byte[8 * 256 * Half];
        for (int c = 0; c < 8; c++)
            for (int value = 1; value < 256; value++)
                for (int y = 0; y < Half; y++)
                    table[(c * 256 + value) * Half + y] = (byte)(table[(c * 256 + (value & (value - 1))) * Half + y]
                        ^ Lagrange[(8 * c + System.Numerics.BitOperations.TrailingZeroCount(value)) ^ y]);
        return table;
    }

    private static byte[] BuildAesProduct()
    {
        var table = new byte[256 * 256];
        for (int x = 0; x < 256; x++)
            for (int y = 1; y < 256; y++)
            {
                int product = 0;
                for (int left = x, right = y; right != 0; right >>= 1, left = left << 1 ^ ((left & 0x80) != 0 ? 0x11b : 0))
                    if ((right & 1) != 0)
                        product ^= left;
                table[x << 8 | y] = (byte)product;
            }

        return table;
    }
}
