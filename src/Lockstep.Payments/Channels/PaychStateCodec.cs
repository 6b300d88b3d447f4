using System.Formats.Cbor;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Encodings;
using Lockstep.Payments.Rails;

namespace Lockstep.Payments.Channels;

/// <summary>A channel's state as blocks: the state itself and its lane table.</summary>
/// <param name="Cid">The CID of <paramref name="State"/>.</param>
/// <param name="State">The state tuple, which links to the root of the lane table.</param>
/// <param name="LaneTable">Every block of the lane table by CID, the root and all nodes below it.</param>
public sealed record PaychStateBlocks(FilecoinCid Cid, ReadOnlyMemory<byte> State, IReadOnlyDictionary<FilecoinCid, byte[]> LaneTable);

/// <summary>
/// Writes the exact bytes that the real actor stores (docs/filecoin.md section 1.2): a six-field tuple whose last
/// field links to an AMT of lanes with eight slots a node.
/// </summary>
public static class PaychStateCodec
{
    private const int BitWidth = 3;
    private const int Slots = 1 << BitWidth;

    public static PaychStateBlocks Encode(PaychState state)
    {
        var blocks = new Dictionary<FilecoinCid, byte[]>();
        FilecoinCid lanes = WriteLaneTable(state, blocks);
        CborWriter writer = DagCborWriter.New();
        writer.WriteStartArray(6);
        writer.WriteAddress(Address.FromId(state.From));
        writer.WriteAddress(Address.FromId(state.To));
        writer.WriteAmount(state.ToSend);
        writer.WriteInt64(state.SettlingAt.Value);
        writer.WriteInt64(state.MinSettleHeight.Value);
        writer.WriteLink(lanes.Bytes.Span);
        writer.WriteEndArray();
        byte[] encoded = writer.Encode();
        return new PaychStateBlocks(FilecoinCid.OfDagCbor(encoded), encoded, blocks);
    }

    private static FilecoinCid WriteLaneTable(PaychState state, Dictionary<FilecoinCid, byte[]> blocks)
    {
        KeyValuePair<LaneId, LaneSnapshot>[] lanes = [.. state.Lanes];
        int height = lanes.Length == 0 ? 0 : HeightFor(lanes[^1].Key.Value);
        CborWriter writer = DagCborWriter.New();
        writer.WriteStartArray(4);
        writer.WriteInt32(BitWidth);
        writer.WriteInt32(height);
        writer.WriteInt32(lanes.Length);
        // The root node lies inside the root block; only the nodes below are blocks of their own.
        WriteNode(writer, lanes, height, blocks);
        writer.WriteEndArray();
        return Store(writer.Encode(), blocks);
    }

    private static void WriteNode(CborWriter writer, ReadOnlySpan<KeyValuePair<LaneId, LaneSnapshot>> lanes, int height, Dictionary<FilecoinCid, byte[]> blocks)
    {
        byte bitmap = 0;
        var links = new List<FilecoinCid>();
        var values = new List<LaneSnapshot>();
        for (int start = 0; start < lanes.Length;)
        {
            int slot = SlotOf(lanes[start].Key, height);
            int end = start + 1;
            while (end < lanes.Length && SlotOf(lanes[end].Key, height) == slot)
                end++;
            bitmap |= (byte)(1 << slot);
            if (height == 0)
                values.Add(lanes[start].Value);
            else
                links.Add(StoreNode(lanes[start..end], height - 1, blocks));
            start = end;
        }

        writer.WriteStartArray(3);
        writer.WriteByteString([bitmap]);
        writer.WriteStartArray(links.Count);
        foreach (FilecoinCid link in links)
            writer.WriteLink(link.Bytes.Span);
        writer.WriteEndArray();
        writer.WriteStartArray(values.Count);
        foreach (LaneSnapshot lane in values)
        {
            writer.WriteStartArray(2);
            writer.WriteAmount(lane.Redeemed);
            writer.WriteUInt64(lane.Nonce.Value);
            writer.WriteEndArray();
        }
        writer.WriteEndArray();
        writer.WriteEndArray();
    }

    private static FilecoinCid StoreNode(ReadOnlySpan<KeyValuePair<LaneId, LaneSnapshot>> lanes, int height, Dictionary<FilecoinCid, byte[]> blocks)
    {
        CborWriter writer = DagCborWriter.New();
        WriteNode(writer, lanes, height, blocks);
        return Store(writer.Encode(), blocks);
    }

    private static FilecoinCid Store(byte[] block, Dictionary<FilecoinCid, byte[]> blocks)
    {
        FilecoinCid cid = FilecoinCid.OfDagCbor(block);
        blocks[cid] = block;
        return cid;
    }

    private static int SlotOf(LaneId lane, int height) => (int)((lane.Value >> (BitWidth * height)) & (Slots - 1));

    // The lowest height whose 8^(height + 1) slots reach the index.
    private static int HeightFor(ulong index)
    {
        int height = 0;
        while ((index >>= BitWidth) != 0)
            height++;
        return height;
    }
}
