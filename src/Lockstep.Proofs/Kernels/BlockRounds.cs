using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Kernels;

/// <summary>Two sums of a zerocheck round over its pairs (low, high), each weighted by eq: what a b contributes.</summary>
/// <param name="AtOne">The value at 1.</param>
/// <param name="Leading">The coefficient of X^2.</param>
internal readonly record struct PairSums(Gf128 AtOne, Gf128 Leading)
{
    public static PairSums operator +(PairSums x, PairSums y) => new(x.AtOne + y.AtOne, x.Leading + y.Leading);
}

/// <summary>
/// The zerocheck's rounds over the variables inside a block (v6, then p): from the bits of the forms a and b to one value of
/// each for every block. Blocks are 512 bytes, 32 words of two rows; block k has weight blockWeights[k], the eq of all
/// variables outside it.
/// </summary>
internal static unsafe class BlockRounds
{
    private const int Words = 32;
    private const int Grain = 128;

    /// <summary>The round of v6, from the bits: sums of eq a1 b1 and eq da db, d being low + high.</summary>
    /// <param name="a">Blocks of form a.</param>
    /// <param name="b">Blocks of form b.</param>
    /// <param name="blocks">How many, even.</param>
    /// <param name="lagrange">The 64 weights of a row's bits.</param>
    /// <param name="wordWeights">eq over p, 32 weights.</param>
    /// <param name="blockWeights">One weight for each block.</param>
    /// <param name="workers">Threads.</param>
    public static PairSums FirstRound(byte* a, byte* b, int blocks, Gf128[] lagrange, Gf128[] wordWeights, Gf128* blockWeights, Workers workers)
    {
        var total = default(PairSums);
        object gate = new();
        if (!Wide.IsSupported)
        {
            var fold = new BitFold(lagrange);
            workers.For(blocks, Grain, (start, end) =>
            {
                var sums = default(PairSums);
                for (int block = start; block < end; block++)
                {
                    var inner = default(PairSums);
                    for (int p = 0; p < Words; p++)
                    {
                        ulong* x = (ulong*)(a + (long)block * 512) + 2 * p, y = (ulong*)(b + (long)block * 512) + 2 * p;
                        Gf128 da = fold.Apply(x[0] ^ x[1]), db = fold.Apply(y[0] ^ y[1]), a1 = fold.Apply(x[1]), b1 = fold.Apply(y[1]);
                        inner += new PairSums(wordWeights[p] * (a1 * b1), wordWeights[p] * (da * db));
                    }

                    sums += new PairSums(blockWeights[block] * inner.AtOne, blockWeights[block] * inner.Leading);
                }

                lock (gate)
                    total += sums;
            });
            return total;
        }

        Vector512<byte>* map = RowMap(lagrange);
        workers.For(blocks, Grain, (start, end) =>
        {
            PairSums sums = FirstRange(a, b, start, end, map, wordWeights, blockWeights);
            lock (gate)
                total += sums;
        });
        NativeMemory.AlignedFree(map);
        return total;
    }

    /// <summary>
    /// Binds v6 at <paramref name="s"/>: every 128-bit word becomes one element, in place; and the round of p0: sums of
    /// eq a1 b1 and eq da db.
    /// </summary>
    /// <param name="a">Blocks of form a, then 32 elements each.</param>
    /// <param name="b">The same of form b.</param>
    /// <param name="blocks">How many, even.</param>
    /// <param name="lagrange">The 64 weights of a row's bits.</param>
    /// <param name="s">The challenge.</param>
    /// <param name="pairWeights">eq over p1.., 16 weights.</param>
    /// <param name="blockWeights">One weight for each block.</param>
    /// <param name="workers">Threads.</param>
    public static PairSums BindRows(byte* a, byte* b, int blocks, Gf128[] lagrange, Gf128 s, Gf128[] pairWeights, Gf128* blockWeights, Workers workers)
    {
        var columns = new Gf128[128];
        for (int j = 0; j < 64; j++)
        {
            columns[64 + j] = s * lagrange[j];
            columns[j] = lagrange[j] + columns[64 + j];
        }

        var total = default(PairSums);
        object gate = new();
        if (!Wide.IsSupported)
        {
            var map = new LinearMap(columns);
            workers.For(blocks, Grain, (start, end) =>
            {
                for (long i = (long)start * Words; i < (long)end * Words; i++)
                {
                    ((Gf128*)a)[i] = map.Apply(((Gf128*)a)[i]);
                    ((Gf128*)b)[i] = map.Apply(((Gf128*)b)[i]);
                }

                PairSums sums = PortableSums((Gf128*)a, (Gf128*)b, start, end, Words, pairWeights, blockWeights);
                lock (gate)
                    total += sums;
            });
            return total;
        }

        Vector512<byte>* wide = WordMap(columns);
        workers.For(blocks / 2, Grain / 2, (start, end) =>
        {
            PairSums sums = BindRange(a, b, start, end, wide, pairWeights, blockWeights);
            lock (gate)
                total += sums;
        });
        NativeMemory.AlignedFree(wide);
        return total;
    }

