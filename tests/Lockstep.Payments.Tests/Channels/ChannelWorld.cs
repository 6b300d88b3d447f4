using Lockstep.Payments.Addresses;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Tests.Channels;

/// <summary>One channel in memory: the actor's state, a clock, and both parties' keys.</summary>
internal sealed class ChannelWorld : IPaychHost, IDisposable
{
    public const ulong PayerId = 101, PayeeId = 102, ChannelActorId = 100;

    public ChannelWorld(long balance = 1000, LockHashKind lockHash = LockHashKind.Sha256)
    {
        Balance = new TokenAmount(balance);
        LockHash = lockHash;
        Robust = Address.PredictActor(Payer.Address, 0);
        State = PaychActor.Construct(PayerId, PayeeId);
    }

    public FilecoinVoucherScheme Scheme { get; } = new(Network.Test);

    public SecpKey Payer { get; } = Vectors.KeyNamed("A");

    public SecpKey Payee { get; } = Vectors.KeyNamed("B");

    public Address Robust { get; }

    public LockHashKind LockHash { get; }

    public TokenAmount Balance { get; set; }

    public Epoch Now { get; set; } = new(10);

    public PaychState State { get; private set; }

    public ChannelId Id => Scheme.ChannelAt(Robust);

    public AccountId PayeeAccount => Scheme.AccountOf(Payee);

    public ChannelSnapshot Snapshot => new()
    {
        Id = Id,
        Payer = Scheme.AccountOf(Payer),
        Payee = PayeeAccount,
        PartiesAreAccounts = true,
        LockHash = LockHash,
        Balance = Balance,
        ToSend = State.ToSend,
        SettlingAt = State.IsSettling ? State.SettlingAt : null,
        Lanes = State.Lanes,
        AsOf = Now,
    };

    public static byte[] SecretOf(int chunk) => [.. Enumerable.Repeat((byte)chunk, 32)];

    public HashLock LockOf(int chunk) => HashLock.Of(LockHash, SecretOf(chunk));

    public PaymentVoucher Sign(ulong lane, ulong nonce, long amount, HashLock? hashLock = null, long? expiry = null, SecpKey? signer = null) =>
        Scheme.Sign(signer ?? Payer, new VoucherTerms(
            Id, new LaneId(lane), new Nonce(nonce), new TokenAmount(amount), hashLock, expiry is { } epoch ? new Epoch(epoch) : null));

    /// <summary>Calls the actor as payee and keeps what it says.</summary>
    public int Redeem(PaymentVoucher voucher, ReadOnlyMemory<byte>? secret)
    {
        Assert.True(VoucherCodec.TryDecode(voucher.Encoded, VoucherReading.Canonical, out SignedVoucher? signed, out _));
        var parameters = new UpdateChannelStateParams(signed, secret ?? ReadOnlyMemory<byte>.Empty);
        return Call(PayeeId, PaychMethod.UpdateChannelState, parameters.Encode()).ExitCode;
    }

    public PaychOutcome Call(ulong caller, ulong method, ReadOnlyMemory<byte>? parameters = null)
    {
        var context = new PaychContext(caller, ChannelActorId, Now, Balance, LockHash, PaychActor.FilecoinSettleDelay);
        PaychOutcome outcome = PaychActor.Invoke(State, context, this, method, parameters);
        if (outcome.Succeeded && outcome.State is { } next)
            State = next;
        return outcome;
    }

    public bool TryResolve(Address address, out ulong id)
    {
        id = address == Robust ? ChannelActorId : address == Payer.Address ? PayerId : address == Payee.Address ? PayeeId : 0;
        return id != 0 || address.TryGetId(out id);
    }

    public int Authenticate(ulong signer, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> signedBytes)
    {
        Address expected = signer == PayerId ? Payer.Address : Payee.Address;
        bool signed = SecpSignature.TryRecover(VoucherSigning.DigestOf(signedBytes), signature, out byte[] key) && Address.FromSecp256k1(key) == expected;
        return signed ? ExitCode.Ok : ExitCode.IllegalArgument;
    }

    public int CallExtra(ExtraCall extra) => ExitCode.UnhandledMessage;

    public void Dispose()
    {
        Payer.Dispose();
        Payee.Dispose();
    }
}
