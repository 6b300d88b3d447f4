using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lockstep.Content.Cids;

namespace Lockstep.Content.Blocks;

/// <summary>Content that is offered or was received: one per root CID.</summary>
/// <param name="Name">What people call it, as a file name; shown, never opened.</param>
/// <param name="Size">Bytes of the files; of the chunks when it is no UnixFS file or folder.</param>
/// <param name="ChunkCount">Blocks that are sold.</param>
/// <param name="AddedAt">When it was added, by the caller's clock.</param>
/// <param name="IsCold">True while the chunks lie in an archive.</param>
public sealed record RootRecord(string Name, Cid Root, long Size, int ChunkCount, DateTimeOffset AddedAt, bool IsCold = false);

/// <summary>
/// The roots of a store, one small JSON file each: <c>roots/CID.json</c>. A record is replaced by renaming, so a crash leaves the old or the new one.
/// All members may be called from several threads at once.
/// </summary>
public sealed class RootIndex
{
    private const int CurrentVersion = 1;
    private const int MaxRecordBytes = 64 << 10;
    private const string Extension = ".json";
    private readonly string _folder;
    private readonly TemporaryFiles _temporary;

    private RootIndex(string folder, TemporaryFiles temporary)
    {
        _folder = folder;
        _temporary = temporary;
    }

    /// <summary>Opens, or makes, the index beside the blocks of <paramref name="store"/>, which must outlive it.</summary>
    public static Outcome<RootIndex> Open(BlockStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        try
        {
            string roots = Path.Combine(store.Folder, "roots");
            Directory.CreateDirectory(roots);
            return new RootIndex(roots, store.Temporary);
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"open the list of content in '{store.Folder}'", error);
        }
    }

    /// <summary>Adds a record, or replaces the one with the same root. When this returns null the record survives a crash.</summary>
    public ContentError? Put(RootRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        try
        {
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(RecordFile.From(record), RecordJson.Default.RecordFile);
            if (json.Length > MaxRecordBytes)
                return new ContentError(ContentErrorKind.BadOption, "The name of the content is too long; choose a shorter one.");
            FileSystem.ReplaceDurably(PathOf(record.Root), _temporary.Next(), json);
            return null;
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"note the content {record.Root}", error);
        }
    }

    /// <summary>The record of a root.</summary>
    public Outcome<RootRecord> Get(Cid root)
    {
        ArgumentNullException.ThrowIfNull(root);
        return File.Exists(PathOf(root))
            ? Read(PathOf(root))
            : new ContentError(ContentErrorKind.NotFound, $"There is no content {root} here; add it first.");
    }

    /// <summary>All records, by name and then CID. A damaged one comes as an error in its place at the end.</summary>
    public IReadOnlyList<Outcome<RootRecord>> List()
    {
        try
        {
            return
            [
                .. Directory.EnumerateFiles(_folder, "*" + Extension)
                    .Select(Read)
                    .OrderBy(record => !record.IsOk)
                    .ThenBy(record => record.IsOk ? record.Value.Name : string.Empty, StringComparer.Ordinal)
                    .ThenBy(record => record.IsOk ? record.Value.Root.ToString() : string.Empty, StringComparer.Ordinal),
            ];
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return [ContentError.FromIo($"list the content in '{_folder}'", error)];
        }
    }

    /// <summary>Removes a record; the blocks stay. Removing one that is not there is no error.</summary>
    public ContentError? Remove(Cid root)
    {
        ArgumentNullException.ThrowIfNull(root);
        try
        {
            File.Delete(PathOf(root));
            FileSystem.FlushDirectory(_folder);
            return null;
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"remove the content {root} from the list", error);
        }
    }

    private static Outcome<RootRecord> Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxRecordBytes)
                return Damaged(path);
            RecordFile? file = JsonSerializer.Deserialize(File.ReadAllBytes(path), RecordJson.Default.RecordFile);
            return file is not null && file.TryRead(out RootRecord? record) && Path.GetFileNameWithoutExtension(path) == record.Root.ToString()
                ? record
                : Damaged(path);
        }
        catch (JsonException)
        {
            return Damaged(path);
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"read the record '{Path.GetFileName(path)}'", error);
        }
    }

    private static ContentError Damaged(string path) => new(
        ContentErrorKind.CorruptStore, $"The record '{Path.GetFileName(path)}' is damaged or of a later version; add that content again.");

    private string PathOf(Cid root) => Path.Combine(_folder, root + Extension);

    /// <summary>A record as it lies on disk.</summary>
    [SuppressMessage("Performance", "CA1812", Justification = "Made by the JSON reader.")]
    internal sealed record RecordFile(int Version, string Name, string Root, long Size, int ChunkCount, DateTimeOffset AddedAt, bool IsCold)
    {
        public static RecordFile From(RootRecord record) =>
            new(CurrentVersion, record.Name, record.Root.ToString(), record.Size, record.ChunkCount, record.AddedAt, record.IsCold);

        public bool TryRead([NotNullWhen(true)] out RootRecord? record)
        {
            record = Version == CurrentVersion && Name is not null && Size >= 0 && ChunkCount >= 0 && Cid.TryParse(Root, out Cid? cid, out _)
                ? new RootRecord(Name, cid, Size, ChunkCount, AddedAt, IsCold)
                : null;
            return record is not null;
        }
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RootIndex.RecordFile))]
internal sealed partial class RecordJson : JsonSerializerContext;
