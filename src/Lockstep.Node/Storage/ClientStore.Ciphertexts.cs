using System.Collections.Concurrent;
using Dapper;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Microsoft.Data.Sqlite;

namespace Lockstep.Node.Storage;

// Ciphertexts that may have to be opened (I8): which ones in the database, their bytes in files that are on the disk before
// a row names them, those of one window together.
public sealed partial class ClientStore
{
    // Of this run, with their bytes: as many as the deal's windows on their way, which its credit bounds.
    private readonly ConcurrentDictionary<(DealId Deal, int Chunk), Place> _places = new();

    /// <summary>Writes a verified window's ciphertexts to the disk ahead of the batch that holds on to them. Safe for concurrent use.</summary>
    /// <param name="deal">The deal.</param>
    /// <param name="window">Chunks and their ciphertexts.</param>
    /// <exception cref="NodeException">They cannot be written.</exception>
    internal void PutCiphertexts(DealId deal, IReadOnlyList<(int Chunk, ReadOnlyMemory<byte> Bytes)> window)
    {
        string file = _windows.Write(window.Select(chunk => chunk.Bytes));
        long start = 0;
        foreach ((int chunk, ReadOnlyMemory<byte> bytes) in window)
        {
            _places[(deal, chunk)] = new Place(file, start, bytes);
            start += bytes.Length;
        }
    }

    /// <summary>The stored ciphertext of a chunk; null when there is none.</summary>
    public ReadOnlyMemory<byte>? FindCiphertext(DealId deal, int chunk)
    {
        if (_places.TryGetValue((deal, chunk), out Place? recent) && recent.IsStored)
            return recent.Bytes;
        (string File, long Start, int Length)? held = _file.Read(connection => connection.Select(
            _path, "SELECT * FROM held_ciphertexts WHERE deal_id = @deal AND chunk = @chunk", new { deal = deal.Key(), chunk },
            row => ((string, long, int)?)(row.Text("file"), row.Long("start"), row.Int("length")))).SingleOrDefault();
        return held is { } place ? _windows.Read(place.File, place.Start, place.Length) : null;
    }

    /// <summary>Deletes the files that no row names: what a run left behind that was cut short. Only while this process alone buys.</summary>
    internal void SweepFiles() => _windows.Sweep(_file.Read(connection => connection.Query<string>("SELECT DISTINCT file FROM held_ciphertexts").ToHashSet()));

    // What was not written ahead is written now.
    private void WriteCiphertexts(IReadOnlyList<StoreWrite> batch)
    {
        IEnumerable<CiphertextRow> missing = batch.OfType<CiphertextRow>()
            .Where(row => !(_places.TryGetValue((row.DealId, row.Index), out Place? place) && place.Bytes.Equals(row.Ciphertext)));
        foreach (IGrouping<DealId, CiphertextRow> deal in missing.GroupBy(row => row.DealId))
            PutCiphertexts(deal.Key, [.. deal.Select(row => (row.Index, row.Ciphertext))]);
    }

    private void PutCiphertext(StoreTransaction transaction, CiphertextRow row, List<string> emptied)
    {
        DropCiphertext(transaction, row.DealId, row.Index, emptied);
        Place place = _places[(row.DealId, row.Index)];
        transaction.Execute(
            "INSERT INTO held_ciphertexts VALUES (@deal, @chunk, @file, @start, @length)",
            new { deal = row.DealId.Key(), chunk = row.Index, file = place.File, start = place.Start, length = row.Ciphertext.Length });
    }

    // A file goes with the last ciphertext in it, once that is on the disk.
    private static void DropCiphertext(StoreTransaction transaction, DealId deal, int chunk, List<string> emptied)
    {
        string? file = transaction.ExecuteScalar<string?>(
            "DELETE FROM held_ciphertexts WHERE deal_id = @deal AND chunk = @chunk RETURNING file", new { deal = deal.Key(), chunk });
        if (file is not null && transaction.ExecuteScalar<long>("SELECT EXISTS (SELECT 1 FROM held_ciphertexts WHERE file = @file)", new { file }) == 0)
            emptied.Add(file);
    }

    // A store of version 1 has the bytes in its table.
    private void MoveBytesToFiles()
    {
        List<(byte[] Deal, int Chunk)> old = _file.Read(connection => connection.Select(
            _path, "SELECT deal_id, chunk FROM ciphertexts", null, row => (row.Blob("deal_id"), row.Int("chunk"))));
        foreach ((byte[] deal, int chunk) in old)
        {
            var key = new { deal, chunk };
            byte[]? bytes = _file.Read(connection => connection.ExecuteScalar<byte[]?>("SELECT ciphertext FROM ciphertexts WHERE deal_id = @deal AND chunk = @chunk", key));
            if (bytes is null)
                continue;
            string file = _windows.Write(bytes);
            _file.Write(transaction =>
            {
                transaction.Execute(
                    "INSERT OR REPLACE INTO held_ciphertexts VALUES (@deal, @chunk, @file, 0, @length)", new { deal, chunk, file, length = bytes.Length });
                transaction.Execute("DELETE FROM ciphertexts WHERE deal_id = @deal AND chunk = @chunk", key);
            });
        }
    }

    // What a batch that is on the disk now changed.
    private void NotePlaces(IReadOnlyList<StoreWrite> batch)
    {
        foreach (StoreWrite write in batch)
        {
            if (write is CiphertextRow row && _places.TryGetValue((row.DealId, row.Index), out Place? place))
                place.IsStored = true;
            else if (write is CiphertextDropped dropped)
                _places.TryRemove((dropped.DealId, dropped.Index), out _);
        }
    }

    private sealed record Place(string File, long Start, ReadOnlyMemory<byte> Bytes)
    {
        /// <summary>A row names it.</summary>
        public bool IsStored { get; set; }
    }
}
