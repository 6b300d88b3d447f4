using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Reference;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Tests.Argument;
using Lockstep.Proofs.Tests.Layout;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// What a prover leaves in memory, and what a cancelled one does. Pads, rows, codewords, forms, folded values and sums are
/// all in <see cref="SecretArrays"/>; what stays outside are single values in locals and registers.
/// </summary>
public sealed class HygieneTests(ITestOutputHelper output)
{
    [Fact]
    public void All_secrets_are_overwritten_at_the_end()
    {
        var toy = new ToyArgument([5, 0, 30]);
        var secrets = new SecretArrays();
        int filled = 0;
        using ProofRandom random = Bench.NewRandom(1);
        Assert.True(ReferenceProver.Prove(toy.Instance, toy.Witness, random, new ProverChannel(Bench.NewTranscript()), new Workers(1), stage =>
        {
            if (stage == "open")
                filled = secrets.InUse.Count(IsFilled);
        }, secrets));
        output.WriteLine($"{secrets.InUse.Count} arrays, {filled} of them not zero before the openings");
        Assert.True(filled >= 20);
        Assert.DoesNotContain(secrets.InUse, IsFilled);
        Assert.Throws<ObjectDisposedException>(() => secrets.Take<byte>(1));
    }

    [Theory]
    [InlineData("commit")]
    [InlineData("skip")]
    [InlineData("zerocheck")]
    [InlineData("lincheck")]
    [InlineData("fold")]
    [InlineData("open")]
    public void A_cancelled_prover_throws_and_leaves_nothing(string last)
    {
        var toy = new ToyArgument([5, 0, 30]);
        using var source = new CancellationTokenSource();
        using var secrets = new SecretArrays();
        using ProofRandom random = Bench.NewRandom(1);
        string reached = "";
        Assert.ThrowsAny<OperationCanceledException>(() => ReferenceProver.Prove(
            toy.Instance, toy.Witness, random, new ProverChannel(Bench.NewTranscript()), new Workers(2, source.Token), stage =>
            {
                reached = stage;
                if (stage == last)
                    source.Cancel();
            }, secrets));
        Assert.Equal(last, reached);
        Assert.DoesNotContain(secrets.InUse, IsFilled);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_witness_is_overwritten_with_or_without_a_proof(bool cancel)
    {
        using TestWindow window = TestWindow.Create(LockHash.Sha256, 300, 64);
        WindowStatement statement = window.Statement with { SuiteId = Suites.Hundred.Id };
        Assert.Null(WindowInstance.TryCreate(Suites.Hundred, statement, window.Ciphertexts, out WindowInstance? instance));
        var pool = new NativePool();
        var witness = FastWitness.Build(statement, instance!.Layout, window.Data, window.Keys, pool, new Workers(1));
        using var source = new CancellationTokenSource();
        byte[]? proof = null;
        void Prove() => proof = WindowSealer.TryProve(instance, witness, new ProofSeed(new byte[32]), new Workers(1, source.Token), stage =>
        {
            if (cancel && stage == "lincheck")
                source.Cancel();
        });
        if (cancel)
            Assert.ThrowsAny<OperationCanceledException>(Prove);
        else
            Prove();
        Assert.Equal(cancel, proof is null);
        Assert.True(witness.UnitSlot(0).ContainsAnyExcept(0u));
        witness.Dispose();
        Assert.True(pool.FreeBlocks >= 2);
        Assert.True(pool.IsFreeClear());
        Assert.True(NativePool.Shared.IsFreeClear());
        pool.Dispose();
    }

    [Theory]
    [InlineData("encrypt")]
    [InlineData("witness")]
    [InlineData("commit")]
    [InlineData("open")]
    public void A_cancelled_seal_throws_and_returns_nothing(string last)
    {
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => WindowSealer.Seal(
            Suites.Hundred, LockHash.Sha256, new byte[] { 1 }, [new byte[100]], new SystemRandom(), new Workers(1, source.Token), stage =>
            {
                if (stage == last)
                    source.Cancel();
            }));
    }

    private static bool IsFilled(Array array) => array switch
    {
        byte[] bytes => bytes.AsSpan().ContainsAnyExcept((byte)0),
        uint[] words => words.AsSpan().ContainsAnyExcept(0u),
        Gf128[] elements => elements.AsSpan().ContainsAnyExcept(default(Gf128)),
        _ => throw new InvalidOperationException($"An array of {array.GetType()} is not looked at."),
    };
}
