using Lockstep.Node.Hosting;
using Lockstep.Node.Identity;
using Lockstep.Node.Runtime;
using Lockstep.Node.Storage;
using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;

namespace Lockstep.Node.Provider;

/// <summary>A seller's deals while nobody serves them.</summary>
public static class SoldDeals
{
    /// <summary>
    /// Cancels a deal for its seller, from any status that is not an end. Its vouchers are still redeemed and its closing
    /// vouchers still taken; the buyer is told when it comes back, and keeps what it paid for.
    /// </summary>
    /// <param name="options">Names the home, the rail and the wallet; nothing is listened on.</param>
    /// <param name="deal">Which deal.</param>
    /// <param name="cancellation">Ends the wait for the rail.</param>
    /// <returns>The deal as it ended.</returns>
    /// <exception cref="NodeException">There is no such deal, it is over, or a seller is at work on the home.</exception>
    /// <exception cref="RailException">The rail cannot be asked.</exception>
    public static async Task<ProviderDealRow> CancelAsync(ProviderOptions options, DealId deal, CancellationToken cancellation)
    {
        using IDisposable homeLock = Acquire(options.Home, deal);
        using NodeIdentity identity = options.Home.LoadProviderIdentity();
        using var store = ProviderStore.Open(options.Home.ProviderStorePath, options.Time);
        if (store.Load(deal) is not { } stored)
            throw new NodeException(NodeFault.NotFound, $"There is no deal {deal} that this home sells.");
        if (ProviderTable.Table.IsTerminal(stored.Deal.Status))
            throw new NodeException(NodeFault.NotFound, $"The deal {deal} is over already ({stored.Deal.Status.FullName()}).");

        AccountId account = options.Rail.Vouchers.AccountOf(options.Wallet);
        var payee = new PayeePolicy(options.Settings.ExpiryMarginEpochs, TokenAmount.Zero);
        var channels = new PayeeChannels(store, options.Rail.Vouchers, account, payee);
        var context = new ProviderContext(new ProviderIdentity(identity), channels, options.Rail.Vouchers, store, store, options.Policy);
        Epoch head = await options.Rail.GetHeadAsync(cancellation).ConfigureAwait(false);
        var engine = ProviderDeal.Restore(context, stored);

        // Nobody is connected, so what is to be done besides storing is for nobody.
        DealStep<ProviderEffect> step = engine.Step(new ProviderEvent.CancelRequested(ProviderNode.CancelSentence), new Moment(TimeSpan.Zero, head));
        await store.CommitAsync(step.Batch, CancellationToken.None).ConfigureAwait(false);
        store.DropDelivered(deal, int.MaxValue);
        return engine.Row;
    }

    private static IDisposable Acquire(HomeFolder home, DealId deal)
    {
        try
        {
            return home.Acquire(HomeRole.Serve);
        }
        catch (NodeException fault) when (fault.Fault == NodeFault.HomeInUse)
        {
            throw new NodeException(
                NodeFault.HomeInUse,
                $"The deal {deal} is in the hands of the `serve` that works on the home {home.Folder}; stop that, cancel the deal, and start it again.", fault);
        }
    }
}
