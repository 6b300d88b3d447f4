using System.Globalization;
using System.Security.Cryptography;
using Dapper;
using Lockstep.Payments.Rails;
using Microsoft.Data.Sqlite;

namespace Lockstep.Node.Ledger;

/// <summary>
/// The ledger's file: opening, making and checking it, transactions, and SQLite's errors in plain words. Several processes of
/// one user share it; whoever can write it can mint, so it is made readable and writable by its owner only.
/// </summary>
internal sealed class LedgerDatabase
{
    // "LKST": tells a ledger from any other SQLite file.
    private const long ApplicationId = 0x4c4b5354;
    private const long SchemaVersion = 1;

    // Calls are milliseconds long, so a lock held for this long belongs to a process that hangs.
    private const int BusySeconds = 30;

    private const string Schema = """
        CREATE TABLE ledger (
            only_row     INTEGER PRIMARY KEY CHECK (only_row = 1),
            ledger_id    TEXT    NOT NULL,
            genesis_ms   INTEGER NOT NULL,
            epoch_ms     INTEGER NOT NULL CHECK (epoch_ms > 0),
            settle_delay INTEGER NOT NULL CHECK (settle_delay > 0),
            last_epoch   INTEGER NOT NULL,
            next_actor   INTEGER NOT NULL,
            minted       TEXT    NOT NULL
        ) STRICT;

        CREATE TABLE actors (
            id      INTEGER PRIMARY KEY,
            address BLOB    NOT NULL UNIQUE,
            kind    TEXT    NOT NULL CHECK (kind IN ('account', 'channel', 'collected')),
            balance TEXT    NOT NULL CHECK (balance NOT LIKE '-%'),
            nonce   INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE channels (
            id                INTEGER PRIMARY KEY REFERENCES actors (id),
            from_id           INTEGER NOT NULL REFERENCES actors (id),
            to_id             INTEGER NOT NULL REFERENCES actors (id),
            lock_hash         INTEGER NOT NULL CHECK (lock_hash IN (1, 2)),
            to_send           TEXT    NOT NULL CHECK (to_send NOT LIKE '-%'),
            settling_at       INTEGER NOT NULL,
            min_settle_height INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX channels_by_payer ON channels (from_id);
        CREATE INDEX channels_by_payee ON channels (to_id);

        CREATE TABLE lanes (
            channel_id INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
            lane       INTEGER NOT NULL CHECK (lane >= 0),
            redeemed   TEXT    NOT NULL,
            nonce      TEXT    NOT NULL,
            PRIMARY KEY (channel_id, lane)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE messages (
            seq          INTEGER PRIMARY KEY AUTOINCREMENT,
            cid          TEXT    NOT NULL,
            epoch        INTEGER NOT NULL,
            sender       BLOB    NOT NULL,
            receiver     BLOB    NOT NULL,
            receiver_id  INTEGER,
            nonce        INTEGER NOT NULL,
            value        TEXT    NOT NULL,
            method       INTEGER NOT NULL,
            params       BLOB    NOT NULL,
            lock_hash    INTEGER,
            exit_code    INTEGER NOT NULL,
            return_value BLOB    NOT NULL
        ) STRICT;
        CREATE INDEX messages_by_receiver ON messages (receiver_id, method, seq);
        """;

    private readonly string path;

