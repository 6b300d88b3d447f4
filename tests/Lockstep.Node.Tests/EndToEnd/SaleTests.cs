using Lockstep.Content;
using Lockstep.Content.Cids;
using Lockstep.Node.Client;
using Lockstep.Node.Hosting;
using Lockstep.Node.Identity;
using Lockstep.Node.Provider;
using Lockstep.Node.Proving;
using Lockstep.Node.Storage;
using Lockstep.Node.Tests.Support;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Proofs;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;

namespace Lockstep.Node.Tests.EndToEnd;

/// <summary>Whole sales between two homes over loopback, with real transport, stores and ledger and a stand-in for the prover.</summary>
public class SaleTests
{
    [Theory]
    [InlineData(1, 1, LockHashKind.Sha256)]
    [InlineData(64, 1, LockHashKind.Blake2b256)]
    [InlineData(64 << 10, 1, LockHashKind.Sha256)]
    [InlineData((64 << 10) + 1, 4, LockHashKind.Sha256)]
    [InlineData(1_500_001, 1, LockHashKind.Sha256)]
    [InlineData(1_500_001, 4, LockHashKind.Blake2b256)]
    public async Task BytesAndBooksAgree(int size, int openLocks, LockHashKind lockHash)
    {
        await using var market = new Market { Settings = new NodeSettings { PricePerByteAtto = "3", ProofWindowBytes = 256 << 10 } };
        (Cid root, byte[] bytes) = market.Add(size);
        RetrievalResult result;
        await using (ProviderNode seller = await market.ServeAsync())
        {
            result = await market.GetAsync(
                seller.Address, root, request => request with { Output = market.File("out"), OpenLocks = openLocks, LockHash = lockHash });
        }

        Assert.Equal(bytes, await File.ReadAllBytesAsync(market.File("out"), Market.Cancellation));
        Assert.Equal(DealStatus.Completed, result.Deal!.Status);
        Assert.Equal(new TokenAmount(Market.PricePerByte * size), result.Deal.Paid);
        (TokenAmount earned, int redemptions) = await market.RedeemAllAsync();
        Assert.Equal(result.Deal.Paid, earned);
        Assert.InRange(redemptions, 1, openLocks);
        Assert.True(result.Deal.MaxOpenLocks <= openLocks);
        Assert.True(ClientTable.Table.IsWalk([.. result.History.Select(entry => entry.Status)]));
        Assert.True(ProviderTable.Table.IsWalk(market.SellerHistory(result.Deal.DealId)));
    }

    [Fact]
    public async Task ContentThatIsHeldIsNotBoughtAgain()
    {
        await using var market = new Market();
        (Cid root, byte[] bytes) = market.Add(300_000);
        await using ProviderNode seller = await market.ServeAsync();
        await market.GetAsync(seller.Address, root);
        RetrievalResult again = await market.GetAsync(seller.Address, root, request => request with { Output = market.File("out") });
        Assert.Null(again.Deal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(market.File("out"), Market.Cancellation));
    }

    [Fact]
    public async Task TheEmptyFileCostsNothingAndNeedsNoDeal()
    {
        await using var market = new Market(funds: 0);
        (Cid root, _) = market.Add(0);
        await using ProviderNode seller = await market.ServeAsync();
        RetrievalResult result = await market.GetAsync(seller.Address, root, request => request with { Output = market.File("out") });
        Assert.Null(result.Deal);
        Assert.Equal(0, new FileInfo(market.File("out")).Length);
    }

