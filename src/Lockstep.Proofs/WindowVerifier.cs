using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs;

/// <summary>What a verifier accepts; checked before anything else.</summary>
/// <param name="AcceptedSuites">Suites by identifier.</param>
/// <param name="MaxContentBytes">The largest window, in bytes of content.</param>
public sealed record VerifierPolicy(IReadOnlyList<Suite> AcceptedSuites, long MaxContentBytes = 64L << 20)
{
    /// <summary>Every suite of this version, windows up to 64 MiB.</summary>
    public static VerifierPolicy Default { get; } = new(Suites.All);
}

/// <summary>Verifies that a window's ciphertexts open, under the preimages of their locks, to the blocks that its digests name.</summary>
public static class WindowVerifier
{
    /// <summary>The first bytes of every proof: format and version.</summary>
    internal static ReadOnlySpan<byte> Header => "lockstep-proof/1"u8;

    /// <summary>Checks one window.</summary>
    /// <param name="statement">The public statement; need not be well formed.</param>
    /// <param name="ciphertexts">One per chunk, as long as its block.</param>
    /// <param name="proof">Untrusted bytes. Never throws on them; memory and time are bounded by the statement's size.</param>
    /// <param name="policy">What is acceptable.</param>
    /// <returns>Null when the proof is accepted, or the first check that failed.</returns>
    public static Rejection? Verify(WindowStatement statement, IReadOnlyList<ReadOnlyMemory<byte>> ciphertexts, ReadOnlySpan<byte> proof, VerifierPolicy policy)
    {
        if (policy.AcceptedSuites.FirstOrDefault(s => s.Id == statement.SuiteId) is not { } suite)
            return new Rejection(RejectReason.Suite, "the statement's suite is not accepted here");
        if (ciphertexts.Sum(c => (long)c.Length) > policy.MaxContentBytes)
            return new Rejection(RejectReason.Ciphertext, $"the window is larger than {policy.MaxContentBytes} bytes");
        if (WindowInstance.TryCreate(suite, statement, ciphertexts, out WindowInstance? instance) is { } rejection)
            return rejection;
        if (!proof.StartsWith(Header))
            return new Rejection(RejectReason.Header, "the bytes are not a lockstep-proof/1");
        return ArgumentVerifier.Verify(instance!.Argument, proof[Header.Length..], instance.NewTranscript());
    }
}
