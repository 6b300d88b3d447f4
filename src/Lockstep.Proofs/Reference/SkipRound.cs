using System.Runtime.Intrinsics;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;

namespace Lockstep.Proofs.Reference;

/// <summary>
/// Step 2, the univariate skip: the 64 values on Lambda of P(Y) = sum_x eq(r, x) (a_x(Y) b_x(Y) + z_x(Y)), where a_x is the
/// polynomial of degree below 64 through row x's bits on S. On S itself P vanishes. All row values lie in the AES field;
/// the seven pinned coordinates keep sums of 128 rows there too, up to one factor X^j.
/// </summary>
internal static class SkipRound
{
    private const int Half = SkipDomain.Half;

    private static readonly byte[] Product = BuildProduct();
    private static readonly byte[] Extension = BuildExtension();
    private static readonly byte[] GammaPower = BuildGammaPower();
    private static readonly Gf128[] Shifted = BuildShifted();

    public static Gf128[] Evaluate(ArgumentShape shape, BitMatrices z, BitMatrices a, BitMatrices b, ReadOnlyMemory<Gf128> r, SecretArrays secrets, Workers workers)
    {
        int firstI = shape.InnerVariables;
        Gf128 pinned = Gf128.One;
        for (int c = 0; c < shape.ZerocheckVariables; c++)
            if (!PinnedCoordinates.Ratio(shape, c).IsZero)
                pinned *= Gf128.One + r.Span[c];
        Gf128[] hEq = Multilinear.EqTable(r.Span.Slice(1 + shape.PBits, shape.HBits));
        Gf128[] iEq = Multilinear.EqTable(r.Span[(firstI + 1)..]);

        Gf128[] total = secrets.Take<Gf128>(Half);
        workers.For(shape.PresentUnits / 2, 8, (start, end) =>
        {
            Gf128[] sum = secrets.Take<Gf128>(Half);
            Span<byte> groups = stackalloc byte[16 * Half];
            for (int pair = start; pair < end; pair++)
                for (int h = 0; h <= shape.HCount; h++)
                {
                    groups.Clear();
                    bool any = false;
                    for (int odd = 0; odd < 2; odd++)
                    {
                        int unit = 2 * pair + odd;
                        any |= AddBlock(z.Block(unit, h), a.Block(unit, h), b.Block(unit, h), odd << 3, groups);
                    }

                    if (any)
                        Collect(groups, pinned * hEq[h] * iEq[pair], sum);
                }

            lock (total)
            {
                for (int y = 0; y < Half; y++)
                    total[y] += sum[y];
            }
        });
        return total;
    }

    // Adds the rows of one block to the sums by power of X. A row's index is v6 | p0..p4: v6, p0, p1 and i0 choose the
    // power of X, p2, p3, p4 the power of gamma, which stays inside the AES field.
    private static bool AddBlock(ReadOnlySpan<ulong> z, ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b, int oddBit, Span<byte> groups)
    {
        bool any = false;
        Span<byte> az = stackalloc byte[Half], aa = stackalloc byte[Half], ab = stackalloc byte[Half];
        for (int row = 0; row < z.Length; row++)
        {
            if ((z[row] | a[row] | b[row]) == 0)
                continue;
            any = true;
            Extend(z[row], az);
            Extend(a[row], aa);
            Extend(b[row], ab);
            ReadOnlySpan<byte> power = GammaPower.AsSpan((row >> 3) * 256, 256);
            Span<byte> group = groups.Slice((row & 7 | oddBit) * Half, Half);
            for (int y = 0; y < Half; y++)
                group[y] ^= power[Product[aa[y] << 8 | ab[y]] ^ az[y]];
        }

        return any;
    }

    // The 64 values on Lambda of the polynomial with the given bits on S, by one table per input byte.
    private static void Extend(ulong bits, Span<byte> values)
    {
        Vector512<byte> sum = Vector512<byte>.Zero;
        ref byte table = ref Extension[0];
        for (int i = 0; i < 8; i++, bits >>= 8)
            sum ^= Vector512.LoadUnsafe(ref table, (nuint)((i * 256 + (int)(byte)bits) * Half));
        sum.CopyTo(values);
    }

    private static void Collect(ReadOnlySpan<byte> groups, Gf128 weight, Span<Gf128> sum)
    {
        for (int y = 0; y < Half; y++)
        {
            Gf128 value = default;
            for (int j = 0; j < 16; j++)
                value += Shifted[j * 256 + groups[j * Half + y]];
            sum[y] += weight * value;
        }
    }

    private static byte[] BuildProduct()
    {
        var table = new byte[256 * 256];
        for (int x = 0; x < 256; x++)
            for (int y = 0; y < 256; y++)
                table[x << 8 | y] = AesMultiply(x, y);
        return table;
    }

    private static byte[] BuildExtension()
    {
        // Column j: the Lagrange polynomial of point j of S, on Lambda; its values are bytes of the AES field.
        var columns = new byte[Half * Half];
        for (int y = 0; y < Half; y++)
        {
            Gf128[] lagrange = SkipDomain.LagrangeOfS(SkipDomain.Point(Half + y));
            for (int j = 0; j < Half; j++)
                columns[j * Half + y] = (byte)TowerBasis.FromPolynomial(lagrange[j]).Lo;
        }

        var table = new byte[8 * 256 * Half];
        for (int block = 0; block < 8; block++)
            for (int value = 1; value < 256; value++)
            {
                int low = System.Numerics.BitOperations.TrailingZeroCount(value);
                for (int y = 0; y < Half; y++)
                    table[(block * 256 + value) * Half + y] =
                        (byte)(table[(block * 256 + (value & (value - 1))) * Half + y] ^ columns[(block * 8 + low) * Half + y]);
            }

        return table;
    }

    private static byte[] BuildGammaPower()
    {
        var table = new byte[8 * 256];
        for (int k = 0; k < 8; k++)
            for (int value = 0; value < 256; value++)
                table[k * 256 + value] = k == 0 ? (byte)value : AesMultiply(table[(k - 1) * 256 + value], 2);
        return table;
    }

    private static Gf128[] BuildShifted()
    {
        var table = new Gf128[16 * 256];
        for (int value = 0; value < 256; value++)
        {
            Gf128 element = TowerBasis.ToPolynomial(new Gf128((ulong)value, 0));
            for (int j = 0; j < 16; j++, element *= Gf128.X)
                table[j * 256 + value] = element;
        }

        return table;
    }

    private static byte AesMultiply(int x, int y)
    {
        int product = 0;
        for (; y != 0; y >>= 1, x = x << 1 ^ ((x & 0x80) != 0 ? 0x11b : 0))
            if ((y & 1) != 0)
                product ^= x;
        return (byte)product;
    }
}
