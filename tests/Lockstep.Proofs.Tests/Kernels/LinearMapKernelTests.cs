using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;

namespace Lockstep.Proofs.Tests.Kernels;

public sealed unsafe class LinearMapKernelTests
{
    public static TheoryData<string> Paths => RowEncoderTests.Paths;

    [Theory]
    [MemberData(nameof(Paths))]
    public void Images_are_those_of_the_tables_in_place_and_not(string name)
    {
        KernelPath path = Enum.Parse<KernelPath>(name);
        var random = new Random(11);
        foreach (int count in (int[])[0, 1, 15, 16, 17, 63, 64, 65, 1000, 4096, 9001])
        {
            Gf128[] columns = Next(random, 128), source = Next(random, count), target = new Gf128[count + 1];
            var map = new LinearMap(columns);
            var kernel = new LinearMapKernel(columns);
            Gf128 beyond = target[count] = new Gf128(1, 2);
            fixed (Gf128* from = source, to = target)
            {
                kernel.Apply(from, to, count, new Workers(2), path);
                Assert.Equal(Array.ConvertAll(source, map.Apply), target[..count]);
                Assert.Equal(beyond, target[count]);
                kernel.Apply(from, from, count, new Workers(2), path);
                Assert.Equal(target[..count], source);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void The_basis_changes_are_those_of_the_tower(string name)
    {
        KernelPath path = Enum.Parse<KernelPath>(name);
        Gf128[] elements = Next(new Random(3), 200), copy = [.. elements];
        fixed (Gf128* at = copy)
        {
            LinearMapKernel.FromPolynomial.Apply(at, at, copy.Length, path);
            Assert.Equal(Array.ConvertAll(elements, TowerBasis.FromPolynomial), copy);
            LinearMapKernel.ToPolynomial.Apply(at, at, copy.Length, path);
            Assert.Equal(elements, copy);
        }
    }

    private static Gf128[] Next(Random random, int count)
    {
        var elements = new Gf128[count];
        for (int i = 0; i < count; i++)
            elements[i] = new Gf128((ulong)random.NextInt64() << 1, (ulong)random.NextInt64());
        return elements;
    }
}
