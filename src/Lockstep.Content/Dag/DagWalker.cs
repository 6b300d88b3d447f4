using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;

namespace Lockstep.Content.Dag;

/// <summary>What the walker knows of a block.</summary>
public enum DagBlockState
{
    /// <summary>Nothing in the graph, as far as it is known, links to it.</summary>
    Unknown,

    /// <summary>It is in the graph, and its bytes are needed to know whether it has links.</summary>
    Needed,

    /// <summary>It has links, and they are known.</summary>
    LinkBlock,

    /// <summary>It has no links: it is what is sold.</summary>
    Chunk,

    /// <summary>It has no bytes, so that its CID says all.</summary>
    Empty,
}

/// <summary>
/// Learns a graph block by block. The side that buys starts from the root alone: it is told link blocks one at a time, checks each against
/// its CID and thereby knows which CIDs come next. Blocks may come in any order in which each is needed when it comes.
/// The order of the result is fixed by the graph: pre-order, left to right, each block where it is first met.
/// For one thread at a time.
/// </summary>
/// <remarks>
/// A block is known by codec and digest: CID versions 0 and 1 of one block are the same block. Memory is about 150 bytes per different block.
/// </remarks>
public sealed class DagWalker
{
    private readonly DagLimits _limits;
    private readonly Dictionary<Cid, Entry> _blocks = [];
    private readonly Entry _root;
    private int _linkBlocks;
    private long _linkBytes;
    private int _needed;

    public DagWalker(Cid root, DagLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(root);
        Root = root;
        _limits = limits ?? DagLimits.Default;
        _root = Discover(new DagLink(root, null), 0);
    }

    /// <summary>Where the walk started.</summary>
    public Cid Root { get; }

    /// <summary>True when no block's bytes are needed any more to know all CIDs.</summary>
    public bool IsComplete => _needed == 0;

    /// <summary>Different blocks met so far.</summary>
    public int Count => _blocks.Count;

    /// <summary>
    /// The CIDs whose bytes, or the claim that they are chunks, are needed to go on; pre-order. Takes time in proportion to what is known;
    /// while walking, use what <see cref="Offer"/> returns instead.
    /// </summary>
    public IReadOnlyList<Cid> Needed => [.. InOrder().Where(entry => entry.State == DagBlockState.Needed).Select(entry => entry.Cid)];

    /// <summary>What is known of a block.</summary>
    public DagBlockState StateOf(Cid cid)
    {
        ArgumentNullException.ThrowIfNull(cid);
        return _blocks.TryGetValue(cid.ToV1(), out Entry? entry) ? entry.State : DagBlockState.Unknown;
    }

    /// <summary>Length in bytes that is known from the block, or stated by its parent; null when neither is.</summary>
    public long? LengthOf(Cid cid)
    {
        ArgumentNullException.ThrowIfNull(cid);
        return _blocks.TryGetValue(cid.ToV1(), out Entry? entry) ? entry.Length : null;
    }

    /// <summary>
    /// Takes the bytes of a block that is needed, checks them, and returns the links to blocks that were not met before, in order.
    /// A block that turns out to have no links is a chunk. A refused block changes nothing.
    /// </summary>
    public Outcome<IReadOnlyList<DagLink>> Offer(Cid cid, ReadOnlySpan<byte> block)
    {
        ArgumentNullException.ThrowIfNull(cid);
        if (!_blocks.TryGetValue(cid.ToV1(), out Entry? entry) || entry.State is DagBlockState.LinkBlock or DagBlockState.Empty)
            return new ContentError(ContentErrorKind.Unexpected, $"The block {cid} was not asked for: the content does not need it, or has it already.");
        if (BlockLimits.Refuse(cid, block) is { } refusal)
            return refusal;
        if (!DagLinks.Read(cid, block).Try(out IReadOnlyList<DagLink>? links, out ContentError? error))
            return error;
        if (entry.State == DagBlockState.Chunk && links.Count > 0)
            return new ContentError(ContentErrorKind.Unexpected, $"The block {cid} was stated to be a chunk but links to other blocks; such blocks go in clear.");
        if (RefuseSize(entry, links, block.Length) is { } limit)
            return limit;

        if (entry.State == DagBlockState.Needed)
            _needed--;
        entry.Length = block.Length;
        if (links.Count == 0)
        {
            entry.State = DagBlockState.Chunk;
            return new Outcome<IReadOnlyList<DagLink>>([]);
        }

        entry.State = DagBlockState.LinkBlock;
        _linkBlocks++;
        _linkBytes += block.Length;
        var fresh = new List<DagLink>();
        entry.Children = new Entry[links.Count];
        for (int i = 0; i < links.Count; i++)
        {
            int before = _blocks.Count;
            entry.Children[i] = Discover(links[i], entry.Depth + 1);
            if (_blocks.Count > before)
                fresh.Add(links[i]);
        }

        return fresh;
    }

