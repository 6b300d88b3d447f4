namespace Lockstep.Content.UnixFs;

/// <summary>How files become DAGs. CID version 1, raw leaves, sha2-256 and a balanced layout are fixed.</summary>
public sealed record ImportOptions
{
    public const int MinChunkSize = 64 << 10;
    public const int MaxChunkSize = 1 << 20;
    public const int DefaultChunkSize = 256 << 10;

    /// <summary>Links per file node, the usual number for 256 KiB chunks.</summary>
    public const int LinksPerNode = 174;

    /// <summary>Deepest nesting of folders.</summary>
    public const int MaxFolderDepth = 128;

    /// <summary>Bytes per leaf but the last: 64 KiB to 1 MiB, 256 KiB by default.</summary>
    public int ChunkSize { get; init; } = DefaultChunkSize;

    /// <summary>Links per file node. Another value than 174 is for tests of the layout.</summary>
    internal int MaxLinks { get; init; } = LinksPerNode;

    /// <summary>
    /// A folder is sharded (HAMT) when the bytes of the names and CIDs of its files and empty folders exceed this. Another value is for tests.
    /// </summary>
    internal int ShardThresholdBytes { get; init; } = 256 << 10;

    /// <summary>Lifts the lower bound of <see cref="ChunkSize"/>, so that tests reach tall trees with few bytes.</summary>
    internal bool AnyChunkSize { get; init; }

    /// <summary>Null, or why the options are refused.</summary>
    public ContentError? Refuse() => ChunkSize is >= MinChunkSize and <= MaxChunkSize || (AnyChunkSize && ChunkSize is > 0 and <= MaxChunkSize)
        ? null
        : new ContentError(
            ContentErrorKind.BadOption,
            $"The chunk size {ChunkSize} is out of range; choose from {MinChunkSize} (64 KiB) to {MaxChunkSize} (1 MiB) bytes.");
}

/// <summary>What an import made.</summary>
/// <param name="Root">CID of the file or folder.</param>
/// <param name="FileBytes">Bytes of all files in it.</param>
/// <param name="TotalSize">Bytes of all blocks, each counted as often as it is linked to: what a link to the root states.</param>
public readonly record struct ImportResult(Cids.Cid Root, long FileBytes, long TotalSize);
