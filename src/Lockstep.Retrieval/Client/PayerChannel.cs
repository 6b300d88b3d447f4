using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;

namespace Lockstep.Retrieval.Client;

/// <summary>A change of what a payer remembers of a lane.</summary>
public sealed record PayerLaneRow(ChannelId Channel, PayerLane Lane) : StoreWrite;

/// <summary>
/// One channel as its payer knows it: the lanes, and the rail's newest word. All deals that pay from the channel share it.
/// Not safe for concurrent use.
/// </summary>
public sealed class PayerChannel
{
    private readonly SortedSet<LaneId> _allocated = [];

    public PayerChannel(ChannelId id, IEnumerable<PayerLane> stored)
    {
        Id = id;
        Book = new PayerLaneBook(id, stored);
    }

    public ChannelId Id { get; }

    public PayerLaneBook Book { get; }

    /// <summary>The rail's newest word; null before the first.</summary>
    public ChannelSnapshot? Snapshot { get; private set; }

    /// <summary>What may still be promised, by confirmed funds only; zero before the rail was asked.</summary>
    public TokenAmount FreeFunds => Snapshot is { } snapshot ? Book.FreeFunds(snapshot) : TokenAmount.Zero;

    /// <summary>Takes what the rail says, unless something newer is known.</summary>
    public void Observe(ChannelSnapshot snapshot)
    {
        if (snapshot.Id == Id && (Snapshot is null || snapshot.AsOf >= Snapshot.AsOf))
            Snapshot = snapshot;
    }

    /// <summary>Takes a lane that no deal and no voucher has used, above all that the store or the rail knows.</summary>
    /// <returns>The row that keeps it taken.</returns>
    public PayerLaneRow AllocateLane()
    {
        ChannelSnapshot snapshot = Snapshot ?? throw new InvalidOperationException($"Channel {Id} was not read from the rail yet.");
        LaneId lane = Book.NextFreeLane(snapshot);
        if (_allocated.Count > 0 && _allocated.Max >= lane)
            lane = new LaneId(_allocated.Max.Value + 1);
        _allocated.Add(lane);
        return new PayerLaneRow(Id, new PayerLane(lane, default, TokenAmount.Zero, null));
    }

    /// <summary>What the book knows of a lane; a lane on which nothing was signed is empty.</summary>
    public PayerLane LaneOf(LaneId lane) =>
        Book.Lanes.FirstOrDefault(known => known.Id == lane) ?? new PayerLane(lane, default, TokenAmount.Zero, null);
}
