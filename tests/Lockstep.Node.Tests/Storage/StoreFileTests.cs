using Dapper;
using Lockstep.Node.Storage;
using Lockstep.Node.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Lockstep.Node.Tests.Storage;

public class StoreFileTests
{
    private const int Id = 0x7465_7374;
    private static readonly string[] First = ["CREATE TABLE t (v INTEGER NOT NULL) STRICT"];
    private static readonly string[] Second = [.. First, "ALTER TABLE t ADD COLUMN w INTEGER NOT NULL DEFAULT 7"];

    [Fact]
    public void WhatIsWrittenIsThereAfterReopening()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("s.db");
        using (var store = StoreFile.Open(path, Id, First))
            store.Write(t => t.Execute("INSERT INTO t VALUES (1)"));
        using (var store = StoreFile.Open(path, Id, First))
            Assert.Equal(1, store.Read(c => c.ExecuteScalar<long>("SELECT sum(v) FROM t")));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void AnInterruptedWriteLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        using var store = StoreFile.Open(folder.File("s.db"), Id, First);
        Assert.Throws<InvalidOperationException>(() => store.Write(t =>
        {
            t.Execute("INSERT INTO t VALUES (1)");
            throw new InvalidOperationException();
        }));
        Assert.Equal(0, store.Read(c => c.ExecuteScalar<long>("SELECT count(*) FROM t")));
    }

    [Fact]
    public void CommitsAreFlushedToTheDisk()
    {
        using var folder = new TemporaryFolder();
        using var store = StoreFile.Open(folder.File("s.db"), Id, First);
        Assert.Equal(2, store.Read(c => c.ExecuteScalar<long>("PRAGMA synchronous")));
        Assert.Equal("wal", store.Read(c => c.ExecuteScalar<string>("PRAGMA journal_mode")));
    }

    [Fact]
    public void AnOlderStoreIsBroughtUpToDateAndANewerOneRefused()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("s.db");
        using (var store = StoreFile.Open(path, Id, First))
            store.Write(t => t.Execute("INSERT INTO t VALUES (1)"));
        using (var store = StoreFile.Open(path, Id, Second))
            Assert.Equal(7, store.Read(c => c.ExecuteScalar<long>("SELECT w FROM t WHERE v = 1")));
        NodeException fault = Assert.Throws<NodeException>(() => StoreFile.Open(path, Id, First));
        Assert.Equal(NodeFault.NewerFormat, fault.Fault);
    }

    [Fact]
    public void FilesThatAreNoStoreAreRefused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("junk.db"), [.. Enumerable.Range(0, 8192).Select(i => (byte)(i * 31))]);
        Assert.Equal(NodeFault.Damaged, Assert.Throws<NodeException>(() => StoreFile.Open(folder.File("junk.db"), Id, First)).Fault);
        using (var other = new SqliteConnection($"Data Source={folder.File("other.db")};Pooling=False"))
        {
            other.Open();
            other.Execute("CREATE TABLE theirs (a)");
        }

        Assert.Equal(NodeFault.Damaged, Assert.Throws<NodeException>(() => StoreFile.Open(folder.File("other.db"), Id, First)).Fault);
        StoreFile.Open(folder.File("mine.db"), Id, First).Dispose();
        Assert.Equal(NodeFault.Damaged, Assert.Throws<NodeException>(() => StoreFile.Open(folder.File("mine.db"), Id + 1, First)).Fault);
        Assert.Equal(NodeFault.HomeUnusable, Assert.Throws<NodeException>(() => StoreFile.Open(folder.File("no/such/folder.db"), Id, First)).Fault);
    }

    [Fact]
    public void AFullDiskIsNamedAndChangesNothing()
    {
        using var folder = new TemporaryFolder();
        using var store = StoreFile.Open(folder.File("s.db"), Id, First);

        // SQLite reports a file that may not grow exactly as it reports a full disk.
        store.Read(c => c.Execute("PRAGMA max_page_count = 8"));
        NodeException fault = Assert.Throws<NodeException>(() => store.Write(t =>
        {
            for (int i = 0; i < 100_000; i++)
                t.Execute("INSERT INTO t VALUES (@i)", new { i });
        }));
        Assert.Equal(NodeFault.DiskFull, fault.Fault);
        Assert.Equal(0, store.Read(c => c.ExecuteScalar<long>("SELECT count(*) FROM t")));
    }
}
