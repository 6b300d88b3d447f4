using Lockstep.Payments;
using Lockstep.Proofs;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Verifier;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;
using SealedWindow = Lockstep.Retrieval.Provider.SealedWindow;

namespace Lockstep.Node.Proving;

/// <summary>The project's own proof system (docs/proof-system.md).</summary>
/// <param name="threads">Threads of one proof; 0 for all processors.</param>
public sealed class LockstepProofs(int threads = 0) : IProofSystem
{
    private static readonly SystemRandom Randomness = new();

    /// <inheritdoc/>
    public IReadOnlyList<string> Suites { get; } = [.. Proofs.Soundness.Suites.All.Select(suite => suite.Id)];

    /// <inheritdoc/>
    public SealedWindow Seal(
        string suiteId, LockHashKind lockHash, Bytes32 provider, IReadOnlyList<ReadOnlyMemory<byte>> blocks, CancellationToken cancellation)
    {
        Suite suite = SuiteOf(suiteId);
        Workers workers = NewWorkers(cancellation);
        using Proofs.SealedWindow made = WindowSealer.Seal(suite, LockOf(lockHash), provider.Memory, blocks, Randomness, workers);
        return new SealedWindow(
            [.. made.Statement.Chunks.Select((chunk, i) => new SealedChunk(
                new Bytes32(chunk.SealId.Span), new Bytes32(chunk.Lock.Span), chunk.Nonce, chunk.FirstCounter, made.Ciphertexts[i], made.Key(i).ToArray()))],
            made.Proof);
    }

    /// <inheritdoc/>
    public void Prepare(string suiteId, IReadOnlyList<int> lengths, CancellationToken cancellation)
    {
        // A window of one byte runs nearly all of the code, which is compiled by that; its keys are for nothing.
        Suite suite = SuiteOf(suiteId);
        WindowSealer.Seal(suite, LockHash.Sha256, new byte[Bytes32.Length], [new byte[1]], Randomness, NewWorkers(cancellation)).Dispose();
        WindowSealer.Reserve(suite, lengths, cancellation);
    }

    /// <inheritdoc/>
    public string? Verify(SealedOffer offer, Bytes32 provider, IReadOnlyList<ReadOnlyMemory<byte>> ciphertexts, ReadOnlyMemory<byte> proof)
    {
        // Digests come from the CIDs that this side asked for, never from the seller.
        var statement = new WindowStatement(offer.SuiteId, LockOf(offer.LockHash), provider.Memory, [.. offer.Chunks.Select(StatementOf)]);
        Rejection? rejection = WindowVerifier.Verify(statement, ciphertexts, proof.Span, VerifierPolicy.Default);
        return rejection?.ToString();
    }

    /// <inheritdoc/>
    public (ReadOnlyMemory<byte>? Block, string? Refusal) Open(
        OfferedChunk chunk, LockHashKind lockHash, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> ciphertext)
    {
        byte[] block = GC.AllocateUninitializedArray<byte>(chunk.Length);
        OpenResult result = ChunkOpener.Open(StatementOf(chunk), LockOf(lockHash), key.Span, ciphertext.Span, block);
        return result.IsOpened ? (block, null) : (null, result.Message);
    }

    private static Suite SuiteOf(string id) => Proofs.Soundness.Suites.Find(id) ?? throw new ArgumentException($"There is no suite {id}.", nameof(id));

    private Workers NewWorkers(CancellationToken cancellation) => new(threads == 0 ? Environment.ProcessorCount : threads, cancellation);

    private static ChunkStatement StatementOf(OfferedChunk chunk) =>
        new(chunk.Length, chunk.Cid.DigestMemory, chunk.SealId.Memory, chunk.Nonce, chunk.FirstCounter, chunk.Lock.Memory);

    private static LockHash LockOf(LockHashKind kind) => kind switch
    {
        LockHashKind.Sha256 => LockHash.Sha256,
        LockHashKind.Blake2b256 => LockHash.Blake2b256,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown lock hash."),
    };
}
