using static Lockstep.Retrieval.Deals.DealStatus;

namespace Lockstep.Retrieval.Deals;

/// <summary>The provider's state machine (docs/protocol.md sections 2 and 3).</summary>
public static class ProviderTable
{
    private static readonly Transition[] Given =
    [
        new("RetrievalOrder", null, New, "RetrievalOrder"),
        new("ContentWanted", New, Unsealing, "The content is looked for and, if it is cold, brought in."),
        new("ContentReadable", Unsealing, Unsealed, "the content is readable (cold content was brought in)"),
        new("RetrievalBegins", Unsealed, Ongoing, "The client is attached and has said which chunks it wants."),
        new("NextChunk", Ongoing, Encrypt, "next chunk: `c = Enc_k(data)`"),
        new("ChunkEncrypted", Encrypt, GenerateProof, "`Proof(c, k, y)`, `y = sha(k)`"),
        new("ChunkSealed", GenerateProof, FundsNeeded, "waits for the client's voucher"),
        new("VoucherStored", FundsNeeded, RevealKey, "a valid, covered, locked voucher is stored"),
        new("KeySent", RevealKey, Ongoing, "key sent; more to come"),
        new("FinalChunk", Ongoing, BlockComplete, "the final chunk"),
        new("FinalChunkNext", BlockComplete, Encrypt, "The final chunk is encrypted like any other."),
        new("LastKeySent", RevealKey, Completed, "last key sent"),
        new("End", Completed, null, "settlement of the channel is a manual act, outside the machine"),
    ];

    private static readonly DealStatus[] Live =
    [
        New, Unsealing, Unsealed, Ongoing, Encrypt, GenerateProof, FundsNeeded, RevealKey, BlockComplete,
        FundsNeededUnseal, InsufficientFunds,
    ];

    private static readonly Transition[] Added =
    [
        new("OrderRefused", New, Rejected, "The terms are not those of the ask, or no more deals are taken now."),
        new("UnsealPriceDue", Unsealing, FundsNeededUnseal, "The content is cold and its unseal price is not paid yet."),
        new("UnsealPricePaid", FundsNeededUnseal, Unsealing, "An unlocked voucher over the unseal price is stored."),
        new("ChunkSkipped", FundsNeeded, Ongoing, "The client holds the chunk already; no key is sent and nothing is owed."),
        new("FinalChunkSkipped", FundsNeeded, Completed, "The client holds the final chunk already; no key is sent and nothing is owed."),
        new("NothingWanted", Unsealed, Completed, "The client holds every chunk already, or the content has none."),
        new("ChannelShort", Ongoing, InsufficientFunds, "The channel cannot pay for the next chunk; nothing is proven until it can."),
        new("ChannelRefilled", InsufficientFunds, Ongoing, "The channel can pay for the next chunk again."),
        .. ClientTable.Stop("Failed", Live, Errored, "The deal cannot go on; the reason is stored with it."),
        .. ClientTable.Stop("ClientCancelled", Live, Cancelled, "The client cancelled, or did not come back in time."),
        .. ClientTable.Stop("ProviderCancelled", Live, ProviderCancelled, "The operator cancelled the deal."),
        new("End", Rejected, null, "The deal is over; nothing was sent."),
        new("End", Errored, null, "The deal is over; keys that were paid for are still handed out."),
        new("End", Cancelled, null, "The deal is over; keys that were paid for are still handed out."),
        new("End", ProviderCancelled, null, "The deal is over; keys that were paid for are still handed out."),
    ];

    /// <summary>The table.</summary>
    public static TransitionTable Table { get; } = new("provider", Given, Added);
}
