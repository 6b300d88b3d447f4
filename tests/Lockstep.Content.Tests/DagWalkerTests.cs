using System.Formats.Cbor;
using CsCheck;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;
using Lockstep.Content.Tests.Support;
using Lockstep.Content.UnixFs;

namespace Lockstep.Content.Tests;

public class DagWalkerTests
{
    private readonly MemoryBlocks _blocks = new();

    [Fact]
    public void The_order_is_pre_order_with_each_block_once()
    {
        Cid a = Raw(1), b = Raw(2, 2), c = Raw(3, 3, 3);
        Cid left = Pb(b, a, b), right = Pb(c, left, a);
        Cid root = Pb(left, c, right, left);
        DagManifest manifest = DagWalker.Walk(_blocks, root).Value;
        Assert.Equal([root, left, right], manifest.LinkBlocks.Select(block => block.Cid));
        Assert.Equal([(b, 2L), (a, 1L), (c, 3L)], manifest.Chunks.Select(chunk => (chunk.Cid, chunk.Length)));
        Assert.Equal(6, manifest.ChunkBytes);
        Assert.Equal(manifest.TotalBytes, 6 + manifest.LinkBlocks.Sum(block => (long)_blocks.Get(block.Cid).Value.Length));
    }

    [Fact]
    public void A_single_leaf_is_one_chunk_and_an_empty_file_none()
    {
        DagManifest one = DagWalker.Walk(_blocks, Raw(7)).Value;
        Assert.Empty(one.LinkBlocks);
        Assert.Single(one.Chunks);

        // The block of no bytes need not even be stored.
        DagManifest none = DagWalker.Walk(_blocks, Cid.Of(Multicodec.Raw, [])).Value;
        Assert.Empty(none.LinkBlocks);
        Assert.Empty(none.Chunks);
        Assert.Equal(0, none.TotalBytes);
    }

    [Fact]
    public void Both_sides_come_to_the_same_manifest_in_whatever_order_blocks_arrive() =>
        Gen.Select(Gen.Int[1, 4000], Gen.Int[1, 40], Gen.Int[2, 6], Gen.Int[0, 1000]).Sample((size, chunk, links, seed) =>
        {
            var blocks = new MemoryBlocks();
            byte[] bytes = TestContent.Bytes(size, 1);
            if (seed % 3 == 0)
                Array.Clear(bytes);
            Cid root = new UnixFsImporter(blocks, new ImportOptions { ChunkSize = chunk, MaxLinks = links, AnyChunkSize = true })
                .ImportStream(new MemoryStream(bytes)).Value.Root;
            DagManifest provider = DagWalker.Walk(blocks, root).Value;

            var client = new DagWalker(root);
            var random = new Random(seed);
            while (!client.IsComplete)
            {
                IReadOnlyList<Cid> needed = client.Needed;
                Cid next = needed[random.Next(needed.Count)];
                Assert.True(client.Offer(next, blocks.Get(next).Value).IsOk);
            }

            if (provider.LinkBlocks.Count == 0)
                Assert.Null(client.ClaimChunk(root, provider.Chunks[0].Length));
            DagManifest learned = client.ToManifest().Value;
            Assert.Equal(provider.LinkBlocks, learned.LinkBlocks);
            Assert.Equal(provider.Chunks, learned.Chunks);
        }, iter: 200);

    [Fact]
    public void Offers_are_checked()
    {
        Cid leaf = Raw(1), note = Put(Multicodec.DagCbor, [0x80]), inner = Pb(leaf), root = Pb(inner, note);
        var walker = new DagWalker(root);
        Assert.Equal(ContentErrorKind.Unexpected, walker.Offer(inner, _blocks.Get(inner).Value).Error!.Kind);
        Assert.Equal(ContentErrorKind.DigestMismatch, walker.Offer(root, [1, 2, 3]).Error!.Kind);
        Assert.Equal([root], walker.Needed);
        Assert.Equal([inner, note], walker.Offer(root, _blocks.Get(root).Value).Value.Select(link => link.Cid));
        Assert.Equal(ContentErrorKind.Unexpected, walker.Offer(root, _blocks.Get(root).Value).Error!.Kind);

        // A provider that calls a link block a chunk is found out by the block.
        Assert.Null(walker.ClaimChunk(inner, _blocks.Get(inner).Value.Length));
        Assert.Equal(ContentErrorKind.Unexpected, walker.Offer(inner, _blocks.Get(inner).Value).Error!.Kind);
        Assert.Equal(ContentErrorKind.SizeMismatch, walker.ClaimChunk(inner, 5)!.Kind);

        // A leaf of a codec that may have links is a chunk, by claim or by its bytes.
        Assert.Equal(DagBlockState.Needed, walker.StateOf(note));
        Assert.Equal(ContentErrorKind.LeafTooLarge, walker.ClaimChunk(note, BlockLimits.MaxLeafBytes + 1)!.Kind);
        Assert.Empty(walker.Offer(note, [0x80]).Value);
        Assert.Equal(DagBlockState.Chunk, walker.StateOf(note));
        Assert.Equal(1, walker.LengthOf(note));
        Assert.True(walker.IsComplete);
        Assert.Equal(DagBlockState.Unknown, walker.StateOf(leaf));
    }

