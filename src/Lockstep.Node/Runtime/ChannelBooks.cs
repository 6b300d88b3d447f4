using Lockstep.Node.Storage;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Provider;

namespace Lockstep.Node.Runtime;

/// <summary>The payer's channels of one store, each loaded once. Used on the loop that steps the deals, nowhere else.</summary>
internal sealed class PayerChannels(ClientStore store) : IPayerChannels
{
    private readonly Dictionary<ChannelId, PayerChannel> _channels = [];

    public PayerChannel Get(ChannelId channel)
    {
        if (!_channels.TryGetValue(channel, out PayerChannel? known))
            _channels.Add(channel, known = new PayerChannel(channel, store.Lanes(channel)));
        return known;
    }
}

/// <summary>The payee's channels of one store, each loaded once. Used on the loop that steps the deals, nowhere else.</summary>
internal sealed class PayeeChannels(ProviderStore store, IVoucherScheme scheme, AccountId payee, PayeePolicy policy) : IPayeeChannels
{
    private readonly Dictionary<ChannelId, PayeeChannel> _channels = [];

    public PayeeChannel Get(ChannelId channel)
    {
        if (!_channels.TryGetValue(channel, out PayeeChannel? known))
        {
            known = new PayeeChannel(scheme, channel, payee, policy, store.Vouchers(channel, scheme), store.LaneOwners(channel));
            _channels.Add(channel, known);
        }

        return known;
    }
}
