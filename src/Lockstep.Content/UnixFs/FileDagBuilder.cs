using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;

namespace Lockstep.Content.UnixFs;

/// <summary>
/// Builds the balanced DAG of one file from its leaves, as they come. A level's nodes wait until there are enough for a parent,
/// so memory is one list of at most <see cref="ImportOptions.LinksPerNode"/> links per level.
/// </summary>
/// <remarks>
/// The layout is that of the common importers: a file of one leaf is that leaf; else leaves are grouped by 174 into nodes, those again,
/// until one node is left. The last node of a level may have a single child.
/// </remarks>
internal sealed class FileDagBuilder(IBlockSink sink, int maxLinks)
{
    private readonly List<List<Node>> _levels = [[]];
    private long _fileBytes;

    /// <summary>A finished block.</summary>
    /// <param name="FileBytes">Bytes of the file in and below it.</param>
    /// <param name="TotalSize">Its own bytes and those of all blocks below.</param>
    internal readonly record struct Node(Cid Cid, long FileBytes, long TotalSize);

    /// <summary>Appends a leaf to the file.</summary>
    public ContentError? AddLeaf(ReadOnlySpan<byte> leaf)
    {
        Cid cid = Cid.Of(Multicodec.Raw, leaf);
        if (sink.Put(cid, leaf) is { } error)
            return error;
        _fileBytes += leaf.Length;
        return Add(0, new Node(cid, leaf.Length, leaf.Length));
    }

    /// <summary>Closes all levels and returns the root. At least one leaf must have been added; an empty file has one of no bytes.</summary>
    public Outcome<ImportResult> Finish()
    {
        // One leaf: no node is built above it.
        if (_levels.Count == 1 && _levels[0].Count == 1)
            return Result(_levels[0][0]);
        for (int level = 0; ; level++)
        {
            List<Node> waiting = _levels[level];
            bool top = level == _levels.Count - 1;
            if (top && level > 0 && waiting.Count == 1)
                return Result(waiting[0]);
            if (waiting.Count > 0 && Close(level) is { } error)
                return error;
        }
    }

    private ImportResult Result(Node root) => new(root.Cid, _fileBytes, root.TotalSize);

    private ContentError? Add(int level, Node node)
    {
        if (level == _levels.Count)
            _levels.Add([]);

        // A full level is closed when the next node comes: only then is it known that a parent is needed at all.
        if (_levels[level].Count == maxLinks && Close(level) is { } error)
            return error;
        _levels[level].Add(node);
        return null;
    }

    private ContentError? Close(int level)
    {
        Outcome<Node> parent = BuildParent(_levels[level]);
        if (!parent.Try(out Node node, out ContentError? error))
            return error;
        _levels[level].Clear();
        return Add(level + 1, node);
    }

    private Outcome<Node> BuildParent(List<Node> children)
    {
        long fileBytes = children.Sum(child => child.FileBytes);
        var data = new UnixFsData(UnixFsType.File)
        {
            FileSize = (ulong)fileBytes,
            BlockSizes = [.. children.Select(child => (ulong)child.FileBytes)],
        };
        DagPbLink[] links = [.. children.Select(child => new DagPbLink(child.Cid, string.Empty, (ulong)child.TotalSize))];
        byte[] block = new DagPbNode(data.Encode(), links).Encode();
        Cid cid = Cid.Of(Multicodec.DagPb, block);
        if (sink.Put(cid, block) is { } error)
            return error;
        return new Node(cid, fileBytes, block.Length + children.Sum(child => child.TotalSize));
    }
}
