using Lockstep.Content.Blocks;
using Lockstep.Content.Car;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;
using Lockstep.Content.Tests.Support;
using Lockstep.Content.UnixFs;

namespace Lockstep.Content.Tests;

/// <summary>Adding, freezing, thawing and removing content.</summary>
public sealed class ContentHomeTests : IDisposable
{
    private static readonly ImportOptions Options = new() { ChunkSize = 65536 };
    private readonly TemporaryFolder _folder = new();
    private readonly ContentHome _home;

    public ContentHomeTests() => _home = ContentHome.Open(_folder.Combine("home")).Value;

    public void Dispose()
    {
        _home.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Frozen_content_is_still_offered_and_comes_back_byte_for_byte()
    {
        AddedContent added = Add("a.bin", TestContent.Bytes(300_001, 1));
        Cid root = added.Record.Root;
        Assert.Equal(("a.bin", 5, 300_001L), (added.Record.Name, added.Record.ChunkCount, added.Manifest.ChunkBytes));
        var packed = new Collect();
        Assert.True(_home.Freeze(root, packed).Value.IsCold);
        Assert.Equal(300_001, packed.Last);
        Assert.True(_home.Roots.Get(root).Value.IsCold);
        Assert.Single(_home.Blocks.Enumerate());

        // Its manifest is known without bringing it back; its chunks are known to be cold.
        DagManifest cold = _home.ManifestOf(root).Value;
        Assert.Equal(added.Manifest.Chunks, cold.Chunks);
        Assert.Equal(added.Manifest.LinkBlocks, cold.LinkBlocks);
        Assert.Equal(ContentErrorKind.Cold, _home.Cold.SourceFor(root).Value.Get(cold.Chunks[0].Cid).Error!.Kind);

        var unpacked = new Collect();
        Assert.False(_home.Thaw(root, unpacked).Value.IsCold);
        Assert.Equal(5, unpacked.Count);
        Assert.Equal(300_001, unpacked.Last);
        Assert.True(new UnixFsExporter(_home.Blocks).Export(root, _folder.Combine("out")).IsOk);
        Assert.Equal(TestContent.Bytes(300_001, 1), File.ReadAllBytes(_folder.Combine("out")));
        Assert.False(_home.Cold.Has(root));
        Assert.True(_home.Thaw(root).IsOk);
    }

    [Fact]
    public void The_same_content_has_the_same_size_however_it_came()
    {
        // Two equal files, equal chunks in each, a sharded folder and an empty file: counted as a disk would.
        byte[] twice = [.. TestContent.Bytes(65536, 1), .. TestContent.Bytes(65536, 1), 7];
        _folder.Write("in/a", twice);
        _folder.Write("in/sub/b", twice);
        _folder.Write("in/empty", []);
        for (int i = 0; i < 20; i++)
            _folder.Write($"in/many/file-{i}", [1, 2, 3]);
        AddedContent added = _home.AddPath(_folder.Combine("in"), Options with { ShardThresholdBytes = 100 }, DateTimeOffset.UnixEpoch).Value;
        long size = (2 * twice.Length) + 60;
        Assert.Equal(size, added.Record.Size);
        Assert.True(added.Manifest.ChunkBytes < size && added.Manifest.Chunks.Count == 3);

        Assert.True(CarExporter.Export(_home.Blocks, added.Record.Root, _folder.Combine("in.car")).IsOk);
        using ContentHome other = ContentHome.Open(_folder.Combine("other")).Value;
        Assert.Equal(size, other.AddCar(_folder.Combine("in.car"), DateTimeOffset.UnixEpoch).Value.Record.Size);
        Assert.Null(other.Roots.Remove(added.Record.Root));
        Assert.Equal(added.Record with { Name = added.Record.Root.ToString() }, other.AddHeld(added.Record.Root, DateTimeOffset.UnixEpoch).Value);

        // What has a name of its own keeps it.
        Assert.Equal("in", _home.AddHeld(added.Record.Root, DateTimeOffset.UnixEpoch).Value.Name);
        Assert.False(other.AddHeld(Cid.Of(Multicodec.Raw, "not here"u8), DateTimeOffset.UnixEpoch).IsOk);
    }

    [Fact]
    public void Folders_that_add_up_without_end_have_a_size_all_the_same()
    {
        // Each folder has the one below it twice: 2^70 bytes in 71 blocks.
        Cid below = Put(Multicodec.Raw, "x"u8.ToArray());
        for (int depth = 0; depth < 70; depth++)
            below = Put(Multicodec.DagPb, new DagPbNode(new UnixFsData(UnixFsType.Directory).Encode(), [new DagPbLink(below, "a", 1), new DagPbLink(below, "b", 1)]).Encode());
        Assert.Equal(long.MaxValue, _home.AddHeld(below, DateTimeOffset.UnixEpoch).Value.Size);

        // And what is no file at all counts its chunks.
        Cid map = Put(Multicodec.DagCbor, [0xa0]);
        Assert.Equal(1, _home.AddHeld(map, DateTimeOffset.UnixEpoch).Value.Size);

        Cid Put(ulong codec, byte[] block)
        {
            Cid cid = Cid.Of(codec, block);
            Assert.Null(_home.Blocks.Put(cid, block));
            return cid;
        }
    }

    [Fact]
    public void Compressible_content_takes_less_room_while_cold()
    {
        byte[] text = [.. Enumerable.Range(0, 400_000).Select(i => (byte)('a' + (i / 100 % 26)))];
        Cid root = Add("text", text).Record.Root;
        Assert.True(_home.Freeze(root).IsOk);
        Assert.InRange(new FileInfo(_folder.Combine("home", "cold", root + ".car.br")).Length, 1, text.Length / 4);
    }

    [Fact]
    public void Chunks_that_other_content_needs_stay_at_hand()
    {
        byte[] shared = TestContent.Bytes(65536, 1);
        Cid first = Add("first", [.. shared, 1]).Record.Root, second = Add("second", [.. shared, 2]).Record.Root;
        Assert.True(_home.Freeze(first).IsOk);
        Assert.True(_home.Blocks.Has(Cid.Of(Multicodec.Raw, shared)));
        Assert.True(_home.Freeze(second).IsOk);
        Assert.False(_home.Blocks.Has(Cid.Of(Multicodec.Raw, shared)));
        Assert.True(_home.Thaw(first).IsOk);
        Assert.Null(_home.Remove(first));
        Assert.True(_home.Thaw(second).IsOk);
        Assert.Equal(3, _home.Blocks.Enumerate().Count());
        Assert.Null(_home.Remove(second));
        Assert.Empty(_home.Blocks.Enumerate());
        Assert.Empty(_home.Roots.List());
    }

    [Fact]
    public void A_damaged_archive_is_refused_whole()
    {
        Cid root = Add("a", TestContent.Bytes(200_000, 4)).Record.Root;
        Assert.True(_home.Freeze(root).IsOk);
        string archive = _folder.Combine("home", "cold", root + ".car.br"), list = Path.ChangeExtension(archive, null)[..^4] + ".leaves";
        byte[] good = File.ReadAllBytes(archive);
        string leaves = File.ReadAllText(list);
        for (int i = 0; i < 60; i++)
        {
            byte[] damaged = [.. good];
            int at = (int)((long)i * good.Length / 60);
            if (i % 2 == 0)
                damaged[at] ^= 0x10;
            else
                damaged = good[..at];
            File.WriteAllBytes(archive, damaged);
            ContentError error = _home.Thaw(root).Error!;
            Assert.Contains(error.Kind, new[] { ContentErrorKind.CorruptStore, ContentErrorKind.DigestMismatch });
            Assert.Single(_home.Blocks.Enumerate());
            Assert.True(_home.Roots.Get(root).Value.IsCold);
        }

        File.WriteAllBytes(archive, good);
        string[] lines = leaves.Split('\n');
        foreach (string bad in new[] { "", leaves[..^5], leaves.Replace("end", "ende", StringComparison.Ordinal), string.Join('\n', lines.Where((_, i) => i != 2)) })
        {
            File.WriteAllText(list, bad);
            Assert.Equal(ContentErrorKind.CorruptStore, _home.Thaw(root).Error!.Kind);
        }

        File.WriteAllText(list, leaves);
        Assert.True(_home.Thaw(root).IsOk);
    }

    [Fact]
    public void Cancelled_work_changes_nothing()
    {
        Cid root = Add("a", TestContent.Bytes(300_000, 5)).Record.Root;
        int blocks = _home.Blocks.Enumerate().Count();
        Cancelled((progress, token) => _home.Freeze(root, progress, token));
        Assert.False(_home.Roots.Get(root).Value.IsCold);
        Assert.Equal(blocks, _home.Blocks.Enumerate().Count());
        Assert.False(_home.Cold.Has(root));

        Assert.True(_home.Freeze(root).IsOk);
        Cancelled((progress, token) => _home.Thaw(root, progress, token));
        Assert.Single(_home.Blocks.Enumerate());

        string other = _folder.Write("other", TestContent.Bytes(300_000, 6));
        Cancelled((progress, token) => _home.AddPath(other, Options, DateTimeOffset.UnixEpoch, progress, token));
        Assert.Single(_home.Blocks.Enumerate());
        Assert.Single(_home.Roots.List());

        static void Cancelled(Action<IProgress<long>, CancellationToken> work)
        {
            using var cancel = new CancellationTokenSource();
            var progress = new Collect { AtEach = done => { if (done > 100_000) cancel.Cancel(); } };
            Assert.Throws<OperationCanceledException>(() => work(progress, cancel.Token));
        }
    }

    [Fact]
    public void Bad_paths_and_cars_add_nothing()
    {
        Assert.Equal(ContentErrorKind.NotFound, _home.AddPath(_folder.Combine("no"), Options, DateTimeOffset.UnixEpoch).Error!.Kind);
        Assert.Equal(ContentErrorKind.NotFound, _home.AddCar(_folder.Combine("no"), DateTimeOffset.UnixEpoch).Error!.Kind);
        Assert.Equal(ContentErrorKind.BadOption, _home.AddPath(_folder.Path, Options with { ChunkSize = (1 << 20) + 1 }, DateTimeOffset.UnixEpoch).Error!.Kind);
        string notCar = _folder.Write("x.car", "this is no CAR"u8);
        Assert.Contains(_home.AddCar(notCar, DateTimeOffset.UnixEpoch).Error!.Kind, new[] { ContentErrorKind.BadCarHeader, ContentErrorKind.Truncated });
        Assert.Equal(ContentErrorKind.NotFound, _home.Freeze(Cid.Of(Multicodec.Raw, [1])).Error!.Kind);
        Assert.Equal(ContentErrorKind.NotFound, _home.Thaw(Cid.Of(Multicodec.Raw, [1])).Error!.Kind);
        Assert.Empty(_home.Blocks.Enumerate());
        Assert.Empty(_home.Roots.List());
    }

    [Fact]
    public void The_empty_file_is_content_without_chunks_hot_and_cold()
    {
        Cid root = Add("empty", []).Record.Root;
        Assert.True(root.NamesEmptyBlock);
        Assert.Equal(0, _home.Roots.Get(root).Value.ChunkCount);
        Assert.True(_home.Freeze(root).IsOk);
        Assert.Empty(_home.ManifestOf(root).Value.Chunks);
        Assert.True(_home.Thaw(root).IsOk);
        Assert.True(new UnixFsExporter(_home.Blocks).Export(root, _folder.Combine("out")).IsOk);
        Assert.Empty(File.ReadAllBytes(_folder.Combine("out")));
    }

    [Fact]
    public void Importing_takes_no_memory_in_proportion_to_the_file()
    {
        // 192 MiB, of which 8 may be allocated in all.
        string path = _folder.Combine("large");
        using (var file = new FileStream(path, FileMode.CreateNew))
            file.SetLength(192 << 20);
        long before = GC.GetAllocatedBytesForCurrentThread();
        AddedContent added = _home.AddPath(path, new ImportOptions { ChunkSize = 1 << 20 }, DateTimeOffset.UnixEpoch).Value;
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        // All zeros: 192 equal leaves, stored and sold once.
        Assert.Single(added.Manifest.Chunks);
        Assert.InRange(allocated, 0, 8 << 20);
    }

    private AddedContent Add(string name, byte[] bytes) =>
        _home.AddPath(_folder.Write(name, bytes), Options, DateTimeOffset.UnixEpoch).Value;

    private sealed class Collect : IProgress<long>
    {
        public Action<long>? AtEach { get; init; }

        public int Count { get; private set; }

        public long Last { get; private set; }

        public void Report(long value)
        {
            Count++;
            Last = value;
            AtEach?.Invoke(value);
        }
    }
}
