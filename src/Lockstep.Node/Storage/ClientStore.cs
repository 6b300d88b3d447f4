using System.Collections.Concurrent;
using Dapper;
using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Microsoft.Data.Sqlite;

namespace Lockstep.Node.Storage;

/// <summary>What a buyer must not forget: its deals, chunks, vouchers, lanes, and the ciphertexts it may have to open late (I8).</summary>
public sealed partial class ClientStore : IDealStore, ISealRegistry, IDisposable
{
    private readonly StoreFile _file;
    private readonly WindowFiles _windows;
    private readonly string _path;
    private readonly BlockStore? _blocks;
    private readonly TimeProvider _time;

    // Blocks that are on the disk already when the batch comes that names them.
    private readonly ConcurrentDictionary<Cid, bool> _blocksPut = new();

    private ClientStore(StoreFile file, WindowFiles windows, string path, BlockStore? blocks, TimeProvider time) =>
        (_file, _windows, _path, _blocks, _time) = (file, windows, path, blocks, time);

    /// <summary>Opens or makes the store.</summary>
    /// <param name="path">The file. The bytes of ciphertexts lie in the folder <c>ciphertexts</c> beside it.</param>
    /// <param name="blocks">Where bought blocks go; null to look only.</param>
    /// <param name="time">For the times of changes.</param>
    /// <exception cref="NodeException">The file cannot be used.</exception>
    public static ClientStore Open(string path, BlockStore? blocks, TimeProvider time)
    {
        var windows = new WindowFiles(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "ciphertexts"), isReadSoon: false);
        var store = new ClientStore(StoreFile.Open(path, StoreSchema.ClientId, StoreSchema.Client), windows, path, blocks, time);
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
        // Blocks first: a row that says that a chunk was received must never stand alone (I8).
        foreach (BlockWrite block in batch.OfType<BlockWrite>())
        {
            if (!_blocksPut.TryRemove(block.Cid, out _))
                Require(Blocks.Put(block.Cid, block.Data.Span));
        }

