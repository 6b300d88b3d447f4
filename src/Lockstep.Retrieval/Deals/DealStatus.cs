namespace Lockstep.Retrieval.Deals;

/// <summary>
/// Every status that a deal can have on either side. The full name, as users see and scripts read it, has the prefix
/// <c>DealStatus</c>: see <see cref="DealStatusNames"/>. The numbers are stored and sent; they never change.
/// </summary>
public enum DealStatus
{
    New = 1,
    WaitAcceptance = 2,
    Accepted = 3,
    PaymentChannelCreating = 4,
    ChannelAllocatingLane = 5,
    Ongoing = 6,
    WaitingBlock = 7,
    VerifyProofs = 8,
    SendFunds = 9,
    CheckFunds = 10,
    BlockComplete = 11,
    Completed = 12,
    Unsealing = 13,
    Unsealed = 14,
    Encrypt = 15,
    GenerateProof = 16,
    FundsNeeded = 17,
    RevealKey = 18,
    Rejected = 19,
    Errored = 20,
    Cancelled = 21,
    ProviderCancelled = 22,
    DealNotFound = 23,
    InsufficientFunds = 24,
    FundsNeededUnseal = 25,
    WaitingKeyOnChain = 26,
}

/// <summary>The names that users see.</summary>
public static class DealStatusNames
{
    private const string Prefix = "DealStatus";

    /// <summary>The full name, as in <c>DealStatusOngoing</c>.</summary>
    public static string FullName(this DealStatus status) => Prefix + status;

    /// <summary>Reads a full name. Numbers and other spellings are refused.</summary>
    public static bool TryParse(string? name, out DealStatus status)
    {
        status = default;
        return name is not null
            && name.StartsWith(Prefix, StringComparison.Ordinal)
            && char.IsAsciiLetterUpper(name.ElementAtOrDefault(Prefix.Length))
            && Enum.TryParse(name.AsSpan(Prefix.Length), ignoreCase: false, out status)
            && name == status.FullName() && Enum.IsDefined(status);
    }
}
