using Lockstep.Payments.Keys;

namespace Lockstep.Payments.Rails;

/// <summary>
/// A ledger that channels live on: the embedded local ledger, an EVM or FEVM chain, Filecoin's own payment-channel actor.
/// Refusals by the ledger's rules come back as receipts; only a rail that cannot be reached or read throws
/// <see cref="RailException"/>. Redeeming, settling and collecting may be repeated safely; after a crash around opening or
/// topping up, look first (<see cref="FindChannelsAsync"/>).
/// </summary>
public interface IRail : IDisposable
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
    /// Redeems vouchers of one channel, at most <see cref="RailDescription.MaxVouchersPerRedemption"/>. A rail runs its rules
    /// before it sends anything and sends nothing that they refuse; once sent, the secrets are public whatever becomes of
    /// the call (docs/filecoin.md section 6, b).
    /// </summary>
    Task<RailReceipt> RedeemAsync(
        SecpKey payee, ChannelId channel, IReadOnlyList<RedemptionClaim> claims, CancellationToken cancellationToken);

    /// <summary>Starts the settling period. Either party may, once.</summary>
    Task<RailReceipt> SettleAsync(SecpKey party, ChannelId channel, CancellationToken cancellationToken);

    /// <summary>Pays out a channel whose settling period is over, and removes it. Either party may.</summary>
    Task<RailReceipt> CollectAsync(SecpKey party, ChannelId channel, CancellationToken cancellationToken);

    /// <summary>
    /// Redemptions executed on a channel after a place in its history, oldest first, with the secrets they made public. One
    /// page at a time: an empty page is the end. Works for a collected channel too.
    /// </summary>
    Task<RedemptionPage> ReadRedemptionsAsync(ChannelId channel, RedemptionCursor since, CancellationToken cancellationToken);

    /// <summary>
    /// Looks after what was sent from an account: what a reorganisation has undone is sent again. Asked now and then by whoever
    /// watches the rail; nothing to do where nothing is ever undone.
    /// </summary>
    Task TendAsync(SecpKey key, CancellationToken cancellationToken) => Task.CompletedTask;
}
