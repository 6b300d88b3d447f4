using Lockstep.Payments;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Tests.World;

namespace Lockstep.Retrieval.Tests;

public sealed class DealTests
{
    public static TheoryData<int, int, int, LockHashKind> Shapes()
    {
        var data = new TheoryData<int, int, int, LockHashKind>();
        foreach (int chunks in new[] { 1, 2, 3, 7, 20 })
        {
            foreach (int locks in new[] { 1, 2, 4 })
            {
                foreach (int window in new[] { 1, 2, 3 })
                    data.Add(chunks, locks, window, (chunks + locks) % 2 == 0 ? LockHashKind.Sha256 : LockHashKind.Blake2b256);
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void AHonestDealCompletesAndTheBooksAgree(int chunks, int locks, int window, LockHashKind hash)
    {
        var world = new DealWorld(new WorldOptions { Leaves = TestContent.Leaves(chunks), OpenLocks = locks, Window = window, LockHash = hash });
        world.Start();
        world.Run();
        int lanes = Math.Min(locks, chunks);
        Assert.InRange(world.ClientStore.Client!.MaxOpenLocks, 1, lanes);
        Assert.True(world.ClientStore.Client.ClosingAcknowledged);
        world.CheckComplete();
        Assert.InRange(world.Ledger.Redemptions.Count, 1, lanes);
        Assert.All(world.Ledger.Redemptions, entry => Assert.True(entry.Redemption.Secret.IsEmpty, "an honest deal shows no key on the ledger"));
    }

    [Fact]
    public void FourLocksAreOpenAtOnceWhenAgreed()
    {
        var world = new DealWorld(new WorldOptions { Leaves = TestContent.Leaves(12), OpenLocks = 4, ProviderPolicy = new() { WindowsAhead = 8 } });
        // Keys are held back until four locks are open.
        var held = new List<Protocol.ProviderMessage>();
        world.FromProvider = message => message is Protocol.ProviderMessage.KeyReveal && world.Client.Row.MaxOpenLocks < 4 ? null : message;
        world.Start();
        world.Run();
        Assert.Equal(4, world.ClientStore.Client!.MaxOpenLocks);
        world.CheckComplete();
    }

    // Proving waits for no round trip, and no more is proven for a client that does not pay.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void WindowsAreProvenAheadOfPaymentUpToTheLimit(int ahead)
    {
        var world = new DealWorld(new WorldOptions { Leaves = TestContent.Leaves(20), Window = 2, ProviderPolicy = new() { WindowsAhead = ahead } });
        int windows = 0;
        world.Prover = made =>
        {
            windows++;
            return made;
        };
        world.FromClient = message => message is Protocol.ClientMessage.LockedVoucher ? null : message;
        world.Start();
        world.RunQueues();
        Assert.Equal(ahead, windows);
    }

    [Fact]
    public void BothSidesPassEveryGivenRowWithTwoChunks()
    {
        var world = new DealWorld(new WorldOptions { Leaves = TestContent.Leaves(2) });
        world.Start();
        world.Run();
        AssertPasses(ClientTable.Table, world.ClientStore.History);
        AssertPasses(ProviderTable.Table, world.ProviderStore.History);

        static void AssertPasses(TransitionTable table, List<DealStatus> history)
        {
            HashSet<(DealStatus, DealStatus)> passed = [.. history.Zip(history.Skip(1))];
            foreach (Transition row in table.GivenRows.Where(row => row is { From: not null, To: not null }))
                Assert.Contains((row.From!.Value, row.To!.Value), passed);
        }
    }

    [Fact]
    public void ADuplicateBlockIsSoldOnce()
    {
        byte[][] leaves = TestContent.Leaves(3);
        var world = new DealWorld(new WorldOptions { Leaves = [leaves[0], leaves[1], leaves[0], leaves[2], leaves[1]] });
        world.Start();
        world.Run();
        world.CheckComplete(chunks: 3);
    }

    [Fact]
    public void WhatIsHeldIsNotBought()
    {
        var world = new DealWorld(new WorldOptions { Leaves = TestContent.Leaves(5) });
        foreach (int chunk in new[] { 1, 4 })
            world.ClientStore.Blocks.Put(world.Manifest.Chunks[chunk].Cid, world.ProviderStore.Blocks.Get(world.Manifest.Chunks[chunk].Cid).Value);
        world.Start();
        world.Run();
        world.CheckComplete(chunks: 3);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void WhatComesFromElsewhereInTheMeantimeIsNotBought(int final)
    {
        var world = new DealWorld(new WorldOptions { Leaves = TestContent.Leaves(5), OpenLocks = 2 });
        world.FromProvider = message =>
        {
            if (message is Protocol.ProviderMessage.WindowOffer { Offer.Offer: var offer } && offer.Chunks[0].Index == final)
                world.ClientStore.Blocks.Put(world.Manifest.Chunks[final].Cid, world.ProviderStore.Blocks.Get(world.Manifest.Chunks[final].Cid).Value);
            return message;
        };
        world.Start();
        world.Run();
        Assert.Equal([final], world.ClientStore.Client!.Skipped);
        world.CheckComplete(chunks: 4);
    }

    [Fact]
    public void ContentHeldWholeCostsNothing()
    {
        var world = new DealWorld(new WorldOptions());
        foreach (Content.Dag.SizedCid block in world.Manifest.Chunks)
            world.ClientStore.Blocks.Put(block.Cid, world.ProviderStore.Blocks.Get(block.Cid).Value);
        world.Start();
        world.Run();
        world.CheckComplete(chunks: 0);
        Assert.Equal(TokenAmount.Zero, world.ClientStore.Client!.Paid);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 50)]
    [InlineData(3, 0)]
    [InlineData(3, 50)]
    public void ColdContentIsPaidForOnItsOwnLine(int price, int unseal)
    {
        var world = new DealWorld(new WorldOptions
        {
            Cold = true,
            Price = new TokenAmount(price),
            AskPrice = new TokenAmount(price),
            UnsealPrice = new TokenAmount(unseal),
        });
        world.Start();
        world.Run();
        Assert.Equal(unseal > 0, world.ProviderStore.History.Contains(DealStatus.FundsNeededUnseal));
        world.CheckComplete();
    }

    [Fact]
    public void UnsealPriceIsNotAskedForContentThatIsNotCold()
    {
        var world = new DealWorld(new WorldOptions { UnsealPrice = new TokenAmount(50) });
        world.Start();
        world.Run();
        world.CheckComplete();
    }

    [Fact]
    public void AnExistingChannelIsReused()
    {
        var world = new DealWorld(new WorldOptions());
        world.Ledger.Open(new TokenAmount(5_000), LockHashKind.Sha256, world.Epoch);
        world.Start();
        world.Run();
        Assert.Equal(1, world.Ledger.ChannelsOpened);
        world.CheckComplete();
    }

    [Fact]
    public void AShortWalletParksAndGoesOnWhenMoneyComes()
    {
        var world = new DealWorld(new WorldOptions { Wallet = new TokenAmount(10) });
        world.Start();
        world.Run(TimeSpan.FromMinutes(5));
        Assert.Equal(DealStatus.InsufficientFunds, world.Client.Status);
        Assert.Contains("lacks", world.Client.Row.Sentence!, StringComparison.Ordinal);
        world.Ledger.Wallet += new TokenAmount(1_000);
        world.Run();
        Assert.Equal(DealStatus.Completed, world.ClientEnd?.Status);
        Assert.Equal(world.ClientStore.Client!.Paid, world.ProviderStore.Provider!.Earned);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void AShortChannelParksInMidDealAndGoesOnAfterATopUp(int locks)
    {
        // The first step of funding covers two chunks of five.
        byte[][] leaves = TestContent.Leaves(5);
        var policy = new ClientPolicy { FundingStep = new TokenAmount(3 * (leaves[0].Length + leaves[1].Length)) };
        var world = new DealWorld(new WorldOptions { Leaves = leaves, ClientPolicy = policy, OpenLocks = locks, Wallet = new TokenAmount(3 * 60) });
        world.Start();
        world.Run(TimeSpan.FromMinutes(20));
        Assert.Equal(DealStatus.InsufficientFunds, world.Client.Status);
        int before = world.Client.Row.ChunksReceived;
        Assert.InRange(before, 1, 3);
        world.Ledger.Wallet += new TokenAmount(10_000);
        world.Run();
        Assert.Equal(DealStatus.Completed, world.ClientEnd?.Status);
        Assert.Equal(5, world.Client.Row.ChunksReceived);
        Assert.Contains(DealStatus.InsufficientFunds, world.ClientStore.History);
    }

    [Fact]
    public void APriceAboveTheLimitIsRefusedBeforeAnyMoney()
    {
        var world = new DealWorld(new WorldOptions { MostToPay = new TokenAmount(100) });
        world.Start();
        world.Run();
        Assert.Equal(DealStatus.Errored, world.ClientEnd?.Status);
        Assert.Contains("the most you will pay is 100", world.ClientSentence, StringComparison.Ordinal);
        Assert.Equal(0, world.Ledger.ChannelsOpened);
    }

    [Fact]
    public void AChangedPriceIsRejectedAsSuch()
    {
        var world = new DealWorld(new WorldOptions { AskPrice = new TokenAmount(4) });
        world.Start();
        world.Run();
        Assert.Equal(DealStatus.Rejected, world.ClientEnd?.Status);
        Assert.Contains("ask again", world.ClientSentence, StringComparison.Ordinal);
    }

    [Fact]
    public void AnExactFitIsEnough()
    {
        byte[][] leaves = TestContent.Leaves(3);
        var world = new DealWorld(new WorldOptions { Leaves = leaves, Wallet = new TokenAmount(3 * leaves.Sum(leaf => leaf.Length)) });
        world.Start();
        world.Run();
        world.CheckComplete();
        Assert.Equal(TokenAmount.Zero, world.Ledger.Wallet);
    }
}
