using System.Security.Cryptography;
using Lockstep.Node.Storage;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Node.Tests.Storage;

/// <summary>Several steps go to the disk in one commit: of a row that they all replace, the last is written.</summary>
public class StoreBatchTests
{
    private static readonly DealId Deal = new(new Bytes32(RandomNumberGenerator.GetBytes(32))), Other = new(new Bytes32(RandomNumberGenerator.GetBytes(32)));

    [Fact]
    public void OfARowThatIsReplacedOnlyTheLastIsWritten()
    {
        StoreWrite[] writes = [Chunk(Deal, 0, 1), Chunk(Deal, 1, 1), Chunk(Other, 0, 1), Status(0), Chunk(Deal, 0, 2), Status(1), Chunk(Deal, 0, 3)];
        Assert.Equal([Chunk(Deal, 0, 3), writes[1], writes[2], writes[3], writes[5]], StoreBatch.Settle(writes));
    }

    // What is added and dropped in one commit is added before it is dropped.
    [Fact]
    public void WhatDoesNotReplaceKeepsItsOrder()
    {
        StoreWrite[] writes = [new CiphertextRow(Deal, 0, new byte[1]), new CiphertextDropped(Deal, 0), new CiphertextRow(Deal, 0, new byte[2]), Status(0), Status(0)];
        Assert.Equal(writes, StoreBatch.Settle(writes));
    }

    private static ClientChunkRow Chunk(DealId deal, int index, int window) => new(deal, index, new ChunkWalk([], false), window, null, null, null, null);

    private static StatusRow Status(int sequence) => new(Deal, DealSide.Client, sequence, DealStatus.Ongoing);
}
