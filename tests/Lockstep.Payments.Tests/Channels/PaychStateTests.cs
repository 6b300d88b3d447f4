using System.Collections.Immutable;
using System.Text.Json;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;

namespace Lockstep.Payments.Tests.Channels;

public sealed class PaychStateTests
{
    public static TheoryData<string> States() => Vectors.Names(Vectors.Vouchers, "channel_states");

    [Theory]
    [MemberData(nameof(States))]
    public void State_and_lane_table_equal_what_the_real_actor_stores(string name)
    {
        JsonElement vector = Vectors.Named(Vectors.Vouchers, "channel_states", name);
        JsonElement decoded = vector.GetProperty("decoded");
        var state = new PaychState
        {
            From = decoded.Unsigned("from_id"),
            To = decoded.Unsigned("to_id"),
            ToSend = decoded.Amount("to_send"),
            SettlingAt = new Epoch(decoded.Signed("settling_at")),
            MinSettleHeight = new Epoch(decoded.Signed("min_settle_height")),
            Lanes = decoded.Each("lanes").ToImmutableSortedDictionary(
                lane => new LaneId(lane.Unsigned("lane")), lane => new LaneSnapshot(lane.Amount("redeemed"), new Nonce(lane.Unsigned("nonce")))),
        };
        PaychStateBlocks blocks = PaychStateCodec.Encode(state);
        Assert.Equal(vector.Text("state_cbor_hex"), Vectors.Hex(blocks.State));
        Assert.Equal(vector.Text("state_cid"), blocks.Cid.ToString());
        Assert.Equal(
            vector.GetProperty("blocks").EnumerateObject().Select(block => (block.Name, block.Value.GetString()!)).Order(),
            blocks.LaneTable.Select(block => (block.Key.ToString(), Convert.ToHexStringLower(block.Value))).Order());
    }

    [Fact]
    public void All_vectors_are_here() => Assert.Equal(7, States().Count);
}
