using System.Security.Cryptography;
using Lockstep.Proofs.Memory;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Tests.Battery;

namespace Lockstep.Proofs.Tests.Memory;

/// <summary>What sealing takes is what it says it takes, and what is reserved is used.</summary>
[Collection(nameof(WholeProcess))]
public class ProverMemoryTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 10_000)]
    [InlineData(4, 65_536)]
    public void SealingTakesNoMoreThanItSaysAndUsesWhatWasReserved(int chunks, int length)
    {
        Suite suite = Suites.Default;
        int[] lengths = [.. Enumerable.Repeat(length, chunks)];
        long needed = WindowSealer.MemoryNeeded(suite, lengths);
        NativePool pool = NativePool.Shared;
        pool.Trim();
        long before = pool.BytesHeld;
        WindowSealer.Reserve(suite, lengths, Cancellation);
        long reserved = pool.BytesHeld - before;
        Assert.True(pool.IsFreeClear());
        WindowSealer.Seal(suite, LockHash.Sha256, new byte[32], [.. lengths.Select(bytes => (ReadOnlyMemory<byte>)RandomNumberGenerator.GetBytes(bytes))], new SystemRandom(), new Workers(2, Cancellation)).Dispose();
        long taken = pool.BytesHeld - before;
        Assert.InRange(taken, 1, needed);
        Assert.InRange(reserved, taken / 3, taken);

        // The same once more finds its arrays there; what threads hold for themselves may differ.
        WindowSealer.Seal(suite, LockHash.Sha256, new byte[32], [.. lengths.Select(bytes => (ReadOnlyMemory<byte>)RandomNumberGenerator.GetBytes(bytes))], new SystemRandom(), new Workers(2, Cancellation)).Dispose();
        Assert.InRange(pool.BytesHeld - before, taken, needed);
        pool.Trim();
        Assert.Equal(before, pool.BytesHeld);
    }

    [Fact]
    public void ReservingEndsEarlyWhenItIsToldTo()
    {
        var pool = new NativePool();
        using var over = new CancellationTokenSource();
        over.Cancel();
        pool.Reserve([1 << 20, 1 << 20], over.Token);
        Assert.Equal(0, pool.BytesHeld);
        pool.Reserve([1 << 20, 5 << 20], Cancellation);
        Assert.Equal(2, pool.FreeBlocks);
        Assert.Equal(8 << 20, pool.BytesHeld);
        pool.Reserve([1 << 20, 5 << 20], Cancellation);
        Assert.Equal(8 << 20, pool.BytesHeld);
        pool.Dispose();
        Assert.Equal(0, pool.BytesHeld);
    }
}