    [Fact]
    public void Lengths_that_a_file_node_states_are_known_before_the_leaves_and_held_against_them()
    {
        Cid a = Raw(1, 2), b = Raw(3);
        Cid File(ulong first) => Put(Multicodec.DagPb, new DagPbNode(
            new UnixFsData(UnixFsType.File) { FileSize = first + 1, BlockSizes = [first, 1] }.Encode(),
            [new DagPbLink(a, string.Empty, 2), new DagPbLink(b, string.Empty, 1)]).Encode());
        var walker = new DagWalker(File(2));
        Assert.Equal([2L, 1L], walker.Offer(walker.Root, _blocks.Get(walker.Root).Value).Value.Select(link => link.ExpectedLength!.Value));
        Assert.True(walker.IsComplete);
        Assert.Equal(3, walker.ToManifest().Value.ChunkBytes);
        Assert.Equal(ContentErrorKind.SizeMismatch, walker.ClaimChunk(a, 3)!.Kind);

        Assert.Equal(ContentErrorKind.SizeMismatch, DagWalker.Walk(_blocks, File(3)).Error!.Kind);
        Assert.Equal(ContentErrorKind.LeafTooLarge, DagWalker.Walk(_blocks, File(1UL << 40)).Error!.Kind);
    }

    [Fact]
    public void Version_0_and_1_names_of_one_block_are_one_block()
    {
        Cid leaf = Raw(1), inner = Pb(leaf);
        Assert.True(Cid.TryRead([0x12, 0x20, .. inner.Digest], out Cid? zero, out _, out _));
        DagManifest manifest = DagWalker.Walk(_blocks, Pb(zero, inner)).Value;
        Assert.Equal(2, manifest.LinkBlocks.Count);
        Assert.Equal(zero, manifest.LinkBlocks[1].Cid);
    }

    [Fact]
    public void Links_of_dag_cbor_and_dag_json_are_found()
    {
        Cid a = Raw(1), b = Raw(2), c = Raw(3);
        var writer = new CborWriter(CborConformanceMode.Strict);
        writer.WriteStartMap(2);
        writer.WriteTextString("x");
        writer.WriteStartArray(2);
        Link(writer, a);
        Link(writer, b);
        writer.WriteEndArray();
        writer.WriteTextString("y");
        writer.WriteByteString(c.ToBytes());
        writer.WriteEndMap();
        Cid cbor = Put(Multicodec.DagCbor, writer.Encode());
        Cid json = Put(Multicodec.DagJson, System.Text.Encoding.UTF8.GetBytes(
            $$$"""{"first":{"/":"{{{cbor}}}"},"bytes":{"/":{"bytes":"AQ"}},"list":[{"/":"{{{c}}}"}]}"""));
        DagManifest manifest = DagWalker.Walk(_blocks, json).Value;
        Assert.Equal([json, cbor], manifest.LinkBlocks.Select(block => block.Cid));
        Assert.Equal([a, b, c], manifest.Chunks.Select(chunk => chunk.Cid));
    }

