using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Layout;
using Lockstep.Proofs.Memory;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Reference;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Tests.Battery;
using Lockstep.Proofs.Tests.Layout;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Kernels;

/// <summary>The prover on kernels gives the reference's bytes, for any statement, shape and number of threads.</summary>
public sealed class WindowProverTests(ITestOutputHelper output)
{
    /// <summary>
    /// Statements of random chunks in random shapes of the real circuits: 1,000 with LOCKSTEP_EXHAUSTIVE=1, else a sample. The
    /// command is that of <see cref="Bench.Exhaustive"/> with this class.
    /// </summary>
    [Fact]
    public void Random_statements()
    {
        int count = Bench.Exhaustive ? 1000 : 12;
        for (int seed = 0; seed < count; seed++)
        {
            var random = new Random(seed);
            int[] lengths = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(4) switch
            {
                0 => random.Next(1, 64),
                1 => 64 * random.Next(1, 9),
                _ => random.Next(1, 3000),
            })];
            LockHash lockHash = random.Next(2) == 0 ? LockHash.Sha256 : LockHash.Blake2b256;
            using var window = new ForgedWindow(lockHash, 8 + random.Next(2), lengths);
            ArgumentShape shape = window.Shape with { LogInverseRate = random.Next(1, 3), Levels = Levels(random, window.Shape.LogMessage) };
            ArgumentInstance instance = window.Instance with { Shape = shape };

            // Bench proves twice, with the reference and on the kernels, and compares.
            byte[] proof = Bench.Prove(instance, window.Bits, seed);
            Assert.Null(Bench.Verify(instance, proof));
        }

        output.WriteLine($"{count} statements");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Any_number_of_threads(int workers)
    {
        using var window = new ForgedWindow(LockHash.Blake2b256, 9, [1000, 64, 5000]);
        Assert.Equal(Bench.ProveOnKernels(window.Instance, window.Bits, workers: 1), Bench.ProveOnKernels(window.Instance, window.Bits, workers: workers));
    }

    /// <summary>A window as it is sold, from the sealer's own witness.</summary>
    [Fact]
    public void A_whole_window_of_each_suite()
    {
        foreach (Suite suite in Suites.All)
        {
            // The second has more tails than units: their places go beyond the units in use.
            using TestWindow window = suite == Suites.Default ? TestWindow.Create(LockHash.Sha256, 9_000, 3, 64) : TestWindow.CreateShaped(LockHash.Sha256, 11, 2, [.. Enumerable.Range(1, 16)]);
            WindowStatement statement = window.Statement with { SuiteId = suite.Id };
            Assert.Null(WindowInstance.TryCreate(suite, statement, window.Ciphertexts, out WindowInstance? instance));
            using var fast = FastWitness.Build(statement, instance!.Layout, window.Data, window.Keys, NativePool.Shared, new Workers(2));
            byte[]? proof = WindowSealer.TryProve(instance, fast, new ProofSeed(new byte[32]), new Workers(2));

            using var witness = Witness.Build(statement, instance.Layout, window.Data, window.Keys);
            using ProofRandom random = new ProofSeed(new byte[32]).Consume();
            var channel = new ProverChannel(instance.NewTranscript());
            channel.SendOpening(WindowVerifier.Header);
            using BitMatrices bits = witness.ToBits(instance.Argument.Shape);
            Assert.True(ReferenceProver.Prove(instance.Argument, bits, random, channel, new Workers(2)));
            Assert.Equal(channel.ToArray(), proof);
            Assert.Null(WindowVerifier.Verify(statement, window.Ciphertexts, proof, VerifierPolicy.Default));
        }
    }

    private static LevelShape[] Levels(Random random, int logMessage)
    {
        var levels = new List<LevelShape>();
        for (int log = logMessage; log > 6 && levels.Count < 3; log -= levels[^1].Folds)
            levels.Add(new LevelShape(log, random.Next(2, 5), random.Next(1, 4), 5, 1, 1));
        return [.. levels];
    }
}
