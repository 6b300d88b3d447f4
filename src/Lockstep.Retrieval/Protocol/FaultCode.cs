namespace Lockstep.Retrieval.Protocol;

/// <summary>What kind of thing went wrong between two peers; every fault also carries one sentence. The numbers are those of the wire.</summary>
public enum FaultCode
{
    BadMessage = 1,
    DealNotFound = 2,
    ContentNotFound = 3,
    PriceChanged = 4,
    OverLimit = 5,
    InsufficientFunds = 6,
    TermsRefused = 7,
    BadSignature = 8,
    Busy = 9,
    VoucherRefused = 10,
    UnsealFailed = 11,
    Cancelled = 12,
    Internal = 13,
    ProposalExpired = 14,
    ChannelUnusable = 15,
}

/// <summary>A refusal: its kind for programs, one sentence for people.</summary>
public sealed record Refusal(FaultCode Code, string Sentence);