    /// <summary>
    /// Notes a statement, by whoever has the block, that it has no links and how long it is. Its bytes prove it later:
    /// <see cref="Offer"/> refuses a chunk that has links after all.
    /// </summary>
    /// <param name="length">Bytes.</param>
    public ContentError? ClaimChunk(Cid cid, long length)
    {
        ArgumentNullException.ThrowIfNull(cid);
        if (!_blocks.TryGetValue(cid.ToV1(), out Entry? entry) || entry.State is not (DagBlockState.Needed or DagBlockState.Chunk))
            return new ContentError(ContentErrorKind.Unexpected, $"The block {cid} cannot be a chunk: the content has no such leaf.");
        if (length is < 1 or > BlockLimits.MaxLeafBytes)
            return BlockLimits.LeafTooLarge(cid, length);
        if (entry.Length is { } stated && stated != length)
            return new ContentError(
                ContentErrorKind.SizeMismatch, $"The chunk {cid} was stated to have {length} bytes; its parent states {stated}.");
        if (entry.State == DagBlockState.Needed)
            _needed--;
        entry.State = DagBlockState.Chunk;
        entry.Length = length;
        return null;
    }

    /// <summary>The whole graph in order.</summary>
    /// <returns>
    /// An error while blocks are needed, or while the length of a chunk is neither stated by its parent nor claimed.
    /// </returns>
    public Outcome<DagManifest> ToManifest()
    {
        if (!IsComplete)
            return new ContentError(ContentErrorKind.MissingBlock, $"{_needed} blocks are still needed before the content {Root} is known whole.");
        var linkBlocks = new List<SizedCid>();
        var chunks = new List<SizedCid>();
        foreach (Entry entry in InOrder())
        {
            if (entry.State == DagBlockState.Empty)
                continue;
            if (entry.Length is not { } length)
                return new ContentError(ContentErrorKind.MissingBlock, $"The length of chunk {entry.Cid} is not known yet.");
            (entry.State == DagBlockState.LinkBlock ? linkBlocks : chunks).Add(new SizedCid(entry.Cid, length));
        }

        return new DagManifest(Root, linkBlocks, chunks);
    }

