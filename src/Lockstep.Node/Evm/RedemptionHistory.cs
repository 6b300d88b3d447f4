using System.Globalization;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Evm;

/// <summary>The redemptions of channels, from the contract's log, as the chain is now: what a reorganisation took away is read anew.</summary>
internal sealed class RedemptionHistory(EvmConnection connection, EvmContract contract)
{
    private const int PerPage = 256;

    // Goes back at least this far where a block has vanished, on a chain that is thought to be final sooner.
    private const long LeastStepBack = 64;

    private static readonly string Event = ContractEvent.Topic("Redeemed(uint256,uint64,uint64,uint256,bytes32,bytes32)");

    /// <summary>A page of redemptions after a place; an empty one is the end.</summary>
    /// <param name="number">The channel.</param>
    /// <param name="since">The place.</param>
    /// <param name="openedAt">The block in which the channel was opened.</param>
    /// <param name="head">The newest block.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<RedemptionPage> ReadAsync(ulong number, RedemptionCursor since, long openedAt, long head, CancellationToken cancellation)
    {
        Place place = await PlaceAsync(since, openedAt, cancellation).ConfigureAwait(false);
        long from = place.Block, span = head;
        while (from <= head)
        {
            long to = Math.Min(head, from + span);
            IReadOnlyList<EvmLog> logs;
            try
            {
                logs = await connection.Node.GetLogsAsync(contract.Address, [Event, ContractEvent.Topic(number)], from, to, cancellation).ConfigureAwait(false);
            }
            catch (JsonRpcException fault) when (to == from)
            {
                throw new RailException($"The node {connection.Node.Name} does not give the log of block {from} ({fault.Message}); use a node that keeps its logs.", fault);
            }
            catch (JsonRpcException)
            {
                // Most nodes limit how many blocks they search at a time; they differ in what they say.
                span = (to - from) / 2;
                continue;
            }

            EvmLog[] page = [.. logs.Where(log => log.Block > place.Block || log.Index > place.Index).Take(PerPage)];
            if (page.Length > 0)
                return new RedemptionPage([.. page.Select(log => ToRedemption(number, log))], new Place(page[^1].Block, page[^1].Index, page[^1].BlockHash).ToCursor());
            from = to + 1;
        }

        return new RedemptionPage([], since);
    }

    // Where to go on. A block that is not in the chain any more took its redemptions with it, and others may lie before it: so back
    // by as much as can vanish. What was read before is read again, which changes nothing.
    private async Task<Place> PlaceAsync(RedemptionCursor since, long openedAt, CancellationToken cancellation)
    {
        if (since.Position is not { } text)
            return new Place(openedAt, -1, "");
        var place = Place.Parse(text);
        EvmBlock? block = await EvmConnection.AskAsync(() => connection.Node.GetBlockAsync(EvmNode.Quantity(place.Block), cancellation)).ConfigureAwait(false);
        return block?.Hash == place.BlockHash ? place : new Place(Math.Max(openedAt, place.Block - Math.Max(connection.Finality, LeastStepBack)), -1, "");
    }

    private Redemption ToRedemption(ulong number, EvmLog log)
    {
        try
        {
            ContractEvent.Redeemed said = ContractEvent.ReadRedeemed(log.Topics, log.Data);
            return new Redemption(new VoucherKey(contract.ChannelAt(number), said.Lane, said.Nonce), said.Amount, said.Lock, said.Secret, new Payments.Epoch(log.Block), log.Transaction);
        }
        catch (FormatException fault)
        {
            throw new RailException($"The node {connection.Node.Name} shows a redemption that cannot be read ({fault.Message}); use another node.", fault);
        }
    }

    /// <summary>The last redemption read, and the block that it was in.</summary>
    private sealed record Place(long Block, long Index, string BlockHash)
    {
        public static Place Parse(string text) => text.Split('/') is [var block, var index, var hash]
            && long.TryParse(block, NumberStyles.None, CultureInfo.InvariantCulture, out long height) && long.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out long entry)
            ? new Place(height, entry, hash)
            : throw new ArgumentException($"'{text}' is no place in this rail's history.", nameof(text));

        public RedemptionCursor ToCursor() => new(string.Create(CultureInfo.InvariantCulture, $"{Block}/{Index}/{BlockHash}"));
    }
}
