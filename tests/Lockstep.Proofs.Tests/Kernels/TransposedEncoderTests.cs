using System.Runtime.InteropServices;
using Lockstep.Proofs.Codes;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;

namespace Lockstep.Proofs.Tests.Kernels;

public sealed unsafe class TransposedEncoderTests
{
    public static TheoryData<string> Paths => RowEncoderTests.Paths;

    [Theory]
    [MemberData(nameof(Paths))]
    public void Weights_are_the_sums_of_those_of_each_position(string name)
    {
        KernelPath path = Enum.Parse<KernelPath>(name);
        var random = new Random(9);
        (int, int, int)[] large = [(14, 1, 30), (11, 3, 300), (10, 1, 5), (16, 2, 3)];
        for (int round = 0; round < 40; round++)
        {
            (int logMessage, int logRate, int count) = round < large.Length ? large[round]
                : (random.Next(4, 10), random.Next(1, 4), random.Next(0, 40));
            int n = 1 << logMessage;
            var code = new RowCode(logMessage, 0, logRate);
            var positions = new int[count];
            var coefficients = new Gf128[count];
            var expected = new Gf128[n];
            for (int k = 0; k < count; k++)
            {
                positions[k] = round % 3 == 0 && k > 0 ? positions[k - 1] ^ random.Next(3) : random.Next(code.Length);
                coefficients[k] = new Gf128((ulong)random.NextInt64() << 1, (ulong)random.NextInt64());
                Gf128[] weights = code.WeightsAt(positions[k], n);
                for (int x = 0; x < n; x++)
                    expected[x] += coefficients[k] * weights[x];
            }

            var actual = (Gf128*)NativeMemory.AlignedAlloc((nuint)(16 * n), 64);
            try
            {
                new Span<byte>(actual, 16 * n).Fill(0x5a);
                TransposedEncoder.Weights(positions, coefficients, logMessage, logRate, actual, new Workers(2), path);
                Assert.True(new Span<Gf128>(actual, n).SequenceEqual(expected), $"n = 2^{logMessage}, rate 2^-{logRate}, {count} positions");
            }
            finally
            {
                NativeMemory.AlignedFree(actual);
            }
        }
    }
}
