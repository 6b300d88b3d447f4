using System.Data.Common;
using System.Globalization;
using Dapper;
using Lockstep.Content;
using Lockstep.Content.Cids;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Terms;
using Microsoft.Data.Sqlite;

namespace Lockstep.Node.Storage;

/// <summary>A row of a query, column by name. What a store of ours cannot hold is damage, and is said so.</summary>
internal sealed class StoredRow(DbDataReader reader, string path)
{
    public bool Has(string column) => !reader.IsDBNull(reader.GetOrdinal(column));

    public long Long(string column) => reader.GetInt64(reader.GetOrdinal(column));

    public int Int(string column) => checked((int)Long(column));

    public bool Flag(string column) => Long(column) != 0;

    public string Text(string column) => reader.GetString(reader.GetOrdinal(column));

    public string? TextOrNull(string column) => Has(column) ? Text(column) : null;

    public byte[] Blob(string column) => reader.GetFieldValue<byte[]>(reader.GetOrdinal(column));

    public byte[]? BlobOrNull(string column) => Has(column) ? Blob(column) : null;

    public Bytes32 Hash(string column) => Blob(column) is { Length: Bytes32.Length } bytes ? new Bytes32(bytes) : throw Damaged(column);

    public DealId Deal() => new(Hash("deal_id"));

    public TokenAmount Amount(string column) => TokenAmount.TryParseAtto(Text(column), out TokenAmount amount) ? amount : throw Damaged(column);

    public Nonce Nonce(string column) => new(unchecked((ulong)Long(column)));

    public LaneId Lane(string column) => new((ulong)Long(column));

    public ChannelId? ChannelOrNull(string column) => TextOrNull(column) is { } text ? new ChannelId(text) : null;

    public Cid Cid(string column)
    {
        byte[] bytes = Blob(column);
        return Content.Cids.Cid.TryRead(bytes, out Cid? cid, out int consumed, out _) && consumed == bytes.Length ? cid : throw Damaged(column);
    }

    public DealStatus Status(string column) =>
        (DealStatus)Int(column) is var status && Enum.IsDefined(status) ? status : throw Damaged(column);

    public ChunkWalk Walk() => new([.. Blob("statuses").Select(status => (DealStatus)status)], Flag("finished"));

    public DateTimeOffset Time(string column) => DateTimeOffset.FromUnixTimeMilliseconds(Long(column));

    public IReadOnlyList<LaneId> Lanes(string column) =>
        [.. Text(column).Split(',', StringSplitOptions.RemoveEmptyEntries).Select(text => new LaneId(ulong.Parse(text, CultureInfo.InvariantCulture)))];

    public OfferedChunk Offered() => new(
        Int("chunk"), Cid("cid"), Int("length"), Hash("seal_id"), Hash("lock"), Blob("nonce"), checked((uint)Long("first_counter")));

    public OfferedChunk? OfferedOrNull() => Has("cid") ? Offered() : null;

    public ContentSummary Summary() =>
        new(Long("content_size"), Int("content_chunks"), Int("content_links"), Flag("content_cold"));

    public PaymentVoucher Voucher(IVoucherScheme scheme, string column, LockHashKind lockHash) =>
        scheme.Decode(Blob(column), lockHash) is { Accepted: true } verdict ? verdict.Voucher! : throw Damaged(column);

    public PaymentVoucher? VoucherOrNull(IVoucherScheme scheme, string column, LockHashKind lockHash) =>
        Has(column) ? Voucher(scheme, column, lockHash) : null;

    public SignedProposal Proposal() => new(
        new DealProposal(
            Deal(), Cid("root"), Hash("provider_key"), Hash("client_key"),
            new DealTerms(
                Amount("price_per_byte"), Amount("unseal_price"), Amount("most_to_pay"), Text("suite"), (LockHashKind)Int("lock_hash"),
                Int("chunks_per_window"), Int("open_locks"), Long("lock_expiry"), Text("rail"), (ChunkSelection)Int("selection")),
            new AccountId(Text("payer")), new AccountId(Text("payee")), new Epoch(Long("valid_until"))),
        Blob("signature"));

    private NodeException Damaged(string column) =>
        new(NodeFault.Damaged, $"The store {path} holds something unreadable in column {column}; restore it from a copy.");
}

