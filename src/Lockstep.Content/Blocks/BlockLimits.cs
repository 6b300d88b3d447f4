using System.Globalization;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;

namespace Lockstep.Content.Blocks;

/// <summary>Which blocks are accepted at all. A leaf is a block without links: it is what is sold.</summary>
public static class BlockLimits
{
    /// <summary>Largest block without links: 1 MiB and 1 KiB for a codec's framing.</summary>
    public const int MaxLeafBytes = (1 << 20) + (1 << 10);

    /// <summary>Largest block with links: 2 MiB.</summary>
    public const int MaxLinkBlockBytes = 2 << 20;

    /// <summary>
    /// Refuses a block whose hash is not sha2-256, whose bytes do not match its CID, or that is larger than its kind may be.
    /// </summary>
    /// <returns>Null when the block is accepted.</returns>
    public static ContentError? Refuse(Cid cid, ReadOnlySpan<byte> block)
    {
        ArgumentNullException.ThrowIfNull(cid);
        if (cid.RefuseOtherHash() is { } hash)
            return hash;
        if (block.Length > MaxLinkBlockBytes)
            return cid.Codec == Multicodec.Raw ? LeafTooLarge(cid, block.Length) : LinkBlockTooLarge(cid, block.Length);
        if (!cid.Matches(block))
            return new ContentError(
                ContentErrorKind.DigestMismatch,
                $"The {Size(block.Length)} given for block {cid} hash to something else; get the content again from its source.");

        // Only the rare block between the two limits has to be decoded to know which limit is its own.
        if (block.Length <= MaxLeafBytes)
            return null;
        return DagLinks.Read(cid, block).Try(out var links, out _) && links.Count > 0 ? null : LeafTooLarge(cid, block.Length);
    }

    internal static ContentError LeafTooLarge(Cid cid, long length) => new(
        ContentErrorKind.LeafTooLarge,
        $"The leaf block {cid} has {Size(length)}; at most {Size(MaxLeafBytes)} are accepted, so add the content with smaller chunks.");

    internal static ContentError LinkBlockTooLarge(Cid cid, long length) => new(
        ContentErrorKind.LinkBlockTooLarge,
        $"The link block {cid} has {Size(length)}; at most {Size(MaxLinkBlockBytes)} are accepted, so add the content with fewer links per block.");

    internal static string Size(long bytes) => bytes.ToString("N0", CultureInfo.InvariantCulture) + (bytes == 1 ? " byte" : " bytes");
}
