using Lockstep.Node.Provider;

namespace Lockstep.Node.Tests.Provider;

public class ProvingSchedulerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DealsTakeTurnsAndKeepTheirOwnOrder()
    {
        using var scheduler = new ProvingScheduler<string>(100);
        using var gate = new ManualResetEventSlim();
        var order = new List<string>();
        Task first = scheduler.RunAsync("a", _ => { gate.Wait(Cancellation); return 0; }, Cancellation);
        while (scheduler.Count != 1)
            await Task.Delay(1, Cancellation);
        await Task.Delay(50, Cancellation);

        // The greedy deal asks first for everything.
        Task[] rest =
        [
            .. new[] { "a1", "a2", "a3", "a4", "b1", "b2", "c1" }
                .Select(name => scheduler.RunAsync(name[..1], _ => { order.Add(name); return 0; }, Cancellation)),
        ];
        gate.Set();
        await first;
        await Task.WhenAll(rest);
        Assert.Equal(["a1", "b1", "c1", "a2", "b2", "a3", "a4"], order);
    }

    [Fact]
    public async Task ResultsFaultsAndCancellationsReachTheirCallers()
    {
        using var scheduler = new ProvingScheduler<int>(100);
        Assert.Equal(7, await scheduler.RunAsync(1, _ => 7, Cancellation));
        await Assert.ThrowsAsync<FormatException>(() => scheduler.RunAsync<int>(1, _ => throw new FormatException(), Cancellation));
        using var cancelled = new CancellationTokenSource();
        Task<int> running = scheduler.RunAsync(1, token => { token.WaitHandle.WaitOne(); token.ThrowIfCancellationRequested(); return 0; }, cancelled.Token);
        Task<int> waiting = scheduler.RunAsync(1, _ => 8, Cancellation);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(8, await waiting);
    }

    [Fact]
    public async Task WaitingWorkIsBoundedAndAbandonedAtTheEnd()
    {
        var scheduler = new ProvingScheduler<int>(2);
        Task<int> running = scheduler.RunAsync(1, token => { token.WaitHandle.WaitOne(); token.ThrowIfCancellationRequested(); return 0; }, Cancellation);
        Task<int> waiting = scheduler.RunAsync(2, _ => 1, Cancellation);
        Assert.Throws<InvalidOperationException>(() => { _ = scheduler.RunAsync(3, _ => 1, Cancellation); });
        scheduler.Dispose();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scheduler.RunAsync(1, _ => 1, Cancellation));
    }

    // Buyers that propose and cancel must not fill the row that honest ones wait in.
    [Fact]
    public async Task WhatNobodyWaitsForAnyMoreTakesNoPlace()
    {
        using var scheduler = new ProvingScheduler<int>(3);
        using var gate = new ManualResetEventSlim();
        Task<int> running = scheduler.RunAsync(1, _ => { gate.Wait(Cancellation); return 1; }, Cancellation);
        for (int round = 0; round < 5; round++)
        {
            using var cancelled = new CancellationTokenSource();
            Task<int>[] given = [.. Enumerable.Range(0, 2).Select(_ => scheduler.RunAsync<int>(2, _ => throw new InvalidOperationException("It ran."), cancelled.Token))];
            Assert.Equal(3, scheduler.Count);
            await cancelled.CancelAsync();
            foreach (Task<int> waiting in given)
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
            Assert.Equal(1, scheduler.Count);
        }

        Task<int> honest = scheduler.RunAsync(2, _ => 2, Cancellation);
        gate.Set();
        Assert.Equal((1, 2), (await running, await honest));
    }

    [Fact]
    public async Task IdleWorkRunsAfterEveryOwnersAndGivesWayToOne()
    {
        using var scheduler = new ProvingScheduler<string>(100);
        using var gate = new ManualResetEventSlim();
        var order = new List<string>();
        Task owned = scheduler.RunAsync("a", _ => { gate.Wait(Cancellation); order.Add("a"); return 0; }, Cancellation);
        using var begun = new ManualResetEventSlim();
        Task<int> idle = scheduler.RunWhenIdleAsync(
            token =>
            {
                order.Add("idle");
                begun.Set();
                token.WaitHandle.WaitOne();
                token.ThrowIfCancellationRequested();
                return 1;
            },
            Cancellation);
        Task next = scheduler.RunAsync("b", _ => { order.Add("b"); return 0; }, Cancellation);
        gate.Set();
        await Task.WhenAll(owned, next);
        begun.Wait(Cancellation);
        Assert.False(idle.IsCompleted);

        // An owner comes: what nobody waits for ends at once, and can be asked for again.
        await scheduler.RunAsync("c", _ => { order.Add("c"); return 0; }, Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => idle);
        Assert.Equal(5, await scheduler.RunWhenIdleAsync(_ => 5, Cancellation));
        Assert.Equal(["a", "b", "idle", "c"], order);
    }

    // Processors that are wanted for something else than proving: idle work ends, an owner's does not.
    [Fact]
    public async Task IdleWorkGivesWayWhenItIsTold()
    {
        using var scheduler = new ProvingScheduler<int>(2);
        scheduler.GiveWay();
        using ManualResetEventSlim begun = new(), gate = new();
        Task<int> idle = scheduler.RunWhenIdleAsync(token => { begun.Set(); token.WaitHandle.WaitOne(); token.ThrowIfCancellationRequested(); return 0; }, Cancellation);
        begun.Wait(Cancellation);
        scheduler.GiveWay();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => idle);

        Task<int> owned = scheduler.RunAsync(1, token => { gate.Wait(Cancellation); token.ThrowIfCancellationRequested(); return 7; }, Cancellation);
        scheduler.GiveWay();
        gate.Set();
        Assert.Equal(7, await owned);
        Assert.Equal(5, await scheduler.RunWhenIdleAsync(_ => 5, Cancellation));
    }

    [Fact]
    public async Task IdleWorkEndsWithItsTokenAndWithTheScheduler()
    {
        var scheduler = new ProvingScheduler<int>(2);
        using var cancelled = new CancellationTokenSource();
        Task<int> running = scheduler.RunWhenIdleAsync(token => { token.WaitHandle.WaitOne(); token.ThrowIfCancellationRequested(); return 0; }, cancelled.Token);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        using var begun = new ManualResetEventSlim();
        running = scheduler.RunWhenIdleAsync(token => { begun.Set(); token.WaitHandle.WaitOne(); token.ThrowIfCancellationRequested(); return 0; }, Cancellation);
        begun.Wait(Cancellation);
        Task<int> waiting = scheduler.RunWhenIdleAsync(_ => 1, Cancellation);
        Assert.Throws<InvalidOperationException>(() => { _ = scheduler.RunWhenIdleAsync(_ => 1, Cancellation); });
        scheduler.Dispose();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scheduler.RunWhenIdleAsync(_ => 1, Cancellation));
    }
}
