using System.Diagnostics.CodeAnalysis;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Rails;

/// <summary>A voucher that passed, or the reason why it did not.</summary>
public sealed record VoucherVerdict
{
    private VoucherVerdict(PaymentVoucher? voucher, VoucherRefusal? refusal) => (Voucher, Refusal) = (voucher, refusal);

    public PaymentVoucher? Voucher { get; }

    public VoucherRefusal? Refusal { get; }

    [MemberNotNullWhen(true, nameof(Voucher))]
    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool Accepted => Voucher is not null;

    public static VoucherVerdict Accept(PaymentVoucher voucher) => new(voucher, null);

    public static VoucherVerdict Refuse(VoucherRefusalReason reason, string sentence) => new(null, new VoucherRefusal(reason, sentence));
}
