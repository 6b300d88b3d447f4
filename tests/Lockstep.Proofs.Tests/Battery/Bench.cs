using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Reference;
using Lockstep.Proofs.Tests.Argument;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>Honest proving and verifying of any instance, and a look at single equations with the prover's own pads.</summary>
internal static class Bench
{
    /// <summary>
    /// True when LOCKSTEP_EXHAUSTIVE=1: sampled tests take every case instead. All rows of a unit then take 5 minutes, those of a tail 15:
    /// <c>LOCKSTEP_EXHAUSTIVE=1 dotnet run -c Release --project tests/Lockstep.Proofs.Tests -- -namespace Lockstep.Proofs.Tests.Battery</c>.
    /// </summary>
    public static bool Exhaustive { get; } = Environment.GetEnvironmentVariable("LOCKSTEP_EXHAUSTIVE") == "1";

    public static Transcript NewTranscript()
    {
        var transcript = new Transcript();
        transcript.Absorb("statement", "battery"u8);
        return transcript;
    }

    public static ProofRandom NewRandom(int seed)
    {
        var bytes = new byte[32];
        BitConverter.TryWriteBytes(bytes, seed);
        using var proofSeed = new ProofSeed(bytes);
        return proofSeed.Consume();
    }

    /// <summary>Runs the honest prover on whatever <paramref name="witness"/> holds.</summary>
    public static byte[] Prove(ArgumentInstance instance, BitMatrices witness, int seed = 7, Transcript? transcript = null)
    {
        using ProofRandom random = NewRandom(seed);
        var channel = new ProverChannel(transcript ?? NewTranscript());
        Assert.True(ReferenceProver.Prove(instance, witness, random, channel, new Workers(1)));
        byte[] proof = channel.ToArray();

        // The kernels are written for the circuits of a window; on those every proof of the battery is made twice.
        if (transcript is null && ReferenceEquals(instance.Unit, UnitCircuit.Instance))
            Assert.Equal(proof, ProveOnKernels(instance, witness, seed));
        return proof;
    }

    /// <summary>The same on the kernels, for witnesses that may break rows.</summary>
    public static byte[] ProveOnKernels(ArgumentInstance instance, BitMatrices witness, int seed = 7, int workers = 2)
    {
        using var bits = new WitnessBits(instance.Shape);
        for (int i = 0; i < instance.Shape.PresentUnits; i++)
            witness.Unit(i).CopyTo(bits.Unit(i));
        for (int q = 0; q < instance.Shape.Tails; q++)
            witness.Tail(q).CopyTo(bits.Tail(q));
        using ProofRandom random = NewRandom(seed);
        var channel = new ProverChannel(NewTranscript());
        Assert.True(WindowProver.Prove(instance, bits, random, channel, new Workers(workers), satisfied: false));
        return channel.ToArray();
    }

    public static Rejection? Verify(ArgumentInstance instance, byte[] proof, Transcript? transcript = null) =>
        ArgumentVerifier.Verify(instance, proof, transcript ?? NewTranscript());

    /// <summary>
    /// The verifier's own equations at the pads that the prover committed to, for a proof of <see cref="Prove"/> with the
    /// same seed: which of them do not hold.
    /// </summary>
    public static PadEquation[] FailingEquations(ArgumentInstance instance, byte[] proof, int seed = 7, Transcript? transcript = null)
    {
        var said = new Conversation(instance.Shape);
        ArgumentVerifier.Verify(instance, proof, transcript ?? NewTranscript(), said);
        using ProofRandom random = NewRandom(seed);
        Gf128[] pads = new Gf128Pads(instance.Shape, random).Values;
        AffineForm[] equations = PadEquations.Build(instance, said);
        return [.. Enumerable.Range(0, equations.Length).Where(k => !equations[k].Evaluate(pads).IsZero).Select(k => (PadEquation)k)];
    }

    /// <summary>
    /// The verifier refuses the honest prover's proof of this instance because of its equations, and exactly the
    /// <paramref name="expected"/> ones fail: all others hold.
    /// </summary>
    public static void AssertRefused(ArgumentInstance instance, BitMatrices witness, string lie, params PadEquation[] expected)
    {
        byte[] proof = Prove(instance, witness);
        Rejection? rejection = Verify(instance, proof);
        Assert.True(rejection?.Reason == RejectReason.Equations, $"{lie}: {rejection?.ToString() ?? "accepted"}");
        PadEquation[] failing = FailingEquations(instance, proof);
        Assert.True(failing.SequenceEqual(expected), $"{lie}: failing are {string.Join(", ", failing)}, expected {string.Join(", ", expected)}");
    }
}
