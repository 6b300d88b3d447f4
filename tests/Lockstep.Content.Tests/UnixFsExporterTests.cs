using CsCheck;
using Lockstep.Content.Blocks;
using Lockstep.Content.Car;
using Lockstep.Content.Cids;
using Lockstep.Content.Tests.Support;
using Lockstep.Content.UnixFs;

namespace Lockstep.Content.Tests;

public class UnixFsExporterTests
{
    [Fact]
    public void A_folder_round_trips_with_empty_files_and_folders()
    {
        using var folder = new TemporaryFolder();
        folder.Write("in/empty", []);
        folder.Write("in/one", [7]);
        folder.Write("in/sub/deep/big.bin", TestContent.Bytes(400_001, 3));
        folder.Write("in/sub/Ünï 😀.txt", TestContent.Bytes(64, 4));
        Directory.CreateDirectory(folder.Combine("in", "none"));
        var blocks = new MemoryBlocks();
        ImportResult imported = Import(blocks, folder.Combine("in"));

        ExportResult result = new UnixFsExporter(blocks).Export(imported.Root, folder.Combine("out")).Value;

        Assert.Equal(new ExportResult(400_001 + 64 + 1, 4, 4), result);
        Assert.Equal(imported.FileBytes, result.Bytes);
        AssertSameTree(folder.Combine("in"), folder.Combine("out"));
        AssertNothingHalfWritten(folder.Path);
    }

    [Fact]
    public void A_sharded_folder_round_trips()
    {
        using var folder = new TemporaryFolder();
        for (int i = 0; i < 700; i++)
            folder.Write($"in/file-{i}", [(byte)i, (byte)(i >> 8)]);
        var blocks = new MemoryBlocks();
        var importer = new UnixFsImporter(blocks, new ImportOptions { ShardThresholdBytes = 100 });
        Cid root = importer.ImportPath(folder.Combine("in")).Value.Root;
        Assert.Equal(UnixFsType.HamtShard, UnixFsData.Decode(DagPbNode.Decode(blocks.Get(root).Value).Value.Data!.Value.Span).Value.Type);
        Assert.Equal(700, new UnixFsExporter(blocks).Export(root, folder.Combine("out")).Value.Files);
        AssertSameTree(folder.Combine("in"), folder.Combine("out"));
    }

    [Fact]
    public void Any_file_round_trips_and_streams_as_it_does_at_once() =>
        Gen.Select(Gen.Int[0, 3000], Gen.Int[1, 200], Gen.Int[2, 9], Gen.Int[1, 64]).Sample((size, chunk, links, step) =>
        {
            byte[] bytes = TestContent.Bytes(size, size);
            var options = new ImportOptions { ChunkSize = chunk, MaxLinks = links, AnyChunkSize = true };
            var blocks = new MemoryBlocks();
            ImportResult once = new UnixFsImporter(blocks, options).ImportStream(new MemoryStream(bytes)).Value;
            ImportResult streamed = new UnixFsImporter(new MemoryBlocks(), options).ImportStream(new TrickleStream(bytes, step)).Value;
            Assert.Equal(once, streamed);
            using var folder = new TemporaryFolder();
            Assert.Equal(size, new UnixFsExporter(blocks).Export(once.Root, folder.Combine("out")).Value.Bytes);
            Assert.Equal(bytes, File.ReadAllBytes(folder.Combine("out")));
        }, iter: 200);

    [Fact]
    public void Nodes_of_other_tools_are_exported_data_first_inline_and_packed()
    {
        byte[] leaf = [4, 5, 6];
        var blocks = new MemoryBlocks();
        Cid leafCid = Put(blocks, Multicodec.Raw, leaf);

        // File node: bytes of its own, then a child; data before links; sizes packed into one field.
        byte[] data = [8, 2, 0x12, 2, 1, 2, 0x18, 5, 0x22, 1, 3];
        byte[] cid = leafCid.ToBytes();
        byte[] link = [0x0a, (byte)cid.Length, .. cid, 0x12, 0, 0x18, 3];
        byte[] node = [0x0a, (byte)data.Length, .. data, 0x12, (byte)link.Length, .. link];
        using var folder = new TemporaryFolder();
        Cid root = Put(blocks, Multicodec.DagPb, node);
        Assert.Equal(5, new UnixFsExporter(blocks).Export(root, folder.Combine("out")).Value.Bytes);
        Assert.Equal(new byte[] { 1, 2, 4, 5, 6 }, File.ReadAllBytes(folder.Combine("out")));
    }

