namespace Lockstep.Payments.Rails;

/// <summary>
/// What a payer promises, in the words that every rail has. Nothing else may be in a voucher between our peers: no merges,
/// no extra call, no start time, no minimum settle height.
/// </summary>
/// <param name="Channel">The only channel it is good for.</param>
/// <param name="Lane">The lane it counts on.</param>
/// <param name="Nonce">Its number on that lane.</param>
/// <param name="Amount">Cumulative amount of the lane, not the price of one chunk.</param>
/// <param name="Lock">The lock whose secret must be shown, or null for an unlocked voucher.</param>
/// <param name="Expiry">The last epoch in which it can be redeemed, or null when it never expires.</param>
public sealed record VoucherTerms(ChannelId Channel, LaneId Lane, Nonce Nonce, TokenAmount Amount, HashLock? Lock, Epoch? Expiry)
{
    public VoucherKey Key => new(Channel, Lane, Nonce);
}

/// <summary>A signed voucher of any rail. Made by signing or decoding through the rail's <see cref="IVoucherScheme"/>.</summary>
/// <param name="Terms">What it promises.</param>
/// <param name="Signer">The account whose signature it carries, recovered from the signature itself.</param>
/// <param name="Encoded">The rail's canonical bytes, as sent, stored and redeemed.</param>
public sealed record PaymentVoucher(VoucherTerms Terms, AccountId Signer, ReadOnlyMemory<byte> Encoded)
{
    public VoucherKey Key => Terms.Key;

    public ChannelId Channel => Terms.Channel;

    public LaneId Lane => Terms.Lane;

    public Nonce Nonce => Terms.Nonce;

    public TokenAmount Amount => Terms.Amount;

    public HashLock? Lock => Terms.Lock;

    public Epoch? Expiry => Terms.Expiry;

    public bool IsLocked => Terms.Lock is not null;

    /// <summary>True once no epoch is left in which the rail would pay it.</summary>
    public bool IsExpired(Epoch now) => Terms.Expiry is { } expiry && now > expiry;

    // Vouchers are compared by what they promise and who promised it, never by bytes.
    public bool Equals(PaymentVoucher? other) => other is not null && Terms == other.Terms && Signer == other.Signer;

    public override int GetHashCode() => HashCode.Combine(Terms, Signer);
}
