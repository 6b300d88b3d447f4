using System.Reflection;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Lockstep.Node.Storage;

/// <summary>
/// A transaction of a store that writes. Its statements are compiled once a connection and not once a row, of which a purchase
/// writes thousands; what reads lists goes by Dapper.
/// </summary>
internal sealed class StoreTransaction(SqliteConnection connection, SqliteTransaction transaction, StoreStatements statements)
{
    /// <summary>Runs a statement.</summary>
    /// <param name="sql">Its text, the same each time.</param>
    /// <param name="arguments">An object with a property for each parameter; of the same type each time.</param>
    /// <returns>How many rows it changed.</returns>
    public int Execute(string sql, object? arguments = null) => statements.Bind(sql, arguments, transaction).ExecuteNonQuery();

    /// <summary>Runs a statement and reads the first column of its first row; the type's default when there is none.</summary>
    public T? ExecuteScalar<T>(string sql, object arguments) => statements.Bind(sql, arguments, transaction).ExecuteScalar() is T value ? value : default;

    /// <summary>Runs a statement whose arguments may be lists.</summary>
    public IEnumerable<T> Query<T>(string sql, object arguments) => connection.Query<T>(sql, arguments, transaction);

    /// <inheritdoc cref="StoreRows.Select{T}"/>
    public List<T> Select<T>(string path, string sql, object arguments, Func<StoredRow, T> read) => connection.Select(path, sql, arguments, read, transaction);
}

/// <summary>The statements of one connection that were compiled already, by their text. For one thread at a time.</summary>
internal sealed class StoreStatements(SqliteConnection connection) : IDisposable
{
    private readonly Dictionary<string, (SqliteCommand Command, PropertyInfo[] Arguments)> _known = [];

    /// <summary>The statement, with its arguments in place.</summary>
    public SqliteCommand Bind(string sql, object? arguments, SqliteTransaction transaction)
    {
        if (!_known.TryGetValue(sql, out (SqliteCommand Command, PropertyInfo[] Arguments) known))
        {
            known = (new SqliteCommand(sql, connection), arguments?.GetType().GetProperties() ?? []);
            foreach (PropertyInfo argument in known.Arguments)
                known.Command.Parameters.Add(new SqliteParameter { ParameterName = '@' + argument.Name });
            _known.Add(sql, known);
        }

        known.Command.Transaction = transaction;
        for (int i = 0; i < known.Arguments.Length; i++)
            known.Command.Parameters[i].Value = known.Arguments[i].GetValue(arguments) ?? DBNull.Value;
        return known.Command;
    }

    public void Dispose()
    {
        foreach ((SqliteCommand command, _) in _known.Values)
            command.Dispose();
    }
}
