using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;
using Lockstep.Retrieval.Protocol;

namespace Lockstep.Retrieval.Provider;

/// <summary>
/// The link blocks of a content as they go out: pre-order, each with the lengths of the chunks that it links to and that no
/// block before it linked to. One block is in memory at a time.
/// </summary>
public static class LinkBlockStream
{
    /// <param name="manifest">The graph.</param>
    /// <param name="source">Where the blocks are.</param>
    /// <param name="from">Number of link blocks that the client has already.</param>
    public static IEnumerable<Outcome<ProviderMessage.LinkBlock>> Read(DagManifest manifest, IBlockSource source, int from)
    {
        Dictionary<Cid, long> unclaimed = manifest.Chunks.ToDictionary(chunk => chunk.Cid.ToV1(), chunk => chunk.Length);
        for (int i = 0; i < manifest.LinkBlocks.Count; i++)
        {
            Cid cid = manifest.LinkBlocks[i].Cid;
            ContentError? error;
            if (!source.Get(cid).Try(out byte[]? block, out error) || !DagLinks.Read(cid, block).Try(out IReadOnlyList<DagLink>? links, out error))
            {
                yield return error;
                yield break;
            }
            var leaves = new List<LeafClaim>();
            foreach (DagLink link in links)
            {
                if (unclaimed.Remove(link.Cid.ToV1(), out long length))
                    leaves.Add(new LeafClaim(link.Cid, (int)length));
            }
            if (i >= from)
                yield return new ProviderMessage.LinkBlock(cid, block, leaves);
        }
    }
}
