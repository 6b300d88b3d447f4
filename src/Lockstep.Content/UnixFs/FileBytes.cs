using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;

namespace Lockstep.Content.UnixFs;

/// <summary>
/// The size of content as people see it on disk: the bytes of all its files, a chunk that occurs twice counted twice.
/// Each block is read once, so that a few blocks cannot describe a count without end.
/// </summary>
internal sealed class FileBytes
{
    private readonly IBlockSource _source;
    private readonly Dictionary<Cid, long> _lengths;
    private readonly Dictionary<Cid, long?> _counted = [];

    private FileBytes(IBlockSource source, DagManifest manifest)
    {
        _source = source;
        _lengths = manifest.Chunks.ToDictionary(chunk => chunk.Cid.ToV1(), chunk => chunk.Length);
    }

    /// <summary>Bytes of the files of a graph whose blocks are all at hand; of its chunks when it is no UnixFS file or folder.</summary>
    /// <param name="source">Where the blocks are.</param>
    /// <param name="manifest">The graph, walked: its depth is within the walker's limits.</param>
    public static long Of(IBlockSource source, DagManifest manifest) => new FileBytes(source, manifest).Count(manifest.Root) ?? manifest.ChunkBytes;

    // Null: not UnixFS. What a stranger's folders add up to may pass any number, so sums stop at the largest.
    private long? Count(Cid cid)
    {
        if (cid.Codec == Multicodec.Raw)
            return _lengths.GetValueOrDefault(cid.ToV1());
        if (_counted.TryGetValue(cid.ToV1(), out long? known))
            return known;
        return _counted[cid.ToV1()] = CountNode(cid);
    }

    private long? CountNode(Cid cid)
    {
        if (cid.Codec != Multicodec.DagPb || !_source.Get(cid).Try(out byte[]? block, out _) || !DagPbNode.Decode(block).Try(out DagPbNode? node, out _)
            || node.Data is not { } bytes || !UnixFsData.Decode(bytes.Span).Try(out UnixFsData? data, out _))
            return null;
        if (data.Type is UnixFsType.Symlink or UnixFsType.Metadata)
            return 0;
        UInt128 sum = data.Type is UnixFsType.File or UnixFsType.Raw ? (UInt128)(data.Data?.Length ?? 0) : 0;
        foreach (DagPbLink link in node.Links)
        {
            if (Count(link.Cid) is not { } below)
                return null;
            sum += (ulong)below;
        }

        return (long)UInt128.Min(sum, long.MaxValue);
    }
}
