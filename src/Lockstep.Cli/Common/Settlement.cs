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
    /// <summary>Redeems everything worth something on every channel that the home's provider knows, or on one of them.</summary>
    /// <returns>The calls that were executed.</returns>
    public static async Task<IReadOnlyList<RailReceipt>> RedeemAsync(HomeFolder home, IRail rail, SecpKey key, ChannelId? only, CancellationToken cancellation)
    {
        if (!File.Exists(home.ProviderStorePath))
            return [];
        NodeSettings settings = home.LoadSettings();
        using ProviderStore store = ProviderStore.Open(home.ProviderStorePath, TimeProvider.System);
        var redeemer = new Redeemer(store, rail, key, new PayeePolicy(settings.ExpiryMarginEpochs, TokenAmount.Zero), new RedeemPolicy(settings.RedeemMarginEpochs));
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
}
