using Lockstep.Content.Cids;

namespace Lockstep.Content.Dag;

/// <summary>A block and its length.</summary>
/// <param name="Length">Bytes.</param>
public readonly record struct SizedCid(Cid Cid, long Length);

/// <summary>
/// The blocks of a graph in pre-order, each once: those with links, which go in clear, and the chunks, which are sold.
/// A leaf of no bytes is neither: its CID tells its content.
/// </summary>
public sealed record DagManifest(Cid Root, IReadOnlyList<SizedCid> LinkBlocks, IReadOnlyList<SizedCid> Chunks)
{
    /// <summary>Bytes of all chunks.</summary>
    public long ChunkBytes { get; } = Chunks.Sum(chunk => chunk.Length);

    /// <summary>Bytes of all link blocks.</summary>
    public long LinkBytes { get; } = LinkBlocks.Sum(block => block.Length);

    /// <summary>Bytes of all blocks.</summary>
    public long TotalBytes => ChunkBytes + LinkBytes;
}