    /// <summary>
    /// Binds the lowest variable of blocks of <paramref name="size"/> elements at <paramref name="s"/>, into other memory,
    /// and gives the next round's sums of eq a1 b1 and eq da db; those are zero when one element is left.
    /// </summary>
    /// <param name="a">Values of form a.</param>
    /// <param name="b">Values of form b.</param>
    /// <param name="intoA">Half as many values.</param>
    /// <param name="intoB">Half as many values.</param>
    /// <param name="blocks">How many; even unless size is above 8.</param>
    /// <param name="size">Elements of a block before, 2 to 32.</param>
    /// <param name="s">The challenge.</param>
    /// <param name="pairWeights">eq over the variables left in a block, size / 4 weights.</param>
    /// <param name="blockWeights">One weight for each block.</param>
    /// <param name="workers">Threads.</param>
    public static PairSums Bind(Gf128* a, Gf128* b, Gf128* intoA, Gf128* intoB, int blocks, int size, Gf128 s, Gf128[] pairWeights, Gf128* blockWeights, Workers workers)
    {
        var total = default(PairSums);
        object gate = new();

        // Four blocks are always a whole number of vectors of pairs.
        int quads = (blocks + 3) / 4;
        workers.For(quads, 4 * Grain / size, (start, end) =>
        {
            int first = 4 * start, last = Math.Min(4 * end, blocks), whole = Wide.IsSupported ? first + (last - first) / 4 * 4 : first;
            var sums = default(PairSums);
            if (whole > first)
                sums = BindQuads(a, b, intoA, intoB, first, whole, size, s, pairWeights, blockWeights);
            if (last > whole)
            {
                for (long i = (long)whole * size / 2; i < (long)last * size / 2; i++)
                {
                    intoA[i] = a[2 * i] + s * (a[2 * i] + a[2 * i + 1]);
                    intoB[i] = b[2 * i] + s * (b[2 * i] + b[2 * i + 1]);
                }

                sums += PortableSums(intoA, intoB, whole, last, size / 2, pairWeights, blockWeights);
            }

            lock (gate)
                total += sums;
        });
        return total;
    }

