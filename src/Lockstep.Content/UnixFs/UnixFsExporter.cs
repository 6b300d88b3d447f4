using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;

namespace Lockstep.Content.UnixFs;

/// <summary>How content is written out.</summary>
public sealed record ExportOptions
{
    /// <summary>Whether an existing destination is replaced; else it is an error.</summary>
    public bool Overwrite { get; init; }

    /// <summary>
    /// Most bytes written in all. A graph of a few blocks can describe a file of any size, so content from strangers wants a limit.
    /// </summary>
    public long MaxBytes { get; init; } = 1L << 40;

    /// <summary>Most files and folders written in all.</summary>
    public int MaxEntries { get; init; } = 1 << 20;

    /// <summary>Most links on the way from the root to a leaf.</summary>
    public int MaxDepth { get; init; } = 256;
}

/// <summary>What an export wrote.</summary>
/// <param name="Bytes">Bytes of all files.</param>
/// <param name="Files">Number of files.</param>
/// <param name="Folders">Number of folders, the root's included.</param>
public readonly record struct ExportResult(long Bytes, int Files, int Folders);

/// <summary>
/// Writes the file or folder behind a root CID to disk: streamed, one block in memory, and visible under its name only when it is whole.
/// Names that could leave the destination are refused, and so are symbolic links in the content; every size a node states is checked.
/// An instance serves one export at a time.
/// </summary>
public sealed class UnixFsExporter(IBlockSource source, ExportOptions? options = null)
{
    private static readonly System.Buffers.SearchValues<char> HexDigits = System.Buffers.SearchValues.Create("0123456789ABCDEF");

    // A large file goes to the disk as it grows: its end need not wait for all of it, and it does not fill the memory.
    private const int FlushedAtOnce = 8 << 20;

    private readonly ExportOptions _options = options ?? new ExportOptions();
    private long _unflushed;
    private ExportResult _written;
    private CancellationToken _cancellation;
    private bool _comparing;

    /// <summary>Told the number of bytes written so far, after each block.</summary>
    public IProgress<long>? Progress { get; init; }

    /// <summary>Asked when all is written, before it appears at its destination; with an error nothing appears and nothing is left.</summary>
    public Func<ContentError?>? Confirm { get; init; }

    /// <summary>Writes the content of <paramref name="root"/> to <paramref name="destination"/>, whose parent folder must exist.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled; nothing was left.</exception>
    public Outcome<ExportResult> Export(Cid root, string destination, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(root);
        if (!AtomicDestination.Prepare(destination, _options.Overwrite).Try(out AtomicDestination? target, out ContentError? error))
            return error;
        _written = default;
        _cancellation = cancellation;
        _comparing = false;
        using (target)
        {
            try
            {
                if (WriteEntry(root, target.TemporaryPath, 0) is { } failure)
                    return failure;
                return (Confirm?.Invoke() ?? target.Commit()) is { } notMoved ? notMoved : _written;
            }
            catch (Exception failure) when (ContentError.IsIo(failure))
            {
                return ContentError.FromIo($"write '{destination}'", failure);
            }
        }
    }

