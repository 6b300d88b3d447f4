using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Retrieval.Client;

/// <summary>What a client's deal wants done. Each answer comes back as a <see cref="ClientEvent"/>.</summary>
public abstract record ClientEffect
{
    public sealed record Propose(SignedProposal Proposal) : ClientEffect;

    /// <summary>Open an Exchange stream.</summary>
    public sealed record Connect : ClientEffect;

    /// <summary>End the stream; nothing that it still brings matters.</summary>
    public sealed record Disconnect(string Sentence) : ClientEffect;

    /// <summary>Send on the open stream; dropped when there is none, as every message is repeated after reconnecting.</summary>
    public sealed record Send(ClientMessage Message) : ClientEffect;

    /// <param name="Ciphertexts">In the order of the offer's chunks.</param>
    public sealed record VerifyWindow(
        SealedOffer Offer, IReadOnlyList<ReadOnlyMemory<byte>> Ciphertexts, ReadOnlyMemory<byte> Proof) : ClientEffect;

    /// <summary>Decrypt the stored ciphertext of a chunk and check its digest.</summary>
    public sealed record OpenChunk(OfferedChunk Chunk, LockHashKind LockHash, ReadOnlyMemory<byte> Key) : ClientEffect;

    /// <summary>All channels from the wallet to the provider's account.</summary>
    public sealed record FindChannels : ClientEffect;

    public sealed record OpenChannel(AccountId Payee, TokenAmount Amount, LockHashKind LockHash) : ClientEffect;

    public sealed record TopUp(ChannelId Channel, TokenAmount Amount) : ClientEffect;

    public sealed record ReadChannel(ChannelId Channel) : ClientEffect;

    public sealed record ReadRedemptions(ChannelId Channel, RedemptionCursor Since) : ClientEffect;

    /// <summary>The deal is over and owes the peer no further message.</summary>
    public sealed record Finished(DealStatus Status, string? Sentence) : ClientEffect;
}

/// <summary>How long a client waits, and how it handles money.</summary>
public sealed record ClientPolicy
{
    public TimeSpan AcceptTimeout { get; init; } = TimeSpan.FromMinutes(1);

    public TimeSpan ChannelTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>From attaching until the content is readable and its links are known.</summary>
    public TimeSpan WarmUpTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Longest silence while a chunk is expected.</summary>
    public TimeSpan BlockTimeout { get; init; } = TimeSpan.FromMinutes(10);

    public TimeSpan VerifyTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>From sending a locked voucher until the rail is watched for its key.</summary>
    public TimeSpan KeyTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the deal stays parked for want of money.</summary>
    public TimeSpan FundsTimeout { get; init; } = TimeSpan.FromHours(24);

    public TimeSpan ClosingTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>First pause before connecting again; it doubles up to <see cref="MaxReconnectDelay"/>.</summary>
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan MaxReconnectDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Pause between two looks at the rail.</summary>
    public TimeSpan RailPoll { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Verified windows, beyond those being paid, that are taken ahead.</summary>
    public int WindowsAhead { get; init; } = 2;

    /// <summary>Pay into the channel, within the most to pay, without being asked.</summary>
    public bool AutoTopUp { get; init; } = true;

    /// <summary>Most that is paid into the channel in this run, opening it included; null for what the deal may need.</summary>
    public TokenAmount? MostToPayIn { get; init; }

    /// <summary>Most that is paid into the channel at a time; null for all that the deal may need.</summary>
    public TokenAmount? FundingStep { get; init; }
}
