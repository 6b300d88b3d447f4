using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Evm;

/// <summary>Asks the contract what it holds.</summary>
internal sealed class ContractReader(EvmConnection connection, EvmContract contract)
{
    private const int LanesPerCall = 512, ChannelsPerCall = 64;

    /// <summary>Makes sure that our contract lies at the address.</summary>
    /// <exception cref="RailException">Something else does, or nothing.</exception>
    public async Task CheckCodeAsync(CancellationToken cancellation)
    {
        byte[] code = await EvmConnection.AskAsync(() => connection.Node.GetCodeAsync(contract.Address, cancellation)).ConfigureAwait(false);
        if (!ContractArtifact.Current.IsCode(code))
            throw new RailException($"At {contract.Address} on {connection.Chain.Name} lies {(code.Length == 0 ? "no contract" : "another contract than this version's")}; check the address, or deploy one with 'lockstep rail evm deploy'.");
    }

    /// <summary>Blocks between settling and collecting.</summary>
    public async Task<long> GetSettleDelayAsync(CancellationToken cancellation) =>
        (long)await AskAsync(ChannelContract.SettleDelay(), EvmNode.Latest, ChannelContract.NumberAnswer, cancellation).ConfigureAwait(false);

    /// <summary>A channel with all its lanes.</summary>
    /// <param name="channel">Its number.</param>
    /// <param name="block">The height or tag of the block to read.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<EvmChannel> ReadAsync(ulong channel, string block, CancellationToken cancellation)
    {
        EvmChannel? whole = null;
        while (true)
        {
            byte[] call = ChannelContract.Read(channel, whole?.Lanes.Count ?? 0, LanesPerCall);
            // Further lanes are read from the block that the first came from.
            string at = whole is null ? block : EvmNode.Quantity(whole.AsOf.Value);
            EvmChannel part = await AskAsync(call, at, ChannelContract.ReadAnswer, cancellation).ConfigureAwait(false);
            whole = whole is null ? part : part with { Lanes = [.. whole.Lanes, .. part.Lanes] };
            if (whole.Lanes.Count >= whole.LanesEnd || part.Lanes.Count == 0)
                return whole;
            if (whole.LanesEnd > EvmVoucherScheme.MaxLanes)
                throw new RailException($"The node {connection.Node.Name} shows a channel with more lanes than the contract takes; use another node.");
        }
    }

    /// <summary>The numbers of a party's open channels, lowest first.</summary>
    public async Task<IReadOnlyCollection<ulong>> FindAsync(EvmAddress party, CancellationToken cancellation)
    {
        var numbers = new SortedSet<ulong>();
        foreach (bool asPayee in (bool[])[false, true])
        {
            ulong before = 0;
            do
            {
                byte[] call = ChannelContract.Find(party, asPayee, before, ChannelsPerCall);
                (IReadOnlyList<ulong> found, ulong next) = await AskAsync(call, EvmNode.Latest, ChannelContract.FindAnswer, cancellation).ConfigureAwait(false);
                if (before != 0 && next >= before)
                    throw new RailException($"The node {connection.Node.Name} lists channels in a circle; use another node.");
                numbers.UnionWith(found);
                before = next;
            }
            while (before != 0);
        }

        return numbers;
    }

    private async Task<T> AskAsync<T>(byte[] call, string block, Func<ReadOnlyMemory<byte>, T> read, CancellationToken cancellation)
    {
        EvmCallResult answer = await EvmConnection.AskAsync(() => connection.Node.CallAsync(null, contract.Address, call, block, cancellation)).ConfigureAwait(false);
        if (!answer.Succeeded)
            throw new RailException($"The contract refuses a question that it always answers; the node {connection.Node.Name} is not in order, use another one.");
        try
        {
            return read(answer.Data);
        }
        catch (FormatException fault)
        {
            throw new RailException($"The node {connection.Node.Name} gives an answer of the contract that cannot be read ({fault.Message}); use another node.", fault);
        }
    }
}
