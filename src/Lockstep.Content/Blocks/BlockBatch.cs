using Lockstep.Content.Cids;

namespace Lockstep.Content.Blocks;

/// <summary>
/// Blocks that enter a <see cref="BlockStore"/> together. They wait, flushed, beside the store; <see cref="Commit"/> renames them in.
/// A batch that is disposed without a commit leaves nothing. Memory does not grow with the number of blocks. For one thread at a time.
/// </summary>
public sealed class BlockBatch : IBlockSink, IBlockSource, IDisposable
{
    private readonly BlockStore _store;
    private readonly string _folder;
    private bool _ended;

    internal BlockBatch(BlockStore store, string folder)
    {
        _store = store;
        _folder = folder;
    }

    /// <summary>Bytes written to disk so far: blocks that the store or the batch held already cost none.</summary>
    public long BytesWritten { get; private set; }

    /// <inheritdoc/>
    public ContentError? Put(Cid cid, ReadOnlySpan<byte> block)
    {
        ObjectDisposedException.ThrowIf(_ended, this);
        if (BlockLimits.Refuse(cid, block) is { } refusal)
            return refusal;
        string path = PathOf(cid);
        if (File.Exists(path) || BlockStore.IsIntact(_store.PathOf(cid.Digest), cid, block.Length))
            return null;
        try
        {
            FileSystem.WriteDurably(path, block);
            BytesWritten += block.Length;
            return null;
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            FileSystem.TryDelete(path);
            return ContentError.FromIo($"store block {cid}", error);
        }
    }

    /// <inheritdoc/>
    public Outcome<byte[]> Get(Cid cid)
    {
        ArgumentNullException.ThrowIfNull(cid);
        return !_ended && cid.IsSha256 && File.Exists(PathOf(cid)) ? BlockStore.ReadVerified(PathOf(cid), cid) : _store.Get(cid);
    }

    /// <inheritdoc/>
    public Outcome<long> GetLength(Cid cid)
    {
        ArgumentNullException.ThrowIfNull(cid);
        if (!_ended && cid.IsSha256 && new FileInfo(PathOf(cid)) is { Exists: true } file)
            return file.Length;
        return _store.GetLength(cid);
    }

    /// <summary>Makes all blocks of the batch part of the store, durably.</summary>
    /// <returns>Null, or why some could not be moved; those that were are sound blocks that nothing names yet.</returns>
    public ContentError? Commit()
    {
        ObjectDisposedException.ThrowIf(_ended, this);
        try
        {
            var touched = new HashSet<string>(StringComparer.Ordinal);
            foreach (string temporary in Directory.EnumerateFiles(_folder))
            {
                string path = _store.PathOf(Convert.FromHexString(Path.GetFileName(temporary)));
                _store.MoveIn(temporary, path);
                touched.Add(Path.GetDirectoryName(path)!);
            }

            foreach (string folder in touched)
                FileSystem.FlushDirectory(folder);
            return null;
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo("move the new blocks into the store", error);
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Drops what was not committed.</summary>
    public void Dispose()
    {
        if (!_ended)
            FileSystem.TryDelete(_folder);
        _ended = true;
    }

    private string PathOf(Cid cid) => Path.Combine(_folder, BlockStore.FileNameOf(cid.Digest));
}
