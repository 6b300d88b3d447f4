using System.Globalization;
using System.Numerics;
using Lockstep.Node.Storage;
using Lockstep.Payments;

namespace Lockstep.Node.Evm;

/// <summary>What has become of a transaction that was signed.</summary>
public enum TransactionState
{
    /// <summary>Sent, or about to be; in no block yet, or in one that has vanished.</summary>
    Sent,

    /// <summary>In a block that may still vanish.</summary>
    Included,

    /// <summary>In a block for good.</summary>
    Final,

    /// <summary>Never to be included: another transaction has its number.</summary>
    Replaced,
}

/// <summary>A transaction as it was sent once; a higher fee makes another of the same number and subject.</summary>
/// <param name="Account">Who sent it.</param>
/// <param name="Nonce">Its number among the account's transactions.</param>
/// <param name="Subject">What it is for: the same thing is not sent twice.</param>
/// <param name="Hash">Its name.</param>
/// <param name="Raw">The bytes for a node.</param>
/// <param name="To">The contract; null for a deployment.</param>
/// <param name="Value">What is paid with it.</param>
/// <param name="Data">The call.</param>
/// <param name="Gas">Its limit.</param>
/// <param name="ValidUntil">The last block in which it would do what it is for; null for any. It is not sent after that: it would show secrets for nothing.</param>
/// <param name="Tip">Most for the block's maker, for each unit of gas.</param>
/// <param name="Fee">Most altogether, for each unit of gas.</param>
/// <param name="SentAt">When it was sent first.</param>
/// <param name="State">What has become of it.</param>
/// <param name="Block">The block it is in; 0 for none.</param>
internal sealed record JournalEntry(
    string Account, ulong Nonce, string Subject, string Hash, ReadOnlyMemory<byte> Raw, string? To, TokenAmount Value, ReadOnlyMemory<byte> Data, long Gas, long? ValidUntil, BigInteger Tip, BigInteger Fee, DateTimeOffset SentAt, TransactionState State, long Block);

/// <summary>What a transaction cost.</summary>
/// <param name="What">What it was for: <c>open</c>, <c>redeem</c>, <c>settle</c>, <c>collect</c>, <c>top</c>, <c>deploy</c>.</param>
/// <param name="Transaction">Its hash.</param>
/// <param name="Gas">Units of gas.</param>
/// <param name="Cost">What they cost.</param>
public sealed record GasSpent(string What, string Transaction, long Gas, TokenAmount Cost);

/// <summary>
/// The transactions of a home on one chain, stored before they are sent, so that a process that was killed finds them again, sends
/// them again where the chain has forgotten them, and sends nothing twice.
/// </summary>
internal sealed class TransactionJournal : IDisposable
{
    // "LKTX": tells a journal from any other SQLite file.
    private const int ApplicationId = 0x4c4b5458;

    private static readonly string[] Migrations =
    [
        """
        CREATE TABLE transactions (
            hash    TEXT    NOT NULL PRIMARY KEY,
            account TEXT    NOT NULL,
            nonce   INTEGER NOT NULL,
            subject TEXT    NOT NULL,
            raw     BLOB    NOT NULL,
            receiver TEXT,
            value   TEXT    NOT NULL,
            data    BLOB    NOT NULL,
            gas     INTEGER NOT NULL,
            valid_until INTEGER,
            tip     TEXT    NOT NULL,
            fee     TEXT    NOT NULL,
            sent_ms INTEGER NOT NULL,
            state   INTEGER NOT NULL,
            block   INTEGER NOT NULL,
            gas_used INTEGER NOT NULL DEFAULT 0,
            cost    TEXT    NOT NULL DEFAULT '0'
        ) STRICT;
        CREATE INDEX transactions_at_work ON transactions (account, nonce) WHERE state < 2;
        """,
    ];

    private const string Columns = "SELECT account, nonce, subject, hash, raw, receiver, value, data, gas, valid_until, tip, fee, sent_ms, state, block FROM transactions";

    private readonly string _path;
    private readonly StoreFile _file;

    private TransactionJournal(string path, StoreFile file) => (_path, _file) = (path, file);

