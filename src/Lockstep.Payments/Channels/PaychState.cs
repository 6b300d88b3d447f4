using System.Collections.Immutable;
using Lockstep.Payments.Rails;

namespace Lockstep.Payments.Channels;

/// <summary>The stored state of a payment-channel actor (docs/filecoin.md section 1.2).</summary>
public sealed record PaychState
{
    /// <summary>The payer's actor number.</summary>
    public required ulong From { get; init; }

    /// <summary>The payee's actor number.</summary>
    public required ulong To { get; init; }

    public TokenAmount ToSend { get; init; }

    /// <summary>From this epoch on vouchers fail and Collect works; 0 while not settling.</summary>
    public Epoch SettlingAt { get; init; }

    /// <summary>SettlingAt will not be before this epoch.</summary>
    public Epoch MinSettleHeight { get; init; }

    public ImmutableSortedDictionary<LaneId, LaneSnapshot> Lanes { get; init; } = ImmutableSortedDictionary<LaneId, LaneSnapshot>.Empty;

    public bool IsSettling => SettlingAt != Epoch.Zero;
}
