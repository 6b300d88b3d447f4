using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;

namespace Lockstep.Retrieval.Provider;

/// <summary>When a payee redeems without being asked. All spans are in epochs of the rail.</summary>
/// <param name="RedeemMargin">A lock that expires within this many epochs is redeemed.</param>
public sealed record RedeemPolicy(long RedeemMargin = 120);

/// <summary>Why vouchers are to be redeemed.</summary>
public enum RedeemReason
{
    /// <summary>A lock is about to expire and no unlocked voucher replaced it.</summary>
    LockExpiring,

    /// <summary>The channel is being settled; what is not redeemed by its end is lost.</summary>
    Settling,

    /// <summary>The operator asked.</summary>
    Commanded,
}

/// <summary>
/// Decides which vouchers of a channel must be redeemed now (docs/protocol.md section 3, Watching the chain, and section 4, I7). It concerns
/// channels, not deals: a deal may be over, and its client gone, while a lock still waits to be redeemed.
/// </summary>
public static class RedeemDuty
{
    /// <summary>The claims for one redemption call, best voucher per lane, or none. What is redeemed already never comes back.</summary>
    /// <param name="commanded">True when the operator asked to redeem everything.</param>
    /// <param name="findKey">The key of a lock whose voucher is stored; null when it is not known.</param>
    public static (IReadOnlyList<RedemptionClaim> Claims, RedeemReason? Reason) Decide(
        PayeeChannel channel, Epoch now, RedeemPolicy policy, bool commanded, Func<HashLock, ReadOnlyMemory<byte>?> findKey)
    {
        if (channel.Snapshot is not { } snapshot || (snapshot.SettlingAt is { } end && now >= end))
            return ([], null);
        IEnumerable<RedemptionClaim> claims = channel.Book.BestClaims(snapshot, now, findKey);
        RedeemReason? reason = snapshot.IsSettling ? RedeemReason.Settling : commanded ? RedeemReason.Commanded : null;
        if (reason is null)
        {
            claims = claims.Where(claim => claim.Voucher.Expiry is { } expiry && expiry <= now + policy.RedeemMargin);
            reason = RedeemReason.LockExpiring;
        }
        // The batch that stores a locked voucher lets its key go, so redeeming late shows nothing that was not out.
        RedemptionClaim[] due = [.. claims];
        return due.Length == 0 ? ([], null) : (due, reason);
    }
}