    [Theory]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("../outside")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    public void Names_that_could_leave_the_destination_are_refused(string name)
    {
        using var folder = new TemporaryFolder();
        var blocks = new MemoryBlocks();
        Cid leaf = Put(blocks, Multicodec.Raw, [1]);
        foreach (string prefix in new[] { string.Empty, "0A" })
        {
            UnixFsData data = prefix.Length == 0
                ? new UnixFsData(UnixFsType.Directory)
                : new UnixFsData(UnixFsType.HamtShard) { Fanout = 256, HashType = UnixFsData.Murmur3, Data = new byte[] { 4, 0 } };
            Cid root = Put(blocks, Multicodec.DagPb, new DagPbNode(data.Encode(), [new DagPbLink(leaf, prefix + name, 1)]).Encode());
            ContentError? error = new UnixFsExporter(blocks).Export(root, folder.Combine("out")).Error;
            Assert.Contains(error!.Kind, new[] { ContentErrorKind.UnsafeName, ContentErrorKind.NotUnixFs, ContentErrorKind.BadUnixFs });
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
        }
    }

    [Fact]
    public void A_name_too_long_or_given_twice_is_refused()
    {
        using var folder = new TemporaryFolder();
        var blocks = new MemoryBlocks();
        Cid leaf = Put(blocks, Multicodec.Raw, [1]);
        foreach (string[] names in new[] { new[] { new string('ä', 128) }, ["same", "same"] })
        {
            Cid root = Put(blocks, Multicodec.DagPb, new DagPbNode(
                new UnixFsData(UnixFsType.Directory).Encode(), [.. names.Select(name => new DagPbLink(leaf, name, 1))]).Encode());
            Assert.Equal(ContentErrorKind.UnsafeName, new UnixFsExporter(blocks).Export(root, folder.Combine("out")).Error!.Kind);
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
        }
    }

    [Fact]
    public void An_existing_destination_is_kept_unless_it_may_be_replaced()
    {
        using var folder = new TemporaryFolder();
        var blocks = new MemoryBlocks();
        Cid leaf = Put(blocks, Multicodec.Raw, [1, 2]);
        Cid tree = Put(blocks, Multicodec.DagPb, new DagPbNode(new UnixFsData(UnixFsType.Directory).Encode(), [new DagPbLink(leaf, "f", 2)]).Encode());
        string file = folder.Write("file", [9]), old = folder.Combine("old");
        folder.Write("old/kept", [8]);
        foreach (Cid root in new[] { leaf, tree })
        {
            foreach (string destination in new[] { file, old })
                Assert.Equal(ContentErrorKind.DestinationExists, new UnixFsExporter(blocks).Export(root, destination).Error!.Kind);
        }

        Assert.Equal([9], File.ReadAllBytes(file));
        Assert.Equal([8], File.ReadAllBytes(folder.Combine("old", "kept")));

        var replacing = new UnixFsExporter(blocks, new ExportOptions { Overwrite = true });
        Assert.True(replacing.Export(leaf, file).IsOk);
        Assert.Equal([1, 2], File.ReadAllBytes(file));
        Assert.True(replacing.Export(tree, old).IsOk);
        Assert.Equal(["f"], Directory.EnumerateFileSystemEntries(old).Select(Path.GetFileName));
        Assert.True(replacing.Export(tree, file).IsOk);
        Assert.True(replacing.Export(leaf, old).IsOk);
        Assert.Equal([1, 2], File.ReadAllBytes(old));
        AssertNothingHalfWritten(folder.Path);
    }

