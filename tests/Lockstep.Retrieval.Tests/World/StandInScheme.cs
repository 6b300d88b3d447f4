using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lockstep.Payments;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Retrieval.Tests.World;

/// <summary>Vouchers as text with a signature that is a hash under the account's name: cheap, and for tests only.</summary>
internal sealed class StandInScheme : IVoucherScheme
{
    public string Id => "stand-in";

    public static PaymentVoucher Sign(AccountId signer, VoucherTerms terms)
    {
        string body = string.Join('|', terms.Channel, terms.Lane, terms.Nonce, terms.Amount, terms.Lock?.ToString() ?? "-", terms.Expiry?.ToString() ?? "-", signer);
        string text = $"{body}|{Seal(signer, Encoding.UTF8.GetBytes(body))}";
        return new PaymentVoucher(terms, signer, Encoding.UTF8.GetBytes(text));
    }

    public static byte[] SignStatement(AccountId signer, ReadOnlySpan<byte> statement) => Encoding.UTF8.GetBytes(Seal(signer, statement));

    public AccountId AccountOf(SecpKey key) => throw new NotSupportedException();

    public bool TryParseAccount(string text, out AccountId account, out string error)
    {
        (account, error) = (new AccountId(text), "");
        return true;
    }

    public bool TryParseChannel(string text, out ChannelId channel, out string error)
    {
        (channel, error) = (new ChannelId(text), "");
        return true;
    }

    public PaymentVoucher Sign(SecpKey payer, VoucherTerms terms) => throw new NotSupportedException();

    public byte[] SignStatement(SecpKey key, ReadOnlySpan<byte> statement) => throw new NotSupportedException();

    public VoucherVerdict Decode(ReadOnlyMemory<byte> encoded, LockHashKind lockHash)
    {
        string[] parts = Encoding.UTF8.GetString(encoded.Span).Split('|');
        if (parts.Length != 8 || !TokenAmount.TryParseAtto(parts[3], out TokenAmount amount))
            return VoucherVerdict.Refuse(VoucherRefusalReason.Malformed, "Not a voucher.");
        HashLock? keyLock = parts[4] == "-" ? null : new HashLock(lockHash, Convert.FromHexString(parts[4].Split(':')[1]));
        Epoch? expiry = parts[5] == "-" ? null : new Epoch(long.Parse(parts[5], CultureInfo.InvariantCulture));
        var terms = new VoucherTerms(
            new ChannelId(parts[0]), new LaneId(ulong.Parse(parts[1], CultureInfo.InvariantCulture)),
            new Nonce(ulong.Parse(parts[2], CultureInfo.InvariantCulture)), amount, keyLock, expiry);
        PaymentVoucher expected = Sign(new AccountId(parts[6]), terms);
        return expected.Encoded.Span.SequenceEqual(encoded.Span)
            ? VoucherVerdict.Accept(expected)
            : VoucherVerdict.Refuse(VoucherRefusalReason.BadSignature, "Badly signed.");
    }

    public bool VerifyStatement(AccountId account, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature) =>
        signature.SequenceEqual(SignStatement(account, statement));

    private static string Seal(AccountId signer, ReadOnlySpan<byte> body) =>
        Convert.ToHexString(SHA256.HashData([.. Encoding.UTF8.GetBytes(signer.Text), 0, .. body]));
}