/// <summary>Reading rows and writing those that both stores have.</summary>
internal static class StoreRows
{
    public static List<T> Select<T>(
        this SqliteConnection connection, string path, string sql, object? arguments, Func<StoredRow, T> read, SqliteTransaction? transaction = null)
    {
        using var reader = (DbDataReader)connection.ExecuteReader(sql, arguments, transaction);
        var row = new StoredRow(reader, path);
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(row));
        return rows;
    }

    public static byte[] Key(this DealId deal) => deal.Value.Memory.ToArray();

    public static string Join(IReadOnlyList<LaneId> lanes) => string.Join(',', lanes);

    public static byte[] Statuses(ChunkWalk walk) => [.. walk.Statuses.Select(status => (byte)status)];

    public static long Signed(Nonce nonce) => unchecked((long)nonce.Value);

    public static void PutProposal(StoreTransaction transaction, SignedProposal signed)
    {
        DealProposal proposal = signed.Proposal;
        DealTerms terms = proposal.Terms;
        transaction.Execute(
            """
            INSERT INTO proposals VALUES (
                @deal, @root, @providerKey, @clientKey, @price, @unseal, @most, @suite, @lockHash, @perWindow, @openLocks, @expiry, @rail,
                @selection, @payer, @payee, @validUntil, @signature)
            ON CONFLICT (deal_id) DO NOTHING
            """,
            new
            {
                deal = proposal.DealId.Key(),
                root = proposal.PayloadCid.ToBytes(),
                providerKey = proposal.ProviderKey.Memory.ToArray(),
                clientKey = proposal.ClientKey.Memory.ToArray(),
                price = terms.PricePerByte.ToString(),
                unseal = terms.UnsealPrice.ToString(),
                most = terms.MostToPay.ToString(),
                suite = terms.SuiteId,
                lockHash = (int)terms.LockHash,
                perWindow = terms.ChunksPerWindow,
                openLocks = terms.OpenLocks,
                expiry = terms.LockExpiryEpochs,
                rail = terms.RailId,
                selection = (int)terms.Selection,
                payer = proposal.Payer.Text,
                payee = proposal.Payee.Text,
                validUntil = proposal.ValidUntil.Value,
                signature = signed.Signature.ToArray(),
            });
    }

    /// <summary>Notes a status under its number; one that is there already stays.</summary>
    public static void PutStatus(StoreTransaction transaction, StatusRow row, DateTimeOffset now) => transaction.Execute(
        "INSERT INTO status_history VALUES (@deal, @sequence, @status, @now) ON CONFLICT DO NOTHING",
        new { deal = row.DealId.Key(), sequence = row.Sequence, status = (int)row.Status, now = now.ToUnixTimeMilliseconds() });

    public static void PutWanted(StoreTransaction transaction, DealId deal, WantedChunks wanted) =>
        transaction.Execute(
            "INSERT OR REPLACE INTO wanted VALUES (@deal, @count, @bitmap)",
            new { deal = deal.Key(), count = wanted.ChunkCount, bitmap = wanted.Bitmap.ToArray() });

    /// <summary>Notes a seal. The same once more changes nothing; a seal id or lock of another seal ends the program's step.</summary>
    public static void PutSeal(StoreTransaction transaction, DealId deal, Bytes32 sealId, Bytes32 keyLock)
    {
        var seal = new { deal = deal.Key(), sealId = sealId.Memory.ToArray(), keyLock = keyLock.Memory.ToArray() };
        bool isOurs = transaction.Execute("INSERT INTO seals VALUES (@sealId, @keyLock, @deal) ON CONFLICT DO NOTHING", seal) == 1 || transaction.ExecuteScalar<long>(
            "SELECT count(*) FROM seals WHERE seal_id = @sealId AND lock = @keyLock AND deal_id = @deal", seal) == 1;
        if (!isOurs)
            throw new InvalidOperationException($"The seal id {sealId} or its lock was offered before.");
    }

    public static bool KnowsSeal(SqliteConnection connection, Bytes32 sealId, Bytes32 keyLock) => connection.ExecuteScalar<long>(
        "SELECT EXISTS (SELECT 1 FROM seals WHERE seal_id = @sealId OR lock = @keyLock)",
        new { sealId = sealId.Memory.ToArray(), keyLock = keyLock.Memory.ToArray() }) != 0;

    public static void PutVoucher(
        StoreTransaction transaction, DealId deal, int? chunk, int purpose, LockHashKind lockHash, PaymentVoucher voucher) =>
        transaction.Execute(
            "INSERT OR REPLACE INTO vouchers VALUES (@channel, @lane, @nonce, @deal, @chunk, @purpose, @lockHash, @encoded)",
            new
            {
                channel = voucher.Channel.Text,
                lane = (long)voucher.Lane.Value,
                nonce = Signed(voucher.Nonce),
                deal = deal.Key(),
                chunk,
                purpose,
                lockHash = (int)lockHash,
                encoded = voucher.Encoded.ToArray(),
            });
}
