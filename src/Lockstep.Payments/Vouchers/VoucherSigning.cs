using Lockstep.Payments.Addresses;
using Lockstep.Payments.Encodings;
using Lockstep.Payments.Keys;

namespace Lockstep.Payments.Vouchers;

/// <summary>secp256k1 signatures of vouchers.</summary>
public static class VoucherSigning
{
    /// <summary>The digest that a secp256k1 account signs for a voucher's signed bytes: BLAKE2b-256.</summary>
    public static byte[] DigestOf(ReadOnlySpan<byte> signedBytes) => Blake2b.Hash256(signedBytes);

    /// <summary>Signs with the one canonical signature of this key.</summary>
    public static SignedVoucher Sign(this Voucher voucher, SecpKey key) =>
        new(voucher, new Signature(SignatureType.Secp256k1, key.SignDigest(voucher.SigningDigest())));

    /// <summary>The f1 address that signed. False for a missing, foreign or broken signature.</summary>
    public static bool TryRecoverSigner(this SignedVoucher signed, out Address signer)
    {
        signer = default;
        if (signed.Signature is not { Type: SignatureType.Secp256k1 } signature
            || !SecpSignature.TryRecover(signed.Voucher.SigningDigest(), signature.Data.Span, out byte[] publicKey))
            return false;
        signer = Address.FromSecp256k1(publicKey);
        return true;
    }
}
