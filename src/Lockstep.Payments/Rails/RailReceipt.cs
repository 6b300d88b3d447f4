namespace Lockstep.Payments.Rails;

/// <summary>What became of a call, in the words that every rail has.</summary>
public enum RailOutcome
{
    /// <summary>The rail executed it.</summary>
    Executed,

    /// <summary>An earlier call has done it: the voucher is redeemed, the channel is settling.</summary>
    AlreadyDone,

    /// <summary>The rail's rules refuse it; nothing changed.</summary>
    Refused,

    /// <summary>The account that must pay for it has not enough.</summary>
    InsufficientFunds,

    /// <summary>Nothing is known at the address, or it is not a channel of this rail.</summary>
    UnknownChannel,

    /// <summary>It was sent but its fate is unknown yet; asking again later is safe.</summary>
    Pending,
}

/// <summary>The answer to a call on a rail.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="ExitCode">The rail's own code of this call, 0 for success (Filecoin's exit codes on the local ledger and on Filecoin).</param>
/// <param name="Sentence">One sentence for people.</param>
/// <param name="TransactionId">The rail's name for the call, or null when none was sent.</param>
/// <param name="Epoch">When it was executed, or the head when it was not.</param>
public sealed record RailReceipt(RailOutcome Outcome, int ExitCode, string Sentence, string? TransactionId, Epoch Epoch)
{
    /// <summary>What was asked for is so, by this call or by an earlier one.</summary>
    public bool Succeeded => Outcome is RailOutcome.Executed or RailOutcome.AlreadyDone;
}

/// <summary>The answer to <see cref="IRail.OpenChannelAsync"/>: <paramref name="Channel"/> is set when it succeeded.</summary>
public sealed record OpenChannelReceipt(RailReceipt Receipt, ChannelId? Channel);

/// <summary>A voucher to be redeemed, with the secret of its lock (null for an unlocked one).</summary>
public sealed record RedemptionClaim(PaymentVoucher Voucher, ReadOnlyMemory<byte>? Secret);

/// <summary>A redemption that the rail executed. <paramref name="Secret"/> is public from then on.</summary>
/// <param name="Voucher">Which voucher.</param>
/// <param name="Amount">The lane's cumulative amount after it.</param>
/// <param name="Lock">The lock it opened, or null.</param>
/// <param name="Secret">The secret that was shown; empty for an unlocked voucher.</param>
/// <param name="Epoch">When.</param>
/// <param name="TransactionId">The rail's name for the call.</param>
public sealed record Redemption(
    VoucherKey Voucher, TokenAmount Amount, HashLock? Lock, ReadOnlyMemory<byte> Secret, Epoch Epoch, string TransactionId);

/// <summary>Redemptions of a channel in order, and where to go on.</summary>
public sealed record RedemptionPage(IReadOnlyList<Redemption> Redemptions, RedemptionCursor Next);

/// <summary>The rail could not be asked: its file is damaged, its node is down, the disk is full. The message is one sentence for people.</summary>
public sealed class RailException : Exception
{
    public RailException()
    {
    }

    public RailException(string message)
        : base(message)
    {
    }

    public RailException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