    [Fact]
    public void What_was_exported_is_told_from_everything_else()
    {
        using var folder = new TemporaryFolder();
        byte[] big = TestContent.Bytes(200_001, 3);
        folder.Write("in/empty", []);
        folder.Write("in/sub/big", big);
        for (int i = 0; i < 20; i++)
            folder.Write($"in/many/file-{i}", [(byte)i]);
        var blocks = new MemoryBlocks();
        Cid root = new UnixFsImporter(blocks, new ImportOptions { ChunkSize = 65536, ShardThresholdBytes = 500 }).ImportPath(folder.Combine("in")).Value.Root;
        string at = folder.Combine("out");
        var exporter = new UnixFsExporter(blocks);
        ExportResult written = exporter.Export(root, at).Value;
        Assert.Equal(written, exporter.Compare(root, at).Value);

        string bigPath = Path.Combine(at, "sub", "big"), empty = Path.Combine(at, "empty");
        Differs(() => File.WriteAllBytes(bigPath, [.. big[..^1], (byte)(big[^1] ^ 1)]), () => File.WriteAllBytes(bigPath, big));
        Differs(() => File.WriteAllBytes(bigPath, big[..^1]), () => File.WriteAllBytes(bigPath, big));
        Differs(() => File.WriteAllBytes(bigPath, [.. big, 0]), () => File.WriteAllBytes(bigPath, big));
        Differs(() => File.WriteAllBytes(empty, [0]), () => File.WriteAllBytes(empty, []));
        Differs(() => File.Delete(empty), () => File.WriteAllBytes(empty, []));
        Differs(() => Directory.CreateDirectory(Path.Combine(at, "more")), () => Directory.Delete(Path.Combine(at, "more")));
        Differs(() => File.WriteAllBytes(Path.Combine(at, "many", "more"), []), () => File.Delete(Path.Combine(at, "many", "more")));
        Differs(() => Replace(empty, folder.Combine("in", "empty")), () => { File.Delete(empty); File.WriteAllBytes(empty, []); });
        Assert.Equal(written, exporter.Compare(root, at).Value);
        Assert.Equal(ContentErrorKind.DestinationExists, exporter.Compare(root, bigPath).Error!.Kind);
        Assert.False(exporter.Compare(root, folder.Combine("none")).IsOk);

        void Differs(Action change, Action back)
        {
            change();
            Assert.Equal(ContentErrorKind.DestinationExists, exporter.Compare(root, at).Error!.Kind);
            back();
        }

        // A link to the same bytes is not a file that was exported.
        static void Replace(string path, string target)
        {
            File.Delete(path);
            File.CreateSymbolicLink(path, target);
        }
    }

    [Fact]
    public void A_car_that_was_exported_is_told_from_another()
    {
        using var folder = new TemporaryFolder();
        var blocks = new MemoryBlocks();
        Cid root = Put(blocks, Multicodec.DagCbor, [0xa0]);
        string at = folder.Combine("out");
        Assert.True(CarExporter.Export(blocks, root, at).IsOk);
        Assert.True(CarExporter.Compare(blocks, root, at).IsOk);
        byte[] car = File.ReadAllBytes(at);
        foreach (byte[] other in new byte[][] { [.. car, 0], car[..^1], [.. car[..^1], (byte)(car[^1] ^ 1)], [] })
        {
            File.WriteAllBytes(at, other);
            Assert.Equal(ContentErrorKind.DestinationExists, CarExporter.Compare(blocks, root, at).Error!.Kind);
        }

        Assert.Equal(ContentErrorKind.DestinationExists, CarExporter.Compare(blocks, root, folder.Path).Error!.Kind);
    }

    [Fact]
    public void A_link_at_the_destination_is_never_followed()
    {
        using var folder = new TemporaryFolder();
        var blocks = new MemoryBlocks();
        Cid leaf = Put(blocks, Multicodec.Raw, [1, 2]);
        string victim = folder.Write("victim", [9]), link = folder.Combine("link"), dangling = folder.Combine("dangling");
        File.CreateSymbolicLink(link, victim);
        File.CreateSymbolicLink(dangling, folder.Combine("nowhere"));
        Assert.Equal(ContentErrorKind.DestinationExists, new UnixFsExporter(blocks).Export(leaf, link).Error!.Kind);
        Assert.Equal(ContentErrorKind.DestinationExists, new UnixFsExporter(blocks).Export(leaf, dangling).Error!.Kind);
        var replacing = new UnixFsExporter(blocks, new ExportOptions { Overwrite = true });
        Assert.True(replacing.Export(leaf, link).IsOk);
        Assert.True(replacing.Export(leaf, dangling).IsOk);
        Assert.Equal([9], File.ReadAllBytes(victim));
        Assert.Equal([1, 2], File.ReadAllBytes(link));
        Assert.False(File.Exists(folder.Combine("nowhere")));
    }

