using System.Buffers;
using System.Text;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;

namespace Lockstep.Content.UnixFs;

/// <summary>
/// Turns files and folders into UnixFS DAGs with the same root CIDs as ipfs-unixfs-importer with CID version 1, raw leaves, fixed-size chunks,
/// 174 links and a single leaf standing for itself. Files are streamed: memory is one chunk and the open nodes of one file,
/// plus the entries of the folders on the path to it.
/// </summary>
/// <param name="sink">Receives each block once it is complete, children before parents.</param>
public sealed class UnixFsImporter(IBlockSink sink, ImportOptions options)
{
    private long _fileBytes;

    /// <summary>Told the number of file bytes read so far, after each chunk.</summary>
    public IProgress<long>? Progress { get; init; }

    /// <summary>Imports a file, or a folder with everything in it. The folder's own name is not part of its root.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public Outcome<ImportResult> ImportPath(string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            if (Directory.Exists(path))
                return ImportFolder(new DirectoryInfo(path), 0, cancellation);
            if (!FileSystem.Exists(path))
                return new ContentError(ContentErrorKind.NotFound, $"There is no file or folder '{path}'; check the path.");

            // A link that the user names is the user's own choice; those met inside a folder are refused.
            return ImportFile(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path, cancellation);
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"read '{path}'", error);
        }
    }

    /// <summary>Imports a file from a stream, read to its end. The caller keeps the stream.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public Outcome<ImportResult> ImportStream(Stream stream, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (options.Refuse() is { } refusal)
            return refusal;
        var builder = new FileDagBuilder(sink, options.MaxLinks);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(options.ChunkSize);
        try
        {
            bool first = true;
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                int read = stream.ReadAtLeast(buffer.AsSpan(0, options.ChunkSize), options.ChunkSize, throwOnEndOfStream: false);

                // An empty file is one leaf of no bytes; any other ends at the last byte read.
                if (read > 0 || first)
                {
                    if (builder.AddLeaf(buffer.AsSpan(0, read)) is { } error)
                        return error;
                    _fileBytes += read;
                    Progress?.Report(_fileBytes);
                }

                first = false;
                if (read < options.ChunkSize)
                    return builder.Finish();
            }
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo("read the file to its end", error);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private Outcome<ImportResult> ImportFile(string path, CancellationToken cancellation)
    {
        if (!FileSystem.IsRegularFile(path))
            return NotImportable(path);
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Open,
            Access = FileAccess.Read,
            Share = FileShare.Read,
            Options = FileOptions.SequentialScan,
            BufferSize = 0,
        });
        return ImportStream(file, cancellation);
    }

    private Outcome<ImportResult> ImportFolder(DirectoryInfo folder, int depth, CancellationToken cancellation)
    {
        if (depth > ImportOptions.MaxFolderDepth)
            return new ContentError(
                ContentErrorKind.LimitExceeded, $"The folder '{folder.FullName}' lies deeper than {ImportOptions.MaxFolderDepth} levels; add a part of it.");
        var links = new List<DagPbLink>();
        long fileBytes = 0, shardEstimate = 0;
        foreach (FileSystemInfo entry in folder.EnumerateFileSystemInfos("*", AllEntries).OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            cancellation.ThrowIfCancellationRequested();
            if (RefuseEntry(entry) is { } refusal)
                return refusal;
            Outcome<ImportResult> imported = entry is DirectoryInfo child
                ? ImportFolder(child, depth + 1, cancellation)
                : ImportFile(entry.FullName, cancellation);
            if (!imported.Try(out ImportResult result, out ContentError? error))
                return error;
            links.Add(new DagPbLink(result.Root, entry.Name, (ulong)result.TotalSize));
            fileBytes += result.FileBytes;

            // The importer that we match counts files and empty folders only: its other folders have no CID yet when it decides.
            if (entry is FileInfo || result.Root == EmptyFolder)
                shardEstimate += Encoding.UTF8.GetByteCount(entry.Name) + result.Root.ToBytes().Length;
        }

        if (!WriteFolder(links, shardEstimate > options.ShardThresholdBytes).Try(out var written, out ContentError? failure))
            return failure;
        return new ImportResult(written.Cid, fileBytes, written.TotalSize);
    }

    private static readonly EnumerationOptions AllEntries = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    private static readonly byte[] EmptyFolderBlock = new DagPbNode(new UnixFsData(UnixFsType.Directory).Encode(), []).Encode();

    private static readonly Cid EmptyFolder = Cid.Of(Multicodec.DagPb, EmptyFolderBlock);

    private Outcome<(Cid Cid, long TotalSize)> WriteFolder(List<DagPbLink> links, bool sharded)
    {
        if (sharded)
        {
            var shards = new HamtDirectory();
            links.ForEach(shards.Add);
            return shards.Write(sink);
        }

        byte[] block = links.Count == 0 ? EmptyFolderBlock : new DagPbNode(new UnixFsData(UnixFsType.Directory).Encode(), links).Encode();
        Cid cid = Cid.Of(Multicodec.DagPb, block);
        return sink.Put(cid, block) is { } error ? error : (cid, block.Length + links.Sum(link => (long)link.TotalSize!.Value));
    }

    private static ContentError? RefuseEntry(FileSystemInfo entry)
    {
        // A name that is not UTF-8 on disk reads with replacement characters, and then names nothing.
        if (entry.Name.Contains('\uFFFD', StringComparison.Ordinal) && !FileSystem.Exists(entry.FullName))
            return new ContentError(
                ContentErrorKind.UnsafeName, $"The name {EntryNames.Quote(entry.Name)} in '{Path.GetDirectoryName(entry.FullName)}' is not valid UTF-8; rename it.");
        if (EntryNames.Refuse(entry.Name) is { } refusal)
            return refusal;
        return entry.LinkTarget is not null ? NotImportable(entry.FullName) : null;
    }

    private static ContentError NotImportable(string path) => new(
        ContentErrorKind.Unsupported,
        new FileInfo(path).LinkTarget is not null
            ? $"'{path}' is a symbolic link, and links are not followed; put the file itself there, or leave it out."
            : $"'{path}' is neither a file nor a folder (a device, pipe or socket); leave it out.");
}