        DateTimeOffset now = _time.GetUtcNow();
        WriteCiphertexts(batch);
        var emptied = new List<string>();
        _file.Write(transaction =>
        {
            foreach (StoreWrite write in StoreBatch.Settle(batch))
                Put(transaction, write, now, emptied);
        });
        NotePlaces(batch);
        emptied.ForEach(_windows.Delete);
        return Task.CompletedTask;
    }

    /// <summary>Writes a block whose digest was checked to the disk ahead of the batch that says that it was received. Safe for concurrent use.</summary>
    /// <exception cref="NodeException">It cannot be written.</exception>
    internal void PutOpenedBlock(Cid cid, ReadOnlyMemory<byte> block)
    {
        Require(Blocks.PutVerified(cid, block.Span));
        _blocksPut[cid] = true;
    }

    /// <inheritdoc/>
    public bool Knows(Bytes32 sealId, Bytes32 keyLock) => _file.Read(connection => StoreRows.KnowsSeal(connection, sealId, keyLock));

    /// <summary>All deals, newest first.</summary>
    public IReadOnlyList<StoredDeal<ClientDealRow>> ListDeals() => _file.Read(connection => connection.Select(
        _path, "SELECT * FROM deals JOIN proposals USING (deal_id) ORDER BY created_ms DESC, deal_id", null, ReadDeal));

    /// <summary>One deal, or null.</summary>
    public StoredDeal<ClientDealRow>? FindDeal(DealId deal) => _file.Read(connection => connection.Select(
        _path, "SELECT * FROM deals JOIN proposals USING (deal_id) WHERE deal_id = @deal", new { deal = deal.Key() }, ReadDeal)).SingleOrDefault();

    /// <summary>All statuses that a deal passed through, in order.</summary>
    public IReadOnlyList<StatusEntry> History(DealId deal) => _file.Read(connection => connection.Select(
        _path, "SELECT * FROM status_history WHERE deal_id = @deal ORDER BY sequence", new { deal = deal.Key() },
        row => new StatusEntry(row.Status("status"), row.Time("at_ms"))));

    /// <summary>What is needed to go on with a deal; null when there is no such deal.</summary>
    public ClientDealSnapshot? Load(DealId deal, IVoucherScheme scheme)
    {
        if (FindDeal(deal) is not { Row: var row })
            return null;
        LockHashKind lockHash = row.Proposal.Terms.LockHash;
        return _file.Read(connection =>
        {
            var key = new { deal = deal.Key(), oldest = row.OldestChunk < 0 ? int.MaxValue : row.OldestChunk };
            WantedChunks? wanted = connection.Select(_path, "SELECT * FROM wanted WHERE deal_id = @deal", key, ReadWanted).SingleOrDefault();
            List<ClientChunkRow> chunks = connection.Select(
                _path, "SELECT * FROM chunks WHERE deal_id = @deal AND chunk >= @oldest ORDER BY chunk", key,
                chunk => new ClientChunkRow(
                    deal, chunk.Int("chunk"), chunk.Walk(), chunk.Int("window"), chunk.OfferedOrNull(), chunk.VoucherOrNull(scheme, "voucher", lockHash),
                    chunk.VoucherOrNull(scheme, "unlocked", lockHash), chunk.Has("key") ? chunk.Blob("key") : (ReadOnlyMemory<byte>?)null));
            List<VoucherRow> vouchers = connection.Select(
                _path, "SELECT * FROM vouchers WHERE deal_id = @deal AND purpose <> @locked ORDER BY lane, nonce",
                new { deal = deal.Key(), locked = (int)VoucherPurpose.Locked },
                voucher => ReadVoucher(voucher, scheme));
            return new ClientDealSnapshot(row, wanted, chunks, vouchers);
        });
    }

    /// <summary>The lanes of a channel.</summary>
    public IReadOnlyList<PayerLane> Lanes(ChannelId channel) => _file.Read(connection => connection.Select(
        _path, "SELECT * FROM payer_lanes WHERE channel = @channel ORDER BY lane", new { channel = channel.Text },
        row => new PayerLane(row.Lane("lane"), row.Nonce("last_nonce"), row.Amount("settled"), ReadOpenLock(row, channel))));

    public void Dispose() => _file.Dispose();

    internal static WantedChunks ReadWanted(StoredRow row) =>
        WantedChunks.FromBitmap(row.Int("chunk_count"), row.Blob("bitmap"))
        ?? throw new NodeException(NodeFault.Damaged, "The store holds a list of wanted chunks that is none; restore it from a copy.");

    private BlockStore Blocks => _blocks ?? throw new InvalidOperationException("This store was opened to look only.");

    private static void Require(ContentError? error)
    {
        if (error is not null)
            throw new NodeException(error.Message.Contains("No space left", StringComparison.Ordinal) ? NodeFault.DiskFull : NodeFault.HomeUnusable, error.Message);
    }

    private static VoucherRow ReadVoucher(StoredRow row, IVoucherScheme scheme) => new(
        row.Deal(), DealSide.Client, row.Has("chunk") ? row.Int("chunk") : null, (VoucherPurpose)row.Int("purpose"),
        row.Voucher(scheme, "encoded", (LockHashKind)row.Int("lock_hash")));

    private static VoucherTerms? ReadOpenLock(StoredRow row, ChannelId channel) => row.Has("open_nonce")
        ? new VoucherTerms(
            channel, row.Lane("lane"), row.Nonce("open_nonce"), row.Amount("open_amount"),
            new HashLock((LockHashKind)row.Int("open_lock_hash"), row.Blob("open_lock")),
            row.Has("open_expiry") ? new Epoch(row.Long("open_expiry")) : null)
        : null;

    private static StoredDeal<ClientDealRow> ReadDeal(StoredRow row) => new(
        new ClientDealRow
        {
            Signed = row.Proposal(),
            ProviderAddress = row.Text("provider_address"),
            Status = row.Status("status"),
            StatusCount = row.Int("status_count"),
            Content = row.Has("content_size") ? row.Summary() : null,
            UnsealDue = row.Amount("unseal_due"),
            Channel = row.ChannelOrNull("channel"),
            Lanes = row.Lanes("lanes"),
            Paid = row.Amount("paid"),
            BytesReceived = row.Long("bytes_received"),
            ChunksReceived = row.Int("chunks_received"),
            MaxOpenLocks = row.Int("max_open_locks"),
            OldestChunk = row.Int("oldest_chunk"),
            Stop = row.Has("stop_status") ? new StopOrder(row.Status("stop_status"), row.Text("stop_sentence")) : null,
            Sentence = row.TextOrNull("sentence"),
            ClosingAcknowledged = row.Flag("closing_acknowledged"),
        },
        row.Time("created_ms"),
        row.Time("updated_ms"));

    private void Put(StoreTransaction transaction, StoreWrite write, DateTimeOffset now, List<string> emptied)
    {
        switch (write)
        {
            case ClientDealRow deal:
                PutDeal(transaction, deal, now);
                break;
            case StatusRow status:
                StoreRows.PutStatus(transaction, status, now);
                break;
            case WantedRow wanted:
                StoreRows.PutWanted(transaction, wanted.DealId, wanted.Wanted);
                break;
            case ClientChunkRow chunk:
                PutChunk(transaction, chunk);
                break;
            case CiphertextRow row:
                PutCiphertext(transaction, row, emptied);
                break;
            case CiphertextDropped dropped:
                DropCiphertext(transaction, dropped.DealId, dropped.Index, emptied);
                break;
            case VoucherRow voucher:
                StoreRows.PutVoucher(
                    transaction, voucher.DealId, voucher.Chunk, (int)voucher.Purpose, LockHashOf(transaction, voucher.DealId), voucher.Voucher);
                break;
            case SealRow seal:
                StoreRows.PutSeal(transaction, seal.DealId, seal.SealId, seal.Lock);
                break;
            case PayerLaneRow lane:
                PutLane(transaction, lane);
                break;
            case BlockWrite:
                break;
            default:
                throw new NotSupportedException($"A client's store has no place for a {write.GetType().Name}.");
        }
    }

    internal static LockHashKind LockHashOf(StoreTransaction transaction, DealId deal) => (LockHashKind)transaction.ExecuteScalar<long>(
        "SELECT lock_hash FROM proposals WHERE deal_id = @deal", new { deal = deal.Key() });

    private static void PutDeal(StoreTransaction transaction, ClientDealRow deal, DateTimeOffset now)
    {
        StoreRows.PutProposal(transaction, deal.Signed);
        transaction.Execute(
            """
            INSERT INTO deals VALUES (
                @deal, @address, @status, @count, @size, @chunks, @links, @cold, @unsealDue, @channel, @lanes, @paid, @received, @chunksReceived,
                @openLocks, @oldest, @stop, @stopSentence, @sentence, @closing, @now, @now)
            ON CONFLICT (deal_id) DO UPDATE SET
                provider_address = excluded.provider_address, status = excluded.status, status_count = excluded.status_count,
                content_size = excluded.content_size, content_chunks = excluded.content_chunks, content_links = excluded.content_links,
                content_cold = excluded.content_cold, unseal_due = excluded.unseal_due, channel = excluded.channel, lanes = excluded.lanes,
                paid = excluded.paid, bytes_received = excluded.bytes_received, chunks_received = excluded.chunks_received,
                max_open_locks = excluded.max_open_locks, oldest_chunk = excluded.oldest_chunk, stop_status = excluded.stop_status,
                stop_sentence = excluded.stop_sentence, sentence = excluded.sentence, closing_acknowledged = excluded.closing_acknowledged,
                updated_ms = excluded.updated_ms
            """,
            new
            {
                deal = deal.DealId.Key(),
                address = deal.ProviderAddress,
                status = (int)deal.Status,
                count = deal.StatusCount,
                size = deal.Content?.Size,
                chunks = deal.Content?.ChunkCount,
                links = deal.Content?.LinkBlockCount,
                cold = deal.Content?.Cold,
                unsealDue = deal.UnsealDue.ToString(),
                channel = deal.Channel?.Text,
                lanes = StoreRows.Join(deal.Lanes),
                paid = deal.Paid.ToString(),
                received = deal.BytesReceived,
                chunksReceived = deal.ChunksReceived,
                openLocks = deal.MaxOpenLocks,
                oldest = deal.OldestChunk,
                stop = (int?)deal.Stop?.Status,
                stopSentence = deal.Stop?.Sentence,
                sentence = deal.Sentence,
                closing = deal.ClosingAcknowledged,
                now = now.ToUnixTimeMilliseconds(),
            });
    }

    private static void PutChunk(StoreTransaction transaction, ClientChunkRow chunk) => transaction.Execute(
        """
        INSERT OR REPLACE INTO chunks VALUES (
            @deal, @chunk, @statuses, @finished, @window, @cid, @length, @sealId, @keyLock, @nonce, @counter, @voucher, @unlocked, @key)
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
            voucher = chunk.Voucher?.Encoded.ToArray(),
            unlocked = chunk.Unlocked?.Encoded.ToArray(),
            key = chunk.Key?.ToArray(),
        });

    private static void PutLane(StoreTransaction transaction, PayerLaneRow row) => transaction.Execute(
        "INSERT OR REPLACE INTO payer_lanes VALUES (@channel, @lane, @last, @settled, @openNonce, @openAmount, @openKind, @openLock, @openExpiry)",
        new
        {
            channel = row.Channel.Text,
            lane = (long)row.Lane.Id.Value,
            last = StoreRows.Signed(row.Lane.LastNonce),
            settled = row.Lane.Settled.ToString(),
            openNonce = row.Lane.OpenLock is { } open ? StoreRows.Signed(open.Nonce) : (long?)null,
            openAmount = row.Lane.OpenLock?.Amount.ToString(),
            openKind = (int?)row.Lane.OpenLock?.Lock?.Kind,
            openLock = row.Lane.OpenLock?.Lock?.Hash.ToArray(),
            openExpiry = row.Lane.OpenLock?.Expiry?.Value,
        });
}
