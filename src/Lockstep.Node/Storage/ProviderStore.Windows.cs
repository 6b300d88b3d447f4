using System.Collections.Concurrent;
using Dapper;
using Lockstep.Payments;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;
using Microsoft.Data.Sqlite;

namespace Lockstep.Node.Storage;

// Sealed windows: seals and keys in the database, bytes in files that are on the disk before a row names them.
public sealed partial class ProviderStore
{
    private const int MostRecent = 4;

    // Bytes of windows that were put just now and will be sent once: they need not be read back. By file.
    private readonly ConcurrentDictionary<string, IReadOnlyList<ReadOnlyMemory<byte>>> _recent = new();

    /// <summary>Writes a window's bytes to the disk ahead of its row, so that the row's transaction is short.</summary>
    /// <returns>The window, naming its file.</returns>
    internal SealedWindow StoreBytes(SealedWindow made) => made with { StoredAs = _sealed.Write(made.Chunks.Select(chunk => chunk.Ciphertext).Append(made.Proof)) };

    /// <summary>Deletes the bytes of a window that no row names, and none will.</summary>
    internal void DropBytes(SealedWindow window)
    {
        if (window.StoredAs is { } file)
            _sealed.Delete(file);
    }

    /// <summary>A sealed window with its bytes; null when there is none, or its bytes were dropped.</summary>
    public SealedWindowRow? FindWindow(DealId deal, int window)
    {
        var key = new { deal = deal.Key(), window };
        (SealedOffer Offer, byte[] Signature, IReadOnlyList<ReadOnlyMemory<byte>> Keys, string File)? found = _file.Read(connection =>
        {
            List<(OfferedChunk Offered, byte[] Key)> chunks = connection.Select(
                _path, "SELECT * FROM sealed_chunks WHERE deal_id = @deal AND window = @window ORDER BY position", key, row => (row.Offered(), row.Blob("key")));
            return connection.Select(
                _path, "SELECT * FROM windows WHERE deal_id = @deal AND window = @window AND file IS NOT NULL", key,
                row => ((SealedOffer, byte[], IReadOnlyList<ReadOnlyMemory<byte>>, string)?)(
                    new SealedOffer(deal, window, row.Text("suite"), (LockHashKind)row.Int("lock_hash"), [.. chunks.Select(chunk => chunk.Offered)], row.Int("proof_length")),
                    row.Blob("signature"),
                    [.. chunks.Select(chunk => (ReadOnlyMemory<byte>)chunk.Key)],
                    row.Text("file"))).SingleOrDefault();
        });
        if (found is not { } stored)
            return null;
        if (!_recent.TryRemove(stored.File, out IReadOnlyList<ReadOnlyMemory<byte>>? parts))
            parts = _sealed.Read(stored.File, [.. stored.Offer.Chunks.Select(chunk => chunk.Length), stored.Offer.ProofLength]);
        if (parts is null)
            return null;
        return new SealedWindowRow(new SignedOffer(stored.Offer, stored.Signature), [.. parts.SkipLast(1)], parts[^1], stored.Keys, stored.File);
    }

    /// <summary>
    /// Drops the ciphertexts and proofs of windows whose every chunk lies below a number: their client has stored them before
    /// it paid (I8). Locks and keys stay.
    /// </summary>
    public void DropDelivered(DealId deal, int below)
    {
        var key = new { deal = deal.Key(), below };
        const string Delivered = """
            deal_id = @deal AND file IS NOT NULL
            AND (SELECT max(chunk) FROM sealed_chunks WHERE deal_id = windows.deal_id AND window = windows.window) < @below
            """;
        var files = new List<string>();
        _file.Write(transaction =>
        {
            files.AddRange(transaction.Query<string>($"SELECT file FROM windows WHERE {Delivered}", key));
            if (files.Count > 0)
                transaction.Execute($"UPDATE windows SET file = NULL WHERE {Delivered}", key);
        });
        files.ForEach(_sealed.Delete);
    }

