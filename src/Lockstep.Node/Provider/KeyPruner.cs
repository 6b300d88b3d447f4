using Lockstep.Node.Storage;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Node.Provider;

/// <summary>
/// Deletes keys that nobody can need any more: of deals that are over, those of chunks that no voucher pays for, and those
/// whose every locked voucher is done with on the rail for good. Such a voucher is redeemed, or its lane was redeemed beyond
/// it (its payer signs on only with the key in hand, I5), or it has expired. Seal ids and locks stay, so nothing is offered
/// twice (I3). Works from what is committed; doing it twice changes nothing.
/// </summary>
internal sealed class KeyPruner(ProviderStore store, IRail rail)
{
    private readonly HashSet<DealId> _clean = [];

    /// <summary>Looks at every deal that is over.</summary>
    /// <returns>Chunks whose keys were deleted.</returns>
    /// <exception cref="RailException">The rail cannot be asked; nothing it was needed for is deleted.</exception>
    public async Task<int> PruneAsync(CancellationToken cancellation)
    {
        // Only what was final when the look began counts as done.
        Epoch final = await rail.GetHeadAsync(cancellation).ConfigureAwait(false) - rail.Description.FinalityEpochs;
        var redeemed = new Dictionary<ChannelId, Dictionary<LaneId, Nonce>>();
        int pruned = 0;

        // Deals of another ledger are left alone: here their vouchers would look as if they were never redeemed.
        foreach ((DealId deal, ChannelId? paidFrom) in store.EndedDeals(rail.Description.Id))
        {
            if (_clean.Contains(deal))
                continue;
            HashSet<int> chunks = store.ChunksWithKeys(deal);
            int held = chunks.Count;
            if (held > 0 && paidFrom is { } channel)
            {
                if (!redeemed.TryGetValue(channel, out Dictionary<LaneId, Nonce>? nonces))
                    redeemed.Add(channel, nonces = await RedeemedAsync(channel, final, cancellation).ConfigureAwait(false));
                foreach (VoucherRow row in store.VouchersOf(deal, rail.Vouchers).Where(row => row.Voucher.IsLocked))
                {
                    bool isDone = row.Voucher.IsExpired(final) || (nonces.TryGetValue(row.Voucher.Lane, out Nonce nonce) && nonce >= row.Voucher.Nonce);
                    if (!isDone)
                        chunks.Remove(row.Chunk!.Value);
                }
            }

            if (chunks.Count > 0)
                store.PruneKeys(deal, chunks);
            if (chunks.Count == held)
                _clean.Add(deal);
            pruned += chunks.Count;
        }

        if (pruned > 0)
            store.EmptyLog();
        return pruned;
    }

    // The highest nonce of each lane whose redemption is final; known of collected channels too.
    private async Task<Dictionary<LaneId, Nonce>> RedeemedAsync(ChannelId channel, Epoch final, CancellationToken cancellation)
    {
        var nonces = new Dictionary<LaneId, Nonce>();
        RedemptionCursor cursor = RedemptionCursor.Start;
        while (true)
        {
            RedemptionPage page = await rail.ReadRedemptionsAsync(channel, cursor, cancellation).ConfigureAwait(false);
            if (page.Redemptions.Count == 0)
                return nonces;
            foreach (Redemption redemption in page.Redemptions.Where(redemption => redemption.Epoch <= final))
            {
                if (nonces.GetValueOrDefault(redemption.Voucher.Lane) < redemption.Voucher.Nonce)
                    nonces[redemption.Voucher.Lane] = redemption.Voucher.Nonce;
            }

            cursor = page.Next;
        }
    }
}
