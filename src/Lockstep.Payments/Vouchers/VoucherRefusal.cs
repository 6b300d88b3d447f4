namespace Lockstep.Payments.Vouchers;

/// <summary>Why a payee does not take a voucher: one value for each check of its acceptance list (docs/filecoin.md section 6).</summary>
public enum VoucherRefusalReason
{
    /// <summary>The bytes are no voucher.</summary>
    Malformed,

    /// <summary>The bytes decode, but there is a shorter or other form of the same voucher.</summary>
    NotCanonical,

    /// <summary>No signature.</summary>
    Unsigned,

    /// <summary>A signature of another type, with high S, or from which no key can be recovered.</summary>
    BadSignature,

    /// <summary>It names a call to another actor, which could fail when it is redeemed.</summary>
    HasExtra,

    /// <summary>It merges other lanes.</summary>
    HasMerges,

    /// <summary>It cannot be redeemed at once.</summary>
    HasStartTime,

    /// <summary>It would keep the channel from being collected.</summary>
    HasMinSettleHeight,

    /// <summary>Its lock is not 32 bytes.</summary>
    BadLockLength,

    /// <summary>It is for another channel.</summary>
    WrongChannel,

    /// <summary>A party of the channel is a contract.</summary>
    PartyNotAccount,

    /// <summary>The channel pays someone else.</summary>
    WrongPayee,

    /// <summary>The channel is being settled.</summary>
    ChannelSettling,

    /// <summary>The channel's payer did not sign it.</summary>
    WrongSigner,

    /// <summary>It is for another lane than the one agreed, or for a lane that no channel has.</summary>
    WrongLane,

    /// <summary>An unlocked voucher was needed, or its lock is not the one offered.</summary>
    WrongLock,

    /// <summary>It lapses too soon to be redeemed safely.</summary>
    ExpiryTooNear,

    /// <summary>Its nonce was used on the lane before, or closes the lane.</summary>
    NonceNotRaised,

    /// <summary>The lane's last lock is still open.</summary>
    LaneHasOpenLock,

    /// <summary>The lane has nothing this unlocked voucher could replace.</summary>
    NothingToUnlock,

    /// <summary>It does not pay the agreed amount on top of what the lane already pays.</summary>
    WrongAmount,

    /// <summary>The channel's balance does not cover it together with all other lanes.</summary>
    NotCovered,
}

/// <summary>A refusal: the failed check and one sentence for people.</summary>
public sealed record VoucherRefusal(VoucherRefusalReason Reason, string Sentence);
