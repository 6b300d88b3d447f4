using Lockstep.Content.Cids;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Retrieval.Terms;

/// <summary>
/// A deal as the client offers it. It names the keys of both sides, so that nobody else can use it, and is signed by the
/// wallet that funds the channel (docs/protocol.md section 3).
/// </summary>
/// <param name="DealId">32 random bytes that the client chose.</param>
/// <param name="PayloadCid">Root of the content.</param>
/// <param name="ProviderKey">Fingerprint of the provider's identity key.</param>
/// <param name="ClientKey">Fingerprint of the client's TLS key; only connections of this key are answered.</param>
/// <param name="Terms">All terms.</param>
/// <param name="Payer">The account that funds the channel and signs the vouchers.</param>
/// <param name="Payee">The account that the channel must pay.</param>
/// <param name="ValidUntil">The last epoch in which it may be accepted.</param>
public sealed record DealProposal(
    DealId DealId,
    Cid PayloadCid,
    Bytes32 ProviderKey,
    Bytes32 ClientKey,
    DealTerms Terms,
    AccountId Payer,
    AccountId Payee,
    Epoch ValidUntil)
{
    /// <summary>First field of the signed bytes: no other statement of ours begins with it.</summary>
    public const string Domain = "lockstep/proposal/1";

    /// <summary>The bytes that the wallet signs.</summary>
    public byte[] ToSignedBytes() => new CanonicalWriter(Domain)
        .Bytes(DealId.Value.Span)
        .Bytes(PayloadCid.ToBytes())
        .Bytes(ProviderKey.Span)
        .Bytes(ClientKey.Span)
        .Text(Terms.PricePerByte.ToString())
        .Text(Terms.UnsealPrice.ToString())
        .Text(Terms.MostToPay.ToString())
        .Text(Terms.SuiteId)
        .Number((int)Terms.LockHash)
        .Number(Terms.ChunksPerWindow)
        .Number(Terms.OpenLocks)
        .Number(Terms.LockExpiryEpochs)
        .Text(Terms.RailId)
        .Number((int)Terms.Selection)
        .Text(Payer.Text)
        .Text(Payee.Text)
        .Number(ValidUntil.Value)
        .ToArray();
}

/// <summary>A proposal with the wallet's signature over <see cref="DealProposal.ToSignedBytes"/>.</summary>
public sealed record SignedProposal(DealProposal Proposal, ReadOnlyMemory<byte> Signature)
{
    public bool Equals(SignedProposal? other) =>
        other is not null && Proposal == other.Proposal && Signature.Span.SequenceEqual(other.Signature.Span);

    public override int GetHashCode() => Proposal.GetHashCode();
}
