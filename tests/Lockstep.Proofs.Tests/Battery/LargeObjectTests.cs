using System.Diagnostics.Tracing;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>A proof after the first allocates nothing on the large-object heap but its results.</summary>
[Collection(nameof(WholeProcess))]
public sealed class LargeObjectTests(ITestOutputHelper output)
{
    private const int Size = 1 << 20;

    [Fact]
    public void A_second_seal_allocates_only_its_results()
    {
        var chunk = new byte[Size / 4];
        new Random(1).NextBytes(chunk);
        ReadOnlyMemory<byte>[] chunks = [chunk, chunk, chunk, chunk];
        SealAndCount(chunks);
        (long results, long all) = SealAndCount(chunks);
        output.WriteLine($"results {results} bytes, all allocations {all} bytes");

        // The rest are small objects: messages, closures, tables of a few kilobytes.
        Assert.True(all - results < Size * 4);
        using var listener = new LargeObjects();
        SealAndCount(chunks);

        // Events of the runtime are handed over by a thread of its own.
        Thread.Sleep(500);
        Assert.NotEmpty(listener.Seen);
        output.WriteLine($"large objects: {string.Join(", ", listener.Seen)}");
        Assert.True(listener.Bytes < results + (Size >> 4), $"{listener.Bytes} bytes of large objects, results are {results}");
    }

    private static (long Results, long All) SealAndCount(ReadOnlyMemory<byte>[] chunks)
    {
        long before = GC.GetTotalAllocatedBytes(precise: true);
        using SealedWindow window = WindowSealer.Seal(Suites.Default, LockHash.Sha256, new byte[] { 1 }, chunks, new SystemRandom(), Workers.All);
        return (Size + window.Proof.Length, GC.GetTotalAllocatedBytes(precise: true) - before);
    }

    // The runtime reports an allocation tick for every 100 KB of each heap; on the large-object heap that is every object.
    private sealed class LargeObjects : EventListener
    {
        private const int GcKeyword = 1, LargeKind = 1;

        private readonly List<string> _seen = [];
        private long _bytes;

        public long Bytes => Interlocked.Read(ref _bytes);

        public IReadOnlyList<string> Seen
        {
            get
            {
                lock (_seen)
                    return [.. _seen];
            }
        }

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
                EnableEvents(eventSource, EventLevel.Verbose, (EventKeywords)GcKeyword);
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (eventData.EventName?.StartsWith("GCAllocationTick", StringComparison.Ordinal) != true || Convert.ToInt32(eventData.Payload![1], null) != LargeKind)
                return;
            long amount = Convert.ToInt64(eventData.Payload[3], null);
            Interlocked.Add(ref _bytes, amount);
            lock (_seen)
                _seen.Add($"{eventData.Payload[5]} {amount}");
        }
    }
}