    /// <summary>Walks a graph whose blocks are at hand. Link blocks are read; of raw leaves only the length is asked.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public static Outcome<DagManifest> Walk(IBlockSource source, Cid root, DagLimits? limits = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(root);
        return WalkAll(source, root, limits, cancellation).Try(out DagWalker? walker, out ContentError? error) ? walker.ToManifest() : error;
    }

    /// <summary>As <see cref="Walk"/>, with the CIDs of all blocks in one list, pre-order.</summary>
    internal static Outcome<(DagManifest Manifest, IReadOnlyList<Cid> Order)> WalkInOrder(
        IBlockSource source, Cid root, DagLimits? limits, CancellationToken cancellation)
    {
        if (!WalkAll(source, root, limits, cancellation).Try(out DagWalker? walker, out ContentError? error)
            || !walker.ToManifest().Try(out DagManifest? manifest, out error))
        {
            return error;
        }

        Cid[] order = [.. walker.InOrder().Select(entry => entry.Cid)];
        return (manifest, order);
    }

    private static Outcome<DagWalker> WalkAll(IBlockSource source, Cid root, DagLimits? limits, CancellationToken cancellation)
    {
        var walker = new DagWalker(root, limits);
        var open = new Stack<Cid>();
        open.Push(root);
        while (open.TryPop(out Cid? cid))
        {
            cancellation.ThrowIfCancellationRequested();
            if (cid.RefuseOtherHash() is { } hash)
                return hash;
            DagBlockState state = walker.StateOf(cid);
            if (state == DagBlockState.Chunk)
            {
                if (!source.GetLength(cid).Try(out long length, out ContentError? missing))
                    return missing;
                if (walker.ClaimChunk(cid, length) is { } claim)
                    return claim;
            }

            if (state != DagBlockState.Needed)
                continue;
            if (!source.Get(cid).Try(out byte[]? block, out ContentError? error))
            {
                // Only leaves are ever put into an archive.
                if (error.Kind != ContentErrorKind.Cold)
                    return error;
                if (!source.GetLength(cid).Try(out long length, out ContentError? unknown))
                    return unknown;
                if (walker.ClaimChunk(cid, length) is { } claim)
                    return claim;
                continue;
            }

            if (!walker.Offer(cid, block).Try(out IReadOnlyList<DagLink>? fresh, out ContentError? refusal))
                return refusal;
            for (int i = fresh.Count - 1; i >= 0; i--)
                open.Push(fresh[i].Cid);
        }

        return walker;
    }

    private ContentError? RefuseSize(Entry entry, IReadOnlyList<DagLink> links, int length)
    {
        if (entry.Length is { } stated && stated != length)
            return new ContentError(
                ContentErrorKind.SizeMismatch, $"The block {entry.Cid} has {length} bytes where {stated} were stated; the content contradicts itself.");
        if (links.Count == 0)
            return null;
        string? what =
            entry.Depth >= _limits.MaxDepth ? $"is deeper than {_limits.MaxDepth} levels"
            : links.Count > _limits.MaxLinksPerBlock ? $"has a block with {links.Count} links; at most {_limits.MaxLinksPerBlock} are accepted"
            : _linkBlocks >= _limits.MaxLinkBlocks ? $"has more than {_limits.MaxLinkBlocks} link blocks"
            : _linkBytes + length > _limits.MaxLinkBytes ? $"has more than {_limits.MaxLinkBytes} bytes of link blocks"
            : _blocks.Count + (long)links.Count > _limits.MaxBlocks && _blocks.Count + CountFresh(links) > _limits.MaxBlocks ? $"has more than {_limits.MaxBlocks} blocks"
            : null;
        if (what is not null)
            return new ContentError(ContentErrorKind.LimitExceeded, $"The content {Root} {what}; sell it in parts.");
        foreach (DagLink link in links)
        {
            if (link.Cid.RefuseOtherHash() is { } refusal)
                return refusal;
            if (link.ExpectedLength > BlockLimits.MaxLeafBytes)
                return BlockLimits.LeafTooLarge(link.Cid, link.ExpectedLength.Value);
        }

        return null;
    }

    private long CountFresh(IReadOnlyList<DagLink> links) =>
        links.Select(link => link.Cid.ToV1()).Distinct().LongCount(cid => !_blocks.ContainsKey(cid));

    private Entry Discover(DagLink link, int depth)
    {
        Cid key = link.Cid.ToV1();
        if (_blocks.TryGetValue(key, out Entry? known))
            return known;

        // Codecs whose blocks have no links are leaves by name.
        DagBlockState state =
            link.Cid.NamesEmptyBlock ? DagBlockState.Empty
            : link.Cid.Codec is Multicodec.DagPb or Multicodec.DagCbor or Multicodec.DagJson ? DagBlockState.Needed
            : DagBlockState.Chunk;
        if (state == DagBlockState.Needed)
            _needed++;
        var entry = new Entry(link.Cid, depth, state) { Length = state == DagBlockState.Empty ? 0 : link.ExpectedLength };
        _blocks.Add(key, entry);
        return entry;
    }

    /// <summary>Pre-order over what is known, each block once; a stack instead of recursion, since strangers choose the depth.</summary>
    private IEnumerable<Entry> InOrder()
    {
        var seen = new HashSet<Entry>();
        var open = new Stack<Entry>();
        open.Push(_root);
        while (open.TryPop(out Entry? entry))
        {
            if (!seen.Add(entry))
                continue;
            yield return entry;
            for (int i = entry.Children.Length - 1; i >= 0; i--)
                open.Push(entry.Children[i]);
        }
    }

    private sealed class Entry(Cid cid, int depth, DagBlockState state)
    {
        public Cid Cid { get; } = cid;

        public int Depth { get; } = depth;

        public DagBlockState State { get; set; } = state;

        public long? Length { get; set; }

        public Entry[] Children { get; set; } = [];
    }
}
