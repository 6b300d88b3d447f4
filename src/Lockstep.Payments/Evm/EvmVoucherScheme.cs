using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Lockstep.Payments.Encodings;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Evm;

/// <summary>
/// Vouchers of the EVM rail: signed as EIP-712 typed data, so that a voucher is good on one contract of one chain, and written
/// in 174 bytes that have one form only (docs/rails.md).
/// </summary>
public sealed class EvmVoucherScheme : IVoucherScheme
{
    // version 1, chain 8, contract 20, channel 8, lane 8, nonce 8, amount 16, lock 32, expiry 8, signature 65; numbers big-endian.
    private const byte Version = 1;
    private const int ChainAt = 1, ContractAt = 9, ChannelAt = 29, LaneAt = 37, NonceAt = 45, AmountAt = 53, LockAt = 69, ExpiryAt = 101, SignatureAt = 109;

    /// <summary>Bytes of a voucher.</summary>
    public const int EncodedLength = SignatureAt + SecpSignature.Length;

    /// <summary>Lanes of a channel, from 0 on: the contract takes no more, so that they can be listed.</summary>
    public const int MaxLanes = 1 << 16;

    private static readonly byte[] StatementPrefix = "Lockstep statement\n"u8.ToArray();

    private readonly TypedData typedData;

    public EvmVoucherScheme(EvmContract contract)
    {
        Contract = contract;
        typedData = new TypedData(contract.ChainId, contract.Address);
    }

    public string Id => "evm-channels";

    /// <summary>Where the vouchers are good.</summary>
    public EvmContract Contract { get; }

    public AccountId AccountOf(SecpKey key) => new(EvmAddress.FromPublicKey(key.PublicKey.Span).ToString());

    public bool TryParseAccount(string text, out AccountId account, out string error)
    {
        bool isParsed = EvmAddress.TryParse(text, out EvmAddress address, out error);
        account = new AccountId(isParsed ? address.ToString() : "");
        return isParsed;
    }

    public bool TryParseChannel(string text, out ChannelId channel, out string error)
    {
        bool isParsed = Contract.TryParseChannel(text, out ulong number, out error);
        channel = isParsed ? Contract.ChannelAt(number) : default;
        return isParsed;
    }

