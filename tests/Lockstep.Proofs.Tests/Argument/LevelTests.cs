using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Codes;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Hashing;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Reference;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Tests.Battery;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Argument;

/// <summary>The parts of the levels by themselves, each against the plain definition of docs/proof-system.md section 8.</summary>
public sealed class LevelTests
{
    [Fact]
    public void Leaves_are_the_symbols_of_the_rows_of_low_index_bits()
    {
        var level = new LevelShape(7, 2, 3, 5, 0, 0);
        Gf128[] x = Random(level.Length, 1);
        var commitment = new LevelCommitment(level, x, new Workers(1));
        int[] positions = [0, 3, 100, 101, 255];
        var channel = new ProverChannel(new Transcript());
        commitment.Open(positions, channel);
        byte[] opening = channel.ToArray();

        var leaves = new List<byte>();
        foreach (int position in positions)
            for (int a = 0; a < 4; a++)
            {
                Gf128[] row = [.. Enumerable.Range(0, 32).Select(b => x[a + 4 * b])];
                leaves.AddRange(Bytes(TowerBasis.FromPolynomial(level.NewCode().EvaluateAt(row, position))));
            }

        Assert.Equal(leaves, opening[..leaves.Count]);

        // Digests without a salt, under a key of their own; the path as for every tree.
        byte[] key = Blake3.Hash("lockstep/merkle/level/1"u8), digests = [.. leaves.Chunk(64).SelectMany(leaf =>
        {
            using var hasher = Blake3Hasher.Keyed(key);
            hasher.Update(leaf);
            var digest = new byte[32];
            hasher.Finish(digest);
            return digest;
        })];
        Assert.True(MultiProof.TryRoot(digests, positions, 8, opening.AsSpan(leaves.Count), out byte[] root));
        Assert.Equal(root, commitment.Root);
    }

    [Fact]
    public void Folding_the_symbols_of_a_leaf_gives_the_symbol_of_the_folded_vector()
    {
        var level = new LevelShape(6, 3, 2, 1, 0, 0);
        Gf128[] x = Random(level.Length, 2), point = Random(3, 3), eq = Multilinear.EqTable(point);
        Gf128[] next = [.. Enumerable.Range(0, 8).Select(b => Multilinear.InnerProduct(eq, x.AsSpan(8 * b, 8)))];
        RowCode code = level.NewCode();
        for (int j = 0; j < code.Length; j++)
        {
            Gf128 folded = default;
            for (int a = 0; a < 8; a++)
                folded += eq[a] * code.EvaluateAt([.. Enumerable.Range(0, 8).Select(b => x[a + 8 * b])], j);
            Assert.Equal(code.EvaluateAt(next, j), folded);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Factors_of_a_domain_are_those_of_its_transform(bool shift)
    {
        var transform = new AdditiveNtt(9, shift);
        var domain = new CodeDomain(9, shift);
        var factors = new Gf128[9];
        foreach (int position in (int[])[0, 1, 2, 255, 256, 300, 511])
        {
            domain.Factors(position, factors);
            for (int b = 0; b < 9; b++)
                Assert.Equal(CantorBasis.Vanish(b, transform.Point(position)), factors[b]);
            foreach (int count in (int[])[1, 2, 3, 5, 64, 127, 300, 512])
            {
                Gf128[] coefficients = Random(count, position);
                Gf128 value = Multilinear.InnerProduct(coefficients, transform.WeightsAt(position, count));
                Assert.Equal(value, CodeDomain.EvaluateInPlace(coefficients, factors));
            }

            // The high factors are those of the position's high part in a smaller domain.
            var high = new Gf128[5];
            new CodeDomain(5, shift).Factors(position >> 4, high);
            Assert.Equal(high, factors[4..]);
        }
    }

    [Fact]
    public void Claims_are_added_as_the_sum_of_their_weights()
    {
        var code = new RowCode(6, 5, 1);
        int[] positions = [3, 64, 127];
        Gf128[] factors = LevelRounds.Powers(Random(1, 4)[0], 3), target = Random(64, 5), expected = [.. target];
        for (int k = 0; k < positions.Length; k++)
        {
            Gf128[] weights = code.WeightsAt(positions[k], 64);
            for (int x = 0; x < expected.Length; x++)
                expected[x] += factors[k] * weights[x];
        }

        code.AddClaims(positions, factors, target);
        Assert.Equal(expected, target);
        Assert.Equal(factors[0] * factors[0] * factors[0], factors[2]);
    }

    public static TheoryData<string> Shapes => ["toy", "no levels", "one byte", "64 KiB", "129 chunks"];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_tensor_of_the_folded_weights_is_their_direct_sum(string name)
    {
        ArgumentShape shape = name switch
        {
            "toy" => ToyArgument.DefaultShape,
            "no levels" => ToyArgument.DefaultShape with { Levels = [] },
            "one byte" => WindowInstance.Shape(Suites.Default, [1])!,
            "64 KiB" => WindowInstance.Shape(Suites.Hundred, [65_536])!,
            _ => WindowInstance.Shape(Suites.Default, [.. Enumerable.Repeat(1, 129)])! with { HCount = 1 },
        };
        for (int seed = 0; seed < 2; seed++)
        {
            var said = new Conversation(shape) { RegionWeight = Random(1, seed)[0], RingPoint = Random(7, seed + 10) };
            Random(said.S.Length, seed + 20).CopyTo(said.S, 0);
            Random(said.T.Length, seed + 30).CopyTo(said.T, 0);
            Random(said.FoldPoint.Length, seed + 40).CopyTo(said.FoldPoint, 0);
            Gf128[] levelPoint = Random(shape.LogMessage - shape.LogLastLength, seed + 50), last = Random(1 << shape.LogLastLength, seed + 60);

            Gf128[] weights = DirectWeights.Of(shape, said);
            foreach (Gf128 r in levelPoint)
                weights = [.. Enumerable.Range(0, weights.Length / 2).Select(k => weights[2 * k] + r * (weights[2 * k] + weights[2 * k + 1]))];
            Assert.Equal(Multilinear.InnerProduct(weights, last), WeightTensor.InnerProduct(shape, said, levelPoint, last));
        }
    }

    private static byte[] Bytes(Gf128 element)
    {
        var bytes = new byte[Gf128.Size];
        element.Write(bytes);
        return bytes;
    }

    private static Gf128[] Random(int count, int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[count * Gf128.Size];
        random.NextBytes(bytes);
        return [.. Enumerable.Range(0, count).Select(i => Gf128.Read(bytes.AsSpan(i * Gf128.Size)))];
    }
}
