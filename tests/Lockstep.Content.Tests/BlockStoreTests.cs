using System.Diagnostics;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Content.Tests.Support;

namespace Lockstep.Content.Tests;

public class BlockStoreTests
{
    [Fact]
    public void Blocks_outlive_the_store_that_wrote_them()
    {
        using var folder = new TemporaryFolder();
        byte[] block = TestContent.Bytes(1000, 1);
        Cid cid = Cid.Of(Multicodec.Raw, block);
        using (BlockStore store = BlockStore.Open(folder.Path).Value)
        {
            Assert.False(store.Has(cid));
            Assert.Equal(ContentErrorKind.MissingBlock, store.Get(cid).Error!.Kind);
            Assert.Equal(ContentErrorKind.MissingBlock, store.GetLength(cid).Error!.Kind);
            Assert.Null(store.Put(cid, block));
            Assert.Null(store.Put(cid, block));
        }

        using BlockStore again = BlockStore.Open(folder.Path).Value;
        Assert.True(again.Has(cid));
        Assert.Equal(block, again.Get(cid).Value);
        Assert.Equal(1000, again.GetLength(cid).Value);
        Assert.Equal([(Convert.ToHexString(cid.Digest), 1000L)], again.Enumerate().Select(b => (Convert.ToHexString(b.Digest), b.Length)));
        Assert.Null(again.Delete(cid));
        Assert.Null(again.Delete(cid));
        Assert.False(again.Has(cid));
    }

    // What its caller has checked is not hashed again; reading checks it all the same.
    [Fact]
    public void A_verified_block_is_stored_unhashed_and_read_checked()
    {
        using var folder = new TemporaryFolder();
        using BlockStore store = BlockStore.Open(folder.Path).Value;
        byte[] block = TestContent.Bytes(1000, 5);
        Cid cid = Cid.Of(Multicodec.Raw, block), other = Cid.Of(Multicodec.Raw, [1]);
        Assert.Null(store.PutVerified(cid, block));
        Assert.Equal(block, store.Get(cid).Value);
        Assert.Null(store.PutVerified(other, block));
        Assert.Equal(ContentErrorKind.CorruptBlock, store.Get(other).Error!.Kind);
        Assert.Equal(ContentErrorKind.LeafTooLarge, store.PutVerified(cid, new byte[BlockLimits.MaxLeafBytes + 1])!.Kind);
    }

    [Fact]
    public void A_damaged_block_is_reported_and_repaired_by_adding_it_again()
    {
        using var folder = new TemporaryFolder();
        using BlockStore store = BlockStore.Open(folder.Path).Value;
        byte[] block = TestContent.Bytes(300, 2);
        Cid cid = Cid.Of(Multicodec.Raw, block);
        Assert.Null(store.Put(cid, block));
        string path = store.PathOf(cid.Digest);
        byte[] flipped = [.. block];
        flipped[17] ^= 1;
        foreach (byte[] damage in new[] { flipped, block[..299], [.. block, 0], [] })
        {
            File.WriteAllBytes(path, damage);
            Assert.Equal(ContentErrorKind.CorruptBlock, store.Get(cid).Error!.Kind);
            Assert.Null(store.Put(cid, block));
            Assert.Equal(block, store.Get(cid).Value);
        }

        using (var huge = new FileStream(path, FileMode.Open))
            huge.SetLength(1L << 40);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(ContentErrorKind.CorruptBlock, store.Get(cid).Error!.Kind);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Fact]
    public void What_a_crash_left_is_removed_and_what_another_store_is_writing_is_not()
    {
        using var folder = new TemporaryFolder();
        using BlockStore alive = BlockStore.Open(folder.Path).Value;
        byte[] block = TestContent.Bytes(50, 3);
        Cid cid = Cid.Of(Multicodec.Raw, block);
        using BlockBatch batch = alive.BeginBatch().Value;
        Assert.Null(batch.Put(cid, block));

        // A session whose process is gone: its lock file is held by nobody.
        folder.Write("tmp/999999-0.lock", []);
        folder.Write("tmp/999999-0/1", [1, 2]);
        folder.Write("tmp/888888-0/1/abc", [3]);
        using BlockStore second = BlockStore.Open(folder.Path).Value;
        Assert.False(File.Exists(folder.Combine("tmp", "999999-0.lock")));
        Assert.False(Directory.Exists(folder.Combine("tmp", "999999-0")));
        Assert.False(Directory.Exists(folder.Combine("tmp", "888888-0")));
        Assert.Empty(second.Enumerate());

        Assert.Null(batch.Commit());
        Assert.Equal(block, second.Get(cid).Value);
    }

