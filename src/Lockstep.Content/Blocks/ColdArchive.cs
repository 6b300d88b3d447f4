using System.Globalization;
using System.IO.Compression;
using System.Text;
using Lockstep.Content.Car;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;

namespace Lockstep.Content.Blocks;

/// <summary>
/// Cold content: the chunks of a root in one compressed file, while its link blocks stay in the store, so that it can still be offered.
/// <c>cold/CID.car.br</c> is a CAR of the chunks under Brotli; <c>cold/CID.leaves</c> lists them with their lengths.
/// An instance may be used from several threads, for different roots.
/// </summary>
public sealed class ColdArchive
{
    private const string ListHeading = "lockstep cold leaves 1";
    private readonly BlockStore _store;
    private readonly string _folder;

    private ColdArchive(BlockStore store, string folder)
    {
        _store = store;
        _folder = folder;
    }

    /// <summary>Opens, or makes, the archives beside the blocks of <paramref name="store"/>, which must outlive this.</summary>
    public static Outcome<ColdArchive> Open(BlockStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        try
        {
            string cold = Path.Combine(store.Folder, "cold");
            Directory.CreateDirectory(cold);
            return new ColdArchive(store, cold);
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"open the archives in '{store.Folder}'", error);
        }
    }

    /// <summary>True when there is an archive of this root's chunks.</summary>
    public bool Has(Cid root) => File.Exists(ArchiveOf(root)) && File.Exists(ListOf(root));

    /// <summary>
    /// Moves the chunks of a root out of the store: packs them, reads the archive back and checks every block, and only then deletes them.
    /// </summary>
    /// <param name="isNeededElsewhere">Tells which chunks stay in the store as well, because other content has them too. Null: none.</param>
    /// <param name="progress">Told the chunk bytes packed so far.</param>
    /// <returns>The manifest of the content, which <see cref="SourceFor"/> can give again while it is cold.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled; nothing was changed.</exception>
    public Outcome<DagManifest> Freeze(
        Cid root, Func<Cid, bool>? isNeededElsewhere = null, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        if (!DagWalker.Walk(_store, root, limits: null, cancellation).Try(out DagManifest? manifest, out ContentError? error))
            return error;
        string archive = _store.Temporary.Next(), list = _store.Temporary.Next();
        try
        {
            if (Pack(manifest, archive, progress, cancellation) is { } failure)
                return failure;
            if (!Unpack(archive, root, manifest.Chunks, new Discard(), null, cancellation).Try(out _, out error))
                return error;
            FileSystem.ReplaceDurably(ListOf(root), list, EncodeList(manifest.Chunks));
            File.Move(archive, ArchiveOf(root), overwrite: true);
            FileSystem.FlushDirectory(_folder);
        }
        catch (Exception failure) when (ContentError.IsIo(failure))
        {
            return ContentError.FromIo($"write the archive of {root}", failure);
        }
        finally
        {
            FileSystem.TryDelete(archive);
        }

        foreach (SizedCid chunk in manifest.Chunks)
        {
            if (isNeededElsewhere?.Invoke(chunk.Cid) != true && _store.Delete(chunk.Cid) is { } failure)
                return failure;
        }

        return manifest;
    }

    /// <summary>
    /// Brings the chunks of a root back into the store, all or none, each checked. The archive stays until <see cref="Remove"/>.
    /// </summary>
    /// <param name="progress">Told the chunk bytes unpacked so far, of those that the root's manifest sums up.</param>
    /// <returns>The chunk bytes brought back.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled; the store is as before.</exception>
    public Outcome<long> Thaw(Cid root, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        if (!ReadList(root).Try(out IReadOnlyList<SizedCid>? chunks, out ContentError? error))
            return error;
        if (!_store.BeginBatch().Try(out BlockBatch? batch, out error))
            return error;
        using (batch)
        {
            if (!Unpack(ArchiveOf(root), root, chunks, batch, progress, cancellation).Try(out long bytes, out error))
                return error;
            return batch.Commit() is { } failure ? failure : bytes;
        }
    }

    /// <summary>
    /// The store as seen while a root is cold: its chunks have lengths, and reading one is the error <see cref="ContentErrorKind.Cold"/>.
    /// <see cref="DagWalker.Walk"/> gives the root's manifest from it.
    /// </summary>
    public Outcome<IBlockSource> SourceFor(Cid root) =>
        ReadList(root).Try(out IReadOnlyList<SizedCid>? chunks, out ContentError? error)
            ? new ColdSource(_store, chunks)
            : new Outcome<IBlockSource>(error);

    /// <summary>Deletes the archive of a root. Removing one that is not there is no error.</summary>
    public ContentError? Remove(Cid root)
    {
        try
        {
            File.Delete(ArchiveOf(root));
            File.Delete(ListOf(root));
            FileSystem.FlushDirectory(_folder);
            return null;
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"delete the archive of {root}", error);
        }
    }

    private ContentError? Pack(DagManifest manifest, string path, IProgress<long>? progress, CancellationToken cancellation)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        using (var packed = new BrotliStream(file, CompressionLevel.Fastest, leaveOpen: true))
        {
            var writer = new CarWriter(packed, [manifest.Root]);
            long done = 0;
            foreach (SizedCid chunk in manifest.Chunks)
            {
                cancellation.ThrowIfCancellationRequested();
                if (!_store.Get(chunk.Cid).Try(out byte[]? block, out ContentError? error))
                    return error;
                writer.Write(chunk.Cid, block);
                progress?.Report(done += block.Length);
            }
        }

        file.Flush(flushToDisk: true);
        return null;
    }

    /// <summary>Reads an archive, which must hold exactly the listed chunks in their order, so that a swollen one is refused at its first block too many.</summary>
    private static Outcome<long> Unpack(
        string path, Cid root, IReadOnlyList<SizedCid> expected, IBlockSink sink, IProgress<long>? progress, CancellationToken cancellation)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16, FileOptions.SequentialScan);
            using var unpacked = new BrotliStream(file, CompressionMode.Decompress);
            if (!CarReader.Open(unpacked).Try(out CarReader? reader, out ContentError? error))
                return Damaged(root, error);
            long done = 0;
            for (int i = 0; ; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                if (!reader.ReadNext().Try(out CarBlock? next, out error))
                    return Damaged(root, error);
                if (next is not { } block)
                    return i == expected.Count ? done : Damaged(root, null);
                if (i == expected.Count || block.Cid != expected[i].Cid || block.Bytes.Length != expected[i].Length)
                    return Damaged(root, null);
                if (sink.Put(block.Cid, block.Bytes.Span) is { } failure)
                    return failure;
                progress?.Report(done += block.Bytes.Length);
            }
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"read the archive of {root}", error);
        }
    }

    private static byte[] EncodeList(IReadOnlyList<SizedCid> chunks)
    {
        var text = new StringBuilder(ListHeading).Append('\n');
        foreach (SizedCid chunk in chunks)
            text.Append(CultureInfo.InvariantCulture, $"{chunk.Cid} {chunk.Length}\n");
        return Encoding.ASCII.GetBytes(text.Append("end\n").ToString());
    }

    private Outcome<IReadOnlyList<SizedCid>> ReadList(Cid root)
    {
        try
        {
            if (!Has(root))
                return new ContentError(ContentErrorKind.NotFound, $"There is no archive of {root}; add the content again.");
            var chunks = new List<SizedCid>();
            bool heading = false, end = false;
            foreach (string line in File.ReadLines(ListOf(root), Encoding.ASCII))
            {
                if (!heading)
                {
                    heading = line == ListHeading;
                    if (!heading)
                        break;
                    continue;
                }

                end = line == "end";
                if (end)
                    break;
                string[] parts = line.Split(' ');
                if (parts.Length != 2 || !Cid.TryParse(parts[0], out Cid? cid, out _)
                    || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long length) || length > BlockLimits.MaxLeafBytes)
                {
                    break;
                }

                chunks.Add(new SizedCid(cid, length));
            }

            return heading && end ? chunks : Damaged(root, null);
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"read the archive's list of {root}", error);
        }
    }

    private static ContentError Damaged(Cid root, ContentError? cause) => new(
        ContentErrorKind.CorruptStore,
        $"The archive of {root} is damaged{(cause is null ? " or does not belong to its list" : string.Empty)}; add the content again.");

    private string ArchiveOf(Cid root) => Path.Combine(_folder, root + ".car.br");

    private string ListOf(Cid root) => Path.Combine(_folder, root + ".leaves");

    private sealed class Discard : IBlockSink
    {
        public ContentError? Put(Cid cid, ReadOnlySpan<byte> block) => null;
    }

    private sealed class ColdSource : IBlockSource
    {
        private readonly IBlockSource _store;
        private readonly Dictionary<Cid, long> _lengths = [];

        public ColdSource(IBlockSource store, IReadOnlyList<SizedCid> chunks)
        {
            _store = store;
            foreach (SizedCid chunk in chunks)
                _lengths[chunk.Cid.ToV1()] = chunk.Length;
        }

        public Outcome<byte[]> Get(Cid cid)
        {
            Outcome<byte[]> block = _store.Get(cid);
            return block.Error?.Kind == ContentErrorKind.MissingBlock && _lengths.ContainsKey(cid.ToV1())
                ? new ContentError(ContentErrorKind.Cold, $"The block {cid} lies in a cold archive; bring the content back first.")
                : block;
        }

        public Outcome<long> GetLength(Cid cid) =>
            _lengths.TryGetValue(cid.ToV1(), out long length) ? length : _store.GetLength(cid);
    }
}
