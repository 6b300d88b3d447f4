using Lockstep.Payments;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Encodings;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Messages;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Node.Ledger;

/// <summary>A call to be made into a message; the ledger fills in the sender's nonce.</summary>
internal sealed record LedgerCall(Address From, Address To, ulong Method, TokenAmount Value, ReadOnlyMemory<byte> Params);

/// <summary>What a call did.</summary>
/// <param name="ExitCode">0, or why nothing changed.</param>
/// <param name="Returned">The return value; empty for most methods.</param>
/// <param name="Message">The message as recorded, or null when its sender is unknown: nobody could have signed it.</param>
/// <param name="Epoch">When.</param>
/// <param name="Channel">The channel as the call found it, if it was sent to one.</param>
internal sealed record LedgerResult(int ExitCode, ReadOnlyMemory<byte> Returned, Message? Message, Epoch Epoch, LedgerChannel? Channel);

/// <summary>
/// Executes one message on the ledger's rows: moves its value, runs the receiver, undoes both on a non-zero exit code, counts
/// the sender's nonce, records the message. No gas.
/// </summary>
internal sealed class LedgerMachine(LedgerSession session, Epoch epoch, long settleDelay)
{
    /// <summary>The code CID under which a channel with a lock hash is created: identity CIDs that name our two variants.</summary>
    public static FilecoinCid CodeOf(LockHashKind lockHash)
    {
        byte[] name = lockHash == LockHashKind.Sha256 ? "lockstep/1/paych-sha256"u8.ToArray() : "lockstep/1/paych-blake2b"u8.ToArray();
        byte[] bytes = [0x01, 0x55, 0x00, (byte)name.Length, .. name];
        return FilecoinCid.TryFromBytes(bytes, out FilecoinCid cid) ? cid : throw new InvalidOperationException("The code name is no CID.");
    }

    /// <summary>Runs a call and records it with its exit code, whatever that is.</summary>
    public LedgerResult Execute(LedgerCall call)
    {
        if (session.FindActor(call.From) is not { Kind: ActorKind.Account } sender)
            return new LedgerResult(ExitCode.SenderInvalid, default, null, epoch, null);
        var message = new Message
        {
            To = call.To,
            From = call.From,
            Nonce = sender.Nonce,
            Value = call.Value,
            Method = call.Method,
            Params = call.Params,
        };
        session.SetNonce(sender.Id, sender.Nonce + 1);
        LedgerResult result = Apply(message, sender);
        session.AddMessage(message, session.FindActor(call.To)?.Id, epoch, result.Channel?.LockHash, result.ExitCode, result.Returned);
        session.AdvanceTo(epoch);
        return result;
    }

    /// <summary>Makes money for an account, which is created when it is new.</summary>
    public void Mint(Address account, TokenAmount amount)
    {
        LedgerActor receiver = session.FindActor(account) ?? session.AddActor(account, ActorKind.Account);
        session.SetBalance(receiver.Id, receiver.Balance + amount);
        session.AddMinted(amount);
        // The reward actor f02 is what new money comes from on Filecoin.
        var message = new Message { From = Address.FromId(2), To = account, Value = amount };
        session.AddMessage(message, receiver.Id, epoch, null, ExitCode.Ok, default);
        session.AdvanceTo(epoch);
    }

    private LedgerResult Apply(Message message, LedgerActor sender)
    {
        LedgerResult Done(int exitCode, ReadOnlyMemory<byte> returned = default, LedgerChannel? channel = null) =>
            new(exitCode, returned, message, epoch, channel);

        if (message.Value.IsNegative || sender.Balance < message.Value)
            return Done(ExitCode.InsufficientFunds);
        if (message.To == Address.Init)
        {
            int exitCode = CreateChannel(message, sender, out ReadOnlyMemory<byte> returned);
            return Done(exitCode, returned);
        }

        LedgerActor? receiver = session.FindActor(message.To);
        if (receiver is null && message.To.Protocol == AddressProtocol.Secp256k1)
            receiver = session.AddActor(message.To, ActorKind.Account);
        if (receiver is null or { Kind: ActorKind.Collected })
            return Done(ExitCode.InvalidReceiver);
        if (receiver.Kind == ActorKind.Channel)
        {
            LedgerChannel channel = session.FindChannel(receiver.Id) ?? throw session.Damaged($"channel {receiver.Id} has no state");
            return Done(CallChannel(message, sender, receiver, channel), default, channel);
        }
        if (message.Method != PaychMethod.Transfer)
            return Done(ExitCode.UnhandledMessage);
        Move(sender.Id, receiver.Id, message.Value);
        return Done(ExitCode.Ok);
    }