    private static PairSums PortableSums(Gf128* a, Gf128* b, int start, int end, int size, Gf128[] pairWeights, Gf128* blockWeights)
    {
        var sums = default(PairSums);
        for (int block = start; block < end; block++)
        {
            var inner = default(PairSums);
            Gf128* x = a + (long)block * size, y = b + (long)block * size;
            for (int k = 0; k < size / 2; k++)
                inner += new PairSums(pairWeights[k] * (x[2 * k + 1] * y[2 * k + 1]), pairWeights[k] * ((x[2 * k] + x[2 * k + 1]) * (y[2 * k] + y[2 * k + 1])));
            sums += new PairSums(blockWeights[block] * inner.AtOne, blockWeights[block] * inner.Leading);
        }

        return sums;
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static PairSums FirstRange(byte* a, byte* b, int start, int end, Vector512<byte>* map, Gf128[] wordWeights, Gf128* blockWeights)
    {
        Vector512<byte>* room = stackalloc Vector512<byte>[16 * 3 + 9], left = Wide.Align(room), right = left + 16, scratch = left + 32;
        var weights = (Vector512<ulong>*)(left + 48);
        for (int k = 0; k < 8; k++)
            weights[k] = Four(wordWeights[k], wordWeights[8 + k], wordWeights[16 + k], wordWeights[24 + k]);
        WideSum first = default, leading = default;
        for (int block = start; block < end; block++)
        {
            RowValues((Vector512<ulong>*)(a + (long)block * 512), map, scratch, left);
            RowValues((Vector512<ulong>*)(b + (long)block * 512), map, scratch, right);
            WideSum innerFirst = default, innerLeading = default;
            for (int k = 0; k < 8; k++)
            {
                Vector512<ulong> da = left[2 * k].AsUInt64(), a1 = left[2 * k + 1].AsUInt64(), db = right[2 * k].AsUInt64(), b1 = right[2 * k + 1].AsUInt64();
                innerFirst.AddProduct(weights[k], FieldVectors.Multiply(a1, b1));
                innerLeading.AddProduct(weights[k], FieldVectors.Multiply(da, db));
            }

            Vector512<ulong> weight = FieldVectors.Broadcast(blockWeights[block]);
            first.AddProduct(weight, innerFirst.Reduce());
            leading.AddProduct(weight, innerLeading.Reduce());
        }

        new Span<byte>(left, 48 * 64).Clear();
        return new PairSums(first.Total(), leading.Total());
    }

    // The 64 rows of a block to values: vector 2k holds low + high, vector 2k + 1 high, of the words k, 8+k, 16+k, 24+k.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RowValues(Vector512<ulong>* rows, Vector512<byte>* map, Vector512<byte>* planes, Vector512<byte>* values)
    {
        Vector512<ulong> x0 = rows[0], x1 = rows[1], x2 = rows[2], x3 = rows[3], x4 = rows[4], x5 = rows[5], x6 = rows[6], x7 = rows[7];
        x0 = Wide.TransposeBytes((x0 ^ Wide.HalfDown(x0)).AsByte()).AsUInt64();
        x1 = Wide.TransposeBytes((x1 ^ Wide.HalfDown(x1)).AsByte()).AsUInt64();
        x2 = Wide.TransposeBytes((x2 ^ Wide.HalfDown(x2)).AsByte()).AsUInt64();
        x3 = Wide.TransposeBytes((x3 ^ Wide.HalfDown(x3)).AsByte()).AsUInt64();
        x4 = Wide.TransposeBytes((x4 ^ Wide.HalfDown(x4)).AsByte()).AsUInt64();
        x5 = Wide.TransposeBytes((x5 ^ Wide.HalfDown(x5)).AsByte()).AsUInt64();
        x6 = Wide.TransposeBytes((x6 ^ Wide.HalfDown(x6)).AsByte()).AsUInt64();
        x7 = Wide.TransposeBytes((x7 ^ Wide.HalfDown(x7)).AsByte()).AsUInt64();
        Wide.TransposeWords(ref x0, ref x1, ref x2, ref x3, ref x4, ref x5, ref x6, ref x7);
        for (int m = 0; m < 16; m++, map += 8)
            planes[m] = Wide.Affine(x0.AsByte(), map[0]) ^ Wide.Affine(x1.AsByte(), map[1]) ^ Wide.Affine(x2.AsByte(), map[2]) ^ Wide.Affine(x3.AsByte(), map[3])
                ^ Wide.Affine(x4.AsByte(), map[4]) ^ Wide.Affine(x5.AsByte(), map[5]) ^ Wide.Affine(x6.AsByte(), map[6]) ^ Wide.Affine(x7.AsByte(), map[7]);
        Wide.TransposePlanes(planes, values);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static PairSums BindRange(byte* a, byte* b, int start, int end, Vector512<byte>* map, Gf128[] pairWeights, Gf128* blockWeights)
    {
        Vector512<byte>* room = stackalloc Vector512<byte>[32 + 5], scratch = Wide.Align(room);
        var weights = (Vector512<ulong>*)(scratch + 32);
        for (int k = 0; k < 4; k++)
            weights[k] = Four(pairWeights[4 * k], pairWeights[4 * k + 1], pairWeights[4 * k + 2], pairWeights[4 * k + 3]);
        WideSum first = default, leading = default;
        for (int two = start; two < end; two++)
        {
            var left = (Vector512<byte>*)(a + (long)two * 1024);
            var right = (Vector512<byte>*)(b + (long)two * 1024);
            MapWords(left, map, scratch);
            MapWords(right, map, scratch);
            for (int half = 0; half < 2; half++)
            {
                var x = (Vector512<ulong>*)left + 8 * half;
                var y = (Vector512<ulong>*)right + 8 * half;
                WideSum innerFirst = default, innerLeading = default;
                for (int k = 0; k < 4; k++)
                {
                    Vector512<ulong> a1 = Wide.OddLanes(x[2 * k], x[2 * k + 1]), da = Wide.EvenLanes(x[2 * k], x[2 * k + 1]) ^ a1;
                    Vector512<ulong> b1 = Wide.OddLanes(y[2 * k], y[2 * k + 1]), db = Wide.EvenLanes(y[2 * k], y[2 * k + 1]) ^ b1;
                    innerFirst.AddProduct(weights[k], FieldVectors.Multiply(a1, b1));
                    innerLeading.AddProduct(weights[k], FieldVectors.Multiply(da, db));
                }

                Vector512<ulong> weight = FieldVectors.Broadcast(blockWeights[2 * two + half]);
                first.AddProduct(weight, innerFirst.Reduce());
                leading.AddProduct(weight, innerLeading.Reduce());
            }
        }

        new Span<byte>(scratch, 32 * 64).Clear();
        return new PairSums(first.Total(), leading.Total());
    }

    // 64 words of 128 bits through the map, in place.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MapWords(Vector512<byte>* words, Vector512<byte>* map, Vector512<byte>* scratch)
    {
        Wide.TransposePlanes(words, scratch);
        Vector512<byte> x0 = scratch[0], x1 = scratch[1], x2 = scratch[2], x3 = scratch[3], x4 = scratch[4], x5 = scratch[5], x6 = scratch[6], x7 = scratch[7];
        Vector512<byte> x8 = scratch[8], x9 = scratch[9], x10 = scratch[10], x11 = scratch[11], x12 = scratch[12], x13 = scratch[13], x14 = scratch[14], x15 = scratch[15];
        Vector512<byte>* planes = scratch + 16;
        for (int m = 0; m < 16; m++, map += 16)
        {
            Vector512<byte> even = Wide.Affine(x0, map[0]) ^ Wide.Affine(x1, map[1]) ^ Wide.Affine(x2, map[2]);
            Vector512<byte> odd = Wide.Affine(x3, map[3]) ^ Wide.Affine(x4, map[4]) ^ Wide.Affine(x5, map[5]);
            even = even ^ Wide.Affine(x6, map[6]) ^ Wide.Affine(x7, map[7]);
            odd = odd ^ Wide.Affine(x8, map[8]) ^ Wide.Affine(x9, map[9]);
            even = even ^ Wide.Affine(x10, map[10]) ^ Wide.Affine(x11, map[11]);
            odd = odd ^ Wide.Affine(x12, map[12]) ^ Wide.Affine(x13, map[13]);
            planes[m] = even ^ odd ^ Wide.Affine(x14, map[14]) ^ Wide.Affine(x15, map[15]);
        }

        Wide.TransposePlanes(planes, words);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static PairSums BindQuads(Gf128* a, Gf128* b, Gf128* intoA, Gf128* intoB, int firstBlock, int endBlock, int size, Gf128 s, Gf128[] pairWeights, Gf128* blockWeights)
    {
        Vector512<ulong> challenge = FieldVectors.Broadcast(s);
        int half = size / 2, pairs = size / 4;
        WideSum first = default, leading = default;
        for (int block = firstBlock; block < endBlock;)
        {
            // Enough blocks for one vector of pairs at least: four elements of each value after binding, twice.
            if (pairs == 0)
            {
                BindFour((Vector512<ulong>*)(a + (long)block * 2), (Vector512<ulong>*)(intoA + block), challenge);
                BindFour((Vector512<ulong>*)(b + (long)block * 2), (Vector512<ulong>*)(intoB + block), challenge);
                block += 4;
                continue;
            }

            if (pairs >= 4)
            {
                WideSum innerFirst = default, innerLeading = default;
                for (int k = 0; k < pairs; k += 4)
                {
                    long at = (long)block * half + 2 * k;
                    Pairs(a + 2 * at, b + 2 * at, intoA + at, intoB + at, challenge, out Vector512<ulong> one, out Vector512<ulong> lead);
                    Vector512<ulong> weights = Four(pairWeights[k], pairWeights[k + 1], pairWeights[k + 2], pairWeights[k + 3]);
                    innerFirst.AddProduct(weights, one);
                    innerLeading.AddProduct(weights, lead);
                }

                Vector512<ulong> weight = FieldVectors.Broadcast(blockWeights[block]);
                first.AddProduct(weight, innerFirst.Reduce());
                leading.AddProduct(weight, innerLeading.Reduce());
                block++;
                continue;
            }

            {
                // Pairs of several blocks side by side; the factor of a pair inside its block comes at the end.
                long at = (long)block * half;
                Pairs(a + 2 * at, b + 2 * at, intoA + at, intoB + at, challenge, out Vector512<ulong> one, out Vector512<ulong> lead);
                Gf128* w = blockWeights + block;
                Vector512<ulong> weights = pairs == 1 ? Vector512.Load((ulong*)w) : Four(w[0], w[0], w[1], w[1]);
                first.AddProduct(weights, one);
                leading.AddProduct(weights, lead);
                block += 4 / pairs;
            }
        }

        if (pairs == 0)
            return default;
        if (pairs >= 4)
            return new PairSums(first.Total(), leading.Total());
        Vector512<ulong> factors = pairs == 1
            ? FieldVectors.Broadcast(pairWeights[0])
            : Four(pairWeights[0], pairWeights[1], pairWeights[0], pairWeights[1]);
        WideSum lastFirst = default, lastLeading = default;
        lastFirst.AddProduct(factors, first.Reduce());
        lastLeading.AddProduct(factors, leading.Reduce());
        return new PairSums(lastFirst.Total(), lastLeading.Total());
    }

    // Sixteen values of each form bound to eight, and of those four pairs the products of the highs and of the differences.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pairs(Gf128* a, Gf128* b, Gf128* intoA, Gf128* intoB, Vector512<ulong> s, out Vector512<ulong> one, out Vector512<ulong> lead)
    {
        var x = (Vector512<ulong>*)a;
        var y = (Vector512<ulong>*)b;
        Vector512<ulong> a0 = BindFour(x, (Vector512<ulong>*)intoA, s), a1 = BindFour(x + 2, (Vector512<ulong>*)intoA + 1, s);
        Vector512<ulong> b0 = BindFour(y, (Vector512<ulong>*)intoB, s), b1 = BindFour(y + 2, (Vector512<ulong>*)intoB + 1, s);
        Vector512<ulong> aHigh = Wide.OddLanes(a0, a1), bHigh = Wide.OddLanes(b0, b1);
        one = FieldVectors.Multiply(aHigh, bHigh);
        lead = FieldVectors.Multiply(Wide.EvenLanes(a0, a1) ^ aHigh, Wide.EvenLanes(b0, b1) ^ bHigh);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> BindFour(Vector512<ulong>* x, Vector512<ulong>* into, Vector512<ulong> s)
    {
        Vector512<ulong> low = Wide.EvenLanes(x[0], x[1]), high = Wide.OddLanes(x[0], x[1]);
        low ^= FieldVectors.Multiply(s, low ^ high);
        *into = low;
        return low;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Four(Gf128 x, Gf128 y, Gf128 z, Gf128 w) => Vector512.Create(x.Lo, x.Hi, y.Lo, y.Hi, z.Lo, z.Hi, w.Lo, w.Hi);

    // Plane m of a row's value from its byte c: the matrix at [8 m + c], in all lanes.
    private static Vector512<byte>* RowMap(ReadOnlySpan<Gf128> lagrange) => Map(lagrange, 8);

    // The same for words of sixteen bytes, at [16 m + c].
    private static Vector512<byte>* WordMap(ReadOnlySpan<Gf128> columns) => Map(columns, 16);

    private static Vector512<byte>* Map(ReadOnlySpan<Gf128> columns, int bytes)
    {
        var blocks = new ulong[16 * bytes];
        BitMatrix8.Blocks(columns, blocks);
        var map = (Vector512<byte>*)NativeMemory.AlignedAlloc((nuint)(16 * bytes * 64), 64);
        for (int m = 0; m < 16; m++)
            for (int c = 0; c < bytes; c++)
                map[bytes * m + c] = Vector512.Create(blocks[16 * c + m]).AsByte();
        return map;
    }
}
