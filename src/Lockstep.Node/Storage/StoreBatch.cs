using Lockstep.Retrieval;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Provider;

namespace Lockstep.Node.Storage;

/// <summary>What one commit writes.</summary>
internal static class StoreBatch
{
    /// <summary>
    /// The writes of several steps without those that later ones replace: rows are replaced whole, so only the last counts.
    /// Rows of deals come first, since the others refer to them; else the order stays.
    /// </summary>
    public static List<StoreWrite> Settle(IReadOnlyList<StoreWrite> writes)
    {
        var settled = new List<StoreWrite>(writes.Count);
        var places = new Dictionary<object, int>();
        foreach (StoreWrite write in writes)
        {
            if (RowOf(write) is not { } row || places.TryAdd(row, settled.Count))
                settled.Add(write);
            else
                settled[places[row]] = write;
        }

        return [.. settled.Where(IsDeal), .. settled.Where(write => !IsDeal(write))];
    }

    private static bool IsDeal(StoreWrite write) => write is ClientDealRow or ProviderDealRow;

    private static object? RowOf(StoreWrite write) => write switch
    {
        ClientDealRow deal => deal.DealId,
        ProviderDealRow deal => deal.DealId,
        ClientChunkRow chunk => (chunk.DealId, chunk.Index),
        ProviderChunkRow chunk => (chunk.DealId, chunk.Index),
        PayerLaneRow lane => (lane.Channel, lane.Lane.Id),
        _ => null,
    };
}
