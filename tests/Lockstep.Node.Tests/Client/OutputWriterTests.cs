using System.Security.Cryptography;
using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Content.UnixFs;
using Lockstep.Node.Client;
using Lockstep.Node.Tests.Support;

namespace Lockstep.Node.Tests.Client;

/// <summary>A file that is written while it is being bought: there when the deal is done, and not before.</summary>
public class OutputWriterTests
{
    private const int Size = 400_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TheFileAppearsWhenAllIsHereAndTheDealIsDone(bool isBackwards)
    {
        using var bought = new Purchase();
        await using var writer = new OutputWriter(bought.Store, bought.Root, bought.Output, overwrite: false);
        foreach (Cid cid in isBackwards ? Enumerable.Reverse(bought.Order) : bought.Order)
            bought.Arrive(writer, cid);
        while (new FileInfo(bought.Partial() ?? "none") is not { Exists: true, Length: Size })
            await Task.Delay(5, Cancellation);
        Assert.False(Path.Exists(bought.Output));
        Assert.Null(await writer.FinishAsync(Cancellation));
        Assert.Equal(bought.Bytes, await File.ReadAllBytesAsync(bought.Output, Cancellation));
        Assert.Null(bought.Partial());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(int.MaxValue)]
    public async Task APurchaseThatEndsEarlyLeavesNothing(int arrived)
    {
        using var bought = new Purchase();
        await using (var writer = new OutputWriter(bought.Store, bought.Root, bought.Output, overwrite: false))
        {
            foreach (Cid cid in bought.Order.Take(arrived))
                bought.Arrive(writer, cid);
        }

        Assert.Null(bought.Partial());
        Assert.False(Path.Exists(bought.Output));
    }

    [Fact]
    public async Task WhatIsMissingAtTheEndIsNamed()
    {
        using var bought = new Purchase();
        await using var writer = new OutputWriter(bought.Store, bought.Root, bought.Output, overwrite: false);
        foreach (Cid cid in bought.Order.SkipLast(1))
            bought.Arrive(writer, cid);
        ContentError? error = await writer.FinishAsync(Cancellation);
        Assert.Equal(ContentErrorKind.MissingBlock, error!.Kind);
        Assert.Contains(bought.Order[^1].ToString(), error.Message, StringComparison.Ordinal);
        Assert.Null(bought.Partial());
    }

    // The reader lags far behind: blocks beyond the memory bound come from the store, which checks them.
    [Fact]
    public void BlocksAreHandedOnFromMemoryUpToABound()
    {
        using var folder = new TemporaryFolder();
        using BlockStore store = BlockStore.Open(folder.File("blocks")).Value;
        var arriving = new ArrivingBlocks(store);
        byte[][] blocks = [.. Enumerable.Range(0, 20).Select(_ => RandomNumberGenerator.GetBytes(1 << 20))];
        foreach (byte[] block in blocks)
        {
            Assert.Null(store.Put(Cid.Of(Multicodec.Raw, block), block));
            arriving.Arrive(Cid.Of(Multicodec.Raw, block), block);
        }

        Assert.Equal(16, blocks.Count(block => ReferenceEquals(block, arriving.Get(Cid.Of(Multicodec.Raw, block)).Value)));
        Assert.All(blocks, block => Assert.Equal(block, arriving.Get(Cid.Of(Multicodec.Raw, block)).Value));
    }

    private sealed class Purchase : IDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly MemoryBlocks _seller = new();

        public Purchase()
        {
            Bytes = RandomNumberGenerator.GetBytes(Size);
            Root = new UnixFsImporter(_seller, new ImportOptions { ChunkSize = 64 << 10 }).ImportStream(new MemoryStream(Bytes)).Value.Root;
            Order = [Root, .. Bytes.Chunk(64 << 10).Select(leaf => Cid.Of(Multicodec.Raw, leaf))];
            Store = BlockStore.Open(_folder.File("blocks")).Value;
            Output = _folder.File("out");
        }

        public byte[] Bytes { get; }

        public Cid Root { get; }

        /// <summary>The root, then the leaves.</summary>
        public IReadOnlyList<Cid> Order { get; }

        public BlockStore Store { get; }

        public string Output { get; }

        public string? Partial() => Directory.EnumerateFiles(Path.GetDirectoryName(Output)!, ".lockstep-*").SingleOrDefault();

        public void Arrive(OutputWriter writer, Cid cid)
        {
            byte[] block = _seller.Get(cid).Value;
            Assert.Null(Store.Put(cid, block));

            // Link blocks come without a word.
            if (cid != Root)
                writer.Blocks.Arrive(cid, block);
        }

        public void Dispose()
        {
            Store.Dispose();
            _folder.Dispose();
        }
    }
}
