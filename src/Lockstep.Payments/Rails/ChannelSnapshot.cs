namespace Lockstep.Payments.Rails;

/// <summary>What the rail has recorded of a lane.</summary>
/// <param name="Redeemed">Cumulative amount of the newest voucher redeemed on the lane.</param>
/// <param name="Nonce">Nonce of that voucher.</param>
public sealed record LaneSnapshot(TokenAmount Redeemed, Nonce Nonce);

/// <summary>A channel as the rail shows it at one epoch.</summary>
public sealed record ChannelSnapshot
{
    public required ChannelId Id { get; init; }

    public required AccountId Payer { get; init; }

    public required AccountId Payee { get; init; }

    /// <summary>False when a party is a contract, which could change its mind about signatures: never accept such a channel.</summary>
    public required bool PartiesAreAccounts { get; init; }

    /// <summary>The one hash function of all locks in this channel.</summary>
    public required LockHashKind LockHash { get; init; }

    /// <summary>Everything paid in and not yet collected.</summary>
    public required TokenAmount Balance { get; init; }

    /// <summary>The part of the balance that redeemed vouchers have given to the payee.</summary>
    public required TokenAmount ToSend { get; init; }

    /// <summary>The epoch from which Collect works and vouchers no longer do; null while nobody has settled.</summary>
    public required Epoch? SettlingAt { get; init; }

    public required IReadOnlyDictionary<LaneId, LaneSnapshot> Lanes { get; init; }

    /// <summary>The epoch at which this was read.</summary>
    public required Epoch AsOf { get; init; }

    public bool IsSettling => SettlingAt is not null;
}
