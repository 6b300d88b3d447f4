using Lockstep.Payments.Addresses;
using Lockstep.Payments.Encodings;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;

namespace Lockstep.Payments.Vouchers;

/// <summary>
/// Vouchers of Filecoin's payment-channel actor, on the local ledger and on Filecoin. Accounts are f1 addresses and channels
/// f2 addresses, written with the network's letter.
/// </summary>
public sealed class FilecoinVoucherScheme(Network network) : IVoucherScheme
{
    // Vouchers sign CBOR (first byte 8b) and messages sign a CID (first byte 01), so no statement can be either.
    private static readonly byte[] StatementPrefix = "lockstep statement/1\n"u8.ToArray();

    public string Id => "filecoin-paych";

    public AccountId AccountOf(SecpKey key) => new(key.Address.ToString(network));

    /// <summary>The account with an f1 address.</summary>
    public AccountId AccountAt(Address address) => new(address.ToString(network));

    /// <summary>The channel with an f2 address.</summary>
    public ChannelId ChannelAt(Address address) => new(address.ToString(network));

    public bool TryParseAccount(string text, out AccountId account, out string error)
    {
        bool parsed = TryParse(text, AddressProtocol.Secp256k1, "an account's address begins with {0}1", out string canonical, out error);
        account = new AccountId(canonical);
        return parsed;
    }

    public bool TryParseChannel(string text, out ChannelId channel, out string error)
    {
        bool parsed = TryParse(text, AddressProtocol.Actor, "a channel's address begins with {0}2", out string canonical, out error);
        channel = new ChannelId(canonical);
        return parsed;
    }

    public PaymentVoucher Sign(SecpKey payer, VoucherTerms terms)
    {
        if (!Address.TryParse(terms.Channel.Text, out Address channel, out _, out string error))
            throw new ArgumentException(error, nameof(terms));
        // 0 would mean "never expires" and a negative epoch "always expired".
        if (terms.Expiry is { Value: <= 0 })
            throw new ArgumentException($"A voucher cannot expire at epoch {terms.Expiry}.", nameof(terms));
        if (terms.Amount.IsNegative)
            throw new ArgumentException("A voucher's amount is not negative.", nameof(terms));
        var voucher = new Voucher
        {
            Channel = channel,
            TimeLockMax = terms.Expiry ?? Epoch.Zero,
            SecretHash = terms.Lock?.Hash ?? ReadOnlyMemory<byte>.Empty,
            Lane = terms.Lane,
            Nonce = terms.Nonce,
            Amount = terms.Amount,
        };
        return new PaymentVoucher(terms, AccountOf(payer), voucher.Sign(payer).Encode());
    }

    public VoucherVerdict Decode(ReadOnlyMemory<byte> encoded, LockHashKind lockHash)
    {
        if (!VoucherCodec.TryDecode(encoded, VoucherReading.Canonical, out SignedVoucher? signed, out VoucherRefusalReason reason))
        {
            return VoucherVerdict.Refuse(reason, reason == VoucherRefusalReason.NotCanonical
                ? "The voucher is not in its canonical bytes, so it could stand under two names."
                : "The voucher's bytes could not be decoded: expected the 11 fields of a Filecoin voucher.");
        }
        Voucher voucher = signed.Voucher;
        if (CheckShape(voucher) is { } shape)
            return shape;
        if (signed.Signature is not { } signature)
            return VoucherVerdict.Refuse(VoucherRefusalReason.Unsigned, "The voucher carries no signature.");
        if (!SecpSignature.IsCanonical(signature.Data.Span) || !signed.TryRecoverSigner(out Address signer))
            return VoucherVerdict.Refuse(VoucherRefusalReason.BadSignature, "The voucher's signature is not a canonical secp256k1 signature.");

        var terms = new VoucherTerms(
            ChannelAt(voucher.Channel), voucher.Lane, voucher.Nonce, voucher.Amount,
            voucher.SecretHash.IsEmpty ? null : new HashLock(lockHash, voucher.SecretHash.Span),
            voucher.TimeLockMax == Epoch.Zero ? null : voucher.TimeLockMax);
        return VoucherVerdict.Accept(new PaymentVoucher(terms, AccountAt(signer), encoded));
    }

    public byte[] SignStatement(SecpKey key, ReadOnlySpan<byte> statement) => key.SignDigest(StatementDigest(statement));

    public bool VerifyStatement(AccountId account, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature) =>
        SecpSignature.IsCanonical(signature)
        && SecpSignature.TryRecover(StatementDigest(statement), signature, out byte[] publicKey)
        && AccountAt(Address.FromSecp256k1(publicKey)) == account;

    private static byte[] StatementDigest(ReadOnlySpan<byte> statement) => Blake2b.Hash256([.. StatementPrefix, .. statement]);

    private static VoucherVerdict? CheckShape(Voucher voucher)
    {
        if (voucher.Extra is not null)
            return VoucherVerdict.Refuse(VoucherRefusalReason.HasExtra, "The voucher depends on a call to another actor, which could fail when it is redeemed.");
        if (voucher.Merges.Count != 0)
            return VoucherVerdict.Refuse(VoucherRefusalReason.HasMerges, "The voucher merges other lanes, which this protocol does not use.");
        if (voucher.TimeLockMin != Epoch.Zero)
            return VoucherVerdict.Refuse(VoucherRefusalReason.HasStartTime, $"The voucher cannot be redeemed before epoch {voucher.TimeLockMin}.");
        if (voucher.MinSettleHeight != Epoch.Zero)
            return VoucherVerdict.Refuse(VoucherRefusalReason.HasMinSettleHeight, $"The voucher would keep the channel open until epoch {voucher.MinSettleHeight}.");
        if (voucher.SecretHash.Length is not (0 or HashLock.Length))
            return VoucherVerdict.Refuse(VoucherRefusalReason.BadLockLength, $"The voucher's lock has {voucher.SecretHash.Length} bytes; no secret opens a lock that is not {HashLock.Length} bytes.");
        return null;
    }

    private bool TryParse(string text, AddressProtocol wanted, string expectation, out string canonical, out string error)
    {
        canonical = "";
        if (!Address.TryParse(text, out Address address, out Network letter, out error))
            return false;
        if (letter != network)
            error = $"'{text}' is an address of the {(letter == Network.Main ? "main" : "test")} network; this ledger uses the other one.";
        else if (address.Protocol != wanted)
            error = $"'{text}' is of the wrong kind: " + string.Format(System.Globalization.CultureInfo.InvariantCulture, expectation, network == Network.Main ? 'f' : 't') + ".";
        else
            canonical = text;
        return canonical.Length != 0;
    }
}
