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
    private long _bytes;
    private bool _ended;

    /// <summary>A verified block is in the store.</summary>
    public void Arrive(Cid cid, ReadOnlyMemory<byte> block)
    {
        lock (_gate)
        {
            bool isWhole = MemoryMarshal.TryGetArray(block, out ArraySegment<byte> bytes) && bytes.Array!.Length == bytes.Count;
            if (isWhole && !_ended && _bytes + bytes.Count <= MostBytes && _recent.TryAdd(cid.ToV1(), bytes.Array!))
                _bytes += bytes.Count;
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
                if (_recent.Remove(cid.ToV1(), out byte[]? block))
                {
                    _bytes -= block.Length;
                    return block;
                }

                if (_ended || store.Has(cid))
                    break;
                Monitor.Wait(_gate, Look);
            }
        }

        return store.Get(cid);
    }

    /// <inheritdoc/>
    public Outcome<long> GetLength(Cid cid) => store.GetLength(cid);
}
