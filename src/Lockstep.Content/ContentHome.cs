using Lockstep.Content.Blocks;
using Lockstep.Content.Car;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;
using Lockstep.Content.UnixFs;

namespace Lockstep.Content;

/// <summary>Content that has been added.</summary>
public sealed record AddedContent(RootRecord Record, DagManifest Manifest);

/// <summary>
/// A folder with blocks, the list of roots and the cold archives, and what is done to all three together: adding, freezing, thawing, removing.
/// Changes are for one thread at a time; <see cref="Blocks"/> may be read by others meanwhile.
/// </summary>
public sealed class ContentHome : IDisposable
{
    private ContentHome(BlockStore blocks, RootIndex roots, ColdArchive cold)
    {
        Blocks = blocks;
        Roots = roots;
        Cold = cold;
    }

    public BlockStore Blocks { get; }

    public RootIndex Roots { get; }

    public ColdArchive Cold { get; }

    /// <summary>Opens, or makes, the content in <paramref name="folder"/>.</summary>
    public static Outcome<ContentHome> Open(string folder)
    {
        if (!BlockStore.Open(folder).Try(out BlockStore? blocks, out ContentError? error))
            return error;
        if (RootIndex.Open(blocks).Try(out RootIndex? roots, out error) && ColdArchive.Open(blocks).Try(out ColdArchive? cold, out error))
            return new ContentHome(blocks, roots, cold);
        blocks.Dispose();
        return error;
    }

    /// <summary>Imports a file or folder. Nothing is kept unless all of it could be read.</summary>
    /// <param name="addedAt">Now, by the caller's clock.</param>
    /// <param name="progress">Told the file bytes read so far.</param>
    /// <exception cref="OperationCanceledException">The caller cancelled; nothing was kept.</exception>
    public Outcome<AddedContent> AddPath(
        string path, ImportOptions options, DateTimeOffset addedAt, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(options);
        if (!Blocks.BeginBatch().Try(out BlockBatch? batch, out ContentError? error))
            return error;
        using (batch)
        {
            var importer = new UnixFsImporter(batch, options) { Progress = progress };
            if (!importer.ImportPath(path, cancellation).Try(out ImportResult imported, out error))
                return error;
            if (!DagWalker.Walk(batch, imported.Root, limits: null, cancellation).Try(out DagManifest? manifest, out error))
                return error;
            return batch.Commit() is { } failure ? failure : Note(NameOf(path), imported.FileBytes, manifest, addedAt);
        }
    }

