using Lockstep.Payments.Addresses;
using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Channels;

/// <summary>What the actor may ask of the ledger it lives on.</summary>
public interface IPaychHost
{
    /// <summary>The number of the actor at an address.</summary>
    bool TryResolve(Address address, out ulong id);

    /// <summary>
    /// Asks the signer's actor whether it signed. Returns 0 for yes, else the exit code with which the redemption fails:
    /// 16 from an account, 24 from an actor that gives no answer (docs/filecoin.md section 1.4, step 5).
    /// </summary>
    int Authenticate(ulong signer, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> signedBytes);

    /// <summary>Makes a voucher's extra call; returns its exit code.</summary>
    int CallExtra(ExtraCall extra);
}

/// <summary>One call of a channel.</summary>
/// <param name="Caller">The calling actor's number.</param>
/// <param name="Receiver">The channel's own number.</param>
/// <param name="Epoch">Now.</param>
/// <param name="Balance">The channel's balance, the call's value already in it.</param>
/// <param name="LockHash">The channel's lock hash; BLAKE2b-256 on Filecoin.</param>
/// <param name="SettleDelay">Epochs between Settle and Collect; 1440 on Filecoin.</param>
public sealed record PaychContext(ulong Caller, ulong Receiver, Epoch Epoch, TokenAmount Balance, LockHashKind LockHash, long SettleDelay);

/// <summary>What a call does: nothing unless the exit code is 0.</summary>
/// <param name="ExitCode">The actor's exit code.</param>
/// <param name="State">The state after the call, or null when the channel was collected.</param>
/// <param name="PaidToPayee">What Collect sends to the payee; the rest of the balance goes to the payer.</param>
public sealed record PaychOutcome(int ExitCode, PaychState? State, TokenAmount PaidToPayee)
{
    public bool Succeeded => ExitCode == Channels.ExitCode.Ok;

    public bool Collected => Succeeded && State is null;
}

/// <summary>
/// Filecoin's payment-channel actor as a pure function from state and call to state and exit code: its own checks, in its
/// own order (docs/filecoin.md sections 1.4 and 1.5). Two things are ours: the lock hash may be SHA-256, and the settle
/// delay is given.
/// </summary>
public static class PaychActor
{
    /// <summary>The longest secret, in bytes.</summary>
    public const int MaxSecretLength = 256;

    /// <summary>12 hours of 30 s.</summary>
    public const long FilecoinSettleDelay = 1440;

    /// <summary>The state of a new channel between two actors.</summary>
    public static PaychState Construct(ulong from, ulong to) => new() { From = from, To = to };

    /// <summary>Runs one method. <paramref name="parameters"/> is null when the message has none.</summary>
    public static PaychOutcome Invoke(PaychState state, PaychContext context, IPaychHost host, ulong method, ReadOnlyMemory<byte>? parameters) => method switch
    {
        PaychMethod.Transfer => Keep(state),
        PaychMethod.Constructor => ConstructAgain(parameters),
        PaychMethod.UpdateChannelState => Update(state, context, host, parameters),
        PaychMethod.Settle => parameters is null ? Settle(state, context) : Fail(ExitCode.IllegalArgument),
        PaychMethod.Collect => parameters is null ? Collect(state, context) : Fail(ExitCode.IllegalArgument),
        _ => Fail(ExitCode.UnhandledMessage),
    };

    /// <summary>Redeems a voucher: steps 1 to 15 of docs/filecoin.md section 1.4.</summary>
    public static PaychOutcome UpdateChannelState(PaychState state, PaychContext context, IPaychHost host, UpdateChannelStateParams parameters)
    {
        Voucher voucher = parameters.Voucher.Voucher;
        int refusal = CheckCaller(state, context, out ulong signer);
        if (refusal == ExitCode.Ok)
            refusal = CheckSignature(state, context, host, parameters, signer);
        if (refusal == ExitCode.Ok)
            refusal = CheckConditions(context, host, voucher, parameters.Secret.Span);
        if (refusal != ExitCode.Ok)
            return Fail(refusal);
        if (voucher.Extra is { } extra)
        {
            refusal = host.CallExtra(extra);
            if (refusal != ExitCode.Ok)
                return Fail(refusal);
        }
        return MoveLanes(state, context.Balance, voucher);
    }

    /// <summary>Starts the settling period.</summary>
    public static PaychOutcome Settle(PaychState state, PaychContext context)
    {
        int refusal = CheckCaller(state, context, out _);
        if (refusal != ExitCode.Ok)
            return Fail(refusal);
        if (state.IsSettling)
            return Fail(ExitCode.IllegalState);
        return Keep(state with { SettlingAt = Epoch.Max(context.Epoch + context.SettleDelay, state.MinSettleHeight) });
    }

