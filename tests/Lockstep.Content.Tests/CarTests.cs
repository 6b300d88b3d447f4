using System.Buffers.Binary;
using System.Text.Json;
using CsCheck;
using Lockstep.Content.Blocks;
using Lockstep.Content.Car;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;
using Lockstep.Content.Tests.Support;
using Lockstep.Content.UnixFs;
using Lockstep.Tests.Support;

namespace Lockstep.Content.Tests;

public class CarTests
{
    public static TheoryData<string> Committed => ["small.car", "folder-v0.car", "folder-v1.car", "no-roots.car", "two-roots.car"];

    [Theory]
    [MemberData(nameof(Committed))]
    public void Committed_cars_of_ipld_car_are_read_and_written_again_byte_for_byte(string name)
    {
        byte[] bytes = File.ReadAllBytes(TestContent.VectorPath("cars", name));
        using JsonDocument described = TestContent.ReadVector("cars", "cars.json");
        CheckAgainst(bytes, described.RootElement.GetProperty(name));
    }

    [Fact]
    public void Leaves_from_one_byte_to_a_mebibyte_by_ipld_car_are_taken_in_unchanged()
    {
        using var folder = new TemporaryFolder();
        using JsonDocument described = NodeOracle.Run("content-oracle.mjs", "write-cars", folder.Combine("cars"));
        byte[] bytes = File.ReadAllBytes(folder.Combine("cars", "mixed-leaves.car"));
        CheckAgainst(bytes, described.RootElement.GetProperty("mixed-leaves.car"));

        using BlockStore store = BlockStore.Open(folder.Combine("home")).Value;
        CarImportResult imported = CarImporter.Import(new MemoryStream(bytes), store).Value;
        Assert.Single(imported.Manifest.LinkBlocks);
        Assert.Equal(17, imported.Manifest.Chunks.Count);
        Assert.Equal(1, imported.Manifest.Chunks.Min(chunk => chunk.Length));
        Assert.Equal(1 << 20, imported.Manifest.Chunks.Max(chunk => chunk.Length));
        Assert.Equal(17 + 1, store.Enumerate().Count());

        // The root is dag-cbor: it goes out as a CAR again, in pre-order, and is read by @ipld/car.
        Assert.Equal(ContentErrorKind.NotUnixFs, new UnixFsExporter(store).Export(imported.Root, folder.Combine("out")).Error!.Kind);
        string again = folder.Combine("again.car");
        Assert.Null(CarExporter.Export(store, imported.Root, again).Error);
        using JsonDocument read = NodeOracle.Run("content-oracle.mjs", "read-car", again);
        Assert.Equal(imported.Root.ToString(), read.RootElement.GetProperty("roots")[0].GetString());
        Assert.Equal(
            imported.Manifest.LinkBlocks.Concat(imported.Manifest.Chunks).Select(b => (b.Cid.ToString(), b.Length)).Order(),
            read.RootElement.GetProperty("blocks").EnumerateArray().Select(b => (b.GetProperty("cid").GetString()!, b.GetProperty("length").GetInt64())).Order());
    }

    [Fact]
    public void Our_cars_of_folders_are_exported_by_the_reference_packages()
    {
        using var folder = new TemporaryFolder();
        folder.Write("in/one.bin", TestContent.Bytes(200_000, 1));
        folder.Write("in/deep/er/two.bin", TestContent.Bytes(65_537, 2));
        folder.Write("in/empty", []);
        using ContentHome home = ContentHome.Open(folder.Combine("home")).Value;
        AddedContent added = home.AddPath(folder.Combine("in"), new ImportOptions { ChunkSize = 65536 }, DateTimeOffset.UnixEpoch).Value;
        Assert.Null(CarExporter.Export(home.Blocks, added.Record.Root, folder.Combine("in.car")).Error);
        NodeOracle.Run("content-oracle.mjs", "export-car", folder.Combine("in.car"), folder.Combine("out")).Dispose();
        foreach (string file in new[] { "one.bin", "deep/er/two.bin", "empty" })
            Assert.Equal(File.ReadAllBytes(folder.Combine("in", file)), File.ReadAllBytes(folder.Combine("out", file)));
    }

