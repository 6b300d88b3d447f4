using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Tests.World;

namespace Lockstep.Retrieval.Tests;

/// <summary>A key is money, its chunk's decryption is work: the next voucher waits for the one and not for the other.</summary>
public class OpeningTests
{
    private const int MostOpening = 16;

    [Fact]
    public void TheNextVoucherLeavesWhenTheKeyIsHeldAndOneLockIsOpenAtMost()
    {
        (DealWorld world, List<ClientEffect.OpenChunk> openings) = Idle(5);
        world.Start();
        world.RunQueues();
        Assert.Equal(5, Vouchers(world));
        Assert.Equal(5, openings.Count);
        Assert.Equal(1, world.Client.Row.MaxOpenLocks);
        Assert.Equal((0, 0L), (world.Client.Row.ChunksReceived, world.Client.Row.BytesReceived));
        Assert.Equal(world.Proposal.Terms.PriceOf(world.Summary.Size), world.Client.Row.Paid);

        foreach (ClientEffect.OpenChunk opening in Enumerable.Reverse(openings))
            world.StepClient(Opened(world, opening));
        world.Run();
        world.CheckComplete();
    }

    [Fact]
    public void AFewChunksMayBeUndecryptedAndNoMore()
    {
        (DealWorld world, List<ClientEffect.OpenChunk> openings) = Idle(MostOpening + 4);
        world.Start();
        world.RunQueues();
        Assert.Equal(MostOpening, Vouchers(world));
        world.StepClient(Opened(world, openings[0]));
        world.RunQueues();
        Assert.Equal(MostOpening + 1, Vouchers(world));
    }

    [Fact]
    public void WhatWasPaidForAndNotDecryptedIsDecryptedAfterARestart()
    {
        (DealWorld world, _) = Idle(5);
        world.Start();
        world.RunQueues();
        TokenAmount paid = world.Client.Row.Paid;
        world.ClientIgnores = _ => false;
        world.CrashClient();
        world.Run();
        world.CheckComplete();
        Assert.Equal(5, Vouchers(world));
        Assert.Equal(paid, world.ClientStore.Client!.Paid);
    }

    // The deal may be over before the rail has answered; nothing is said after that.
    [Fact]
    public void WhatIsOwedIsSaidAfterARestartThoughTheRailIsSilent()
    {
        (DealWorld world, _) = Idle(5);
        world.Start();
        world.RunQueues();
        world.ClientIgnores = effect => effect is ClientEffect.ReadChannel;
        world.CrashClient();
        world.Run();
        world.CheckComplete();
        PaymentVoucher last = world.ProviderStore.Vouchers.Where(row => row.Purpose == VoucherPurpose.Unlocked).Select(row => row.Voucher).MaxBy(voucher => voucher.Nonce)!;
        Assert.Equal(world.ClientStore.Client!.Paid, last.Amount);
    }

    // Earlier versions stored the key first, and lane and money with the open chunk.
    [Fact]
    public void AKeyThatWasStoredWithoutItsMoneyIsOwed()
    {
        (DealWorld world, _) = Idle(3);
        world.Start();
        world.RunQueues();
        ClientDealRow row = world.ClientStore.Client!;
        VoucherTerms terms = world.ClientStore.ClientChunks[2].Voucher!.Terms;
        PayerLane lane = world.ClientStore.Lanes[terms.Channel][terms.Lane];
        TokenAmount price = world.Proposal.Terms.PriceOf(world.ClientStore.ClientChunks[2].Offered!.Length);
        world.ClientStore.Commit([row with { Paid = row.Paid - price }, new PayerLaneRow(terms.Channel, lane with { Settled = lane.Settled - price, OpenLock = terms })]);
        world.ClientIgnores = _ => false;
        world.CrashClient();
        world.Run();
        world.CheckComplete();
        Assert.Equal(row.Paid, world.ClientStore.Client!.Paid);
    }

    // A broken proof system or disk: said, and the books show what was paid; again after a restart.
    [Fact]
    public void AChunkThatDoesNotDecryptEndsTheDealOnceTheOthersAreOpen()
    {
        (DealWorld world, List<ClientEffect.OpenChunk> openings) = Idle(5);
        world.Start();
        world.RunQueues();
        world.StepClient(new ClientEvent.ChunkOpened(openings[1].Chunk.Index, null, "its ciphertext is not in the store"));
        Assert.Equal(DealStatus.Errored, world.Client.Row.Stop!.Status);
        Assert.Null(world.ClientEnd);
        foreach (ClientEffect.OpenChunk opening in openings.Where(opening => opening != openings[1]))
            world.StepClient(Opened(world, opening));
        world.Run();
        Assert.Equal(DealStatus.Errored, world.ClientEnd!.Value.Status);
        Assert.Contains("was paid for and its key fits, but it did not decrypt", world.ClientSentence, StringComparison.Ordinal);
        Assert.Equal(4, world.ClientStore.Client!.ChunksReceived);
        Assert.Equal(world.Proposal.Terms.PriceOf(world.Summary.Size), world.ClientStore.Client.Paid);
    }

    // A client whose decryptions are not carried out, and are noted instead.
    private static (DealWorld World, List<ClientEffect.OpenChunk> Openings) Idle(int chunks)
    {
        var world = new DealWorld(new WorldOptions { Leaves = TestContent.Leaves(chunks) });
        var openings = new List<ClientEffect.OpenChunk>();
        world.ClientIgnores = effect =>
        {
            if (effect is ClientEffect.OpenChunk open)
                openings.Add(open);
            return effect is ClientEffect.OpenChunk;
        };
        return (world, openings);
    }

    private static ClientEvent.ChunkOpened Opened(DealWorld world, ClientEffect.OpenChunk opening) =>
        new(opening.Chunk.Index, world.ProviderStore.Blocks.Get(opening.Chunk.Cid).Value, null);

    private static int Vouchers(DealWorld world) => world.ClientSent.OfType<ClientMessage.LockedVoucher>().DistinctBy(message => message.Chunk).Count();
}
