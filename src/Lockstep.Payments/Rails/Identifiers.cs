namespace Lockstep.Payments.Rails;

/// <summary>
/// An account on a rail, in the rail's canonical text (<c>t1…</c>, <c>f1…</c>, <c>0x…</c>). Made only by the rail's
/// <see cref="IVoucherScheme"/>, so two equal accounts have equal texts.
/// </summary>
public readonly record struct AccountId(string Text)
{
    public override string ToString() => Text;
}

/// <summary>A payment channel on a rail, in the rail's canonical text. It is part of every voucher's signed bytes.</summary>
public readonly record struct ChannelId(string Text)
{
    public override string ToString() => Text;
}

/// <summary>
/// What identifies a voucher: never its bytes, which the payee's rail lets anyone rewrite without breaking the signature
/// (docs/filecoin.md section 0, point 8).
/// </summary>
public readonly record struct VoucherKey(ChannelId Channel, LaneId Lane, Nonce Nonce)
{
    public override string ToString() => $"{Channel}/{Lane}/{Nonce}";
}

/// <summary>A place in a channel's history of redemptions. Opaque; its text may be stored. The default is the beginning.</summary>
public readonly record struct RedemptionCursor(string? Position)
{
    public static RedemptionCursor Start => default;
}