    [Fact]
    public void Every_cut_of_a_car_is_a_typed_error_and_stores_nothing()
    {
        byte[] bytes = File.ReadAllBytes(TestContent.VectorPath("cars", "small.car"));
        using var folder = new TemporaryFolder();
        using BlockStore store = BlockStore.Open(folder.Path).Value;
        for (int length = 0; length < bytes.Length; length++)
        {
            Outcome<CarImportResult> result = CarImporter.Import(new MemoryStream(bytes, 0, length), store);

            // A cut between two sections can only be seen by the blocks that are missing.
            Assert.Contains(result.Error!.Kind, new[] { ContentErrorKind.Truncated, ContentErrorKind.MissingBlock });
            Assert.EndsWith(".", result.Error.Message, StringComparison.Ordinal);
            Assert.Empty(store.Enumerate());
        }

        Assert.True(CarImporter.Import(new MemoryStream(bytes), store).IsOk);
        Assert.Equal(2, store.Enumerate().Count());
    }

    [Fact]
    public void Every_flipped_bit_of_a_car_is_an_error_but_for_codecs_which_no_hash_covers()
    {
        byte[] bytes = File.ReadAllBytes(TestContent.VectorPath("cars", "small.car"));
        using var folder = new TemporaryFolder();
        using BlockStore store = BlockStore.Open(folder.Path).Value;
        var accepted = new HashSet<int>();
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            var changed = (byte[])bytes.Clone();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Outcome<CarImportResult> result = CarImporter.Import(new MemoryStream(changed), store);
            Assert.Equal(result.IsOk ? 2 : 0, store.Enumerate().Count());
            if (!result.IsOk)
                continue;
            accepted.Add(bit / 8);
            foreach (var (digest, _) in store.Enumerate().ToArray())
                Assert.Null(store.Delete(Cid.FromDigest(Multicodec.Raw, digest)));
        }