    [Fact]
    public async Task AFolderIsSoldWhole()
    {
        await using var market = new Market();
        string source = market.File("folder");
        Directory.CreateDirectory(Path.Combine(source, "sub"));
        await File.WriteAllTextAsync(Path.Combine(source, "a.txt"), "one", Market.Cancellation);
        await File.WriteAllBytesAsync(Path.Combine(source, "sub", "b.bin"), new byte[200_000], Market.Cancellation);
        await File.WriteAllBytesAsync(Path.Combine(source, "empty"), [], Market.Cancellation);
        Cid root = market.Add(source);
        await using ProviderNode seller = await market.ServeAsync();
        RetrievalResult result = await market.GetAsync(seller.Address, root, request => request with { Output = market.File("out") });
        Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(market.File("out"), "a.txt"), Market.Cancellation));
        Assert.Equal(new byte[200_000], await File.ReadAllBytesAsync(Path.Combine(market.File("out"), "sub", "b.bin"), Market.Cancellation));
        Assert.Equal(0, new FileInfo(Path.Combine(market.File("out"), "empty")).Length);

        // Three equal leaves of zeros are one block: sold once.
        Assert.Equal(new TokenAmount(Market.PricePerByte * (3 + 65536 + (200_000 - (3 * 65536)))), result.Deal!.Paid);
    }

    [Fact]
    public async Task ColdContentIsUnsealedForItsPrice()
    {
        await using var market = new Market { Settings = new NodeSettings { PricePerByteAtto = "3", UnsealPriceAtto = "1000" } };
        (Cid root, byte[] bytes) = market.Add(300_000, cold: true);
        RetrievalResult result;
        await using (ProviderNode seller = await market.ServeAsync())
            result = await market.GetAsync(seller.Address, root, request => request with { Output = market.File("out") });
        Assert.Equal(bytes, await File.ReadAllBytesAsync(market.File("out"), Market.Cancellation));
        Assert.Equal(new TokenAmount((Market.PricePerByte * 300_000) + 1000), result.Deal!.Paid);
        Assert.Contains(DealStatus.FundsNeededUnseal, market.SellerHistory(result.Deal.DealId));
        (TokenAmount earned, int redemptions) = await market.RedeemAllAsync();
        Assert.Equal(result.Deal.Paid, earned);
        Assert.Equal(1, redemptions);
    }

    [Fact]
    public async Task APriceAboveTheLimitIsRefusedBeforeAnythingIsDone()
    {
        await using var market = new Market();
        (Cid root, _) = market.Add(1000);
        await using ProviderNode seller = await market.ServeAsync();
        NodeException fault = await Assert.ThrowsAsync<NodeException>(
            () => market.GetAsync(seller.Address, root, request => request with { MostToPay = new TokenAmount((Market.PricePerByte * 1000) - 1) }));
        Assert.Equal(NodeFault.OverLimit, fault.Fault);
        Assert.Empty(await market.Ledger.FindChannelsAsync(market.Buyer, Market.Cancellation));
    }

    [Fact]
    public async Task AWalletWithoutFundsIsToldWhatIsMissing()
    {
        await using var market = new Market(funds: 10);
        (Cid root, _) = market.Add(1000);
        await using ProviderNode seller = await market.ServeAsync();
        NodeException fault = await Assert.ThrowsAsync<NodeException>(() => market.GetAsync(seller.Address, root));
        Assert.Equal(NodeFault.InsufficientFunds, fault.Fault);
        Assert.Contains("0.00000000000000299", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatIsEarnedAndNotRedeemedIsCounted()
    {
        await using var market = new Market();
        (Cid root, _) = market.Add(1000);
        await using (ProviderNode seller = await market.ServeAsync())
            await market.GetAsync(seller.Address, root);
        Assert.Equal((new TokenAmount(Market.PricePerByte * 1000), 1), await CountAsync());
        await market.RedeemAllAsync();
        Assert.Equal((TokenAmount.Zero, 0), await CountAsync());

        async Task<(TokenAmount, int)> CountAsync()
        {
            using var store = ProviderStore.Open(market.SellerHome.ProviderStorePath, TimeProvider.System);
            return await new Redeemer(store, market.Ledger, market.SellerKey, new Payments.Channels.PayeePolicy(90, TokenAmount.Zero), new Retrieval.Provider.RedeemPolicy())
                .CountUnredeemedAsync(Market.Cancellation);
        }
    }

    [Fact]
    public async Task NoMoreIsPaidIntoTheChannelThanWasSaid()
    {
        const long Price = Market.PricePerByte * 1000;
        await using var market = new Market { BuyerPolicy = Quick with { MostToPayIn = new TokenAmount(Price - 1) } };
        (Cid root, _) = market.Add(1000);
        await using ProviderNode seller = await market.ServeAsync();
        NodeException fault = await Assert.ThrowsAsync<NodeException>(() => market.GetAsync(seller.Address, root));
        Assert.Equal(NodeFault.InsufficientFunds, fault.Fault);
        Assert.Empty(await market.Ledger.FindChannelsAsync(market.Buyer, Market.Cancellation));

        // With a channel that somebody else paid most of, the same limit is enough: the deal goes on.
        OpenChannelReceipt opened = await market.Ledger.OpenChannelAsync(market.BuyerKey, market.Seller, new TokenAmount(1), LockHashKind.Sha256, Market.Cancellation);
        RetrievalResult bought = await market.GetAsync(seller.Address, root);
        Assert.Equal(new TokenAmount(Price), bought.Deal!.Paid);
        Assert.Equal(opened.Channel, bought.Deal.Channel);
        Assert.Equal(new TokenAmount(Price), Assert.Single(await market.Ledger.FindChannelsAsync(market.Buyer, Market.Cancellation)).Balance);
    }

    private static ClientPolicy Quick { get; } = new() { RailPoll = TimeSpan.FromMilliseconds(100), ReconnectDelay = TimeSpan.FromMilliseconds(50) };

    [Fact]
    public async Task ContentThatIsNotSoldIsSaidSo()
    {
        await using var market = new Market();
        await using ProviderNode seller = await market.ServeAsync();
        Cid unknown = Cid.Of(Multicodec.Raw, "nobody has this"u8);
        NodeException fault = await Assert.ThrowsAsync<NodeException>(() => market.GetAsync(seller.Address, unknown));
        Assert.Equal(NodeFault.NotFound, fault.Fault);
    }

    [Fact]
    public async Task AnExistingOutputIsLeftAloneAndNothingIsBought()
    {
        await using var market = new Market();
        (Cid root, _) = market.Add(1000);
        await File.WriteAllTextAsync(market.File("out"), "mine", Market.Cancellation);
        await using ProviderNode seller = await market.ServeAsync();
        await Assert.ThrowsAsync<NodeException>(() => market.GetAsync(seller.Address, root, request => request with { Output = market.File("out") }));
        Assert.Equal("mine", await File.ReadAllTextAsync(market.File("out"), Market.Cancellation));
        Assert.Empty(await market.Ledger.FindChannelsAsync(market.Buyer, Market.Cancellation));
    }

    [Fact]
    public async Task ContentThatIsWrittenOutAlreadyIsSaidToBeThere()
    {
        // As a run that was stopped after it had written the file, and is run again.
        await using var market = new Market();
        (Cid root, byte[] bytes) = market.Add(300_000);
        ProviderAddress address;
        await using (ProviderNode seller = await market.ServeAsync())
        {
            address = seller.Address;
            Assert.False((await GetOutAsync()).OutputWasThere);
        }

        DateTime written = File.GetLastWriteTimeUtc(market.File("out"));
        using (ContentHome content = market.BuyerHome.OpenContent())
        {
            Assert.Equal(300_000, content.Roots.Get(root).Value.Size);
            Assert.Null(content.Roots.Remove(root));
        }

        // The seller is gone: nothing is asked for.
        RetrievalResult again = await GetOutAsync();
        Assert.Null(again.Deal);
        Assert.True(again.OutputWasThere);
        Assert.Equal(written, File.GetLastWriteTimeUtc(market.File("out")));

        // The stopped run may not have come to list it.
        using (ContentHome content = market.BuyerHome.OpenContent())
            Assert.True(content.Roots.Get(root).IsOk);

        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(market.File("out"), bytes, Market.Cancellation);
        await Assert.ThrowsAsync<NodeException>(GetOutAsync);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(market.File("out"), Market.Cancellation));

        Task<RetrievalResult> GetOutAsync() => market.GetAsync(address, root, request => request with { Output = market.File("out") });
    }

    [Fact]
    public async Task ASecondSellerOnOneHomeIsRefused()
    {
        await using var market = new Market();
        await using ProviderNode seller = await market.ServeAsync();
        NodeException fault = await Assert.ThrowsAsync<NodeException>(() => market.ServeAsync());
        Assert.Equal(NodeFault.HomeInUse, fault.Fault);
    }

    [Fact]
    public async Task WindowsAreOfferedThatTheSuitesCanProveAndBuyersWillVerify()
    {
        // The settings allow windows that no suite has a shape for, and memory for all that there are.
        await using var market = new Market(new LockstepProofs()) { Settings = new NodeSettings { ProofWindowBytes = 64 << 20, ProverMemoryBytes = 64L << 30 } };
        (Cid root, _) = market.Add(5_000_000, 256 << 10);
        await using ProviderNode seller = await market.ServeAsync();
        Assert.Equal(32, (await RetrievalClient.AskAsync(seller.Address, root, Market.Cancellation)).Ask.MaxChunksPerWindow);
        Assert.Equal(7, (await RetrievalClient.AskAsync(seller.Address, null, Market.Cancellation)).Ask.MaxChunksPerWindow);
        Assert.Equal(VerifierPolicy.DefaultMaxProofBytes, WireLimits.MaxProofBytes);
        Assert.True(WireLimits.MaxChunksPerWindow <= VerifierPolicy.DefaultMaxChunks);
    }

    [Fact]
    public async Task TermsAreTold()
    {
        await using var market = new Market();
        (Cid root, _) = market.Add(300_000);
        await using ProviderNode seller = await market.ServeAsync();
        AskResult general = await RetrievalClient.AskAsync(seller.Address, null, Market.Cancellation);
        Assert.Null(general.Content);
        Assert.Equal(new TokenAmount(Market.PricePerByte), general.Ask.PricePerByte);
        AskResult about = await RetrievalClient.AskAsync(seller.Address, root, Market.Cancellation);
        Assert.Equal(300_000, about.Content!.Size);
        Assert.Equal(new TokenAmount(Market.PricePerByte * 300_000), about.Total);
        Assert.Equal(64, about.Ask.MaxChunksPerWindow);
        AskResult unknown = await RetrievalClient.AskAsync(seller.Address, Cid.Of(Multicodec.Raw, "?"u8), Market.Cancellation);
        Assert.Null(unknown.Content);
    }
}