    private LedgerDatabase(string path)
    {
        this.path = path;
        ConnectionString = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            ForeignKeys = true,
            DefaultTimeout = BusySeconds,
        }.ToString();
    }

    public string ConnectionString { get; }

    /// <summary>Opens a ledger; makes it first when there is no file and <paramref name="settings"/> are given.</summary>
    public static LedgerDatabase Open(string path, LedgerSettings? settings, DateTimeOffset now)
    {
        var database = new LedgerDatabase(Path.GetFullPath(path));
        settings?.Validate();
        if (settings is not null)
            database.EnsureFile();
        else if (!File.Exists(path))
            throw new RailException($"There is no ledger at {database.path}.");
        database.Guard(() => database.Prepare(settings, now));
        return database;
    }

    /// <summary>Runs reads that see one state of the ledger.</summary>
    public T Read<T>(Func<LedgerSession, T> read) => InTransaction(deferred: true, read);

    /// <summary>
    /// Runs reads and writes while no other process writes. Kept when <paramref name="write"/> returns, undone when it throws.
    /// </summary>
    public T Write<T>(Func<LedgerSession, T> write) => InTransaction(deferred: false, write);

    /// <summary>Closes the connections kept for reuse. The ledger can still be used; it opens new ones.</summary>
    public void CloseIdleConnections()
    {
        using var connection = new SqliteConnection(ConnectionString);
        SqliteConnection.ClearPool(connection);
    }

    private T InTransaction<T>(bool deferred, Func<LedgerSession, T> body)
    {
        T result = default!;
        Guard(() =>
        {
            using SqliteConnection connection = Connect();
            using SqliteTransaction transaction = connection.BeginTransaction(deferred);
            var session = new LedgerSession(connection, transaction, path);
            result = body(session);
            if (!session.IsAbandoned)
                transaction.Commit();
        });
        return result;
    }

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection(ConnectionString);
        connection.Open();
        // A redemption that was answered must survive a power cut: its secret is public and its money is counted on.
        connection.Execute("PRAGMA synchronous = FULL");
        return connection;
    }

    private void EnsureFile()
    {
        if (File.Exists(path))
            return;
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using var file = new FileStream(path, options);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new RailException($"The ledger {path} could not be made: {fault.Message}", fault);
        }
    }

    private void Prepare(LedgerSettings? settings, DateTimeOffset now)
    {
        using SqliteConnection connection = Connect();
        RefuseForeign(connection, connection.ExecuteScalar<long>("PRAGMA application_id"), null);
        connection.Execute("PRAGMA journal_mode = WAL");
        using (SqliteTransaction transaction = connection.BeginTransaction(deferred: false))
        {
            long application = connection.ExecuteScalar<long>("PRAGMA application_id", transaction: transaction);
            RefuseForeign(connection, application, transaction);
            if (application == 0)
            {
                if (settings is null)
                    throw new RailException($"The file {path} is empty; it is not a ledger.");
                MakeSchema(connection, transaction, settings, now);
            }
            long version = connection.ExecuteScalar<long>("PRAGMA user_version", transaction: transaction);
            if (version != SchemaVersion)
                throw new RailException($"The ledger {path} has format {version}; this program reads format {SchemaVersion}, so use the version that made it.");
            transaction.Commit();
        }
        string health = connection.ExecuteScalar<string>("PRAGMA quick_check(1)") ?? "";
        if (health != "ok")
            throw new RailException($"The ledger {path} is damaged ({health.ReplaceLineEndings(" ")}); restore it from a copy or make a new one.");
    }

    private void RefuseForeign(SqliteConnection connection, long application, SqliteTransaction? transaction)
    {
        bool foreign = application != ApplicationId
            && (application != 0 || connection.ExecuteScalar<long>("SELECT count(*) FROM sqlite_schema", transaction: transaction) != 0);
        if (foreign)
            throw new RailException($"The file {path} is a database of another program, not a ledger.");
    }

    private static void MakeSchema(SqliteConnection connection, SqliteTransaction transaction, LedgerSettings settings, DateTimeOffset now)
    {
        connection.Execute(Schema, transaction: transaction);
        connection.Execute(
            """
            INSERT INTO ledger (only_row, ledger_id, genesis_ms, epoch_ms, settle_delay, last_epoch, next_actor, minted)
            VALUES (1, @LedgerId, @Genesis, @EpochLength, @SettleDelay, 0, @FirstActor, '0')
            """,
            new
            {
                LedgerId = RandomNumberGenerator.GetHexString(16, lowercase: true),
                Genesis = now.ToUnixTimeMilliseconds(),
                EpochLength = (long)settings.EpochLength.TotalMilliseconds,
                SettleDelay = settings.SettleDelayEpochs,
                FirstActor = LedgerSession.FirstActor,
            },
            transaction);
        connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}"), transaction: transaction);
        connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {SchemaVersion}"), transaction: transaction);
    }

    private void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (SqliteException fault)
        {
            throw new RailException(Explain(fault), fault);
        }
    }

    // SQLite's primary result codes.
    private string Explain(SqliteException fault) => fault.SqliteErrorCode switch
    {
        5 or 6 => $"The ledger {path} has been locked by another process for {BusySeconds} s; end that process and try again.",
        8 => $"The ledger {path} cannot be written; check the permissions of the file and its folder.",
        10 => $"The disk failed while the ledger {path} was used: {fault.Message}",
        11 or 26 => $"The file {path} is not a ledger or is damaged; restore it from a copy or make a new one.",
        13 => $"The disk is full, so the ledger {path} could not be written; nothing was changed.",
        14 => $"The ledger {path} cannot be opened; check that the folder exists and the file is readable.",
        19 => $"The ledger {path} holds contradictory rows, so nothing was changed: {fault.Message}",
        _ => $"The ledger {path} could not be used: {fault.Message}",
    };
}