    /// <summary>Puts a window in store that is sealed for nobody yet.</summary>
    /// <param name="fingerprint">What it can be sold as.</param>
    /// <param name="made">The window.</param>
    internal void PutReady(Bytes32 fingerprint, SealedWindow made)
    {
        string file = (made.StoredAs is null ? StoreBytes(made) : made).StoredAs!;
        _file.Write(transaction =>
        {
            long ready = transaction.ExecuteScalar<long>(
                "INSERT INTO ready_windows (fingerprint, proof_length, file) VALUES (@mark, @length, @file) RETURNING ready",
                new { mark = fingerprint.Memory.ToArray(), length = made.Proof.Length, file });
            for (int position = 0; position < made.Chunks.Count; position++)
            {
                SealedChunk chunk = made.Chunks[position];
                transaction.Execute(
                    "INSERT INTO ready_chunks VALUES (@ready, @position, @length, @sealId, @keyLock, @nonce, @counter, @key)",
                    new
                    {
                        ready,
                        position,
                        length = chunk.Ciphertext.Length,
                        sealId = chunk.SealId.Memory.ToArray(),
                        keyLock = chunk.Lock.Memory.ToArray(),
                        nonce = chunk.Nonce.ToArray(),
                        counter = (long)chunk.FirstCounter,
                        key = chunk.Key.ToArray(),
                    });
            }
        });
    }

    /// <summary>
    /// Takes a window out of the store: gone from it, on the disk, before anything of it is offered, so that no two deals get
    /// it (I3), whatever happens to the one that took it.
    /// </summary>
    /// <returns>Null when there is none of that fingerprint.</returns>
    internal SealedWindow? TakeReady(Bytes32 fingerprint)
    {
        while (TakeReadyRow(fingerprint) is { } taken)
        {
            if (_sealed.Read(taken.File, [.. taken.Chunks.Select(chunk => chunk.Length), taken.ProofLength]) is { } parts)
                return new SealedWindow([.. taken.Chunks.Select((chunk, i) => chunk.Seal with { Ciphertext = parts[i] })], parts[^1], taken.File);

            // Its bytes are damaged or gone: it is not for sale.
            _sealed.Delete(taken.File);
        }

        return null;
    }

    /// <summary>How many windows of each fingerprint are in store.</summary>
    internal IReadOnlyDictionary<Bytes32, int> CountReady() => _file.Read(connection => connection.Select(
        _path, "SELECT fingerprint, count(*) AS held FROM ready_windows GROUP BY fingerprint", null, row => (Mark: row.Hash("fingerprint"), Held: row.Int("held"))))
        .ToDictionary(row => row.Mark, row => row.Held);

    /// <summary>Overwrites the keys of windows in store that nobody wants any more, and deletes their bytes.</summary>
    /// <param name="keep">How many of each fingerprint stay; those that it does not name all stay.</param>
    internal void DropReady(IReadOnlyDictionary<Bytes32, int> keep)
    {
        var files = new List<string>();
        _file.Write(transaction =>
        {
            foreach ((Bytes32 fingerprint, int count) in keep)
            {
                files.AddRange(transaction.Query<string>(
                    "DELETE FROM ready_windows WHERE ready IN (SELECT ready FROM ready_windows WHERE fingerprint = @mark ORDER BY ready LIMIT -1 OFFSET @count) RETURNING file",
                    new { mark = fingerprint.Memory.ToArray(), count }));
            }
        });
        files.ForEach(_sealed.Delete);
        if (files.Count > 0)
            EmptyLog();
    }

    /// <summary>
    /// What each content was last sold as: the newest deal of each root, newest first. Of deals that were paid for only: a
    /// proposal costs nothing, so it decides nothing.
    /// </summary>
    internal IReadOnlyList<DealProposal> LastSold() => _file.Read(connection => connection.Select(
        _path,
        """
        SELECT * FROM proposals JOIN (
            SELECT deal_id, created_ms, row_number() OVER (PARTITION BY root ORDER BY created_ms DESC) AS age
            FROM deals JOIN proposals USING (deal_id) WHERE chunks_sold > 0) USING (deal_id)
        WHERE age = 1 ORDER BY created_ms DESC
        """,
        null, row => row.Proposal().Proposal));

    /// <summary>Deletes the files of windows that no row names: what a run left behind that was cut short. Only while this process alone seals.</summary>
    internal void SweepFiles() => _sealed.Sweep(_file.Read(connection => connection.Query<string>(
        "SELECT file FROM windows WHERE file IS NOT NULL UNION ALL SELECT file FROM ready_windows").ToHashSet()));