        // A version 1 CID is 01, codec, 12 20, digest; the digest names the same bytes under whatever codec.
        int[] codecs = [.. Enumerable.Range(1, bytes.Length - 3).Where(i => bytes[i - 1] == 1 && bytes[i + 1] == 0x12 && bytes[i + 2] == 0x20)];
        Assert.Equal(4, codecs.Length);
        Assert.Subset(codecs.ToHashSet(), accepted);
    }

    [Fact]
    public void Random_bytes_never_throw()
    {
        byte[] good = File.ReadAllBytes(TestContent.VectorPath("cars", "folder-v1.car"));
        Gen.Byte.Array[0, 200].Sample(bytes => { ReadAll(new MemoryStream(bytes), out _); });
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length]).Sample((at, value, cut) =>
        {
            byte[] changed = [.. good];
            changed[at] = value;
            ReadAll(new MemoryStream(changed, 0, cut), out _);
        });
    }

    [Fact]
    public void Streaming_in_small_pieces_reads_the_same()
    {
        byte[] bytes = File.ReadAllBytes(TestContent.VectorPath("cars", "folder-v1.car"));
        List<CarBlock> whole = ReadAll(new MemoryStream(bytes), out ContentError? first);
        List<CarBlock> pieces = ReadAll(new TrickleStream(bytes, 7), out ContentError? second);
        Assert.Null(first);
        Assert.Null(second);
        Assert.Equal(whole.Select(b => (b.Cid, Convert.ToHexString(b.Bytes.Span))), pieces.Select(b => (b.Cid, Convert.ToHexString(b.Bytes.Span))));
    }

    [Fact]
    public void A_swollen_length_is_refused_before_memory_is_taken()
    {
        byte[] header = MakeCar([], []);
        byte[] huge = [.. header, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        long before = GC.GetAllocatedBytesForCurrentThread();
        ReadAll(new MemoryStream(huge), out ContentError? error);
        Assert.Equal(ContentErrorKind.BadCarSection, error!.Kind);
        Assert.Equal(ContentErrorKind.BadCarHeader, CarReader.Open(new MemoryStream([0xff, 0xff, 0xff, 0x7f])).Error!.Kind);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Fact]
    public void A_wrong_block_a_foreign_hash_and_too_large_blocks_are_told_apart()
    {
        byte[] leaf = TestContent.Bytes(100, 1);
        Assert.Equal(ContentErrorKind.DigestMismatch, ErrorOf(MakeCar([], [(Cid.Of(Multicodec.Raw, [1]), leaf)])));

        Assert.True(Cid.TryRead([1, 0x55, 0x13, 64, .. new byte[64]], out Cid? sha512, out _, out _));
        Assert.Equal(ContentErrorKind.UnsupportedHash, ErrorOf(MakeCar([], [(sha512, leaf)])));
        Assert.True(Cid.TryRead([1, 0x55, 0, 3, 1, 2, 3], out Cid? identity, out _, out _));
        Assert.Equal(ContentErrorKind.UnsupportedHash, ErrorOf(MakeCar([], [(identity, [1, 2, 3])])));

        byte[] atLimit = new byte[BlockLimits.MaxLeafBytes], over = new byte[BlockLimits.MaxLeafBytes + 1];
        Assert.Null(ErrorOf(MakeCar([], [(Cid.Of(Multicodec.Raw, atLimit), atLimit)])));
        Assert.Equal(ContentErrorKind.LeafTooLarge, ErrorOf(MakeCar([], [(Cid.Of(Multicodec.Raw, over), over)])));

        byte[] links = BigNode(BlockLimits.MaxLinkBlockBytes), tooMany = BigNode(BlockLimits.MaxLinkBlockBytes + 1);
        Assert.Null(ErrorOf(MakeCar([], [(Cid.Of(Multicodec.DagPb, links), links)])));
        Assert.Equal(ContentErrorKind.LinkBlockTooLarge, ErrorOf(MakeCar([], [(Cid.Of(Multicodec.DagPb, tooMany), tooMany)])));
    }

    [Fact]
    public void Version_2_is_read_with_padding_and_an_index_behind_it()
    {
        byte[] inner = File.ReadAllBytes(TestContent.VectorPath("cars", "folder-v1.car"));
        byte[] car = Version2(inner, padding: 13, index: [1, 2, 3, 4]);
        Outcome<CarReader> opened = CarReader.Open(new TrickleStream(car, 11));
        Assert.Equal(2, opened.Value.Version);
        Assert.Equal(
            ReadAll(new MemoryStream(inner), out _).Select(b => b.Cid), ReadAll(new MemoryStream(car), out ContentError? error).Select(b => b.Cid));
        Assert.Null(error);

        ReadAll(new MemoryStream(car, 0, car.Length - 5), out error);
        Assert.Equal(ContentErrorKind.Truncated, error!.Kind);

        // A data size that ends inside a block, an offset inside the header, and an offset that overflows.
        byte[] shorter = [.. car], early = [.. car], far = [.. car];
        BinaryPrimitives.WriteInt64LittleEndian(shorter.AsSpan(11 + 24), inner.Length - 1);
        BinaryPrimitives.WriteInt64LittleEndian(early.AsSpan(11 + 16), 50);
        BinaryPrimitives.WriteUInt64LittleEndian(far.AsSpan(11 + 16), ulong.MaxValue);
        Assert.Equal(ContentErrorKind.Truncated, ErrorOf(shorter));
        Assert.Equal(ContentErrorKind.BadCarHeader, ErrorOf(early));
        Assert.Equal(ContentErrorKind.BadCarHeader, ErrorOf(far));
    }

    [Fact]
    public void Version_2_around_our_car_is_read_by_ipld_car()
    {
        using var folder = new TemporaryFolder();
        byte[] leaf = TestContent.Bytes(10, 4);
        Cid cid = Cid.Of(Multicodec.Raw, leaf);
        string path = folder.Write("two.car", Version2(MakeCar([cid], [(cid, leaf)]), 7, []));
        using JsonDocument read = NodeOracle.Run("content-oracle.mjs", "read-car", path);
        Assert.Equal(cid.ToString(), read.RootElement.GetProperty("blocks")[0].GetProperty("cid").GetString());
    }

    [Fact]
    public void A_car_that_lacks_a_block_or_has_not_one_root_is_refused_whole()
    {
        using var folder = new TemporaryFolder();
        using BlockStore store = BlockStore.Open(folder.Path).Value;
        byte[] leaf = [1, 2, 3];
        Cid leafCid = Cid.Of(Multicodec.Raw, leaf);
        byte[] node = new DagPbNode(null, [new DagPbLink(leafCid, "x", 3), new DagPbLink(Cid.Of(Multicodec.Raw, [9]), "y", 1)]).Encode();
        Cid root = Cid.Of(Multicodec.DagPb, node);
        Outcome<CarImportResult> result = CarImporter.Import(new MemoryStream(MakeCar([root], [(root, node), (leafCid, leaf)])), store);
        Assert.Equal(ContentErrorKind.MissingBlock, result.Error!.Kind);
        Assert.Equal(ContentErrorKind.BadCarHeader, CarImporter.Import(new MemoryStream(MakeCar([], [(leafCid, leaf)])), store).Error!.Kind);
        Assert.Equal(ContentErrorKind.BadCarHeader, CarImporter.Import(new MemoryStream(MakeCar([root, leafCid], [])), store).Error!.Kind);
        Assert.Empty(store.Enumerate());
    }

    internal static byte[] MakeCar(Cid[] roots, (Cid Cid, byte[] Block)[] blocks)
    {
        var stream = new MemoryStream();
        var writer = new CarWriter(stream, roots);
        foreach (var (cid, block) in blocks)
            writer.Write(cid, block);
        return stream.ToArray();
    }

    private static byte[] Version2(byte[] inner, int padding, byte[] index)
    {
        byte[] pragma = Convert.FromHexString("0aa16776657273696f6e02");
        var header = new byte[40];
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), 51 + padding);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), inner.Length);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(32), 51 + padding + inner.Length);
        return [.. pragma, .. header, .. new byte[padding], .. inner, .. index];
    }

    /// <summary>A dag-pb block with one link and as much data as makes it <paramref name="length"/> bytes.</summary>
    private static byte[] BigNode(int length)
    {
        DagPbLink[] link = [new DagPbLink(Cid.Of(Multicodec.Raw, [1]), string.Empty, 1)];
        int framing = new DagPbNode(new byte[length - 100], link).Encode().Length - (length - 100);
        byte[] block = new DagPbNode(new byte[length - framing], link).Encode();
        Assert.Equal(length, block.Length);
        return block;
    }

    private static ContentErrorKind? ErrorOf(byte[] car)
    {
        ReadAll(new MemoryStream(car), out ContentError? error);
        return error?.Kind;
    }

    private static List<CarBlock> ReadAll(Stream stream, out ContentError? error)
    {
        var blocks = new List<CarBlock>();
        if (!CarReader.Open(stream).Try(out CarReader? reader, out error))
            return blocks;
        while (reader.ReadNext().Try(out CarBlock? block, out error) && block is { } found)
            blocks.Add(found);
        return blocks;
    }

    private static void CheckAgainst(byte[] car, JsonElement described)
    {
        CarReader reader = CarReader.Open(new MemoryStream(car)).Value;
        Assert.Equal(described.GetProperty("roots").EnumerateArray().Select(root => root.GetString()), reader.Roots.Select(root => root.ToString()));
        List<CarBlock> blocks = ReadAll(new MemoryStream(car), out ContentError? error);
        Assert.Null(error);
        Assert.Equal(
            described.GetProperty("blocks").EnumerateArray().Select(b => (b.GetProperty("cid").GetString(), b.GetProperty("length").GetInt32())),
            blocks.Select(b => ((string?)b.Cid.ToString(), b.Bytes.Length)));
        Assert.Equal(car, MakeCar([.. reader.Roots], [.. blocks.Select(b => (b.Cid, b.Bytes.ToArray()))]));
    }
}