    public PaymentVoucher Sign(SecpKey payer, VoucherTerms terms)
    {
        if (!Contract.TryParseChannel(terms.Channel.Text, out ulong channel, out string error))
            throw new ArgumentException(error, nameof(terms));
        if (terms.Lane.Value >= MaxLanes)
            throw new ArgumentException($"Lane {terms.Lane} is beyond the {MaxLanes} lanes of a channel.", nameof(terms));
        if (terms.Lock is { Kind: not LockHashKind.Sha256 })
            throw new ArgumentException("The locks of this rail are SHA-256.", nameof(terms));
        // 0 would mean "never expires".
        if (terms.Expiry is { Value: <= 0 })
            throw new ArgumentException($"A voucher cannot expire at block {terms.Expiry}.", nameof(terms));
        if (terms.Amount.IsNegative || terms.Amount.Atto.GetBitLength() > 128)
            throw new ArgumentException("A voucher's amount is from 0 to 2^128 - 1.", nameof(terms));

        var encoded = new byte[EncodedLength];
        Span<byte> bytes = encoded;
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt64BigEndian(bytes[ChainAt..], Contract.ChainId);
        Contract.Address.Bytes.Span.CopyTo(bytes[ContractAt..]);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[ChannelAt..], channel);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[LaneAt..], terms.Lane.Value);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[NonceAt..], terms.Nonce.Value);
        BinaryPrimitives.WriteUInt128BigEndian(bytes[AmountAt..], (UInt128)terms.Amount.Atto);
        terms.Lock?.Hash.Span.CopyTo(bytes[LockAt..]);
        BinaryPrimitives.WriteInt64BigEndian(bytes[ExpiryAt..], terms.Expiry?.Value ?? 0);
        payer.SignDigest(typedData.VoucherDigest(channel, terms)).CopyTo(bytes[SignatureAt..]);
        return new PaymentVoucher(terms, AccountOf(payer), encoded);
    }

    public VoucherVerdict Decode(ReadOnlyMemory<byte> encoded, LockHashKind lockHash)
    {
        ReadOnlySpan<byte> bytes = encoded.Span;
        if (bytes.Length != EncodedLength || bytes[0] != Version)
            return VoucherVerdict.Refuse(VoucherRefusalReason.Malformed, $"The voucher's bytes could not be decoded: expected the {EncodedLength} bytes of version {Version} of this rail's vouchers.");
        var contract = new EvmContract(BinaryPrimitives.ReadUInt64BigEndian(bytes[ChainAt..]), new EvmAddress(bytes.Slice(ContractAt, EvmAddress.Length)));
        if (contract != Contract)
            return VoucherVerdict.Refuse(VoucherRefusalReason.WrongChannel, $"The voucher is for {contract.RailId}; this rail is {Contract.RailId}.");
        ulong channel = BinaryPrimitives.ReadUInt64BigEndian(bytes[ChannelAt..]);
        if (!Contract.TryParseChannel(Contract.ChannelAt(channel).Text, out _, out string error))
            return VoucherVerdict.Refuse(VoucherRefusalReason.WrongChannel, error);
        long expiry = BinaryPrimitives.ReadInt64BigEndian(bytes[ExpiryAt..]);
        if (expiry < 0)
            return VoucherVerdict.Refuse(VoucherRefusalReason.Malformed, "The voucher's expiry is out of range.");
        var lane = new LaneId(BinaryPrimitives.ReadUInt64BigEndian(bytes[LaneAt..]));
        if (lane.Value >= MaxLanes)
            return VoucherVerdict.Refuse(VoucherRefusalReason.WrongLane, $"Lane {lane} is beyond the {MaxLanes} lanes of a channel.");

        ReadOnlySpan<byte> hash = bytes.Slice(LockAt, HashLock.Length), signature = bytes[SignatureAt..];
        var terms = new VoucherTerms(
            Contract.ChannelAt(channel), lane, new Nonce(BinaryPrimitives.ReadUInt64BigEndian(bytes[NonceAt..])),
            new TokenAmount((BigInteger)BinaryPrimitives.ReadUInt128BigEndian(bytes[AmountAt..])),
            hash.ContainsAnyExcept((byte)0) ? new HashLock(LockHashKind.Sha256, hash) : null,
            expiry == 0 ? null : new Epoch(expiry));
        return SecpSignature.IsCanonical(signature) && SecpSignature.TryRecover(typedData.VoucherDigest(channel, terms), signature, out byte[] publicKey)
            ? VoucherVerdict.Accept(new PaymentVoucher(terms, new AccountId(EvmAddress.FromPublicKey(publicKey).ToString()), encoded))
            : VoucherVerdict.Refuse(VoucherRefusalReason.BadSignature, "The voucher's signature is not a canonical secp256k1 signature.");
    }

    // Signed as a personal message (EIP-191, version 45), which is neither typed data nor a transaction.
    public byte[] SignStatement(SecpKey key, ReadOnlySpan<byte> statement) => key.SignDigest(StatementDigest(statement));

    public bool VerifyStatement(AccountId account, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature) =>
        SecpSignature.IsCanonical(signature)
        && SecpSignature.TryRecover(StatementDigest(statement), signature, out byte[] publicKey)
        && EvmAddress.FromPublicKey(publicKey).ToString() == account.Text;

    /// <summary>Signs an agreement to close a channel at once: the 65 bytes that <c>close</c> takes in three words.</summary>
    public byte[] SignClose(SecpKey party, ulong channel, TokenAmount toPayee, Epoch deadline) => party.SignDigest(typedData.CloseDigest(channel, toPayee, deadline));

    private static byte[] StatementDigest(ReadOnlySpan<byte> statement)
    {
        byte[] message = [.. StatementPrefix, .. statement];
        return Keccak.Hash256([.. Encoding.ASCII.GetBytes($"\u0019Ethereum Signed Message:\n{message.Length}"), .. message]);
    }
}