    private (List<(SealedChunk Seal, int Length)> Chunks, int ProofLength, string File)? TakeReadyRow(Bytes32 fingerprint)
    {
        (List<(SealedChunk Seal, int Length)> Chunks, int ProofLength, string File)? taken = null;
        _file.Write(transaction =>
        {
            (long Ready, int ProofLength, string File)? found = transaction.Select(
                _path, "SELECT * FROM ready_windows WHERE fingerprint = @mark ORDER BY ready LIMIT 1", new { mark = fingerprint.Memory.ToArray() },
                row => ((long, int, string)?)(row.Long("ready"), row.Int("proof_length"), row.Text("file"))).SingleOrDefault();
            if (found is not { } window)
                return;
            var key = new { ready = window.Ready };
            List<(SealedChunk, int)> chunks = transaction.Select(
                _path, "SELECT * FROM ready_chunks WHERE ready = @ready ORDER BY position", key,
                row => (new SealedChunk(row.Hash("seal_id"), row.Hash("lock"), row.Blob("nonce"), checked((uint)row.Long("first_counter")), default, row.Blob("key")), row.Int("length")));
            transaction.Execute("DELETE FROM ready_windows WHERE ready = @ready", key);
            taken = (chunks, window.ProofLength, window.File);
        });
        return taken;
    }

    private void PutWindow(StoreTransaction transaction, SealedWindowRow row)
    {
        SealedOffer offer = row.Offer.Offer;
        string file = row.StoredAs ?? _sealed.Write(row.Ciphertexts.Append(row.Proof));
        if (_recent.Count >= MostRecent)
            _recent.Clear();
        _recent[file] = [.. row.Ciphertexts, row.Proof];
        transaction.Execute(
            "INSERT OR REPLACE INTO windows VALUES (@deal, @window, @suite, @lockHash, @length, @signature, NULL, @file)",
            new
            {
                deal = offer.DealId.Key(),
                window = offer.Window,
                suite = offer.SuiteId,
                lockHash = (int)offer.LockHash,
                length = offer.ProofLength,
                signature = row.Offer.Signature.ToArray(),
                file,
            });
        for (int position = 0; position < offer.Chunks.Count; position++)
        {
            OfferedChunk chunk = offer.Chunks[position];
            transaction.Execute(
                """
                INSERT OR REPLACE INTO sealed_chunks VALUES (
                    @deal, @window, @position, @chunk, @cid, @length, @sealId, @keyLock, @nonce, @counter, @key, NULL)
                """,
                new
                {
                    deal = offer.DealId.Key(),
                    window = offer.Window,
                    position,
                    chunk = chunk.Index,
                    cid = chunk.Cid.ToBytes(),
                    length = chunk.Length,
                    sealId = chunk.SealId.Memory.ToArray(),
                    keyLock = chunk.Lock.Memory.ToArray(),
                    nonce = chunk.Nonce.ToArray(),
                    counter = (long)chunk.FirstCounter,
                    key = row.Keys[position].ToArray(),
                });
        }
    }

    // A store of version 1 has the bytes in its tables.
    private void MoveBytesToFiles()
    {
        List<(byte[] Deal, int Window, byte[] Proof)> old = _file.Read(connection => connection.Select(
            _path, "SELECT deal_id, window, proof FROM windows WHERE proof IS NOT NULL", null, row => (row.Blob("deal_id"), row.Int("window"), row.Blob("proof"))));
        foreach ((byte[] deal, int window, byte[] proof) in old)
        {
            var key = new { deal, window };
            List<byte[]?> ciphertexts = _file.Read(connection => connection.Select(
                _path, "SELECT ciphertext FROM sealed_chunks WHERE deal_id = @deal AND window = @window ORDER BY position", key, row => row.BlobOrNull("ciphertext")));
            string? file = ciphertexts.Contains(null) ? null : _sealed.Write(ciphertexts.Select(bytes => (ReadOnlyMemory<byte>)bytes).Append(proof));
            _file.Write(transaction =>
            {
                transaction.Execute("UPDATE windows SET proof = NULL, file = @file WHERE deal_id = @deal AND window = @window", new { deal, window, file });
                transaction.Execute("UPDATE sealed_chunks SET ciphertext = NULL WHERE deal_id = @deal AND window = @window", key);
            });
        }
    }
}
