using Lockstep.Content.Cids;

namespace Lockstep.Content.Blocks;

/// <summary>Where blocks come from. Every block that is handed out has been checked against its CID.</summary>
public interface IBlockSource
{
    /// <summary>The block's bytes, verified. At most <see cref="BlockLimits.MaxLinkBlockBytes"/>.</summary>
    Outcome<byte[]> Get(Cid cid);

    /// <summary>The block's length in bytes, without reading it.</summary>
    Outcome<long> GetLength(Cid cid);
}

/// <summary>Where blocks go.</summary>
public interface IBlockSink
{
    /// <summary>Takes a block; one that is held already is not written again.</summary>
    /// <returns>Null when the block is held; else why it was refused.</returns>
    ContentError? Put(Cid cid, ReadOnlySpan<byte> block);
}

/// <summary>Blocks in memory, for small content and tests. Not safe for concurrent use.</summary>
public sealed class MemoryBlocks : IBlockSource, IBlockSink
{
    private readonly Dictionary<Cid, byte[]> _blocks = [];

    /// <summary>Number of blocks held.</summary>
    public int Count => _blocks.Count;

    /// <summary>The CIDs held, under version 1 names.</summary>
    public IReadOnlyCollection<Cid> Cids => _blocks.Keys;

    public Outcome<byte[]> Get(Cid cid)
    {
        ArgumentNullException.ThrowIfNull(cid);
        return _blocks.TryGetValue(cid.ToV1(), out byte[]? block) ? block : Missing(cid);
    }

    public Outcome<long> GetLength(Cid cid)
    {
        ArgumentNullException.ThrowIfNull(cid);
        return _blocks.TryGetValue(cid.ToV1(), out byte[]? block) ? block.LongLength : Missing(cid);
    }

    public ContentError? Put(Cid cid, ReadOnlySpan<byte> block)
    {
        ArgumentNullException.ThrowIfNull(cid);
        if (BlockLimits.Refuse(cid, block) is { } refusal)
            return refusal;
        _blocks.TryAdd(cid.ToV1(), block.ToArray());
        return null;
    }

    /// <summary>Forgets a block.</summary>
    public bool Remove(Cid cid)
    {
        ArgumentNullException.ThrowIfNull(cid);
        return _blocks.Remove(cid.ToV1());
    }

    internal static ContentError Missing(Cid cid) =>
        new(ContentErrorKind.MissingBlock, $"The block {cid} is not in the store; add the whole content again.");
}