    /// <summary>Takes in a CAR with one root. Nothing is kept unless all of it is sound and whole.</summary>
    /// <inheritdoc cref="AddPath"/>
    public Outcome<AddedContent> AddCar(
        string path, DateTimeOffset addedAt, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            if (!FileSystem.IsRegularFile(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path))
                return new ContentError(ContentErrorKind.NotFound, $"There is no file '{path}'; name a CAR file.");
            using var car = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
            return CarImporter.Import(car, Blocks, limits: null, progress, cancellation).Try(out CarImportResult? imported, out ContentError? error)
                ? Note(NameOf(path), FileBytes.Of(Blocks, imported.Manifest), imported.Manifest, addedAt)
                : error;
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"read the CAR '{path}'", error);
        }
    }

    /// <summary>Lists content whose blocks are all here, as after buying it. What is listed already stays as it is.</summary>
    public Outcome<RootRecord> AddHeld(Cid root, DateTimeOffset addedAt)
    {
        if (Roots.Get(root).Try(out RootRecord? known, out _))
            return known;
        if (!DagWalker.Walk(Blocks, root).Try(out DagManifest? manifest, out ContentError? error))
            return error;
        return Note(root.ToString(), FileBytes.Of(Blocks, manifest), manifest, addedAt).Try(out AddedContent? added, out error) ? added.Record : error;
    }

    /// <summary>The blocks of content that is held here, hot or cold.</summary>
    public Outcome<DagManifest> ManifestOf(Cid root)
    {
        if (!Roots.Get(root).Try(out RootRecord? record, out ContentError? error))
            return error;
        if (!record.IsCold)
            return DagWalker.Walk(Blocks, root);
        return Cold.SourceFor(root).Try(out IBlockSource? source, out error) ? DagWalker.Walk(source, root) : error;
    }

    /// <summary>Moves the chunks of a root into an archive, but for those that other content needs at hand. Cold content stays as it is.</summary>
    /// <param name="progress">Told the chunk bytes packed so far.</param>
    public Outcome<RootRecord> Freeze(Cid root, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        if (!Roots.Get(root).Try(out RootRecord? record, out ContentError? error))
            return error;
        if (record.IsCold)
            return record;
        if (!BlocksOfOthers(root, hotChunksOnly: true).Try(out HashSet<Cid>? others, out error))
            return error;

        // The record turns cold between the archive and the deletions: a crash leaves content that can be thawed in any case.
        RootRecord cold = record with { IsCold = true };
        if (!Cold.Freeze(root, static _ => true, progress, cancellation).Try(out DagManifest? manifest, out error))
            return error;
        if (Roots.Put(cold) is { } failure)
            return failure;
        foreach (SizedCid chunk in manifest.Chunks)
        {
            if (!others.Contains(KeyOf(chunk.Cid)) && Blocks.Delete(chunk.Cid) is { } notDeleted)
                return notDeleted;
        }

        return cold;
    }

    /// <summary>Brings the chunks of a root back. Content that is not cold stays as it is.</summary>
    /// <param name="progress">Told the chunk bytes unpacked so far.</param>
    public Outcome<RootRecord> Thaw(Cid root, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        if (!Roots.Get(root).Try(out RootRecord? record, out ContentError? error))
            return error;
        if (!record.IsCold)
            return record;
        if (!Cold.Thaw(root, progress, cancellation).Try(out _, out error))
            return error;
        RootRecord hot = record with { IsCold = false };
        if ((Roots.Put(hot) ?? Cold.Remove(root)) is { } failure)
            return failure;
        return hot;
    }

    /// <summary>Forgets a root, its archive, and every block that no other content has.</summary>
    public ContentError? Remove(Cid root)
    {
        if (!BlocksOfOthers(root, hotChunksOnly: false).Try(out HashSet<Cid>? others, out ContentError? error))
            return error;
        Outcome<DagManifest> known = ManifestOf(root);
        if ((Roots.Remove(root) ?? Cold.Remove(root)) is { } failure)
            return failure;

        // Content too damaged to be walked is forgotten all the same; its blocks stay.
        if (!known.Try(out DagManifest? manifest, out _))
            return null;
        return manifest.LinkBlocks.Concat(manifest.Chunks)
            .Where(block => !others.Contains(KeyOf(block.Cid)))
            .Select(block => Blocks.Delete(block.Cid))
            .FirstOrDefault(notDeleted => notDeleted is not null);
    }

    /// <summary>Ends the use of the folder.</summary>
    public void Dispose() => Blocks.Dispose();

    private static string NameOf(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

    // The store knows a block by its digest alone, so a block of another codec with the same bytes counts as the same.
    private static Cid KeyOf(Cid cid) => Cid.FromDigest(Multicodec.Raw, cid.Digest);

    private Outcome<AddedContent> Note(string name, long size, DagManifest manifest, DateTimeOffset addedAt)
    {
        var record = new RootRecord(name, manifest.Root, size, manifest.Chunks.Count, addedAt);

        // Content that was cold is at hand again: its archive has no more use.
        return (Roots.Put(record) ?? Cold.Remove(manifest.Root)) is { } error ? error : new AddedContent(record, manifest);
    }

    private Outcome<HashSet<Cid>> BlocksOfOthers(Cid root, bool hotChunksOnly)
    {
        var blocks = new HashSet<Cid>();
        foreach (Outcome<RootRecord> listed in Roots.List())
        {
            if (!listed.Try(out RootRecord? record, out ContentError? error))
                return error;
            if (record.Root == root)
                continue;
            if (!ManifestOf(record.Root).Try(out DagManifest? manifest, out error))
                return error;
            IEnumerable<SizedCid> chunks = hotChunksOnly && record.IsCold ? [] : manifest.Chunks;
            foreach (SizedCid block in manifest.LinkBlocks.Concat(chunks))
                blocks.Add(KeyOf(block.Cid));
        }

        return blocks;
    }
}
