namespace Lockstep.Content.Dag;

/// <summary>How large a graph may be before a walk refuses it. The defaults hold any file up to about a terabyte of 256 KiB chunks.</summary>
public sealed record DagLimits
{
    /// <summary>Limits used where none are given.</summary>
    public static DagLimits Default { get; } = new();

    /// <summary>Most links on the way from the root to a leaf.</summary>
    public int MaxDepth { get; init; } = 256;

    /// <summary>Most blocks with links.</summary>
    public int MaxLinkBlocks { get; init; } = 1 << 18;

    /// <summary>Most bytes of blocks with links; the memory of a walk is a few times this at most.</summary>
    public long MaxLinkBytes { get; init; } = 256 << 20;

    /// <summary>Most links in one block.</summary>
    public int MaxLinksPerBlock { get; init; } = 1 << 16;

    /// <summary>Most different blocks in all.</summary>
    public int MaxBlocks { get; init; } = 1 << 22;
}
