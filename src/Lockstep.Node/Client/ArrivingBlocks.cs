using System.Runtime.InteropServices;
using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;

namespace Lockstep.Node.Client;

/// <summary>
/// The blocks of a content that is being bought: whoever reads one that is not here yet waits for it, until no more come.
/// Safe for concurrent use.
/// </summary>
internal sealed class ArrivingBlocks(BlockStore store) : IBlockSource
{
    // Blocks that were opened just now are handed on from memory; beyond this many bytes they are read back from the store.
    private const long MostBytes = 16 << 20;

    // Link blocks, and what other processes add, arrive without a word.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly object _gate = new();
    private readonly Dictionary<Cid, byte[]> _recent = [];
    private readonly Queue<Cid> _order = [];
    private long _bytes;
    private bool _ended;

    /// <summary>A verified block is in the store.</summary>
    public void Arrive(Cid cid, ReadOnlyMemory<byte> block)
    {
        lock (_gate)
        {
            bool isWhole = MemoryMarshal.TryGetArray(block, out ArraySegment<byte> bytes) && bytes.Array!.Length == bytes.Count;
            if (isWhole && !_ended && _recent.TryAdd(cid.ToV1(), bytes.Array!))
            {
                _bytes += bytes.Count;
                _order.Enqueue(cid.ToV1());

                // The oldest goes first: its reader has passed, or is far behind.
                while (_order.TryPeek(out Cid? oldest) && (_bytes > MostBytes || !_recent.ContainsKey(oldest)))
                    Drop(_order.Dequeue());
            }

            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>No more blocks come: what is missing stays missing.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <inheritdoc/>
    public Outcome<byte[]> Get(Cid cid)
    {
        lock (_gate)
        {
            while (true)
            {
                if (Drop(cid.ToV1()) is { } block)
                    return block;

                if (_ended || store.Has(cid))
                    break;
                Monitor.Wait(_gate, Look);
            }
        }

        return store.Get(cid);
    }

    private byte[]? Drop(Cid cid)
    {
        if (!_recent.Remove(cid, out byte[]? block))
            return null;
        _bytes -= block.Length;
        return block;
    }

    /// <inheritdoc/>
    public Outcome<long> GetLength(Cid cid) => store.GetLength(cid);
}
