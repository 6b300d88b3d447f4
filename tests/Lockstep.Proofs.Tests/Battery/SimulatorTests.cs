using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Tests.Argument;
using Lockstep.Proofs.Tests.Layout;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// A simulator without a witness is accepted by the real verifier under the oracle it programmed, and only there: what a
/// proof shows can be made from the statement alone. (That the law is the same is <see cref="ExactZeroKnowledgeTests"/>.)
/// </summary>
public sealed class SimulatorTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Toy_proofs_without_a_witness(int seed)
    {
        // A statement that has no witness at all does as well: the second output contradicts the initial state.
        var toy = new ToyArgument([5, 0, 30], seed);
        toy.ClaimedUnitOutputs(0)[5] ^= 1;
        var oracle = new ProgrammedOracle();
        ProgrammedOracle verifiers = oracle.Fresh();
        byte[] proof = new Simulator(toy.Instance, seed).Run(oracle);
        Assert.Null(ArgumentVerifier.Verify(toy.Instance, proof, verifiers));
        Refuse(ArgumentVerifier.Verify(toy.Instance, proof, new Transcript()));
        proof[40] ^= 1;
        Refuse(ArgumentVerifier.Verify(toy.Instance, proof, oracle.Fresh()));
    }

    [Fact]
    public void A_real_window_without_its_keys_and_data()
    {
        // Everything private is gone before the simulator starts; the digest is even that of other data.
        WindowStatement statement;
        ReadOnlyMemory<byte>[] ciphertexts;
        using (TestWindow window = TestWindow.Create(LockHash.Blake2b256, 100, 1, 64))
        {
            statement = window.Statement with { SuiteId = Suites.Hundred.Id };
            ciphertexts = window.Ciphertexts;
        }

        Assert.Null(WindowInstance.TryCreate(Suites.Hundred, statement, ciphertexts, out WindowInstance? instance));
        var oracle = new ProgrammedOracle();
        ProgrammedOracle verifiers = oracle.Fresh();
        instance!.Bind(oracle);
        byte[] proof = new Simulator(instance.Argument, 9).Run(oracle);
        instance.Bind(verifiers);
        Assert.Null(ArgumentVerifier.Verify(instance.Argument, proof, verifiers));
        Refuse(ArgumentVerifier.Verify(instance.Argument, proof, instance.NewTranscript()));
    }

    // Under honest challenges the first work that is checked fails, or, by luck, one of the next checks.
    private static void Refuse(Rejection? rejection) =>
        Assert.Contains(rejection?.Reason ?? RejectReason.Suite,
            new[] { RejectReason.FoldWork, RejectReason.MaskWork, RejectReason.PadWork, RejectReason.QueryWork, RejectReason.LevelWork, RejectReason.ProofLength, RejectReason.Root });
}
