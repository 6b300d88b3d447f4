using Dapper;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;
using Microsoft.Data.Sqlite;

namespace Lockstep.Node.Storage;

/// <summary>
/// What a seller must not forget: its deals, the vouchers that are its money, and every seal with its key, recorded as
/// offered before a byte of it is sent (I3). Keys lie in clear; the file is its owner's alone.
/// </summary>
public sealed partial class ProviderStore : IDealStore, ISealRegistry, IKeyVault, IDisposable
{
    // The statuses of deals that are over, as SQL lists them.
    private static readonly string Over = string.Join(", ", Enum.GetValues<DealStatus>().Where(ProviderTable.Table.IsTerminal).Select(status => (int)status));

    private readonly StoreFile _file;
    private readonly WindowFiles _sealed;
    private readonly string _path;
    private readonly TimeProvider _time;

    private ProviderStore(StoreFile file, WindowFiles windows, string path, TimeProvider time) => (_file, _sealed, _path, _time) = (file, windows, path, time);

    /// <summary>Opens or makes the store.</summary>
    /// <param name="path">The file. The bytes of sealed windows lie in the folder <c>sealed</c> beside it.</param>
    /// <param name="time">For the times of changes.</param>
    /// <exception cref="NodeException">The file cannot be used.</exception>
    public static ProviderStore Open(string path, TimeProvider time)
    {
        var windows = new WindowFiles(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "sealed"), isReadSoon: true);
        var store = new ProviderStore(StoreFile.Open(path, StoreSchema.ProviderId, StoreSchema.Provider), windows, path, time);
        try
        {
            store.MoveBytesToFiles();
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Task CommitAsync(IReadOnlyList<StoreWrite> batch, CancellationToken cancellationToken)
    {
        DateTimeOffset now = _time.GetUtcNow();
        _file.Write(transaction =>
        {
            foreach (StoreWrite write in StoreBatch.Settle(batch))
                Put(transaction, write, now);
        });
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public bool Knows(Bytes32 sealId, Bytes32 keyLock) => _file.Read(connection => StoreRows.KnowsSeal(connection, sealId, keyLock));

    /// <inheritdoc/>
    public ReadOnlyMemory<byte>? Find(Bytes32 keyLock) => _file.Read(connection => connection.Select(
        _path, "SELECT key FROM sealed_chunks WHERE lock = @keyLock AND length(key) > 0", new { keyLock = keyLock.Memory.ToArray() },
        row => (ReadOnlyMemory<byte>?)row.Blob("key"))).SingleOrDefault();

    /// <summary>All deals, newest first.</summary>
    public IReadOnlyList<StoredDeal<ProviderDealRow>> ListDeals() => _file.Read(connection => connection.Select(
        _path, "SELECT * FROM deals JOIN proposals USING (deal_id) ORDER BY created_ms DESC, deal_id", null, ReadDeal));

    /// <summary>One deal, or null.</summary>
    public StoredDeal<ProviderDealRow>? FindDeal(DealId deal) => _file.Read(connection => connection.Select(
        _path, "SELECT * FROM deals JOIN proposals USING (deal_id) WHERE deal_id = @deal", new { deal = deal.Key() }, ReadDeal)).SingleOrDefault();

    /// <summary>All statuses that a deal passed through, in order.</summary>
    public IReadOnlyList<StatusEntry> History(DealId deal) => _file.Read(connection => connection.Select(
        _path, "SELECT * FROM status_history WHERE deal_id = @deal ORDER BY sequence", new { deal = deal.Key() },
        row => new StatusEntry(row.Status("status"), row.Time("at_ms"))));

    /// <summary>What is needed to go on with a deal; null when there is no such deal.</summary>
    public ProviderDealSnapshot? Load(DealId deal)
    {
        if (FindDeal(deal) is not { Row: var row })
            return null;
        return _file.Read(connection =>
        {
            var key = new { deal = deal.Key(), oldest = row.OldestKept < 0 ? int.MaxValue : row.OldestKept };
            WantedChunks? wanted = connection.Select(_path, "SELECT * FROM wanted WHERE deal_id = @deal", key, ClientStore.ReadWanted).SingleOrDefault();
            List<ProviderChunkRow> chunks = connection.Select(
                _path, "SELECT * FROM chunks WHERE deal_id = @deal AND chunk >= @oldest ORDER BY chunk", key, chunk => ReadChunk(chunk, deal));
            return new ProviderDealSnapshot(row, wanted, chunks);
        });
    }

    /// <summary>The row of one chunk, finished or not; null when it has none.</summary>
    public ProviderChunkRow? FindChunk(DealId deal, int chunk) => _file.Read(connection => connection.Select(
        _path, "SELECT * FROM chunks WHERE deal_id = @deal AND chunk = @chunk", new { deal = deal.Key(), chunk }, row => ReadChunk(row, deal))).SingleOrDefault();

    /// <summary>All channels on which vouchers are held.</summary>
    public IReadOnlyList<ChannelId> Channels() => _file.Read(connection => connection.Select(
        _path, "SELECT DISTINCT channel FROM vouchers ORDER BY channel", null, row => new ChannelId(row.Text("channel"))));

    /// <summary>Every voucher held on a channel. Each is decoded, its signer recovered: about a millisecond a voucher.</summary>
    public IReadOnlyList<VoucherRow> Vouchers(ChannelId channel, IVoucherScheme scheme) =>
        SelectVouchers("SELECT * FROM vouchers WHERE channel = @channel ORDER BY lane, nonce", new { channel = channel.Text }, scheme);

    /// <summary>Of every lane of a channel the newest voucher with a lock and the newest without: all that can be worth redeeming.</summary>
    internal IReadOnlyList<VoucherRow> NewestVouchers(ChannelId channel, IVoucherScheme scheme) => SelectVouchers(
        """
        SELECT * FROM vouchers WHERE rowid IN (
            SELECT id FROM (
                SELECT rowid AS id, row_number() OVER (PARTITION BY lane, purpose = @locked ORDER BY nonce < 0 DESC, nonce DESC) AS age
                FROM vouchers WHERE channel = @channel)
            WHERE age = 1)
        """,
        new { channel = channel.Text, locked = (int)VoucherPurpose.Locked }, scheme);

    /// <summary>The vouchers that a deal was paid with.</summary>
    internal IReadOnlyList<VoucherRow> VouchersOf(DealId deal, IVoucherScheme scheme) =>
        SelectVouchers("SELECT * FROM vouchers WHERE deal_id = @deal ORDER BY lane, nonce", new { deal = deal.Key() }, scheme);

    /// <summary>Whose the lanes of a channel are.</summary>
    public IReadOnlyList<LaneOwnerRow> LaneOwners(ChannelId channel) => _file.Read(connection => connection.Select(
        _path, "SELECT * FROM lane_owners WHERE channel = @channel", new { channel = channel.Text },
        row => new LaneOwnerRow(channel, row.Lane("lane"), row.Deal())));

    /// <summary>Deals on a rail that are over, with the channel that each is paid from; not those whose chunks are free, whose keys are anyone's.</summary>
    internal IReadOnlyList<(DealId Deal, ChannelId? Channel)> EndedDeals(string railId) => _file.Read(connection => connection.Select(
        _path,
        $"SELECT deal_id, channel FROM deals JOIN proposals USING (deal_id) WHERE rail = @railId AND price_per_byte <> '0' AND status IN ({Over})",
        new { railId },
        row => (row.Deal(), row.ChannelOrNull("channel"))));

    /// <summary>The chunks of a deal whose keys are here.</summary>
    internal HashSet<int> ChunksWithKeys(DealId deal) => [.. _file.Read(connection => connection.Select(
        _path, "SELECT DISTINCT chunk FROM sealed_chunks WHERE deal_id = @deal AND length(key) > 0", new { deal = deal.Key() }, row => row.Int("chunk")))];

    /// <summary>Overwrites keys of a deal that is over. Locks and seal ids stay, so that neither is ever used again (I3).</summary>
    internal void PruneKeys(DealId deal, IReadOnlyCollection<int> chunks) => _file.Write(transaction =>
    {
        foreach (int chunk in chunks)
        {
            transaction.Execute(
                $"UPDATE sealed_chunks SET key = x'' WHERE deal_id = @deal AND chunk = @chunk AND (SELECT status FROM deals WHERE deal_id = @deal) IN ({Over})",
                new { deal = deal.Key(), chunk });
        }
    });

    /// <summary>Moves the write-ahead log into the store and empties it: what was overwritten is in neither any more.</summary>
    internal void EmptyLog() => _file.EmptyLog();

    public void Dispose() => _file.Dispose();

    private List<VoucherRow> SelectVouchers(string sql, object arguments, IVoucherScheme scheme) => _file.Read(connection => connection.Select(
        _path, sql, arguments,
        row => new VoucherRow(
            row.Deal(), DealSide.Provider, row.Has("chunk") ? row.Int("chunk") : null, (VoucherPurpose)row.Int("purpose"),
            row.Voucher(scheme, "encoded", (LockHashKind)row.Int("lock_hash")))));

    private static ProviderChunkRow ReadChunk(StoredRow row, DealId deal) => new(
        deal, row.Int("chunk"), row.Walk(), row.Int("window"), row.OfferedOrNull(),
        row.Has("voucher_channel") ? new VoucherKey(new ChannelId(row.Text("voucher_channel")), row.Lane("voucher_lane"), row.Nonce("voucher_nonce")) : null);

    private static StoredDeal<ProviderDealRow> ReadDeal(StoredRow row) => new(
        new ProviderDealRow
        {
            Signed = row.Proposal(),
            Status = row.Status("status"),
            StatusCount = row.Int("status_count"),
            Content = row.Summary(),
            UnsealDue = row.Amount("unseal_due"),
            UnsealPaid = row.Flag("unseal_paid"),
            Channel = row.ChannelOrNull("channel"),
            Lanes = row.Lanes("lanes"),
            Earned = row.Amount("earned"),
            BytesSold = row.Long("bytes_sold"),
            ChunksSold = row.Int("chunks_sold"),
            NextWindow = row.Int("next_window"),
            OldestChunk = row.Int("oldest_chunk"),
            OldestKept = row.Int("oldest_kept"),
            Sentence = row.TextOrNull("sentence"),
        },
        row.Time("created_ms"),
        row.Time("updated_ms"));

    private void Put(StoreTransaction transaction, StoreWrite write, DateTimeOffset now)
    {
        switch (write)
        {
            case ProviderDealRow deal:
                PutDeal(transaction, deal, now);
                break;
            case StatusRow status:
                StoreRows.PutStatus(transaction, status, now);
                break;
            case WantedRow wanted:
                StoreRows.PutWanted(transaction, wanted.DealId, wanted.Wanted);
                break;
            case ProviderChunkRow chunk:
                PutChunk(transaction, chunk);
                break;
            case SealedWindowRow window:
                PutWindow(transaction, window);
                break;
            case VoucherRow voucher:
                StoreRows.PutVoucher(
                    transaction, voucher.DealId, voucher.Chunk, (int)voucher.Purpose,
                    ClientStore.LockHashOf(transaction, voucher.DealId), voucher.Voucher);
                break;
            case SealRow seal:
                StoreRows.PutSeal(transaction, seal.DealId, seal.SealId, seal.Lock);
                break;
            case LaneOwnerRow owner:
                transaction.Execute(
                    "INSERT OR REPLACE INTO lane_owners VALUES (@channel, @lane, @deal)",
                    new { channel = owner.Channel.Text, lane = (long)owner.Lane.Value, deal = owner.DealId.Key() });
                break;
            default:
                throw new NotSupportedException($"A provider's store has no place for a {write.GetType().Name}.");
        }
    }

    private static void PutDeal(StoreTransaction transaction, ProviderDealRow deal, DateTimeOffset now)
    {
        StoreRows.PutProposal(transaction, deal.Signed);
        transaction.Execute(
            """
            INSERT INTO deals VALUES (
                @deal, @status, @count, @size, @chunks, @links, @cold, @unsealDue, @unsealPaid, @channel, @lanes, @earned, @sold, @chunksSold,
                @next, @oldest, @kept, @sentence, @now, @now)
            ON CONFLICT (deal_id) DO UPDATE SET
                status = excluded.status, status_count = excluded.status_count, content_size = excluded.content_size,
                content_chunks = excluded.content_chunks, content_links = excluded.content_links, content_cold = excluded.content_cold,
                unseal_due = excluded.unseal_due, unseal_paid = excluded.unseal_paid, channel = excluded.channel, lanes = excluded.lanes,
                earned = excluded.earned, bytes_sold = excluded.bytes_sold, chunks_sold = excluded.chunks_sold,
                next_window = excluded.next_window, oldest_chunk = excluded.oldest_chunk, oldest_kept = excluded.oldest_kept,
                sentence = excluded.sentence, updated_ms = excluded.updated_ms
            """,
            new
            {
                deal = deal.DealId.Key(),
                status = (int)deal.Status,
                count = deal.StatusCount,
                size = deal.Content.Size,
                chunks = deal.Content.ChunkCount,
                links = deal.Content.LinkBlockCount,
                cold = deal.Content.Cold,
                unsealDue = deal.UnsealDue.ToString(),
                unsealPaid = deal.UnsealPaid,
                channel = deal.Channel?.Text,
                lanes = StoreRows.Join(deal.Lanes),
                earned = deal.Earned.ToString(),
                sold = deal.BytesSold,
                chunksSold = deal.ChunksSold,
                next = deal.NextWindow,
                oldest = deal.OldestChunk,
                kept = deal.OldestKept,
                sentence = deal.Sentence,
                now = now.ToUnixTimeMilliseconds(),
            });
    }

    private static void PutChunk(StoreTransaction transaction, ProviderChunkRow chunk) => transaction.Execute(
        """
        INSERT OR REPLACE INTO chunks VALUES (
            @deal, @chunk, @statuses, @finished, @window, @cid, @length, @sealId, @keyLock, @nonce, @counter, @channel, @lane, @voucher)
        """,
        new
        {
            deal = chunk.DealId.Key(),
            chunk = chunk.Index,
            statuses = StoreRows.Statuses(chunk.Walk),
            finished = chunk.Walk.Finished,
            window = chunk.Window,
            cid = chunk.Offered?.Cid.ToBytes(),
            length = chunk.Offered?.Length,
            sealId = chunk.Offered?.SealId.Memory.ToArray(),
            keyLock = chunk.Offered?.Lock.Memory.ToArray(),
            nonce = chunk.Offered?.Nonce.ToArray(),
            counter = (long?)chunk.Offered?.FirstCounter,
            channel = chunk.Voucher?.Channel.Text,
            lane = (long?)chunk.Voucher?.Lane.Value,
            voucher = chunk.Voucher is { } key ? StoreRows.Signed(key.Nonce) : (long?)null,
        });
}