    /// <summary>Opens a journal, or makes it.</summary>
    /// <exception cref="NodeException">It cannot be opened.</exception>
    public static TransactionJournal Open(string path) => new(path, StoreFile.Open(path, ApplicationId, Migrations));

    /// <summary>What is not settled for good, by number, and for one number in the order it was sent.</summary>
    public IReadOnlyList<JournalEntry> AtWork(string account) => _file.Read(connection =>
        connection.Select(_path, $"{Columns} WHERE account = @account AND state < 2 ORDER BY nonce, sent_ms, rowid", new { account }, Row));

    /// <summary>All that was sent under one number, oldest first.</summary>
    public IReadOnlyList<JournalEntry> Sendings(string account, ulong nonce) => _file.Read(connection =>
        connection.Select(_path, $"{Columns} WHERE account = @account AND nonce = @nonce ORDER BY sent_ms, rowid", new { account, nonce = (long)nonce }, Row));

    /// <summary>Stores a transaction that is about to be sent.</summary>
    public void Add(JournalEntry entry) => _file.Write(transaction => transaction.Execute(
        """
        INSERT OR REPLACE INTO transactions (hash, account, nonce, subject, raw, receiver, value, data, gas, valid_until, tip, fee, sent_ms, state, block)
        VALUES (@Hash, @Account, @Nonce, @Subject, @Raw, @To, @Value, @Data, @Gas, @ValidUntil, @Tip, @Fee, @SentMs, @State, @Block)
        """,
        new
        {
            entry.Hash,
            entry.Account,
            Nonce = (long)entry.Nonce,
            entry.Subject,
            Raw = entry.Raw.ToArray(),
            entry.To,
            Value = entry.Value.ToString(),
            Data = entry.Data.ToArray(),
            entry.Gas,
            entry.ValidUntil,
            Tip = Text(entry.Tip),
            Fee = Text(entry.Fee),
            SentMs = entry.SentAt.ToUnixTimeMilliseconds(),
            State = (long)entry.State,
            entry.Block,
        }));

    /// <summary>What an account's transactions in blocks have cost, in the order of their numbers.</summary>
    public IReadOnlyList<GasSpent> Spent(string account) => _file.Read(connection => connection.Select(
        _path, "SELECT subject, hash, gas_used, cost FROM transactions WHERE account = @account AND state IN (1, 2) ORDER BY nonce", new { account },
        row => new GasSpent(row.Text("subject").Split(' ')[0], row.Text("hash"), row.Long("gas_used"), row.Amount("cost"))));

    /// <summary>Notes in which block a transaction is, and what it cost.</summary>
    public void SetIncluded(JournalEntry entry, TransactionState state, EvmReceipt receipt)
    {
        Set(entry, state, receipt.Block);
        _file.Write(transaction => transaction.Execute(
            "UPDATE transactions SET gas_used = @GasUsed, cost = @Cost WHERE hash = @Hash", new { receipt.GasUsed, Cost = receipt.Cost.ToString(), entry.Hash }));
    }

    /// <summary>Notes what has become of a transaction. Once one of a number is final, the others of that number are replaced.</summary>
    public void Set(JournalEntry entry, TransactionState state, long block) => _file.Write(transaction =>
    {
        transaction.Execute("UPDATE transactions SET state = @State, block = @Block WHERE hash = @Hash", new { State = (long)state, Block = block, entry.Hash });
        if (state == TransactionState.Final)
        {
            transaction.Execute(
                "UPDATE transactions SET state = 3 WHERE account = @Account AND nonce = @Nonce AND hash <> @Hash",
                new { entry.Account, Nonce = (long)entry.Nonce, entry.Hash });
        }
    });

    public void Dispose() => _file.Dispose();

    private static JournalEntry Row(StoredRow row) => new(
        row.Text("account"), (ulong)row.Long("nonce"), row.Text("subject"), row.Text("hash"), row.Blob("raw"), row.TextOrNull("receiver"), row.Amount("value"),
        row.Blob("data"), row.Long("gas"), row.Has("valid_until") ? row.Long("valid_until") : null, row.Amount("tip").Atto, row.Amount("fee").Atto,
        row.Time("sent_ms"), (TransactionState)row.Int("state"), row.Long("block"));

    private static string Text(BigInteger value) => value.ToString(CultureInfo.InvariantCulture);
}
