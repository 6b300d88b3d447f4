using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Tests.Kernels;

/// <summary>The skip's sums of products, against Lagrange interpolation row by row.</summary>
public sealed unsafe class SkipKernelTests
{
    [Theory]
    [InlineData(9, 1, 4608)]
    [InlineData(9, 31, 4608)]
    [InlineData(1, 3, 512)]
    public void Sums_of_products(int groups, int pairs, int stride)
    {
        using NativeBlock a = BitSumTests.Random(2L * pairs * stride, 3), b = BitSumTests.Random(2L * pairs * stride, 4);
        Gf128[] groupWeights = BitSumTests.Elements(groups, 5), pairWeights = BitSumTests.Elements(pairs, 6), total = new Gf128[64];
        SkipKernel.Add(a.Memory, b.Memory, stride, groups, pairs, groupWeights, pairWeights, total, new Workers(2));

        foreach (int y in (int[])[0, 1, 37, 63])
        {
            Gf128[] lagrange = SkipDomain.LagrangeOfS(SkipDomain.Point(64 + y));
            Gf128 expected = default;
            for (int unit = 0; unit < 2 * pairs; unit++)
                for (int group = 0; group < groups; group++)
                    for (int row = 0; row < 64; row++)
                    {
                        long at = (long)unit * stride + group * 512 + 8 * row;
                        Gf128 weight = Gf128.Monomial(row & 7 | (unit & 1) << 3) * TowerBasis.Gamma.Pow((UInt128)(row >> 3));
                        expected += groupWeights[group] * pairWeights[unit / 2] * weight * At(*(ulong*)(a.Memory + at)) * At(*(ulong*)(b.Memory + at));
                    }

            Assert.Equal(expected, total[y]);

            Gf128 At(ulong bits)
            {
                Gf128 value = default;
                for (int j = 0; j < 64; j++)
                    value += lagrange[j].IfBit((uint)(bits >> j));
                return value;
            }
        }
    }
}
