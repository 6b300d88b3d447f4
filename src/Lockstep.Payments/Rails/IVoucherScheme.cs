using Lockstep.Payments.Keys;

namespace Lockstep.Payments.Rails;

/// <summary>How a rail writes, signs and reads vouchers and accounts. Pure: no chain, no clock.</summary>
public interface IVoucherScheme
{
    /// <summary>Names the byte format and signature rule, e.g. <c>filecoin-paych</c>.</summary>
    string Id { get; }

    /// <summary>The account a key controls on this rail.</summary>
    AccountId AccountOf(SecpKey key);

    /// <summary>Reads an account and returns its canonical text; on failure <paramref name="error"/> is one sentence for people.</summary>
    bool TryParseAccount(string text, out AccountId account, out string error);

    /// <summary>Reads a channel and returns its canonical text; on failure <paramref name="error"/> is one sentence for people.</summary>
    bool TryParseChannel(string text, out ChannelId channel, out string error);

    /// <summary>Signs a voucher. Throws <see cref="ArgumentException"/> when the rail cannot express the terms.</summary>
    PaymentVoucher Sign(SecpKey payer, VoucherTerms terms);

    /// <summary>
    /// Reads a voucher from an untrusted peer: canonical bytes only, nothing but <see cref="VoucherTerms"/> in it, a
    /// signature from which an account can be recovered. Whether that account is the payer is the lane book's question.
    /// </summary>
    /// <param name="encoded">The bytes as received.</param>
    /// <param name="lockHash">The lock hash of the channel that the voucher is meant for; voucher bytes need not carry it.</param>
    VoucherVerdict Decode(ReadOnlyMemory<byte> encoded, LockHashKind lockHash);

    /// <summary>Signs bytes that are not a voucher (a proposal), under a prefix that no voucher and no message can have.</summary>
    byte[] SignStatement(SecpKey key, ReadOnlySpan<byte> statement);

    /// <summary>True when <paramref name="account"/> signed <paramref name="statement"/> with <see cref="SignStatement"/>.</summary>
    bool VerifyStatement(AccountId account, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature);
}
