using System.Security.Cryptography;
using Dapper;
using Lockstep.Node.Storage;
using Lockstep.Node.Tests.Support;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;

namespace Lockstep.Node.Tests.Storage;

/// <summary>Windows sealed for nobody yet: each leaves the store once (I3), and nothing of it stays behind.</summary>
public class ReadyWindowTests
{
    private static readonly Bytes32 Mark = Random32();
    private static readonly Bytes32 OtherMark = Random32();

    [Fact]
    public void AWindowIsTakenOnceAlsoByTwoAtATimeAndAcrossRestarts()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("p.db");
        SealedWindow[] made = [Window(), Window(), Window()];
        using (var store = ProviderStore.Open(path, TimeProvider.System))
        {
            foreach (SealedWindow window in made)
                store.PutReady(Mark, window);
            Assert.Equal(3, Assert.Single(store.CountReady()).Value);
            Assert.Null(store.TakeReady(OtherMark));
            AssertSame(made[0], store.TakeReady(Mark)!);
        }

        using var first = ProviderStore.Open(path, TimeProvider.System);
        using var second = ProviderStore.Open(path, TimeProvider.System);
        SealedWindow?[] taken = [first.TakeReady(Mark), second.TakeReady(Mark), first.TakeReady(Mark), second.TakeReady(Mark)];
        AssertSame(made[1], taken[0]!);
        AssertSame(made[2], taken[1]!);
        Assert.Null(taken[2]);
        Assert.Null(taken[3]);
        Assert.Empty(second.CountReady());
    }

    [Fact]
    public void WhatATakerThatDiedHadTakenIsNeverSoldAndItsBytesAreSweptAway()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("p.db");
        using (var store = ProviderStore.Open(path, TimeProvider.System))
        {
            store.PutReady(Mark, Window());
            store.PutReady(Mark, Window());
            Assert.NotNull(store.TakeReady(Mark));
        }

        Assert.Equal(2, FilesIn(folder));
        using var again = ProviderStore.Open(path, TimeProvider.System);
        again.SweepFiles();
        Assert.Equal(1, FilesIn(folder));
        Assert.NotNull(again.TakeReady(Mark));
        Assert.Null(again.TakeReady(Mark));
    }

    [Fact]
    public void AWindowWhoseBytesAreDamagedIsPassedOver()
    {
        using var folder = new TemporaryFolder();
        using var store = ProviderStore.Open(folder.File("p.db"), TimeProvider.System);
        store.PutReady(Mark, Window());
        string file = Assert.Single(Directory.GetFiles(folder.File("sealed")));
        store.PutReady(Mark, Window());
        using (FileStream damaged = File.OpenWrite(file))
            damaged.SetLength(10);
        Assert.NotNull(store.TakeReady(Mark));
        Assert.Null(store.TakeReady(Mark));
        Assert.False(File.Exists(file));
    }

    [Fact]
    public void DroppedWindowsLeaveNeitherKeysNorBytes()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("p.db");
        SealedWindow[] made = [Window(), Window(), Window()];
        using (var store = ProviderStore.Open(path, TimeProvider.System))
        {
            foreach (SealedWindow window in made)
                store.PutReady(Mark, window);
            Assert.True(Holds(folder, made[2].Chunks[0].Key), "the test does not find a key that is there");
            store.DropReady(new Dictionary<Bytes32, int> { [Mark] = 1 });
            Assert.Equal(1, store.CountReady()[Mark]);
        }

        Assert.Equal(1, FilesIn(folder));
        Assert.True(Holds(folder, made[0].Chunks[0].Key));
        Assert.False(Holds(folder, made[1].Chunks[0].Key));
        Assert.False(Holds(folder, made[2].Chunks[1].Key));
    }

    [Fact]
    public void ASealThatIsInStoreCannotBePutThereAgain()
    {
        using var folder = new TemporaryFolder();
        using var store = ProviderStore.Open(folder.File("p.db"), TimeProvider.System);
        SealedWindow window = Window();
        store.PutReady(Mark, window);
        Assert.Throws<NodeException>(() => store.PutReady(OtherMark, window));
        Assert.Equal(Mark, Assert.Single(store.CountReady()).Key);
    }

    [Fact]
    public void FilesOfWindowsAreTheirOwnersAlone()
    {
        using var folder = new TemporaryFolder();
        using var store = ProviderStore.Open(folder.File("p.db"), TimeProvider.System);
        store.PutReady(Mark, Window());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Assert.Single(Directory.GetFiles(folder.File("sealed")))));
    }

    // Version 1 kept a window's bytes in its tables.
    [Fact]
    public void AStoreOfVersion1KeepsItsWindows()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("p.db");
        var deal = new DealId(Random32());
        SealedWindow made = Window();
        byte[] cid = [0x01, 0x55, 0x12, 0x20, .. Random32().Span];
        using (var old = StoreFile.Open(path, StoreSchema.ProviderId, [StoreSchema.Provider[0]]))
        {
            old.Write(transaction =>
            {
                for (int window = 0; window < 2; window++)
                {
                    transaction.Execute(
                        "INSERT INTO windows VALUES (@deal, @window, 'suite', 1, @length, x'01', @proof)",
                        new { deal = deal.Key(), window, length = made.Proof.Length, proof = made.Proof.ToArray() });
                    for (int i = 0; i < made.Chunks.Count; i++)
                    {
                        SealedChunk chunk = made.Chunks[i];
                        transaction.Execute(
                            "INSERT INTO sealed_chunks VALUES (@deal, @window, @i, @i, @cid, @length, @sealId, @keyLock, @nonce, 0, @key, @ciphertext)",
                            new
                            {
                                deal = deal.Key(),
                                window,
                                i,
                                cid,
                                length = chunk.Ciphertext.Length,
                                sealId = chunk.SealId.Memory.ToArray(),
                                keyLock = (window == 0 ? chunk.Lock : Random32()).Memory.ToArray(),
                                nonce = chunk.Nonce.ToArray(),
                                key = chunk.Key.ToArray(),
                                ciphertext = window == 0 ? chunk.Ciphertext.ToArray() : null,
                            });
                    }
                }
            });
        }

        using var store = ProviderStore.Open(path, TimeProvider.System);
        SealedWindowRow found = store.FindWindow(deal, 0)!;
        Assert.Equal(made.Proof.ToArray(), found.Proof.ToArray());
        Assert.Equal(made.Chunks.Select(chunk => Convert.ToHexString(chunk.Ciphertext.Span)), found.Ciphertexts.Select(bytes => Convert.ToHexString(bytes.Span)));
        Assert.Null(store.FindWindow(deal, 1));
        Assert.Equal(1, FilesIn(folder));
        store.DropDelivered(deal, 1);
        Assert.NotNull(store.FindWindow(deal, 0));
        store.DropDelivered(deal, 2);
        Assert.Null(store.FindWindow(deal, 0));
        Assert.Equal(0, FilesIn(folder));
        Assert.NotNull(store.Find(made.Chunks[0].Lock));
    }

    private static SealedWindow Window() => new(
        [.. Enumerable.Range(0, 2).Select(_ => new SealedChunk(Random32(), Random32(), RandomNumberGenerator.GetBytes(12), 0, RandomNumberGenerator.GetBytes(500), RandomNumberGenerator.GetBytes(32)))],
        RandomNumberGenerator.GetBytes(300));

    private static void AssertSame(SealedWindow made, SealedWindow taken)
    {
        Assert.Equal(made.Proof.ToArray(), taken.Proof.ToArray());
        Assert.Equal(made.Chunks.Count, taken.Chunks.Count);
        foreach ((SealedChunk expected, SealedChunk actual) in made.Chunks.Zip(taken.Chunks))
        {
            Assert.Equal((expected.SealId, expected.Lock, expected.FirstCounter), (actual.SealId, actual.Lock, actual.FirstCounter));
            Assert.Equal(expected.Nonce.ToArray(), actual.Nonce.ToArray());
            Assert.Equal(expected.Key.ToArray(), actual.Key.ToArray());
            Assert.Equal(expected.Ciphertext.ToArray(), actual.Ciphertext.ToArray());
        }
    }

    private static int FilesIn(TemporaryFolder folder) => Directory.Exists(folder.File("sealed")) ? Directory.GetFiles(folder.File("sealed")).Length : 0;

    private static bool Holds(TemporaryFolder folder, ReadOnlyMemory<byte> secret) =>
        Directory.GetFiles(folder.Path, "p.db*").Any(file =>
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes.AsSpan().IndexOf(secret.Span) >= 0;
        });

    private static Bytes32 Random32() => new(RandomNumberGenerator.GetBytes(32));
}