    private int CreateChannel(Message message, LedgerActor sender, out ReadOnlyMemory<byte> returned)
    {
        returned = default;
        if (message.Method != PaychMethod.InitExec)
            return ExitCode.UnhandledMessage;
        if (!InitExecParams.TryDecode(message.Params, out InitExecParams? exec)
            || !PaychConstructorParams.TryDecode(exec!.ConstructorParams, out PaychConstructorParams? parties))
            return ExitCode.Serialization;
        LockHashKind? lockHash = null;
        foreach (LockHashKind kind in Enum.GetValues<LockHashKind>())
        {
            if (CodeOf(kind) == exec.Code)
                lockHash = kind;
        }
        if (lockHash is null)
            return ExitCode.Forbidden;
        // On Filecoin a multisig or contract could be a party; here only accounts live.
        if (!CanBeParty(parties!.From) || !CanBeParty(parties.To))
            return ExitCode.NotFound;

        Address robust = Address.PredictActor(message.From, message.Nonce);
        LedgerActor actor = session.AddActor(robust, ActorKind.Channel);
        LedgerActor from = session.FindActor(parties.From) ?? session.AddActor(parties.From, ActorKind.Account);
        LedgerActor to = session.FindActor(parties.To) ?? session.AddActor(parties.To, ActorKind.Account);
        session.AddChannel(new LedgerChannel(actor.Id, lockHash.Value, PaychActor.Construct(from.Id, to.Id)));
        Move(sender.Id, actor.Id, message.Value);
        returned = new InitExecReturn(Address.FromId(actor.Id), robust).Encode();
        return ExitCode.Ok;
    }

    private bool CanBeParty(Address address) =>
        session.FindActor(address) is { } actor ? actor.Kind == ActorKind.Account : address.Protocol == AddressProtocol.Secp256k1;

    private int CallChannel(Message message, LedgerActor sender, LedgerActor receiver, LedgerChannel channel)
    {
        TokenAmount balance = receiver.Balance + message.Value;
        var context = new PaychContext(sender.Id, receiver.Id, epoch, balance, channel.LockHash, settleDelay);
        // A message without parameters is one with an empty field (docs/filecoin.md section 3). A bare null here would be an
        // empty memory.
        ReadOnlyMemory<byte>? parameters = message.Params.IsEmpty ? default(ReadOnlyMemory<byte>?) : message.Params;
        PaychOutcome outcome = PaychActor.Invoke(channel.State, context, new Host(session), message.Method, parameters);
        if (!outcome.Succeeded)
            return outcome.ExitCode;

        Move(sender.Id, receiver.Id, message.Value);
        if (outcome.Collected)
        {
            Move(receiver.Id, channel.State.To, outcome.PaidToPayee);
            Move(receiver.Id, channel.State.From, balance - outcome.PaidToPayee);
        }
        session.SaveChannel(channel, outcome.State);
        return ExitCode.Ok;
    }

    private void Move(ulong from, ulong to, TokenAmount amount)
    {
        if (amount.IsZero)
            return;
        Change(from, TokenAmount.Zero - amount);
        Change(to, amount);
    }

    private void Change(ulong id, TokenAmount amount)
    {
        LedgerActor actor = session.FindActor(id) ?? throw session.Damaged($"actor {id} is missing");
        session.SetBalance(id, actor.Balance + amount);
    }

    private sealed class Host(LedgerSession session) : IPaychHost
    {
        public bool TryResolve(Address address, out ulong id)
        {
            LedgerActor? actor = session.FindActor(address);
            id = actor?.Id ?? 0;
            return actor is not null;
        }

        public int Authenticate(ulong signer, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> signedBytes)
        {
            if (session.FindActor(signer) is not { Kind: ActorKind.Account } actor)
                return ExitCode.AssertionFailed;
            bool signed = SecpSignature.TryRecover(VoucherSigning.DigestOf(signedBytes), signature, out byte[] publicKey)
                && Address.FromSecp256k1(publicKey) == actor.Address;
            return signed ? ExitCode.Ok : ExitCode.IllegalArgument;
        }

        // No actor on this ledger answers to a call from a channel.
        public int CallExtra(ExtraCall extra) => TryResolve(extra.Actor, out _) ? ExitCode.UnhandledMessage : ExitCode.Unspecified;
    }
}
