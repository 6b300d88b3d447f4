using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Provider;

namespace Lockstep.Retrieval.Tests.World;

// The money rules of docs/protocol.md section 4, held against the stores, the wire and the ledger.
internal sealed partial class DealWorld
{
    private readonly Dictionary<Bytes32, int> _lockOfChunk = [];
    private readonly List<PaymentVoucher> _lockedSent = [];

    public TokenAmount PriceOf(int chunk) => Options.Price * Manifest.Chunks[chunk].Length;

    /// <summary>A complete deal: bytes, books and ledger agree, and an honest client has its change back (I4, I7).</summary>
    public void CheckComplete(int? chunks = null)
    {
        Assert.Equal(DealStatus.Completed, ClientEnd?.Status);
        Assert.Equal(DealStatus.Completed, _provider!.Status);
        foreach (Content.Dag.SizedCid chunk in Manifest.Chunks)
            Assert.Equal(ProviderStore.Blocks.Get(chunk.Cid).Value, ClientStore.Blocks.Get(chunk.Cid).Value);
        Assert.Equal(chunks ?? Manifest.Chunks.Count, ClientStore.Client!.ChunksReceived);
        Assert.Equal(ClientStore.Client.ChunksReceived, ProviderStore.Provider!.ChunksSold);
        Assert.Equal(ClientStore.Client.BytesReceived, ProviderStore.Provider.BytesSold);
        Assert.Equal(ClientStore.Client.Paid, ProviderStore.Provider.Earned);
        TokenAmount total = Options.Price * ClientStore.Client.BytesReceived + (Options.Cold ? Options.UnsealPrice : TokenAmount.Zero);
        Assert.Equal(total, ClientStore.Client.Paid);
        Assert.Empty(ClientStore.Ciphertexts);
        CheckLedger(total);
    }

    /// <summary>After settling, the payee has exactly <paramref name="earned"/> and the payer all the rest.</summary>
    public void CheckLedger(TokenAmount earned)
    {
        SettleAll();
        Assert.Equal(earned, Ledger.PaidToPayee);
        Assert.Equal(Options.Wallet - earned, Ledger.Wallet);
    }

    private void CheckAll()
    {
        Assert.True(ClientStore.History.Count == 0 || ClientTable.Table.IsWalk(ClientStore.History), string.Join(' ', ClientStore.History));
        Assert.True(ProviderStore.History.Count == 0 || ProviderTable.Table.IsWalk(ProviderStore.History), string.Join(' ', ProviderStore.History));
        CheckClientBooks();
        CheckOffers();
        CheckCoverage();
    }

    // B1: money advances with keys, and bytes follow: what is in the books is on disk, as a block or as a ciphertext with its key.
    private void CheckClientBooks()
    {
        if (ClientStore.Client is not { } deal)
            return;
        TokenAmount unseal = ClientStore.Vouchers.Any(row => row.Purpose == VoucherPurpose.Unseal) ? deal.UnsealDue : TokenAmount.Zero;
        long bytesKeyed = 0;
        foreach (ClientChunkRow row in ClientStore.ClientChunks.Values.Where(row => row is { Key: not null, Walk.Finished: false }))
        {
            Assert.True(row.Offered!.Cid.Matches(Xor(ClientStore.Ciphertexts[row.Index].Span, row.Key!.Value.Span)), "I8: what was paid for cannot be opened");
            bytesKeyed += row.Offered.Length;
        }

        Assert.Equal((Options.Price * (deal.BytesReceived + bytesKeyed)) + unseal, deal.Paid);
        Assert.True(deal.Paid <= Proposal.Terms.MostToPay);
        TokenAmount settled = TokenAmount.Zero;
        foreach (PayerLane lane in ClientStore.Lanes.Values.SelectMany(lanes => lanes.Values))
            settled += lane.Settled;
        Assert.Equal(deal.Paid, settled);
        foreach (ClientChunkRow row in ClientStore.ClientChunks.Values.Where(row => row.Walk.Finished))
            Assert.True(ClientStore.Blocks.Get(Manifest.Chunks[row.Index].Cid).IsOk, "a finished chunk is not on disk");
    }

    // I3: a lock, so a key, belongs to one chunk of one deal.
    private void CheckOffers()
    {
        foreach (SealedWindowRow window in ProviderStore.Windows.Values)
        {
            foreach (Terms.OfferedChunk chunk in window.Offer.Offer.Chunks)
            {
                _lockOfChunk.TryAdd(chunk.Lock, chunk.Index);
                Assert.Equal(_lockOfChunk[chunk.Lock], chunk.Index);
            }
        }
    }

    // I2: all that the payee counts on is in the channel.
    private void CheckCoverage()
    {
        foreach (PayeeChannel channel in _payeeChannels.Values)
        {
            if (Ledger.Read(channel.Id, Epoch) is { } snapshot)
                Assert.True(channel.Book.Committed(snapshot, Epoch) <= snapshot.Balance, "I2: over-committed");
        }
    }

    private void NoteSent(ClientMessage message)
    {
        ClientSent.Add(message);
        if (message is not ClientMessage.LockedVoucher locked || locked.Voucher.IsEmpty)
            return;
        VoucherVerdict verdict = _scheme.Decode(locked.Voucher, Options.LockHash);
        Assert.True(verdict.Accepted);
        PaymentVoucher voucher = verdict.Voucher;
        // I8: the ciphertext, and the voucher itself, are on disk before the voucher leaves.
        Assert.True(ClientStore.Ciphertexts.ContainsKey(locked.Chunk), "I8: a voucher left before its ciphertext was stored");
        Assert.Contains(ClientStore.Vouchers, row => row.Voucher == voucher);
        Assert.NotNull(voucher.Expiry);
        // I6: nothing is bought that is held.
        Assert.False(ClientStore.Blocks.Get(Manifest.Chunks[locked.Chunk].Cid).IsOk, "I6: a held chunk was bought");
        // I5 and I1: every earlier lock of the lane has its key in the client's hands, or is dead.
        foreach (PaymentVoucher earlier in _lockedSent.Where(other => other.Lane == voucher.Lane && other.Channel == voucher.Channel && other.Nonce < voucher.Nonce))
        {
            bool held = ClientStore.ClientChunks.Values.Any(row => row is { Key: not null, Offered: { } offered } && earlier.Lock!.Hash.Span.SequenceEqual(offered.Lock.Span));
            bool dead = Epoch > earlier.Expiry!.Value + Options.Finality && Ledger.Redemptions.All(entry => entry.Redemption.Voucher != earlier.Key);
            Assert.True(held || dead, "I5: a lane got a second lock");
        }
        _lockedSent.Add(voucher);
        int open = _lockedSent.Select(other => other.Lane).Distinct().Count();
        Assert.True(open <= Options.OpenLocks, "more lanes than agreed");
    }

    // I2: a key leaves only behind a stored voucher that pays for its chunk.
    private void CheckReveal(ProviderMessage.KeyReveal reveal)
    {
        if (Options.Price.IsZero)
            return;
        Assert.Contains(ProviderStore.Vouchers, row => row.Chunk == reveal.Chunk && row.Purpose == VoucherPurpose.Locked
            && row.Voucher.Lock!.OpensWith(reveal.Key.Span));
    }
}