    [Fact]
    public void Contradicting_sizes_missing_and_foreign_blocks_leave_nothing()
    {
        using var folder = new TemporaryFolder();
        var blocks = new MemoryBlocks();
        Cid leaf = Put(blocks, Multicodec.Raw, [1, 2, 3]), absent = Cid.Of(Multicodec.Raw, [7]), cbor = Put(blocks, Multicodec.DagCbor, [0x80]);
        DagPbLink good = new(leaf, string.Empty, 3);
        var file = new UnixFsData(UnixFsType.File) { FileSize = 3, BlockSizes = [3] };
        Check(file with { FileSize = 4 }, [good], ContentErrorKind.SizeMismatch);
        Check(file with { BlockSizes = [2] }, [good], ContentErrorKind.SizeMismatch);
        Check(file with { BlockSizes = [] }, [good], ContentErrorKind.BadUnixFs);
        Check(file with { BlockSizes = [0] }, [good], ContentErrorKind.BadUnixFs);
        Check(file, [new DagPbLink(absent, string.Empty, 3)], ContentErrorKind.MissingBlock);
        Check(file, [new DagPbLink(cbor, string.Empty, 3)], ContentErrorKind.NotUnixFs);
        Check(new UnixFsData(UnixFsType.Symlink) { Data = "/etc"u8.ToArray() }, [], ContentErrorKind.Unsupported);
        Check(new UnixFsData(UnixFsType.Metadata), [], ContentErrorKind.Unsupported);
        Check(new UnixFsData(UnixFsType.HamtShard) { Fanout = 256, HashType = 1 }, [], ContentErrorKind.Unsupported);

        void Check(UnixFsData data, DagPbLink[] links, ContentErrorKind expected)
        {
            Cid root = Put(blocks, Multicodec.DagPb, new DagPbNode(data.Encode(), links).Encode());
            Cid inFolder = Put(blocks, Multicodec.DagPb, new DagPbNode(
                new UnixFsData(UnixFsType.Directory).Encode(), [new DagPbLink(leaf, "a", 3), new DagPbLink(root, "b", 1)]).Encode());
            foreach (Cid content in new[] { root, inFolder })
            {
                ContentError error = new UnixFsExporter(blocks).Export(content, folder.Combine("out")).Error!;
                Assert.Equal(expected, error.Kind);
                Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
                Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
            }
        }
    }

