using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Tests.Kernels;

/// <summary>The zerocheck's rounds inside a block, against plain folding of the same values.</summary>
public sealed unsafe class BlockRoundTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(54)]
    [InlineData(1000)]
    public void From_bits_to_one_value_for_each_block(int blocks)
    {
        using NativeBlock a = BitSumTests.Random(512L * blocks, 1), b = BitSumTests.Random(512L * blocks, 2);
        using NativeBlock otherA = NativePool.Shared.Rent(256L * blocks), otherB = NativePool.Shared.Rent(256L * blocks), weightMemory = NativePool.Shared.Rent(16L * blocks);
        Gf128[] point = BitSumTests.Elements(6, 3), eqPoint = BitSumTests.Elements(5, 4), weights = BitSumTests.Elements(blocks, 5);
        Gf128[] lagrange = SkipDomain.LagrangeOfS(BitSumTests.Elements(1, 6)[0]);
        weights.CopyTo(weightMemory.Span<Gf128>(0, blocks));
        Gf128* blockWeights = weightMemory.As<Gf128>();
        Gf128[] x = Rows(a, blocks, lagrange), y = Rows(b, blocks, lagrange);
        var workers = new Workers(2);

        PairSums sums = BlockRounds.FirstRound(a.Memory, b.Memory, blocks, lagrange, Multilinear.EqTable(eqPoint), blockWeights, workers);
        Assert.Equal(Expected(x, y, eqPoint, weights, 64), sums);

        sums = BlockRounds.BindRows(a.Memory, b.Memory, blocks, lagrange, point[0], Multilinear.EqTable(eqPoint.AsSpan(1)), blockWeights, workers);
        (x, y) = (Fold(x, point[0]), Fold(y, point[0]));
        Assert.Equal(x, a.Span<Gf128>(0, 32 * blocks).ToArray());
        Assert.Equal(Expected(x, y, eqPoint.AsSpan(1), weights, 32), sums);

        (NativeBlock fromA, NativeBlock fromB, NativeBlock toA, NativeBlock toB) = (a, b, otherA, otherB);
        for (int round = 1, size = 32; size > 1; round++, size /= 2)
        {
            Gf128[] rest = size >= 4 ? Multilinear.EqTable(eqPoint.AsSpan(round + 1)) : [];
            sums = BlockRounds.Bind(fromA.As<Gf128>(), fromB.As<Gf128>(), toA.As<Gf128>(), toB.As<Gf128>(), blocks, size, point[round], rest, blockWeights, workers);
            (x, y) = (Fold(x, point[round]), Fold(y, point[round]));
            Assert.Equal(x, toA.Span<Gf128>(0, x.Length).ToArray());
            Assert.Equal(y, toB.Span<Gf128>(0, x.Length).ToArray());
            Assert.Equal(size == 2 ? default : Expected(x, y, eqPoint.AsSpan(round + 1), weights, size / 2), sums);
            (fromA, fromB, toA, toB) = (toA, toB, fromA, fromB);
        }
    }

    private static Gf128[] Rows(NativeBlock bits, int blocks, Gf128[] lagrange)
    {
        var values = new Gf128[64 * blocks];
        for (int row = 0; row < values.Length; row++)
            for (int j = 0; j < 64; j++)
                values[row] += lagrange[j].IfBit((uint)(bits.As<ulong>()[row] >> j));
        return values;
    }

    private static Gf128[] Fold(Gf128[] values, Gf128 s)
    {
        var folded = new Gf128[values.Length / 2];
        for (int k = 0; k < folded.Length; k++)
            folded[k] = values[2 * k] + s * (values[2 * k] + values[2 * k + 1]);
        return folded;
    }

    private static PairSums Expected(Gf128[] x, Gf128[] y, ReadOnlySpan<Gf128> rest, Gf128[] weights, int size)
    {
        Gf128[] eq = Multilinear.EqTable(rest);
        Gf128 one = default, leading = default;
        for (int k = 0; k < x.Length / 2; k++)
        {
            Gf128 weight = eq[k % (size / 2)] * weights[k / (size / 2)];
            one += weight * x[2 * k + 1] * y[2 * k + 1];
            leading += weight * (x[2 * k] + x[2 * k + 1]) * (y[2 * k] + y[2 * k + 1]);
        }

        return new PairSums(one, leading);
    }
}
