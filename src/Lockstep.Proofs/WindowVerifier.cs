using Lockstep.Proofs.Layout;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs;

/// <summary>
/// What a verifier accepts; checked before anything else and before anything is allocated. Verifying takes 16 bytes for each of the
/// window's units a few times over and a few MiB for the circuits, whatever the proof: below 16 MiB for every window of a suite.
/// </summary>
/// <param name="AcceptedSuites">Suites by identifier.</param>
/// <param name="MaxContentBytes">The largest window, in bytes of content.</param>
/// <param name="MaxChunks">Most chunks of a window: many tiny ones make a long proof, whatever their bytes.</param>
/// <param name="MaxProofBytes">The longest proof of a window, in bytes.</param>
public sealed record VerifierPolicy(
    IReadOnlyList<Suite> AcceptedSuites, long MaxContentBytes = 64L << 20, int MaxChunks = VerifierPolicy.DefaultMaxChunks, int MaxProofBytes = VerifierPolicy.DefaultMaxProofBytes)
{
    /// <summary>Most chunks of a window, unless a policy says otherwise.</summary>
    public const int DefaultMaxChunks = 128;

    /// <summary>The longest proof, unless a policy says otherwise: enough for every window of that many chunks.</summary>
    public const int DefaultMaxProofBytes = 4 << 20;

    /// <summary>Every suite of this version under the default bounds.</summary>
    public static VerifierPolicy Default { get; } = new(Suites.All);

    /// <summary>
    /// The most chunks of one length that a window may have so that a suite has a shape for it and a proof of it is within
    /// these bounds; for windows of shorter chunks the number is safe too.
    /// </summary>
    /// <param name="suite">The suite.</param>
    /// <param name="chunkLength">Bytes of the longest chunk, 1 to <see cref="ChunkStatement.MaxLength"/>.</param>
    /// <param name="windowBytes">Content that the window should not exceed, in bytes.</param>
    /// <returns>At least 1: a chunk alone always fits.</returns>
    public int MostChunks(Suite suite, int chunkLength, long windowBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunkLength, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(chunkLength, ChunkStatement.MaxLength);
        int fits = 1, tooMany = (int)Math.Clamp(Math.Min(windowBytes, MaxContentBytes) / chunkLength, 1, MaxChunks) + 1;

        // The proof's bound never falls when a chunk is added.
        while (tooMany - fits > 1)
        {
            int middle = (fits + tooMany) / 2;
            if (WindowInstance.ProofBound(suite, middle, (long)middle * (chunkLength / WindowLayout.UnitBytes)) <= MaxProofBytes)
                fits = middle;
            else
                tooMany = middle;
        }

        return fits;
    }
}

/// <summary>Verifies that a window's ciphertexts open, under the preimages of their locks, to the blocks that its digests name.</summary>
public static class WindowVerifier
{
    /// <summary>The first bytes of every proof: format and version.</summary>
    internal static ReadOnlySpan<byte> Header => "lockstep-proof/2"u8;

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
        if (statement.Chunks?.Count > policy.MaxChunks || ciphertexts.Count > policy.MaxChunks)
            return new Rejection(RejectReason.Limit, $"the window has more than {policy.MaxChunks} chunks");
        if (proof.Length > policy.MaxProofBytes)
            return new Rejection(RejectReason.Limit, $"the proof has {proof.Length} bytes, more than {policy.MaxProofBytes}");
        if (ciphertexts.Sum(c => (long)c.Length) > policy.MaxContentBytes)
            return new Rejection(RejectReason.Limit, $"the window is larger than {policy.MaxContentBytes} bytes");
        if (WindowInstance.TryCreate(suite, statement, ciphertexts, out WindowInstance? instance) is { } rejection)
            return rejection;
        if (!proof.StartsWith(Header))
            return new Rejection(RejectReason.Header, "the bytes are not a lockstep-proof/2");
        return ArgumentVerifier.Verify(instance!.Argument, proof[Header.Length..], instance.NewTranscript());
    }
}