    [Fact]
    public void A_killed_writer_leaves_no_half_block()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals are sent with kill.");
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            Environment = { [CrashingWriter.FolderVariable] = folder.Path },
        };

        // The test program itself is the writer; under "dotnet X.dll" its own path must be named.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(BlockStoreTests).Assembly.Location);
        start.ArgumentList.Add("-explicit");
        start.ArgumentList.Add("only");
        start.ArgumentList.Add("-method");
        start.ArgumentList.Add("*.Writes_blocks_until_it_is_killed");
        for (int round = 0; round < 3; round++)
        {
            using Process writer = Process.Start(start)!;
            _ = writer.StandardOutput.ReadToEndAsync();
            string blocks = folder.Combine("blocks");
            int wanted = 20 * (round + 1);
            var waited = Stopwatch.StartNew();
            while (!(Directory.Exists(blocks) && Directory.EnumerateFiles(blocks, "*", SearchOption.AllDirectories).Count() >= wanted))
            {
                Assert.False(writer.HasExited, "the writer ended by itself");
                Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), "the writer wrote nothing");
                Thread.Sleep(5);
            }

            writer.Kill();
            writer.WaitForExit();
            Assert.NotEmpty(Directory.EnumerateFiles(folder.Combine("tmp"), "*.lock"));
            using BlockStore store = BlockStore.Open(folder.Path).Value;
            (byte[] Digest, long Length)[] held = [.. store.Enumerate()];
            Assert.True(held.Length >= wanted);
            foreach (var (digest, _) in held)
                Assert.Null(store.Get(Cid.FromDigest(Multicodec.Raw, digest)).Error);
            Assert.Single(Directory.EnumerateFiles(folder.Combine("tmp"), "*.lock"));
        }
    }

    [Fact]
    public void Threads_may_put_get_and_delete_at_once()
    {
        using var folder = new TemporaryFolder();
        using BlockStore store = BlockStore.Open(folder.Path).Value;
        byte[][] blocks = [.. Enumerable.Range(0, 20).Select(i => TestContent.Bytes(200 + i, i))];
        Cid[] cids = [.. blocks.Select(block => Cid.Of(Multicodec.Raw, block))];
        Parallel.For(0, 8, worker =>
        {
            for (int i = 0; i < 60; i++)
            {
                int n = (worker + i) % blocks.Length;
                Assert.Null(store.Put(cids[n], blocks[n]));
                Outcome<byte[]> got = store.Get(cids[n]);
                Assert.True(got.IsOk ? got.Value.AsSpan().SequenceEqual(blocks[n]) : got.Error!.Kind == ContentErrorKind.MissingBlock, got.Error?.ToString());
                if (i % 7 == 3)
                    Assert.Null(store.Delete(cids[n]));
            }
        });
    }

    [Fact]
    public void A_batch_is_seen_whole_or_not_at_all()
    {
        using var folder = new TemporaryFolder();
        using BlockStore store = BlockStore.Open(folder.Path).Value;
        byte[] one = [1], two = [2];
        Cid first = Cid.Of(Multicodec.Raw, one), second = Cid.Of(Multicodec.Raw, two);
        using (BlockBatch dropped = store.BeginBatch().Value)
        {
            Assert.Null(dropped.Put(first, one));
            Assert.Equal(one, dropped.Get(first).Value);
            Assert.False(store.Has(first));
        }

        Assert.Empty(store.Enumerate());
        using (BlockBatch batch = store.BeginBatch().Value)
        {
            Assert.Null(batch.Put(first, one));
            Assert.Null(batch.Put(second, two));
            Assert.Null(batch.Put(first, one));
            Assert.Equal(2, batch.BytesWritten);
            Assert.Equal(ContentErrorKind.DigestMismatch, batch.Put(second, one)!.Kind);
            Assert.Null(batch.Commit());
        }

        Assert.Equal(2, store.Enumerate().Count());
    }

    [Fact]
    public void Root_records_are_kept_listed_and_damage_is_told()
    {
        using var folder = new TemporaryFolder();
        using BlockStore store = BlockStore.Open(folder.Path).Value;
        RootIndex roots = RootIndex.Open(store).Value;
        var b = new RootRecord("b \"quoted\"\n", Cid.Of(Multicodec.Raw, [1]), 1, 1, DateTimeOffset.UnixEpoch.AddHours(3));
        var a = new RootRecord("a", Cid.Of(Multicodec.DagPb, [2]), 1L << 40, 4_000_000, DateTimeOffset.UnixEpoch, IsCold: true);
        Assert.Null(roots.Put(b));
        Assert.Null(roots.Put(a));
        Assert.Null(roots.Put(b with { Size = 2 }));
        Assert.Equal([a, b with { Size = 2 }], RootIndex.Open(store).Value.List().Select(r => r.Value));
        Assert.Equal(a, roots.Get(a.Root).Value);

        string path = folder.Combine("roots", a.Root + ".json");
        foreach (string damage in new[] { "", "{}", "null", "[1]", File.ReadAllText(path)[..40], File.ReadAllText(path).Replace("\"version\": 1", "\"version\": 2", StringComparison.Ordinal) })
        {
            File.WriteAllText(path, damage);
            Assert.Equal(ContentErrorKind.CorruptStore, roots.Get(a.Root).Error!.Kind);
            Assert.Equal(2, roots.List().Count);
            Assert.False(roots.List()[1].IsOk);
        }

        Assert.Null(roots.Remove(a.Root));
        Assert.Null(roots.Remove(a.Root));
        Assert.Single(roots.List());
        Assert.Equal(ContentErrorKind.NotFound, roots.Get(a.Root).Error!.Kind);
    }

    [Fact]
    public void A_store_that_cannot_be_opened_or_written_says_so()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("file", [1]);
        ContentError error = BlockStore.Open(Path.Combine(file, "home")).Error!;
        Assert.Contains(error.Kind, new[] { ContentErrorKind.Io, ContentErrorKind.NotFound });
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);

        using BlockStore store = BlockStore.Open(folder.Combine("home")).Value;
        byte[] block = [5];
        Cid cid = Cid.Of(Multicodec.Raw, block);

        // A file where the block's folder should be stands in for a disk that refuses.
        File.WriteAllBytes(Path.GetDirectoryName(store.PathOf(cid.Digest))!, []);
        Assert.Equal(ContentErrorKind.Io, store.Put(cid, block)!.Kind);
        Assert.Equal([".lock"], Directory.EnumerateFiles(folder.Combine("home", "tmp"), "*", SearchOption.AllDirectories).Select(Path.GetExtension));
    }
}

/// <summary>The body of the process that <see cref="BlockStoreTests.A_killed_writer_leaves_no_half_block"/> starts and kills.</summary>
public class CrashingWriter
{
    internal const string FolderVariable = "LOCKSTEP_TEST_CRASHING_WRITER";

    [Fact(Explicit = true)]
    public void Writes_blocks_until_it_is_killed()
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        Assert.SkipWhen(folder is null, "Only run inside the process that is to be killed.");
        BlockStore store = BlockStore.Open(folder).Value;
        for (int i = 0; ; i++)
        {
            byte[] block = TestContent.Bytes(60_000 + i, i);
            store.Put(Cid.Of(Multicodec.Raw, block), block);
        }
    }
}