    [Fact]
    public void A_few_blocks_cannot_fill_the_disk()
    {
        // Ten levels of nodes with ten times the same child: ten gigabytes out of eleven blocks.
        var blocks = new MemoryBlocks();
        Cid cid = Put(blocks, Multicodec.Raw, [1]);
        ulong size = 1;
        for (int level = 0; level < 10; level++)
        {
            var data = new UnixFsData(UnixFsType.File) { FileSize = size * 10, BlockSizes = [.. Enumerable.Repeat(size, 10)] };
            cid = Put(blocks, Multicodec.DagPb, new DagPbNode(data.Encode(), [.. Enumerable.Repeat(new DagPbLink(cid, string.Empty, 1), 10)]).Encode());
            size *= 10;
        }

        using var folder = new TemporaryFolder();
        var limited = new UnixFsExporter(blocks, new ExportOptions { MaxBytes = 5000 });
        Assert.Equal(ContentErrorKind.LimitExceeded, limited.Export(cid, folder.Combine("out")).Error!.Kind);
        Assert.Equal(11, blocks.Count);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_cancelled_export_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        var blocks = new MemoryBlocks();
        ImportResult imported = new UnixFsImporter(blocks, new ImportOptions { ChunkSize = 65536 })
            .ImportStream(new MemoryStream(TestContent.Bytes(500_000, 1))).Value;
        using var cancel = new CancellationTokenSource();
        var exporter = new UnixFsExporter(blocks) { Progress = new Act(done => { if (done > 200_000) cancel.Cancel(); }) };
        Assert.Throws<OperationCanceledException>(() => exporter.Export(imported.Root, folder.Combine("out"), cancel.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Files_that_cannot_be_content_are_refused_in_one_sentence()
    {
        using var folder = new TemporaryFolder();
        folder.Write("in/real", [1]);
        File.CreateSymbolicLink(folder.Combine("in", "link"), folder.Combine("in", "real"));
        Refused(folder.Combine("in"), ContentErrorKind.Unsupported, "symbolic link");
        Refused(folder.Combine("nothing"), ContentErrorKind.NotFound, "no file or folder");
        if (OperatingSystem.IsLinux())
        {
            Refused("/dev/zero", ContentErrorKind.Unsupported, "device");
            string pipe = folder.Combine("pipe");
            using (var make = System.Diagnostics.Process.Start("mkfifo", [pipe]))
                make.WaitForExit();
            Assert.True(File.Exists(pipe));
            Refused(pipe, ContentErrorKind.Unsupported, "pipe");
        }

        Assert.Equal(
            ContentErrorKind.BadOption, new UnixFsImporter(new MemoryBlocks(), new ImportOptions { ChunkSize = 65535 }).ImportStream(Stream.Null).Error!.Kind);

        static void Refused(string path, ContentErrorKind kind, string part)
        {
            ContentError error = new UnixFsImporter(new MemoryBlocks(), new ImportOptions()).ImportPath(path).Error!;
            Assert.Equal(kind, error.Kind);
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_name_on_disk_that_is_not_utf8_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux stores names as bytes.");
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.Combine("in"));
        Shell(": > \"$(printf 'a\\377b')\"");
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Combine("in")));
        ContentError error = new UnixFsImporter(new MemoryBlocks(), new ImportOptions()).ImportPath(folder.Combine("in")).Error!;
        Assert.Equal(ContentErrorKind.UnsafeName, error.Kind);
        Assert.Contains("UTF-8", error.Message, StringComparison.Ordinal);
        Shell("rm a*");

        void Shell(string command)
        {
            using var shell = System.Diagnostics.Process.Start("sh", ["-c", $"cd '{folder.Combine("in")}' && {command}"]);
            shell.WaitForExit();
            Assert.Equal(0, shell.ExitCode);
        }
    }

    [Fact]
    public void What_is_not_confirmed_does_not_appear()
    {
        using var folder = new TemporaryFolder();
        folder.Write("in", TestContent.Bytes(200_000, 9));
        var blocks = new MemoryBlocks();
        Cid root = Import(blocks, folder.Combine("in")).Root;
        var no = new ContentError(ContentErrorKind.MissingBlock, "not now");
        bool wasThere = true;
        var exporter = new UnixFsExporter(blocks)
        {
            Confirm = () =>
            {
                wasThere = Path.Exists(folder.Combine("out"));
                return no;
            },
        };
        Assert.Same(no, exporter.Export(root, folder.Combine("out")).Error);
        Assert.False(wasThere);
        Assert.False(Path.Exists(folder.Combine("out")));
        AssertNothingHalfWritten(folder.Path);
    }

    // A process that was killed leaves what it wrote; the next one clears it away, but nothing that another one is writing.
    [Fact]
    public void What_a_killed_process_left_is_cleared_away()
    {
        using var folder = new TemporaryFolder();
        folder.Write("in", [1, 2, 3]);
        var blocks = new MemoryBlocks();
        Cid root = Import(blocks, folder.Combine("in")).Root;
        string mine = "";
        Assert.NotNull(new UnixFsExporter(blocks)
        {
            Confirm = () =>
            {
                mine = Path.GetFileName(Directory.EnumerateFileSystemEntries(folder.Path, ".lockstep-*.partial").Single());
                return new ContentError(ContentErrorKind.MissingBlock, "only a look");
            },
        }.Export(root, folder.Combine("out")).Error);
        string[] parts = mine.Split('-');
        Assert.Equal($"{Environment.ProcessId}", parts[2]);
        using var ended = System.Diagnostics.Process.Start("sh", ["-c", "exit 0"]);
        ended.WaitForExit();
        string dead = $".lockstep-{parts[1]}-{ended.Id}-0.partial", parent = $".lockstep-{parts[1]}-1-0.partial";
        string aside = dead + ".old", elsewhere = $".lockstep-00000000-{ended.Id}-0.partial";
        foreach (string name in (string[])[dead, parent, aside, elsewhere])
            folder.Write(name, [0]);

        Assert.True(new UnixFsExporter(blocks).Export(root, folder.Combine("out")).IsOk);
        Assert.Equal(
            new[] { parent, aside, elsewhere }.Order(StringComparer.Ordinal),
            Directory.EnumerateFileSystemEntries(folder.Path, ".lockstep-*").Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    private static Cid Put(MemoryBlocks blocks, ulong codec, byte[] block)
    {
        Cid cid = Cid.Of(codec, block);
        Assert.Null(blocks.Put(cid, block));
        return cid;
    }

    private static ImportResult Import(MemoryBlocks blocks, string path) =>
        new UnixFsImporter(blocks, new ImportOptions { ChunkSize = 65536 }).ImportPath(path).Value;

    private static void AssertNothingHalfWritten(string folder) =>
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(folder), path => Path.GetFileName(path).StartsWith(".lockstep", StringComparison.Ordinal));

    private static void AssertSameTree(string expected, string actual)
    {
        static string[] List(string root) => [.. Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(root, path)).Order(StringComparer.Ordinal)];
        Assert.Equal(List(expected), List(actual));
        foreach (string path in List(expected).Where(path => File.Exists(Path.Combine(expected, path))))
            Assert.Equal(File.ReadAllBytes(Path.Combine(expected, path)), File.ReadAllBytes(Path.Combine(actual, path)));
    }

    private sealed class Act(Action<long> report) : IProgress<long>
    {
        public void Report(long value) => report(value);
    }
}