    /// <summary>
    /// Looks whether an export would write what is at <paramref name="destination"/> already: the same folders, names and bytes. Nothing is changed.
    /// </summary>
    /// <returns>What is there; <see cref="ContentErrorKind.DestinationExists"/> when it differs.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public Outcome<ExportResult> Compare(Cid root, string destination, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(destination);
        _written = default;
        _cancellation = cancellation;
        _comparing = true;
        try
        {
            return WriteEntry(root, Path.TrimEndingDirectorySeparator(Path.GetFullPath(destination)), 0) is { } failure ? failure : _written;
        }
        catch (Exception failure) when (ContentError.IsIo(failure))
        {
            return ContentError.FromIo($"compare '{destination}'", failure);
        }
    }

    private ContentError? WriteEntry(Cid cid, string path, int depth)
    {
        _cancellation.ThrowIfCancellationRequested();
        if (_written.Files + _written.Folders >= _options.MaxEntries)
            return new ContentError(ContentErrorKind.LimitExceeded, $"The content has more than {_options.MaxEntries} files and folders.");
        if (cid.Codec == Multicodec.Raw)
            return WriteFile(cid, path, depth);
        if (!ReadNode(cid, depth).Try(out var node, out ContentError? error))
            return error;
        switch (node.Data.Type)
        {
            case UnixFsType.File or UnixFsType.Raw:
                return WriteFile(cid, path, depth);
            case UnixFsType.Directory or UnixFsType.HamtShard:
                return WriteFolder(cid, node, path, depth);
            case UnixFsType.Symlink:
                return new ContentError(ContentErrorKind.Unsupported, $"The content has a symbolic link ({cid}), which is not written to disk; take it as a CAR (--car) instead.");
            default:
                return new ContentError(ContentErrorKind.Unsupported, $"The node {cid} is UnixFS metadata, not a file or folder; take it as a CAR (--car) instead.");
        }
    }

    private ContentError? WriteFile(Cid cid, string path, int depth)
    {
        if (_comparing && !FileSystem.IsRegularFile(path))
            return Differs(path);
        using (Stream file = _comparing ? new ComparedFile(path) : new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            if (!WriteContent(cid, file, depth, null).Try(out long _, out ContentError? error))
                return error;
            if (file is ComparedFile { IsSame: false })
                return Differs(path);
            if (file is FileStream written)
                Flush(written);
        }

        _written = _written with { Files = _written.Files + 1 };
        return null;
    }

    /// <summary>Writes the bytes in and below a block and returns their number, which must be what the parent states, if it does.</summary>
    private Outcome<long> WriteContent(Cid cid, Stream file, int depth, ulong? stated)
    {
        _cancellation.ThrowIfCancellationRequested();
        long length;
        if (cid.Codec == Multicodec.Raw)
        {
            if (!Read(cid).Try(out byte[]? block, out ContentError? error))
                return error;
            if (Append(file, block) is { } full)
                return full;
            length = block.Length;
        }
        else
        {
            if (!ReadNode(cid, depth).Try(out var node, out ContentError? error))
                return error;
            if (node.Data.Type is not (UnixFsType.File or UnixFsType.Raw))
                return Contradiction(cid, "is part of a file but is not a file itself");
            if (node.Data.BlockSizes.Count != node.Links.Count)
                return Contradiction(cid, $"has {node.Links.Count} links but states {node.Data.BlockSizes.Count} sizes");

            // Bytes in the node itself come before those of its children.
            ReadOnlyMemory<byte> inline = node.Data.Data ?? default;
            if (Append(file, inline.Span) is { } full)
                return full;
            length = inline.Length;
            for (int i = 0; i < node.Links.Count; i++)
            {
                // Were parts of no bytes allowed, a few blocks could describe a walk without end that writes nothing.
                if (node.Data.BlockSizes[i] == 0)
                    return Contradiction(cid, "states a part of no bytes");
                if (!WriteContent(node.Links[i].Cid, file, depth + 1, node.Data.BlockSizes[i]).Try(out long child, out error))
                    return error;
                length += child;
            }

            if (node.Data.FileSize is { } fileSize && fileSize != (ulong)length)
                return WrongSize(cid, length, fileSize);
        }

        return stated is { } expected && expected != (ulong)length ? WrongSize(cid, length, expected) : length;
    }

    private ContentError? WriteFolder(Cid cid, Node node, string path, int depth)
    {
        if (!_comparing)
            Directory.CreateDirectory(path);
        else if (!Directory.Exists(path) || new DirectoryInfo(path).LinkTarget is not null)
            return Differs(path);
        _written = _written with { Folders = _written.Folders + 1 };
        var names = new HashSet<string>(StringComparer.Ordinal);
        ContentError? error = node.Data.Type == UnixFsType.Directory
            ? WriteEntries(node.Links, names, path, depth)
            : WriteShard(cid, node, names, path, depth);
        if (error is not null)
            return error;
        if (!_comparing)
            FileSystem.FlushDirectory(path);
        else if (Directory.EnumerateFileSystemEntries(path).Any(entry => !names.Contains(Path.GetFileName(entry))))
            return Differs(path);
        return null;
    }

    private ContentError? WriteEntries(IReadOnlyList<DagPbLink> entries, HashSet<string> names, string path, int depth)
    {
        foreach (DagPbLink entry in entries)
        {
            if (EntryNames.Refuse(entry.Name) is { } unsafeName)
                return unsafeName;
            string target = Path.Combine(path, entry.Name!);

            // The second test meets file systems that take two names for one (case, Unicode forms).
            if (!names.Add(entry.Name!) || (!_comparing && FileSystem.Exists(target)))
                return new ContentError(ContentErrorKind.UnsafeName, $"A folder of the content has the name {EntryNames.Quote(entry.Name)} twice; take it as a CAR (--car) instead.");
            if (WriteEntry(entry.Cid, target, depth + 1) is { } error)
                return error;
        }

        return null;
    }

    /// <summary>A shard's links are named by a slot number in hexadecimal, alone for a shard below, or with an entry's name behind it.</summary>
    private ContentError? WriteShard(Cid cid, Node shard, HashSet<string> names, string path, int depth)
    {
        ulong fanout = shard.Data.Fanout ?? 0;
        if (fanout is < 8 or > 1024 || (fanout & (fanout - 1)) != 0 || shard.Data.HashType != UnixFsData.Murmur3)
            return new ContentError(ContentErrorKind.Unsupported, $"The sharded folder {cid} has an unknown hash or fan-out; take it as a CAR (--car) instead.");
        int prefix = (fanout - 1).ToString("X", System.Globalization.CultureInfo.InvariantCulture).Length;
        foreach (DagPbLink link in shard.Links)
        {
            string name = link.Name ?? string.Empty;
            if (name.Length < prefix || name.AsSpan(0, prefix).ContainsAnyExcept(HexDigits))
                return Contradiction(cid, "is a shard with a link that has no slot number");
            ContentError? error;
            if (name.Length > prefix)
            {
                error = WriteEntries([link with { Name = name[prefix..] }], names, path, depth);
            }
            else
            {
                if (!ReadNode(link.Cid, depth + 1).Try(out var below, out error))
                    return error;
                error = below.Data.Type == UnixFsType.HamtShard && below.Links.Count > 0
                    ? WriteShard(link.Cid, below, names, path, depth + 1)
                    : Contradiction(link.Cid, "stands where a shard with entries is expected");
            }

            if (error is not null)
                return error;
        }

        return null;
    }

    private Outcome<Node> ReadNode(Cid cid, int depth)
    {
        if (depth > _options.MaxDepth)
            return new ContentError(ContentErrorKind.LimitExceeded, $"The content is deeper than {_options.MaxDepth} levels.");
        if (cid.Codec != Multicodec.DagPb)
            return NotUnixFs(cid, $"its codec is {Multicodec.NameOf(cid.Codec)}");
        if (!Read(cid).Try(out byte[]? block, out ContentError? error))
            return error;
        if (!DagPbNode.Decode(block).Try(out DagPbNode? node, out error))
            return NotUnixFs(cid, error.Message);
        if (node.Data is not { } bytes)
            return NotUnixFs(cid, "it has no data");
        return UnixFsData.Decode(bytes.Span).Try(out UnixFsData? data, out error) ? new Node(data, node.Links) : NotUnixFs(cid, error.Message);
    }

    // A block of no bytes may never have been stored: its name is enough.
    private Outcome<byte[]> Read(Cid cid) => cid.NamesEmptyBlock ? Array.Empty<byte>() : source.Get(cid);

    private ContentError? Append(Stream file, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _options.MaxBytes - _written.Bytes)
            return new ContentError(ContentErrorKind.LimitExceeded, $"The content has more than {BlockLimits.Size(_options.MaxBytes)}, the most that was allowed.");
        file.Write(bytes);
        if (file is ComparedFile { IsSameSoFar: false } compared)
            return Differs(compared.Path);
        if (file is FileStream written && (_unflushed += bytes.Length) >= FlushedAtOnce)
            Flush(written);
        _written = _written with { Bytes = _written.Bytes + bytes.Length };
        Progress?.Report(_written.Bytes);
        return null;
    }

    private void Flush(FileStream file)
    {
        file.Flush(flushToDisk: true);
        if (file.Length >= FlushedAtOnce)
            FileSystem.ForgetCached(file);
        _unflushed = 0;
    }

    private static ContentError Differs(string path) =>
        new(ContentErrorKind.DestinationExists, $"'{path}' is not what the content has there; choose another name, or ask to replace it.");

    private static ContentError NotUnixFs(Cid cid, string why) => new(
        ContentErrorKind.NotUnixFs, $"The block {cid} is not a UnixFS file or folder ({why.TrimEnd('.')}); take the content as a CAR (--car) instead.");

    private static ContentError Contradiction(Cid cid, string what) =>
        new(ContentErrorKind.BadUnixFs, $"The node {cid} {what}; the content is damaged at its source.");

    private static ContentError WrongSize(Cid cid, long actual, ulong stated) => new(
        ContentErrorKind.SizeMismatch, $"The node {cid} holds {actual} bytes of a file where {stated} are stated; the content is damaged at its source.");

    private readonly record struct Node(UnixFsData Data, IReadOnlyList<DagPbLink> Links);
}
