using Lockstep.Content.Cids;

namespace Lockstep.Content.Blocks;

/// <summary>
/// Blocks on disk, one file each, named by digest: <c>blocks/ab/abcdef….</c> (64 hexadecimal digits). The names are the index.
/// A block is written and flushed under a temporary name and then renamed, so a name never stands for half a block, whatever crashes.
/// Each read checks the digest. All members may be called from several threads at once.
/// </summary>
/// <remarks>Blocks are addressed by digest alone: the same bytes under two codecs, or under CID versions 0 and 1, are held once.</remarks>
public sealed class BlockStore : IBlockSource, IBlockSink, IDisposable
{
    private const int DigestBytes = 32;
    private readonly string _blocks;

    private BlockStore(string folder, string blocks, TemporaryFiles temporary)
    {
        Folder = folder;
        _blocks = blocks;
        Temporary = temporary;
    }

    /// <summary>The folder that the store was opened in.</summary>
    public string Folder { get; }

    internal TemporaryFiles Temporary { get; }

    /// <summary>Opens, or makes, the store in <paramref name="folder"/> and removes what a crash left half-written.</summary>
    public static Outcome<BlockStore> Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        try
        {
            string blocks = Path.Combine(folder, "blocks");
            Directory.CreateDirectory(blocks);
            return new BlockStore(folder, blocks, new TemporaryFiles(Path.Combine(folder, "tmp")));
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"open the block store in '{folder}'", error);
        }
    }

    /// <summary>True when the block is held. Its bytes are not looked at.</summary>
    public bool Has(Cid cid)
    {
        ArgumentNullException.ThrowIfNull(cid);
        return cid.IsSha256 && File.Exists(PathOf(cid.Digest));
    }

    /// <inheritdoc/>
    public Outcome<long> GetLength(Cid cid)
    {
        ArgumentNullException.ThrowIfNull(cid);
        if (cid.RefuseOtherHash() is { } refusal)
            return refusal;
        try
        {
            var file = new FileInfo(PathOf(cid.Digest));
            return file.Exists ? file.Length : MemoryBlocks.Missing(cid);
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"look up block {cid}", error);
        }
    }

    /// <inheritdoc/>
    public Outcome<byte[]> Get(Cid cid)
    {
        ArgumentNullException.ThrowIfNull(cid);
        if (cid.RefuseOtherHash() is { } refusal)
            return refusal;
        return ReadVerified(PathOf(cid.Digest), cid);
    }

    /// <summary>Verifies and stores one block. When this returns null the block survives a crash.</summary>
    public ContentError? Put(Cid cid, ReadOnlySpan<byte> block) => BlockLimits.Refuse(cid, block) ?? Write(cid, block, isPassing: false);

    /// <summary>
    /// Stores a leaf whose digest the caller has checked, as opening a chunk does: it is not hashed a second time, and not kept
    /// in memory for a reader. When this returns null the block survives a crash.
    /// </summary>
    public ContentError? PutVerified(Cid cid, ReadOnlySpan<byte> block)
    {
        ArgumentNullException.ThrowIfNull(cid);
        if (block.Length > BlockLimits.MaxLeafBytes)
            return BlockLimits.LeafTooLarge(cid, block.Length);
        return cid.RefuseOtherHash() ?? Write(cid, block, isPassing: true);
    }

    private ContentError? Write(Cid cid, ReadOnlySpan<byte> block, bool isPassing)
    {
        string path = PathOf(cid.Digest);
        if (IsIntact(path, cid, block.Length))
            return null;
        string temporary = Temporary.Next();
        try
        {
            FileSystem.WriteDurably(temporary, block, isPassing);
            MoveIn(temporary, path);
            FileSystem.FlushDirectory(Path.GetDirectoryName(path)!);
            return null;
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            FileSystem.TryDelete(temporary);
            return ContentError.FromIo($"store block {cid}", error);
        }
    }

    /// <summary>Begins a group of blocks of which either all become visible, by <see cref="BlockBatch.Commit"/>, or none.</summary>
    public Outcome<BlockBatch> BeginBatch()
    {
        string folder = Temporary.Next();
        try
        {
            Directory.CreateDirectory(folder);
            return new BlockBatch(this, folder);
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo("begin writing to the block store", error);
        }
    }

    /// <summary>Removes a block; removing one that is not held is no error.</summary>
    public ContentError? Delete(Cid cid)
    {
        ArgumentNullException.ThrowIfNull(cid);
        if (cid.RefuseOtherHash() is { } refusal)
            return refusal;
        try
        {
            File.Delete(PathOf(cid.Digest));
            return null;
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"delete block {cid}", error);
        }
    }

    /// <summary>
    /// The digests (32 bytes) and lengths (bytes) of all blocks, in no particular order, read as the caller goes on.
    /// Files that are no blocks are passed over.
    /// </summary>
    public IEnumerable<(byte[] Digest, long Length)> Enumerate()
    {
        foreach (FileInfo file in new DirectoryInfo(_blocks).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            if (file.Name.Length != 2 * DigestBytes)
                continue;
            var digest = new byte[DigestBytes];
            if (Convert.FromHexString(file.Name, digest, out _, out int written) == System.Buffers.OperationStatus.Done && written == DigestBytes)
                yield return (digest, file.Length);
        }
    }

    /// <summary>Ends this store's session. Batches that were not committed are lost.</summary>
    public void Dispose() => Temporary.Dispose();

    internal static string FileNameOf(ReadOnlySpan<byte> digest) => Convert.ToHexStringLower(digest);

    internal static Outcome<byte[]> ReadVerified(string path, Cid cid)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.Length > BlockLimits.MaxLinkBlockBytes)
                return Corrupt(cid);
            var block = new byte[file.Length];
            file.ReadExactly(block);
            return cid.Matches(block) ? block : Corrupt(cid);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return MemoryBlocks.Missing(cid);
        }
        catch (EndOfStreamException)
        {
            return Corrupt(cid);
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"read block {cid}", error);
        }
    }

    /// <summary>
    /// True when the block is already held whole. A damaged file is not counted, so that adding the content again repairs it.
    /// </summary>
    internal static bool IsIntact(string path, Cid cid, long length)
    {
        var file = new FileInfo(path);
        return file.Exists && file.Length == length && ReadVerified(path, cid).IsOk;
    }

    internal string PathOf(ReadOnlySpan<byte> digest)
    {
        string name = FileNameOf(digest);
        return Path.Combine(_blocks, name[..2], name);
    }

    /// <summary>Renames a flushed file into the store. The folder is not flushed yet.</summary>
    internal void MoveIn(string temporary, string path)
    {
        string folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            FileSystem.FlushDirectory(_blocks);
        }

        File.Move(temporary, path, overwrite: true);
    }

    private static ContentError Corrupt(Cid cid) => new(
        ContentErrorKind.CorruptBlock,
        $"The stored block {cid} no longer has the bytes its name states; add the content again to repair it.");
}
