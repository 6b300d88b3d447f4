using static Lockstep.Retrieval.Deals.DealStatus;

namespace Lockstep.Retrieval.Deals;

/// <summary>The client's state machine (docs/protocol.md sections 2 and 3).</summary>
public static class ClientTable
{
    private static readonly Transition[] Given =
    [
        new("ClientRetrieve", null, New, "ClientRetrieve"),
        new("ProposalSent", New, WaitAcceptance, "proposal sent"),
        new("ProviderAccepted", WaitAcceptance, Accepted, "provider accepted"),
        new("ChannelWanted", Accepted, PaymentChannelCreating, "The payment channel is looked for, or created."),
        new("ChannelReady", PaymentChannelCreating, ChannelAllocatingLane, "channel exists and holds enough"),
        new("WarmedUp", ChannelAllocatingLane, Ongoing, "warm-up done; retrieval begins"),
        new("ChunkExpected", Ongoing, WaitingBlock, "a chunk is expected"),
        new("ChunkArrived", WaitingBlock, VerifyProofs, "chunk, lock and proof arrived"),
        new("ProofVerified", VerifyProofs, SendFunds, "`Proof(c,k,y)` verified"),
        new("VoucherSent", SendFunds, CheckFunds, "hash-locked voucher sent (redeemable only if the key is revealed)"),
        new("ChunkOpened", CheckFunds, Ongoing, "key received and checked, chunk decrypted; more to come"),
        new("FinalChunkArrived", Ongoing, BlockComplete, "the final chunk arrived"),
        new("FinalChunkTaken", BlockComplete, VerifyProofs, "The final chunk, its lock and its proof are checked."),
        new("FinalChunkOpened", CheckFunds, Completed, "all chunks received"),
        new("End", Completed, null, "The deal is over."),
    ];

    // The statuses from which a deal can stop: all that do not end it.
    private static readonly DealStatus[] Live =
    [
        New, WaitAcceptance, Accepted, PaymentChannelCreating, ChannelAllocatingLane, Ongoing, WaitingBlock,
        VerifyProofs, SendFunds, CheckFunds, BlockComplete, InsufficientFunds, WaitingKeyOnChain,
    ];

    // The statuses in which the provider is asked about a deal that it has accepted.
    private static readonly DealStatus[] Attached = [.. Live.Where(status => status is not (New or WaitAcceptance))];

    private static readonly Transition[] Added =
    [
        new("ProposalRefused", WaitAcceptance, Rejected, "The provider refused the proposal and said why."),
        new("WalletEmpty", PaymentChannelCreating, InsufficientFunds, "The wallet lacks money for the channel; the deal is parked and the missing amount named."),
        new("ToppedUp", InsufficientFunds, PaymentChannelCreating, "Money arrived; the channel is looked for again."),
        new("ChannelShort", SendFunds, InsufficientFunds, "The channel lacks money for the next chunk; the deal is parked and the missing amount named."),
        new("ToppedUp", InsufficientFunds, SendFunds, "Money arrived in the channel; the voucher is signed now."),
        new("ChannelShort", Ongoing, InsufficientFunds, "The channel lacks money for the next chunk, so the provider would not prove it; the deal is parked."),
        new("ToppedUp", InsufficientFunds, Ongoing, "Money arrived in the channel; the next chunk is expected now."),
        new("ChannelShort", WaitingBlock, InsufficientFunds, "The provider says that the channel cannot pay for the next chunk; the deal is parked."),
        new("ToppedUp", InsufficientFunds, WaitingBlock, "Money arrived in the channel; the chunk is expected again."),
        new("KeyOverdue", CheckFunds, WaitingKeyOnChain, "The key did not come in time; the rail is watched for it."),
        new("KeyFound", WaitingKeyOnChain, CheckFunds, "The key came after all, from the rail or from the provider."),
        new("LockDead", WaitingKeyOnChain, SendFunds, "The lock is past its expiry by the finality margin and was not redeemed; its amount is free and the chunk is bought again."),
        new("ChunkHeld", SendFunds, Ongoing, "The chunk came from elsewhere in the meantime; it is not bought."),
        new("FinalChunkHeld", SendFunds, Completed, "The final chunk came from elsewhere in the meantime; it is not bought."),
        new("NothingToBuy", ChannelAllocatingLane, Completed, "Every chunk is held already, or the content has none; nothing is owed."),
        .. Stop("Failed", Live, Errored, "The deal cannot go on; the reason is stored with it."),
        .. Stop("ClientCancelled", Live, Cancelled, "The user cancelled; no lock is open any more."),
        .. Stop("ProviderCancelled", Live, ProviderCancelled, "The provider cancelled; no lock is open any more."),
        .. Stop("DealUnknown", Attached, DealNotFound, "The provider does not know the deal; no lock is open any more."),
        new("End", Rejected, null, "The deal is over; nothing was paid."),
        new("End", Errored, null, "The deal is over; what was paid for is held."),
        new("End", Cancelled, null, "The deal is over; what was paid for is held."),
        new("End", ProviderCancelled, null, "The deal is over; what was paid for is held."),
        new("End", DealNotFound, null, "The deal is over; what was paid for is held."),
    ];

    /// <summary>The table.</summary>
    public static TransitionTable Table { get; } = new("client", Given, Added);

    internal static IEnumerable<Transition> Stop(string name, IEnumerable<DealStatus> from, DealStatus to, string when) =>
        from.Select(status => new Transition(name, status, to, when));
}
