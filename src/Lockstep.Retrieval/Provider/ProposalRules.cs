using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Retrieval.Provider;

/// <summary>The provider's checks of a proposal, cheapest first. Nothing is stored for a proposal that is refused.</summary>
public static class ProposalRules
{
    /// <summary>Null when the deal is taken; else why not.</summary>
    /// <param name="content">What is here of the content; null when it is not sold here.</param>
    /// <param name="clientKey">Fingerprint of the key of the connection that brought the proposal.</param>
    public static Refusal? Check(
        SignedProposal signed, ProviderAsk ask, ContentSummary? content, Bytes32 providerKey, Bytes32 clientKey, IVoucherScheme vouchers, Epoch now)
    {
        DealProposal proposal = signed.Proposal;
        DealTerms terms = proposal.Terms;
        if (proposal.ProviderKey != providerKey)
            return new Refusal(FaultCode.BadSignature, "The proposal is for another provider; take the fingerprint from this provider's address.");
        if (proposal.ClientKey != clientKey)
            return new Refusal(FaultCode.BadSignature, "The proposal names another client key than that of the connection.");
        if (now > proposal.ValidUntil)
            return new Refusal(FaultCode.ProposalExpired, $"The proposal was valid until epoch {proposal.ValidUntil}; it is epoch {now}. Make a new one.");
        if (content is null)
            return new Refusal(FaultCode.ContentNotFound, $"The content {proposal.PayloadCid} is not sold here.");
        if (CheckTerms(proposal, ask) is { } refusal)
            return refusal;
        if (terms.PricePerByte != ask.PricePerByte)
            return new Refusal(FaultCode.PriceChanged, $"The price per byte is {ask.PricePerByte} atto, not {terms.PricePerByte}; ask again.");
        TokenAmount unseal = UnsealDue(ask, content);
        if (terms.UnsealPrice < unseal)
            return new Refusal(FaultCode.PriceChanged, $"Bringing this content in costs {unseal} atto, not {terms.UnsealPrice}; ask again.");
        return vouchers.VerifyStatement(proposal.Payer, proposal.ToSignedBytes(), signed.Signature.Span)
            ? null
            : new Refusal(FaultCode.BadSignature, $"The proposal is not signed by {proposal.Payer}, whose channel is to pay.");
    }

    /// <summary>What is due before the content is brought in: nothing when it is not cold.</summary>
    public static TokenAmount UnsealDue(ProviderAsk ask, ContentSummary content) => content.Cold ? ask.UnsealPrice : TokenAmount.Zero;

    private static Refusal? CheckTerms(DealProposal proposal, ProviderAsk ask)
    {
        DealTerms terms = proposal.Terms;
        RailAccount? rail = ask.Rails.FirstOrDefault(offered => offered.RailId == terms.RailId);
        string? wrong =
            rail is null ? $"Rail {terms.RailId} is not one of this provider's."
            : rail.Account != proposal.Payee ? $"On rail {terms.RailId} this provider is paid at {rail.Account}, not at {proposal.Payee}."
            : !ask.Suites.Contains(terms.SuiteId) ? $"Suite {terms.SuiteId} is not one of {string.Join(", ", ask.Suites)}."
            : !ask.LockHashes.Contains(terms.LockHash) ? $"Lock hash {terms.LockHash.Word()} is not one of {string.Join(", ", ask.LockHashes.Select(hash => hash.Word()))}."
            : terms.ChunksPerWindow < 1 || terms.ChunksPerWindow > ask.MaxChunksPerWindow ? $"A window has 1 to {ask.MaxChunksPerWindow} chunks, not {terms.ChunksPerWindow}."
            : terms.OpenLocks < 1 || terms.OpenLocks > ask.MaxOpenLocks ? $"1 to {ask.MaxOpenLocks} locks may be open, not {terms.OpenLocks}."
            : terms.LockExpiryEpochs < ask.MinLockExpiryEpochs || terms.LockExpiryEpochs > ask.MaxLockExpiryEpochs
                ? $"A lock expires after {ask.MinLockExpiryEpochs} to {ask.MaxLockExpiryEpochs} epochs, not {terms.LockExpiryEpochs}."
            : terms.Selection != ChunkSelection.All ? "Only the whole content under a root is sold."
            : null;
        return wrong is null ? null : new Refusal(FaultCode.TermsRefused, wrong);
    }
}
