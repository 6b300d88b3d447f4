using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Lockstep.Cli.Common;
using Lockstep.Cli.Tests.Support;

namespace Lockstep.Cli.Tests.Sales;

/// <summary>The lines of <c>serve</c>: whoever reads them, or does not, holds up no sale.</summary>
public class EventLinesTests
{
    [Fact]
    public async Task WhatIsReadInTimeComesInOrderAfterTheFirstLines()
    {
        var target = new GatedWriter(isOpen: true);
        var events = new EventLines(target, dropped => $"-{dropped}", TimeSpan.FromMinutes(1));
        events.Post("early");
        events.Start(["first", "second"]);
        events.Post("late");
        await events.DisposeAsync();
        Assert.Equal(["first", "second", "early", "late"], target.Written);
        Assert.True(events.HasEnded);
    }

    [Fact]
    public async Task AStalledReaderHoldsUpNobodyAndIsToldWhatItMissed()
    {
        var target = new GatedWriter(isOpen: false);
        var events = new EventLines(target, dropped => $"-{dropped}", TimeSpan.FromMinutes(1), capacity: 10);
        events.Start([]);
        events.Post("0");
        await target.Reached.WaitAsync(TestContext.Current.CancellationToken);
        for (int i = 1; i <= 100; i++)
            events.Post($"{i}");
        target.Open();
        while (target.Written.Length < 11)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        events.Post("101");
        await events.DisposeAsync();
        events.Post("too late");

        // One in the writer's hands, ten in the queue.
        Assert.Equal([.. Enumerable.Range(0, 11).Select(i => $"{i}"), "-90", "101"], target.Written);
    }

    [Fact]
    public async Task LinesDroppedAtTheEndAreCountedToo()
    {
        var target = new GatedWriter(isOpen: true);
        var events = new EventLines(target, dropped => $"-{dropped}", TimeSpan.FromMinutes(1), capacity: 1);
        events.Post("kept");
        events.Post("dropped");
        events.Start([]);
        await events.DisposeAsync();
        Assert.Equal(["kept", "-1"], target.Written);
    }

    [Fact]
    public async Task TheEndDoesNotWaitForAReaderThatNeverReads()
    {
        var target = new GatedWriter(isOpen: false);
        var events = new EventLines(target, dropped => $"-{dropped}", TimeSpan.FromMilliseconds(100));
        events.Start(["first"]);
        await events.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.False(events.HasEnded);
        target.Open();
    }

    [Fact]
    public async Task ASaleGoesOnWhileNobodyReads()
    {
        using Traders traders = await Traders.OpenAsync();
        string source = traders.Folder.Write("source", 100), target = traders.Folder.File("received");
        string cid = await traders.AddAsync(source);
        (Support.Lockstep serve, string address) = await traders.ServeAsync();
        using (serve)
        {
            serve.Signal("TERM");
            Assert.Equal(0, (await serve.EndAsync()).Code);
        }

        // The same seller again, with an output whose pipe is full from the start.
        int port = new Uri(address).Port;
        using Support.Lockstep deaf = traders.StartServeUnread(port);
        await WaitUntilListeningAsync(port);
        Task<RunResult> buying = traders.GetAsync(cid, address, target);
        (await buying.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken)).Ok();
        Assert.Equal(File.ReadAllBytes(source), File.ReadAllBytes(target));
        Assert.False(deaf.HasExited);
        var clock = Stopwatch.StartNew();
        deaf.Signal("TERM");
        Assert.Equal(0, (await deaf.EndAsync()).Code);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"the end took {clock.Elapsed}");
    }

    private static async Task WaitUntilListeningAsync(int port)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                using var socket = new TcpClient();
                await socket.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
                return;
            }
            catch (SocketException) when (attempt < 600)
            {
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>Keeps what is written; while it is shut, writing waits, as for a full pipe.</summary>
    private sealed class GatedWriter(bool isOpen) : StringWriter
    {
        private readonly ManualResetEventSlim _open = new(isOpen);
        private readonly SemaphoreSlim _reached = new(0);
        private readonly List<string> _written = [];

        public SemaphoreSlim Reached => _reached;

        public string[] Written
        {
            get
            {
                lock (_written)
                    return [.. _written];
            }
        }

        public void Open() => _open.Set();

        public override void WriteLine(string? value)
        {
            _reached.Release();
            _open.Wait();
            lock (_written)
                _written.Add(value!);
        }
    }
}
