using System.Reflection;
using Lockstep.Proofs;

namespace Lockstep.Cli.Tests.Architecture;

/// <summary>The verifier and the opener can be read, and trusted, without the prover: nothing they call leads there.</summary>
public class VerifierTests
{
    private static readonly Assembly Proofs = typeof(WindowVerifier).Assembly;

    [Fact]
    public void NothingOfTheProverIsReachedFromTheVerifier() => AssertUnreached(Reach(
        Proofs.GetTypes().Where(type => type == typeof(WindowVerifier) || type.Namespace == "Lockstep.Proofs.Verifier")));

    [Fact]
    public void NothingOfTheProverIsReachedFromTheOpener() => AssertUnreached(Reach([typeof(ChunkOpener)]));

    [Fact]
    public void TheSealerReachesTheProver()
    {
        // Else the two tests above would say nothing.
        IEnumerable<Type> reached = Reach([typeof(WindowSealer)]).Keys;
        Assert.Contains(reached, type => type.Namespace == "Lockstep.Proofs.Prover");
        Assert.Contains(reached, type => type.Namespace == "Lockstep.Proofs.Randomness");
    }

    private static IReadOnlyDictionary<Type, string> Reach(IEnumerable<Type> types) => CallGraph.Reach(Proofs, types.SelectMany(CallGraph.Methods));

    private static void AssertUnreached(IReadOnlyDictionary<Type, string> reached)
    {
        Assert.NotEmpty(reached);
        Assert.Empty(reached
            .Where(entry => entry.Key.Namespace is "Lockstep.Proofs.Prover" or "Lockstep.Proofs.Reference" or "Lockstep.Proofs.Randomness" || entry.Key == typeof(WindowSealer))
            .Select(entry => $"{entry.Value} -> {entry.Key.FullName}"));
    }
}
