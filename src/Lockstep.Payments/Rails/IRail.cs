using Lockstep.Payments.Keys;

namespace Lockstep.Payments.Rails;

/// <summary>
/// A ledger that channels live on: the embedded local ledger, an EVM or FEVM chain, Filecoin's own payment-channel actor.
/// Refusals by the ledger's rules come back as receipts; only a rail that cannot be reached or read throws
/// <see cref="RailException"/>. Every call may be repeated safely: nothing is paid twice.
/// </summary>
public interface IRail
{
    RailDescription Description { get; }

    IVoucherScheme Vouchers { get; }

    /// <summary>The newest epoch.</summary>
    Task<Epoch> GetHeadAsync(CancellationToken cancellationToken);

    /// <summary>What an account can spend; zero for an account the rail has never seen.</summary>
    Task<TokenAmount> GetBalanceAsync(AccountId account, CancellationToken cancellationToken);

    /// <summary>The channel, or null when the rail has none of that name (never opened, collected, or something else).</summary>
    Task<ChannelSnapshot?> GetChannelAsync(ChannelId channel, CancellationToken cancellationToken);

    /// <summary>All channels in which the account is payer or payee, oldest first.</summary>
    Task<IReadOnlyList<ChannelSnapshot>> FindChannelsAsync(AccountId party, CancellationToken cancellationToken);

    /// <summary>Opens a channel from the key's account to <paramref name="payee"/> and pays <paramref name="amount"/> in.</summary>
    Task<OpenChannelReceipt> OpenChannelAsync(
        SecpKey payer, AccountId payee, TokenAmount amount, LockHashKind lockHash, CancellationToken cancellationToken);

    /// <summary>Pays more into a channel. Anyone may.</summary>
    Task<RailReceipt> TopUpAsync(SecpKey sender, ChannelId channel, TokenAmount amount, CancellationToken cancellationToken);

    /// <summary>
    /// Redeems vouchers of one channel, at most <see cref="RailDescription.MaxVouchersPerRedemption"/>. The secrets are
    /// public from this moment on, whatever the outcome (filecoin.md 6b): check first.
    /// </summary>
    Task<RailReceipt> RedeemAsync(
        SecpKey payee, ChannelId channel, IReadOnlyList<RedemptionClaim> claims, CancellationToken cancellationToken);

    /// <summary>Starts the settling period. Either party may, once.</summary>
    Task<RailReceipt> SettleAsync(SecpKey party, ChannelId channel, CancellationToken cancellationToken);

    /// <summary>Pays out a channel whose settling period is over, and removes it. Either party may.</summary>
    Task<RailReceipt> CollectAsync(SecpKey party, ChannelId channel, CancellationToken cancellationToken);

    /// <summary>
    /// Redemptions executed on a channel after a place in its history, with the secrets they made public. Works for a
    /// collected channel too.
    /// </summary>
    Task<RedemptionPage> ReadRedemptionsAsync(ChannelId channel, RedemptionCursor since, CancellationToken cancellationToken);
}
