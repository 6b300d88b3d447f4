using System.Globalization;
using Dapper;
using Lockstep.Node.Hosting;
using Microsoft.Data.Sqlite;

namespace Lockstep.Node.Storage;

/// <summary>
/// One SQLite file of a home: made for its owner alone, write-ahead log, every commit flushed to the disk before it returns
/// (docs/protocol.md section 2: stored before anything is sent). One connection, one thread at a time.
/// </summary>
internal sealed class StoreFile : IDisposable
{
    private const int BusySeconds = 30;

    private readonly string _path;
    private readonly Lock _gate = new();
    private readonly SqliteConnection _connection;

    private readonly StoreStatements _statements;

    private StoreFile(string path, SqliteConnection connection) => (_path, _connection, _statements) = (path, connection, new StoreStatements(connection));

    /// <summary>Opens a store, makes it, or brings an older one up to date.</summary>
    /// <param name="path">The file.</param>
    /// <param name="applicationId">Tells this kind of store from every other SQLite file.</param>
    /// <param name="migrations">Statement lists that lead from one schema version to the next; the first one makes version 1.</param>
    /// <exception cref="NodeException">The file is damaged, of another program, of a newer version, or cannot be written.</exception>
    public static StoreFile Open(string path, int applicationId, IReadOnlyList<string> migrations)
    {
        SqliteConnection? connection = null;
        try
        {
            using (PrivateFile.Open(path, FileMode.OpenOrCreate, FileShare.ReadWrite))
            {
                // SQLite would make the file with the process's mask; this makes it its owner's.
            }

            connection = new SqliteConnection(new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = SqliteOpenMode.ReadWrite,
                ForeignKeys = true,
                DefaultTimeout = BusySeconds,
                Pooling = false,
            }.ToString());
            connection.Open();
            var store = new StoreFile(path, connection);
            store.Prepare(applicationId, migrations);
            return store;
        }
        catch (SqliteException fault)
        {
            connection?.Dispose();
            throw Explain(path, fault);
        }
        catch (Exception fault) when (PrivateFile.IsIo(fault))
        {
            connection?.Dispose();
            throw new NodeException(NodeFault.HomeUnusable, $"The store {path} cannot be opened: {fault.Message}", fault);
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    /// <summary>Reads, in one state of the store.</summary>
    public T Read<T>(Func<SqliteConnection, T> body) => Guard(() => body(_connection));

    /// <summary>Writes all of it or, when <paramref name="body"/> throws or the machine stops, none of it.</summary>
    public void Write(Action<StoreTransaction> body) => Guard(() =>
    {
        using SqliteTransaction transaction = _connection.BeginTransaction(deferred: false);
        body(new StoreTransaction(_connection, transaction, _statements));
        transaction.Commit();
        return true;
    });

    /// <summary>Moves the write-ahead log into the file and cuts it off; while another process reads, what it reads stays.</summary>
    public void EmptyLog() => Guard(() => _connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)"));

    public void Dispose()
    {
        lock (_gate)
        {
            _statements.Dispose();
            _connection.Dispose();
        }
    }

    /// <summary>Puts an error of SQLite into words.</summary>
    internal static NodeException Explain(string path, SqliteException fault) => fault.SqliteErrorCode switch
    {
        5 or 6 => new(NodeFault.HomeInUse, $"The store {path} has been locked by another process for {BusySeconds} s; end that process and try again.", fault),
        8 or 14 or 23 => new(NodeFault.HomeUnusable, $"The store {path} cannot be opened for writing; check the permissions of the file and its folder.", fault),
        10 => new(NodeFault.HomeUnusable, $"The disk failed while the store {path} was used: {fault.Message}", fault),
        11 or 26 => new(NodeFault.Damaged, $"The file {path} is damaged or not a store; restore it from a copy.", fault),
        13 => new(NodeFault.DiskFull, $"The disk is full, so the store {path} could not be written; nothing was changed, free some space and try again.", fault),
        _ => new(NodeFault.Unusable, $"The store {path} could not be used: {fault.Message}", fault),
    };

    private void Prepare(int applicationId, IReadOnlyList<string> migrations)
    {
        long application = _connection.ExecuteScalar<long>("PRAGMA application_id");
        bool isEmpty = _connection.ExecuteScalar<long>("SELECT count(*) FROM sqlite_schema") == 0;
        if (application != applicationId && !(application == 0 && isEmpty))
            throw new NodeException(NodeFault.Damaged, $"The file {_path} is a database of another kind; expected a store of Lockstep, so move it away.");
        _connection.Execute("PRAGMA journal_mode = WAL");
        _connection.Execute("PRAGMA synchronous = FULL");
        _connection.Execute("PRAGMA secure_delete = ON");
        string health = _connection.ExecuteScalar<string>("PRAGMA quick_check(1)") ?? "";
        if (health != "ok")
            throw new NodeException(NodeFault.Damaged, $"The store {_path} is damaged ({health}); restore it from a copy.");

        using SqliteTransaction transaction = _connection.BeginTransaction(deferred: false);
        long version = _connection.ExecuteScalar<long>("PRAGMA user_version", transaction: transaction);
        if (version > migrations.Count)
        {
            throw new NodeException(
                NodeFault.NewerFormat,
                $"The store {_path} has format {version}; this program knows formats up to {migrations.Count}, so use the version that wrote it.");
        }

        for (long step = version; step < migrations.Count; step++)
            _connection.Execute(migrations[(int)step], transaction: transaction);
        _connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {applicationId}"), transaction: transaction);
        _connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {migrations.Count}"), transaction: transaction);
        transaction.Commit();
    }

    private T Guard<T>(Func<T> body)
    {
        lock (_gate)
        {
            try
            {
                return body();
            }
            catch (SqliteException fault)
            {
                throw Explain(_path, fault);
            }
        }
    }
}
