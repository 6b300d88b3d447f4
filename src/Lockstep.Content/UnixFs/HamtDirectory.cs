using System.Globalization;
using System.Text;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;

namespace Lockstep.Content.UnixFs;

/// <summary>
/// A folder too large for one block, as a hash array mapped trie (UnixFS specification, HAMT directories): 256 slots per node,
/// the slot at depth d is byte d of the name's hash, and only slots that are taken have a link.
/// </summary>
internal sealed class HamtDirectory
{
    private const int Fanout = 256;
    private readonly Shard _root = new();

    /// <summary>Adds an entry; its name must be new.</summary>
    public void Add(DagPbLink entry)
    {
        var key = new Key(entry);
        Shard shard = _root;
        for (int depth = 0; ; depth++)
        {
            byte slot = key.SlotAt(depth);
            switch (shard.Slots[slot])
            {
                case null:
                    shard.Slots[slot] = key;
                    return;
                case Shard below:
                    shard = below;
                    break;
                case Key other:
                    // Two names share the slot: both go one level down, where the next byte of their hashes decides.
                    var split = new Shard();
                    split.Slots[other.SlotAt(depth + 1)] = other;
                    shard.Slots[slot] = split;
                    shard = split;
                    break;
            }
        }
    }

    /// <summary>Writes all shards and returns the root's CID and cumulative size.</summary>
    public Outcome<(Cid Cid, long TotalSize)> Write(IBlockSink sink) => Write(_root, sink);

    // Depth is that of the trie: one level per equal byte of 64-bit hashes, so a handful.
    private static Outcome<(Cid Cid, long TotalSize)> Write(Shard shard, IBlockSink sink)
    {
        var links = new List<DagPbLink>();
        var bits = new byte[Fanout / 8];
        long below = 0;
        for (int slot = 0; slot < Fanout; slot++)
        {
            string prefix = slot.ToString("X2", CultureInfo.InvariantCulture);
            switch (shard.Slots[slot])
            {
                case Key key:
                    links.Add(key.Entry with { Name = prefix + key.Entry.Name });
                    below += (long)key.Entry.TotalSize!.Value;
                    break;
                case Shard child:
                    if (!Write(child, sink).Try(out var written, out ContentError? childError))
                        return childError;
                    links.Add(new DagPbLink(written.Cid, prefix, (ulong)written.TotalSize));
                    below += written.TotalSize;
                    break;
                default:
                    continue;
            }

            // The bit field is one big-endian number: slot 0 is its lowest bit.
            bits[^(1 + (slot / 8))] |= (byte)(1 << (slot % 8));
        }

        int leadingZeros = 0;
        while (leadingZeros < bits.Length - 1 && bits[leadingZeros] == 0)
            leadingZeros++;
        var data = new UnixFsData(UnixFsType.HamtShard)
        {
            Data = bits.AsMemory(leadingZeros),
            HashType = UnixFsData.Murmur3,
            Fanout = Fanout,
        };
        byte[] block = new DagPbNode(data.Encode(), links).Encode();
        Cid cid = Cid.Of(Multicodec.DagPb, block);
        return sink.Put(cid, block) is { } error ? error : (cid, block.Length + below);
    }

    private sealed class Shard
    {
        public object?[] Slots { get; } = new object?[Fanout];
    }

    private sealed class Key(DagPbLink entry)
    {
        private readonly byte[] _name = Encoding.UTF8.GetBytes(entry.Name!);
        private readonly List<byte> _hash = [];

        public DagPbLink Entry { get; } = entry;

        /// <summary>When a hash is used up, the name is hashed again with the number of hashes so far behind it.</summary>
        public byte SlotAt(int depth)
        {
            while (_hash.Count <= depth)
            {
                int round = _hash.Count / 8;
                _hash.AddRange(Murmur3.Hash64(round == 0 ? _name : [.. _name, (byte)round]));
            }

            return _hash[depth];
        }
    }
}
