using Lockstep.Node.Hosting;
using Lockstep.Node.Provider;
using Lockstep.Node.Storage;
using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Provider;

namespace Lockstep.Cli.Common;

/// <summary>Redeems what a home has earned: one voucher per lane, the best.</summary>
internal static class Settlement
{
    /// <summary>Says what is earned and not redeemed, if anything: settling is never automatic, so it can be forgotten.</summary>
    public static async Task WarnAsync(HomeFolder home, IRail rail, SecpKey key, Output output, CancellationToken cancellation)
    {
        if (!File.Exists(home.ProviderStorePath))
            return;
        using ProviderStore store = ProviderStore.Open(home.ProviderStorePath, TimeProvider.System);
        (TokenAmount amount, int channels) = await NewRedeemer(home, store, rail, key).CountUnredeemedAsync(cancellation).ConfigureAwait(false);
        if (!amount.IsZero)
            output.Note($"warning: {rail.Description.Currency.Format(amount)} on {channels} channel{(channels == 1 ? "" : "s")} is earned and not redeemed; it is lost if a channel is collected before. 'lockstep channel settle --all' redeems it, 'lockstep channel collect --all' pays it out later.");
    }

    /// <summary>Redeems everything worth something on every channel that the home's provider knows, or on one of them.</summary>
    /// <returns>The calls that were executed.</returns>
    public static async Task<IReadOnlyList<RailReceipt>> RedeemAsync(HomeFolder home, IRail rail, SecpKey key, ChannelId? only, CancellationToken cancellation)
    {
        if (!File.Exists(home.ProviderStorePath))
            return [];
        using ProviderStore store = ProviderStore.Open(home.ProviderStorePath, TimeProvider.System);
        Redeemer redeemer = NewRedeemer(home, store, rail, key);
        var receipts = new List<RailReceipt>();
        foreach (ChannelId channel in store.Channels().Where(channel => only is null || channel == only))
        {
            foreach (RailReceipt receipt in (await redeemer.RedeemAsync(channel, commanded: true, cancellation).ConfigureAwait(false)).Receipts)
            {
                if (receipt.Outcome is not (RailOutcome.Executed or RailOutcome.AlreadyDone))
                    throw new CliException(ExitCodes.Refused, receipt.Outcome.ToString(), $"A voucher on {channel} could not be redeemed: {receipt.Sentence}");
                receipts.Add(receipt);
            }
        }

        return receipts;
    }

    private static Redeemer NewRedeemer(HomeFolder home, ProviderStore store, IRail rail, SecpKey key)
    {
        NodeSettings settings = home.LoadSettings();
        return new Redeemer(store, rail, key, new PayeePolicy(settings.ExpiryMarginEpochs, TokenAmount.Zero), new RedeemPolicy(settings.RedeemMarginEpochs));
    }
}
