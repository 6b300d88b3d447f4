using Lockstep.Payments.Addresses;
using Lockstep.Payments.Encodings;

namespace Lockstep.Payments.Vouchers;

/// <summary>
/// A call that must succeed for a voucher to be redeemed (docs/filecoin.md section 7). Our own peers neither send nor take one.
/// </summary>
public sealed record ExtraCall(Address Actor, ulong Method, ReadOnlyMemory<byte> Data);

/// <summary>A lane that a voucher folds into its own.</summary>
public readonly record struct LaneMerge(LaneId Lane, Nonce Nonce);

/// <summary>The ten fields of a Filecoin voucher that are signed (docs/filecoin.md section 1.2), in their order.</summary>
public sealed record Voucher
{
    public required Address Channel { get; init; }

    /// <summary>The first epoch in which it can be redeemed.</summary>
    public Epoch TimeLockMin { get; init; }

    /// <summary>The last epoch in which it can be redeemed; 0 for no end, negative for never.</summary>
    public Epoch TimeLockMax { get; init; }

    /// <summary>What the secret must hash to; empty for no lock. Any length can be written, only 32 bytes can be opened.</summary>
    public ReadOnlyMemory<byte> SecretHash { get; init; }

    public ExtraCall? Extra { get; init; }

    public LaneId Lane { get; init; }

    public Nonce Nonce { get; init; }

    /// <summary>Cumulative amount of the lane.</summary>
    public TokenAmount Amount { get; init; }

    /// <summary>The channel cannot be collected before this epoch once the voucher is redeemed; 0 for no wish.</summary>
    public Epoch MinSettleHeight { get; init; }

    public IReadOnlyList<LaneMerge> Merges { get; init; } = [];

    /// <summary>What is signed: the 11-tuple without its signature. No prefix and no chain id (docs/filecoin.md section 1.3).</summary>
    public byte[] SigningBytes() => VoucherCodec.Encode(this, null);

    /// <summary>BLAKE2b-256 of <see cref="SigningBytes"/>, which secp256k1 keys sign.</summary>
    public byte[] SigningDigest() => Blake2b.Hash256(SigningBytes());
}

/// <summary>A voucher and its signature, which may be missing.</summary>
public sealed record SignedVoucher(Voucher Voucher, Signature? Signature)
{
    /// <summary>The canonical bytes.</summary>
    public byte[] Encode() => VoucherCodec.Encode(Voucher, Signature);

    /// <summary>The text that Filecoin tools exchange: base64 in the URL alphabet without padding.</summary>
    public string ToText() => System.Buffers.Text.Base64Url.EncodeToString(Encode());
}
