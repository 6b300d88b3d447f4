using System.Numerics;
using CsCheck;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Tests.Fields;

public sealed class FieldTests
{
    internal static readonly Gen<Gf128> Elements = Gen.Select(Gen.ULong, Gen.ULong, (lo, hi) => new Gf128(lo, hi));

    // Schoolbook polynomial product and long division over big integers: an independent model of the field.
    private static Gf128 Model(Gf128 a, Gf128 b)
    {
        BigInteger x = (BigInteger)new UInt128(a.Hi, a.Lo), y = (BigInteger)new UInt128(b.Hi, b.Lo), product = 0;
        for (int i = 0; i < 128; i++)
            if (!(y >> i).IsEven)
                product ^= x << i;
        BigInteger modulus = (BigInteger.One << 128) | 0x87;
        for (int i = 255; i >= 128; i--)
            if (!(product >> i).IsEven)
                product ^= modulus << (i - 128);
        return new Gf128((ulong)(product & ulong.MaxValue), (ulong)(product >> 64));
    }

    [Fact]
    public void Products_equal_big_integer_polynomials() =>
        Gen.Select(Elements, Elements).Sample((a, b) => a * b == Model(a, b) && Gf128.MultiplyPortable(a, b) == Model(a, b), iter: 2000);

    [Fact]
    public void Products_of_all_ones_do_not_carry()
    {
        var ones = new Gf128(ulong.MaxValue, ulong.MaxValue);
        Assert.Equal(Model(ones, ones), Gf128.MultiplyPortable(ones, ones));
        Assert.Equal(Model(ones, ones), ones * ones);
    }

    [Fact]
    public void Field_laws() => Gen.Select(Elements, Elements, Elements).Sample((a, b, c) =>
        a * b == b * a && (a * b) * c == a * (b * c) && a * (b + c) == a * b + a * c && a * Gf128.One == a && (a + a).IsZero
        && (a.IsZero || a * a.Inverse() == Gf128.One) && (a + b).Square() == a.Square() + b.Square(), iter: 500);

    [Fact]
    public void Gamma_is_the_smallest_root_of_the_aes_polynomial()
    {
        Gf128 g = TowerBasis.Gamma;
        Assert.True((g.Pow(8) + g.Pow(4) + g.Pow(3) + g + Gf128.One).IsZero);
        // The other roots are its conjugates.
        for (int i = 1; i < 8; i++)
        {
            Gf128 conjugate = g.Pow((UInt128)1 << i);
            Assert.True(new UInt128(conjugate.Hi, conjugate.Lo) > new UInt128(g.Hi, g.Lo));
        }
    }

    [Fact]
    public void Cantor_basis_is_the_documented_one()
    {
        Assert.Equal(Gf128.One, CantorBasis.Beta(0));
        Assert.Equal(Gf128.FromHex("295ac0b1f4731af9676aac9fa4b20b08"), CantorBasis.Beta(1));
        for (int i = 0; i < 127; i++)
        {
            Gf128 next = CantorBasis.Beta(i + 1);
            Assert.Equal(CantorBasis.Beta(i), next.Square() + next);
            Assert.Equal(0u, next.Bit(0));
        }

        var all = new Gf128[128];
        for (int i = 0; i < 128; i++)
            all[i] = CantorBasis.Beta(i);
        Assert.Equal(128, BinaryMatrix.Rank(all));
        // beta_0..beta_{2^t-1} span the subfield of 2^{2^t} elements: each is fixed by the 2^t-fold Frobenius.
        for (int t = 0; t <= 7; t++)
            for (int i = 0; i < 1 << t; i++)
            {
                Gf128 power = CantorBasis.Beta(i);
                for (int k = 0; k < 1 << t; k++)
                    power = power.Square();
                Assert.Equal(CantorBasis.Beta(i), power);
            }
    }

    [Fact]
    public void Vanishing_polynomials_shift_the_basis()
    {
        for (int i = 0; i < 20; i++)
        {
            for (int j = 0; j < 5; j++)
                Assert.Equal(CantorBasis.Beta(j), CantorBasis.Vanish(i, CantorBasis.Beta(i + j)));
            for (int j = 0; j < i; j++)
                Assert.True(CantorBasis.Vanish(i, CantorBasis.Beta(j)).IsZero);
        }
    }

    [Fact]
    public void Tower_basis_has_full_rank_and_multiplies_bytes_as_aes()
    {
        var all = new Gf128[128];
        for (int i = 0; i < 128; i++)
            all[i] = TowerBasis.Element(i);
        Assert.Equal(128, BinaryMatrix.Rank(all));
        Elements.Sample(x => TowerBasis.FromPolynomial(TowerBasis.ToPolynomial(x)) == x, iter: 200);
        Gen.Select(Gen.Byte, Gen.Byte).Sample((a, b) =>
            TowerBasis.FromPolynomial(TowerBasis.ToPolynomial(new Gf128(a, 0)) * TowerBasis.ToPolynomial(new Gf128(b, 0))) == new Gf128(AesProduct(a, b), 0), iter: 500);
    }

    [Fact]
    public void Pinned_weights_are_independent()
    {
        var weights = new Gf128[128];
        for (int j = 0; j < 16; j++)
            for (int k = 0; k < 8; k++)
                weights[8 * j + k] = Gf128.X.Pow((UInt128)j) * TowerBasis.Gamma.Pow((UInt128)k);
        Assert.Equal(128, BinaryMatrix.Rank(weights));
    }

    [Fact]
    public void Lagrange_interpolates() => Gen.Select(Elements.Array[60], Elements).Sample((coefficients, zeta) =>
    {
        Gf128 Evaluate(Gf128 x)
        {
            Gf128 value = default;
            foreach (Gf128 c in coefficients)
                value = value * x + c;
            return value;
        }

        var values = new Gf128[128];
        for (int i = 0; i < 128; i++)
            values[i] = Evaluate(SkipDomain.Point(i));
        return Multilinear.InnerProduct(SkipDomain.LagrangeOfS(zeta), values.AsSpan(0, 64)) == Evaluate(zeta)
            && Multilinear.InnerProduct(SkipDomain.LagrangeOfAll(zeta), values) == Evaluate(zeta)
            && Multilinear.InnerProduct(SkipDomain.LagrangeOfS(SkipDomain.Point(5)), values.AsSpan(0, 64)) == values[5];
    }, iter: 20);

    [Fact]
    public void Linear_maps_are_matrix_products() => Gen.Select(Elements.Array[128], Elements).Sample((columns, x) =>
    {
        Gf128 expected = default;
        for (int j = 0; j < 128; j++)
            expected += columns[j].IfBit(x.Bit(j));
        return new LinearMap(columns).Apply(x) == expected;
    }, iter: 50);

    [Fact]
    public void Eq_table_is_the_product_formula() => Gen.Select(Elements.Array[6], Gen.Int[0, 63]).Sample((r, b) =>
        Multilinear.EqTable(r)[b] == Multilinear.Eq(r, b), iter: 100);

    private static byte AesProduct(byte a, byte b)
    {
        int product = 0, x = a;
        for (int i = 0; i < 8; i++, x = x << 1 ^ ((x & 0x80) != 0 ? 0x11b : 0))
            if ((b >> i & 1) != 0)
                product ^= x;
        return (byte)product;
    }
}
