using Lockstep.Content.Cids;
using Lockstep.Payments;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Retrieval.Terms;

/// <summary>A chunk as it is offered: sealed under a key of its own. Its place in the list is its position in the window.</summary>
/// <param name="Index">Number of the chunk in the content, pre-order.</param>
/// <param name="Cid">Its CID.</param>
/// <param name="Length">Its length, so also that of its ciphertext, in bytes.</param>
/// <param name="SealId">32 random bytes, never used twice.</param>
/// <param name="Lock">Hash of its key.</param>
/// <param name="Nonce">12-byte nonce of the cipher.</param>
/// <param name="FirstCounter">First block counter of the cipher.</param>
public sealed record OfferedChunk(int Index, Cid Cid, int Length, Bytes32 SealId, Bytes32 Lock, ReadOnlyMemory<byte> Nonce, uint FirstCounter)
{
    public bool Equals(OfferedChunk? other) =>
        other is not null && Index == other.Index && Cid == other.Cid && Length == other.Length && SealId == other.SealId
        && Lock == other.Lock && Nonce.Span.SequenceEqual(other.Nonce.Span) && FirstCounter == other.FirstCounter;

    public override int GetHashCode() => HashCode.Combine(Index, SealId);
}

/// <summary>
/// The provider's signed word that ties seal ids and locks to a deal and its chunks. Without it a proof could be shown to
/// several buyers, or for several chunks (docs/protocol.md section 3, Seals).
/// </summary>
public sealed record SealedOffer(
    DealId DealId, int Window, string SuiteId, LockHashKind LockHash, IReadOnlyList<OfferedChunk> Chunks, int ProofLength)
{
    /// <summary>First field of the signed bytes: no other statement of ours begins with it.</summary>
    public const string Domain = "lockstep/offer/1";

    /// <summary>The bytes that the provider's identity key signs.</summary>
    public byte[] ToSignedBytes()
    {
        CanonicalWriter writer = new CanonicalWriter(Domain)
            .Bytes(DealId.Value.Span)
            .Number(Window)
            .Text(SuiteId)
            .Number((int)LockHash)
            .Number(Chunks.Count);
        foreach (OfferedChunk chunk in Chunks)
        {
            writer.Number(chunk.Index)
                .Bytes(chunk.Cid.ToBytes())
                .Number(chunk.Length)
                .Bytes(chunk.SealId.Span)
                .Bytes(chunk.Lock.Span)
                .Bytes(chunk.Nonce.Span)
                .Number(chunk.FirstCounter);
        }
        return writer.Number(ProofLength).ToArray();
    }

    public bool Equals(SealedOffer? other) =>
        other is not null && DealId == other.DealId && Window == other.Window && SuiteId == other.SuiteId
        && LockHash == other.LockHash && ProofLength == other.ProofLength && Chunks.SequenceEqual(other.Chunks);

    public override int GetHashCode() => HashCode.Combine(DealId, Window, Chunks.Count);
}

/// <summary>An offer with the signature of the provider's identity key over <see cref="SealedOffer.ToSignedBytes"/>.</summary>
public sealed record SignedOffer(SealedOffer Offer, ReadOnlyMemory<byte> Signature);
