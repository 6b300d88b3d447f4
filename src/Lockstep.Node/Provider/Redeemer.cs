using Lockstep.Node.Storage;
using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;

namespace Lockstep.Node.Provider;

/// <summary>What a look at one channel led to.</summary>
/// <param name="Channel">Which channel.</param>
/// <param name="Reason">Why vouchers were redeemed; null when none was due.</param>
/// <param name="Receipts">One per call.</param>
public sealed record RedeemResult(ChannelId Channel, RedeemReason? Reason, IReadOnlyList<RailReceipt> Receipts);

/// <summary>
/// Redeems the vouchers of a store, on command or because it must be done now. Works from what is committed, so it needs no
/// running deal, and doing it twice, or from two processes, changes nothing.
/// </summary>
public sealed class Redeemer(ProviderStore store, IRail rail, SecpKey key, PayeePolicy payee, RedeemPolicy policy)
{
    /// <summary>Has the rail look after what was sent before.</summary>
    /// <exception cref="RailException">The rail cannot be asked.</exception>
    public Task TendAsync(CancellationToken cancellation) => rail.TendAsync(key, cancellation);

    /// <summary>What is earned on every channel and not yet redeemed: lost when a channel is collected before it is.</summary>
    /// <exception cref="RailException">The rail cannot be asked.</exception>
    public async Task<(TokenAmount Amount, int Channels)> CountUnredeemedAsync(CancellationToken cancellation)
    {
        (TokenAmount amount, int channels) = (TokenAmount.Zero, 0);
        foreach (ChannelId channel in store.Channels())
        {
            if (await ReadAsync(channel, cancellation).ConfigureAwait(false) is not var (book, snapshot))
                continue;
            TokenAmount owed = TokenAmount.Zero;
            foreach (RedemptionClaim claim in RedeemDuty.Decide(book, snapshot.AsOf, policy, commanded: true, keyLock => store.Find(new Bytes32(keyLock.Hash.Span))).Claims)
                owed += claim.Voucher.Amount - (snapshot.Lanes.TryGetValue(claim.Voucher.Lane, out LaneSnapshot? lane) ? lane.Redeemed : TokenAmount.Zero);
            amount += owed;
            channels += owed.IsZero ? 0 : 1;
        }

        return (amount, channels);
    }

    /// <summary>Looks at one channel and redeems what is due, or with <paramref name="commanded"/> all that is worth something.</summary>
    /// <exception cref="RailException">The rail cannot be asked; asking again later is safe.</exception>
    public async Task<RedeemResult> RedeemAsync(ChannelId channel, bool commanded, CancellationToken cancellation)
    {
        if (await ReadAsync(channel, cancellation).ConfigureAwait(false) is not var (book, snapshot))
            return new RedeemResult(channel, null, []);
        (IReadOnlyList<RedemptionClaim> claims, RedeemReason? reason) = RedeemDuty.Decide(
            book, snapshot.AsOf, policy, commanded, keyLock => store.Find(new Bytes32(keyLock.Hash.Span)));
        var receipts = new List<RailReceipt>();
        foreach (RedemptionClaim[] call in claims.Chunk(rail.Description.MaxVouchersPerRedemption))
            receipts.Add(await rail.RedeemAsync(key, channel, call, cancellation).ConfigureAwait(false));
        return new RedeemResult(channel, reason, receipts);
    }

    // A home may have sold on another rail before; its channels are none here.
    private async Task<(PayeeChannel Book, ChannelSnapshot Snapshot)?> ReadAsync(ChannelId channel, CancellationToken cancellation)
    {
        if (!rail.Vouchers.TryParseChannel(channel.Text, out _, out _) || await rail.GetChannelAsync(channel, cancellation).ConfigureAwait(false) is not { } snapshot)
            return null;
        var book = new PayeeChannel(
            rail.Vouchers, channel, rail.Vouchers.AccountOf(key), payee, store.NewestVouchers(channel, rail.Vouchers), store.LaneOwners(channel));
        book.Observe(snapshot);
        return (book, snapshot);
    }
}
