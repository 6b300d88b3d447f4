using System.Formats.Cbor;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;

namespace Lockstep.Retrieval.Tests.World;

/// <summary>Small graphs: dag-cbor lists of links over raw leaves.</summary>
internal static class TestContent
{
    /// <summary>A content whose leaves are the given ones, in pairs under link blocks of their own; one leaf alone is the root.</summary>
    public static Cid Make(MemoryBlocks blocks, params byte[][] leaves)
    {
        Cid[] cids = [.. leaves.Select(leaf => Put(blocks, Multicodec.Raw, leaf))];
        if (cids.Length == 1)
            return cids[0];
        Cid[] groups = [.. cids.Chunk(2).Select(pair => Put(blocks, Multicodec.DagCbor, Links(pair)))];
        return Put(blocks, Multicodec.DagCbor, Links(groups));
    }

    public static byte[][] Leaves(int count, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var leaf = new byte[20 + (7 * i)];
            random.NextBytes(leaf);
            return leaf;
        })];
    }

    private static Cid Put(MemoryBlocks blocks, ulong codec, byte[] block)
    {
        Cid cid = Cid.Of(codec, block);
        Assert.Null(blocks.Put(cid, block));
        return cid;
    }

    private static byte[] Links(Cid[] children)
    {
        var writer = new CborWriter();
        writer.WriteStartArray(children.Length);
        foreach (Cid child in children)
        {
            writer.WriteTag((CborTag)42);
            writer.WriteByteString([0, .. child.ToBytes()]);
        }
        writer.WriteEndArray();
        return writer.Encode();
    }
}