    [Fact]
    public void Malformed_blocks_of_every_codec_are_typed_errors()
    {
        byte[] deep = [.. Enumerable.Repeat((byte)0x81, 5000), 0x80];
        foreach (var (codec, block) in new (ulong, byte[])[]
        {
            (Multicodec.DagPb, [0xff]), (Multicodec.DagPb, [0x12, 2, 0x0a, 0]), (Multicodec.DagPb, [0x0a, 0, 0x0a, 0]), (Multicodec.DagPb, [0x1a, 0]),
            (Multicodec.DagCbor, [0x81]), (Multicodec.DagCbor, [0xd8, 42, 0x41, 0]), (Multicodec.DagCbor, [0xd8, 42, 0x80]), (Multicodec.DagCbor, [0xc1, 0]),
            (Multicodec.DagCbor, deep), (Multicodec.DagCbor, [0x80, 0x80]), (Multicodec.DagCbor, [0xd8, 42, 0x58, 0xff]),
            (Multicodec.DagJson, "{"u8.ToArray()), (Multicodec.DagJson, "{\"/\":\"nonsense\"}"u8.ToArray()), (Multicodec.DagJson, [0x22, 0xff, 0x22]),
        })
        {
            ContentError? error = DagLinks.Read(Cid.Of(codec, block), block).Error;
            Assert.True(error is { Kind: ContentErrorKind.BadBlock }, $"{codec:x} {Convert.ToHexString(block.AsSpan(0, Math.Min(20, block.Length)))}: {error}");
        }
    }

    [Fact]
    public void Random_blocks_never_throw()
    {
        Cid root = Pb(Raw(1), Raw(2));
        byte[] good = _blocks.Get(root).Value;
        foreach (ulong codec in new[] { Multicodec.DagPb, Multicodec.DagCbor, Multicodec.DagJson })
        {
            Gen.Byte.Array[0, 120].Sample(bytes => DagLinks.Read(Cid.Of(codec, bytes), bytes) is { Error: null or { Kind: ContentErrorKind.BadBlock } });
        }

        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte).Sample((at, value) =>
        {
            byte[] changed = [.. good];
            changed[at] = value;
            return DagLinks.Read(root, changed) is { Error: null or { Kind: ContentErrorKind.BadBlock } };
        });
        Gen.Byte.Array[0, 60].Sample(bytes => UnixFsData.Decode(bytes) is { Error: null or { Kind: ContentErrorKind.BadUnixFs } });
    }

    [Fact]
    public void Depth_width_and_number_are_bounded()
    {
        Cid chain = Raw(1);
        for (int i = 0; i < 20; i++)
            chain = Pb(chain);
        Refused(chain, new DagLimits { MaxDepth = 19 });
        Refused(chain, new DagLimits { MaxLinkBlocks = 19 });
        Refused(chain, new DagLimits { MaxBlocks = 20 });
        Refused(chain, new DagLimits { MaxLinkBytes = 500 });
        Assert.True(DagWalker.Walk(_blocks, chain, new DagLimits { MaxDepth = 20, MaxLinkBlocks = 20, MaxBlocks = 21 }).IsOk);

        Cid wide = Pb([.. Enumerable.Range(0, 30).Select(i => Raw((byte)i, 1))]);
        Refused(wide, new DagLimits { MaxLinksPerBlock = 29 });
        Assert.True(DagWalker.Walk(_blocks, wide, new DagLimits { MaxLinksPerBlock = 30 }).IsOk);

        void Refused(Cid root, DagLimits limits) =>
            Assert.Equal(ContentErrorKind.LimitExceeded, DagWalker.Walk(_blocks, root, limits).Error!.Kind);
    }

    [Fact]
    public void A_link_by_another_hash_is_refused_by_name()
    {
        Assert.True(Cid.TryRead([1, 0x55, 0x1b, 32, .. new byte[32]], out Cid? keccak, out _, out _));
        ContentError error = DagWalker.Walk(_blocks, Pb(keccak)).Error!;
        Assert.Equal(ContentErrorKind.UnsupportedHash, error.Kind);
        Assert.Contains(keccak.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Equal(ContentErrorKind.UnsupportedHash, DagWalker.Walk(_blocks, keccak).Error!.Kind);
    }

    private static void Link(CborWriter writer, Cid cid)
    {
        writer.WriteTag((CborTag)42);
        writer.WriteByteString([0, .. cid.ToBytes()]);
    }

    private Cid Raw(params byte[] bytes) => Put(Multicodec.Raw, bytes);

    private Cid Pb(params Cid[] children) =>
        Put(Multicodec.DagPb, new DagPbNode(null, [.. children.Select(child => new DagPbLink(child, string.Empty, 1))]).Encode());

    private Cid Put(ulong codec, byte[] block)
    {
        Cid cid = Cid.Of(codec, block);
        Assert.Null(_blocks.Put(cid, block));
        return cid;
    }
}
