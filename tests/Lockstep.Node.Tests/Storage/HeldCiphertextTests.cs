using System.Security.Cryptography;
using Dapper;
using Lockstep.Node.Storage;
using Lockstep.Node.Tests.Support;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Node.Tests.Storage;

/// <summary>Ciphertexts that may have to be opened late (I8): on the disk before a row names them, gone with the last of a file.</summary>
public class HeldCiphertextTests
{
    private static readonly DealId Deal = new(new Bytes32(RandomNumberGenerator.GetBytes(32)));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CiphertextsOfAWindowShareAFileUntilTheLastIsDropped(bool isWrittenAhead)
    {
        using var folder = new TemporaryFolder();
        (int Chunk, ReadOnlyMemory<byte> Bytes)[] window = [(3, Bytes(100)), (4, Bytes(1)), (7, Bytes(70_000))];
        using (var store = ClientStore.Open(folder.File("c.db"), null, TimeProvider.System))
        {
            if (isWrittenAhead)
                store.PutCiphertexts(Deal, window);
            Assert.Equal(isWrittenAhead ? 1 : 0, FilesIn(folder));
            Assert.Null(store.FindCiphertext(Deal, 3));
            await store.CommitAsync([.. window.Select(chunk => new CiphertextRow(Deal, chunk.Chunk, chunk.Bytes))], Cancellation);
            Assert.Equal(1, FilesIn(folder));
        }

        using var again = ClientStore.Open(folder.File("c.db"), null, TimeProvider.System);
        again.SweepFiles();
        foreach ((int chunk, ReadOnlyMemory<byte> bytes) in window)
            Assert.Equal(bytes.ToArray(), again.FindCiphertext(Deal, chunk)!.Value.ToArray());
        await again.CommitAsync([new CiphertextDropped(Deal, 4), new CiphertextDropped(Deal, 3)], Cancellation);
        Assert.Null(again.FindCiphertext(Deal, 3));
        Assert.Equal(window[2].Bytes.ToArray(), again.FindCiphertext(Deal, 7)!.Value.ToArray());
        Assert.Equal(1, FilesIn(folder));
        await again.CommitAsync([new CiphertextDropped(Deal, 7)], Cancellation);
        Assert.Equal(0, FilesIn(folder));
    }

    // A ciphertext that was paid for is given up when it is gone, and not because the disk would not hand it out just now.
    [Fact]
    public async Task AFileThatCannotBeReadIsNotOneThatIsGone()
    {
        using var folder = new TemporaryFolder();
        using (var store = ClientStore.Open(folder.File("c.db"), null, TimeProvider.System))
            await store.CommitAsync([new CiphertextRow(Deal, 1, Bytes(50))], Cancellation);
        using var again = ClientStore.Open(folder.File("c.db"), null, TimeProvider.System);
        string file = Directory.GetFiles(folder.File("ciphertexts")).Single();
        File.Move(file, file + ".aside");
        Assert.Null(again.FindCiphertext(Deal, 1));
        Directory.CreateDirectory(file);
        Assert.Equal(NodeFault.HomeUnusable, Assert.Throws<NodeException>(() => again.FindCiphertext(Deal, 1)).Fault);
        Directory.Delete(file);
        File.Move(file + ".aside", file);
        Assert.Equal(50, again.FindCiphertext(Deal, 1)!.Value.Length);
    }

    // What was written ahead for an offer that came to nothing is not taken for that of the next one.
    [Fact]
    public async Task AChunkThatIsOfferedAgainHasTheNewCiphertext()
    {
        using var folder = new TemporaryFolder();
        using var store = ClientStore.Open(folder.File("c.db"), null, TimeProvider.System);
        ReadOnlyMemory<byte> first = Bytes(50), second = Bytes(50);
        store.PutCiphertexts(Deal, [(1, first)]);
        await store.CommitAsync([new CiphertextRow(Deal, 1, second)], Cancellation);
        Assert.Equal(second.ToArray(), store.FindCiphertext(Deal, 1)!.Value.ToArray());
        await store.CommitAsync([new CiphertextRow(Deal, 1, first)], Cancellation);
        Assert.Equal(first.ToArray(), store.FindCiphertext(Deal, 1)!.Value.ToArray());
        store.SweepFiles();
        Assert.Equal(1, FilesIn(folder));
        Assert.Equal(first.ToArray(), store.FindCiphertext(Deal, 1)!.Value.ToArray());
    }

    [Fact]
    public void AStoreOfVersion1KeepsItsCiphertexts()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("c.db");
        byte[] bytes = Bytes(5000);
        using (var old = StoreFile.Open(path, StoreSchema.ClientId, [StoreSchema.Client[0]]))
        {
            old.Write(transaction => transaction.Execute(
                "INSERT INTO ciphertexts VALUES (@deal, 9, @bytes)", new { deal = Deal.Key(), bytes }));
        }

        for (int opened = 0; opened < 2; opened++)
        {
            using var store = ClientStore.Open(path, null, TimeProvider.System);
            Assert.Equal(bytes, store.FindCiphertext(Deal, 9)!.Value.ToArray());
            Assert.Equal(1, FilesIn(folder));
        }
    }

    private static byte[] Bytes(int length) => RandomNumberGenerator.GetBytes(length);

    private static int FilesIn(TemporaryFolder folder) => Directory.Exists(folder.File("ciphertexts")) ? Directory.GetFiles(folder.File("ciphertexts")).Length : 0;
}