    /// <summary>Pays out: ToSend to the payee, the rest to the payer; the channel is gone.</summary>
    public static PaychOutcome Collect(PaychState state, PaychContext context)
    {
        int refusal = CheckCaller(state, context, out _);
        if (refusal != ExitCode.Ok)
            return Fail(refusal);
        bool over = state.IsSettling && context.Epoch >= state.SettlingAt;
        return over ? new PaychOutcome(ExitCode.Ok, null, state.ToSend) : Fail(ExitCode.Forbidden);
    }

    // Only the Init actor may construct, and only once, so a running channel always refuses.
    private static PaychOutcome ConstructAgain(ReadOnlyMemory<byte>? parameters)
    {
        if (parameters is not { } encoded)
            return Fail(ExitCode.IllegalArgument);
        return Fail(PaychConstructorParams.TryDecode(encoded, out _) ? ExitCode.Forbidden : ExitCode.Serialization);
    }

    private static PaychOutcome Update(PaychState state, PaychContext context, IPaychHost host, ReadOnlyMemory<byte>? parameters)
    {
        if (parameters is not { } encoded)
            return Fail(ExitCode.IllegalArgument);
        return UpdateChannelStateParams.TryDecode(encoded, out UpdateChannelStateParams? decoded)
            ? UpdateChannelState(state, context, host, decoded!)
            : Fail(ExitCode.Serialization);
    }

    private static int CheckCaller(PaychState state, PaychContext context, out ulong other)
    {
        other = context.Caller == state.From ? state.To : state.From;
        return context.Caller == state.From || context.Caller == state.To ? ExitCode.Ok : ExitCode.Forbidden;
    }

    // Steps 2 to 5. The signature covers the voucher written canonically, whatever bytes came in.
    private static int CheckSignature(PaychState state, PaychContext context, IPaychHost host, UpdateChannelStateParams parameters, ulong signer)
    {
        if (parameters.Voucher.Signature is not { } signature)
            return ExitCode.IllegalArgument;
        if (state.IsSettling && context.Epoch >= state.SettlingAt)
            return ExitCode.ChannelSettled;
        if (parameters.Secret.Length > MaxSecretLength)
            return ExitCode.IllegalArgument;
        return host.Authenticate(signer, signature.Data.Span, parameters.Voucher.Voucher.SigningBytes());
    }

    // Steps 6 to 10.
    private static int CheckConditions(PaychContext context, IPaychHost host, Voucher voucher, ReadOnlySpan<byte> secret)
    {
        bool holds = host.TryResolve(voucher.Channel, out ulong channel) && channel == context.Receiver
            && context.Epoch >= voucher.TimeLockMin
            && (voucher.TimeLockMax == Epoch.Zero || context.Epoch <= voucher.TimeLockMax)
            && !voucher.Amount.IsNegative
            && (voucher.SecretHash.IsEmpty || voucher.SecretHash.Span.SequenceEqual(HashLock.Digest(context.LockHash, secret)));
        return holds ? ExitCode.Ok : ExitCode.IllegalArgument;
    }

    // Steps 12 to 15.
    private static PaychOutcome MoveLanes(PaychState state, TokenAmount balance, Voucher voucher)
    {
        bool known = state.Lanes.TryGetValue(voucher.Lane, out LaneSnapshot? lane);
        if (voucher.Lane > LaneId.MaxValue || (known && lane!.Nonce >= voucher.Nonce))
            return Fail(ExitCode.IllegalArgument);

        var lanes = state.Lanes;
        TokenAmount counted = known ? lane!.Redeemed : TokenAmount.Zero;
        foreach (LaneMerge merge in voucher.Merges)
        {
            if (merge.Lane == voucher.Lane || !lanes.TryGetValue(merge.Lane, out LaneSnapshot? other) || other.Nonce >= merge.Nonce)
                return Fail(ExitCode.IllegalArgument);
            counted += other.Redeemed;
            // A merged lane keeps its amount: a later voucher on it counts from there (docs/filecoin.md section 1.4, notes).
            lanes = lanes.SetItem(merge.Lane, other with { Nonce = merge.Nonce });
        }

        TokenAmount toSend = state.ToSend + (voucher.Amount - counted);
        if (toSend.IsNegative || toSend > balance)
            return Fail(ExitCode.IllegalArgument);
        lanes = lanes.SetItem(voucher.Lane, new LaneSnapshot(voucher.Amount, voucher.Nonce));
        return Keep(RaiseSettling(state with { ToSend = toSend, Lanes = lanes }, voucher.MinSettleHeight));
    }

    // A voucher's minimum settle height only ever moves the two epochs up.
    private static PaychState RaiseSettling(PaychState state, Epoch wanted)
    {
        if (wanted == Epoch.Zero)
            return state;
        return state with
        {
            SettlingAt = state.IsSettling ? Epoch.Max(state.SettlingAt, wanted) : state.SettlingAt,
            MinSettleHeight = Epoch.Max(state.MinSettleHeight, wanted),
        };
    }

    private static PaychOutcome Keep(PaychState state) => new(ExitCode.Ok, state, TokenAmount.Zero);

    private static PaychOutcome Fail(int exitCode) => new(exitCode, null, TokenAmount.Zero);
}
