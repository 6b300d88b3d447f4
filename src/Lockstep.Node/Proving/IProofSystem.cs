using Lockstep.Payments;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Node.Proving;

/// <summary>What a node needs of a proof system: sealing for the seller, verifying and opening for the buyer. Safe for concurrent use.</summary>
public interface IProofSystem
{
    /// <summary>Identifiers of the suites, best first.</summary>
    IReadOnlyList<string> Suites { get; }

    /// <summary>Encrypts chunks under fresh keys and proves them. Heavy: seconds per MiB, on all the threads it was given.</summary>
    /// <param name="suiteId">One of <see cref="Suites"/>.</param>
    /// <param name="lockHash">The hash of the locks.</param>
    /// <param name="provider">Fingerprint of the provider's key; the proof binds it.</param>
    /// <param name="blocks">The chunks, in the order of the window.</param>
    /// <param name="cancellation">Ends the work; the keys made for it are gone and never used.</param>
    SealedWindow Seal(string suiteId, LockHashKind lockHash, Bytes32 provider, IReadOnlyList<ReadOnlyMemory<byte>> blocks, CancellationToken cancellation);

    /// <summary>Gets ready for sealing such windows, so that the first buyer need not wait for it; does as much as there is time for.</summary>
    /// <param name="suiteId">One of <see cref="Suites"/>.</param>
    /// <param name="lengths">Bytes of each chunk.</param>
    /// <param name="cancellation">There is no more time.</param>
    void Prepare(string suiteId, IReadOnlyList<int> lengths, CancellationToken cancellation);

    /// <summary>Checks a window's proof.</summary>
    /// <param name="offer">What was offered; its CIDs are the expected ones.</param>
    /// <param name="provider">Fingerprint of the provider's key.</param>
    /// <param name="ciphertexts">In the order of the offer's chunks.</param>
    /// <param name="proof">Untrusted.</param>
    /// <returns>Null when it holds, or one clause about what does not.</returns>
    string? Verify(SealedOffer offer, Bytes32 provider, IReadOnlyList<ReadOnlyMemory<byte>> ciphertexts, ReadOnlyMemory<byte> proof);

    /// <summary>Decrypts a chunk and checks its digest.</summary>
    /// <returns>The block, or null and one sentence.</returns>
    (ReadOnlyMemory<byte>? Block, string? Refusal) Open(OfferedChunk chunk, LockHashKind lockHash, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> ciphertext);
}
