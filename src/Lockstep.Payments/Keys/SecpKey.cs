using System.Security.Cryptography;
using Lockstep.Payments.Addresses;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Math.EC.Multiplier;
using ECPoint = Org.BouncyCastle.Math.EC.ECPoint;

namespace Lockstep.Payments.Keys;

/// <summary>
/// A secp256k1 signing key. Holds the 32 secret bytes and overwrites them on dispose; the big integers made from them while
/// signing live in managed memory until it is collected, which no managed implementation can avoid.
/// </summary>
public sealed class SecpKey : IDisposable
{
    /// <summary>Bytes in a secret key.</summary>
    public const int SecretLength = 32;

    private readonly byte[] secret;
    private readonly byte[] publicKey;
    private bool disposed;

    private SecpKey(byte[] secret, byte[] publicKey) => (this.secret, this.publicKey) = (secret, publicKey);

    /// <summary>The 65-byte uncompressed public key, 04 first.</summary>
    public ReadOnlyMemory<byte> PublicKey => publicKey;

    /// <summary>The f1 address of the key.</summary>
    public Address Address => Address.FromSecp256k1(publicKey);

    /// <summary>Makes a key from 32 bytes; false when they are not a number from 1 to the group's order minus 1.</summary>
    public static bool TryFromSecret(ReadOnlySpan<byte> secret, out SecpKey? key)
    {
        key = null;
        if (secret.Length != SecretLength)
            return false;
        var scalar = new BigInteger(1, secret);
        if (scalar.SignValue == 0 || scalar.CompareTo(SecpCurve.Domain.N) >= 0)
            return false;
        byte[] publicKey = SecpCurve.Domain.G.Multiply(scalar).Normalize().GetEncoded(compressed: false);
        key = new SecpKey(secret.ToArray(), publicKey);
        return true;
    }

    /// <summary>Makes a key from 32 bytes. Throws <see cref="ArgumentException"/> when they are no key.</summary>
    public static SecpKey FromSecret(ReadOnlySpan<byte> secret) =>
        TryFromSecret(secret, out SecpKey? key) ? key! : throw new ArgumentException("The bytes are not a secp256k1 key.", nameof(secret));

    /// <summary>Makes a key from a source of randomness that fills its argument.</summary>
    public static SecpKey Generate(Action<Span<byte>> fillRandom)
    {
        Span<byte> candidate = stackalloc byte[SecretLength];
        SecpKey? key;
        // A candidate fails with probability 2^-128.
        do
            fillRandom(candidate);
        while (!TryFromSecret(candidate, out key));
        CryptographicOperations.ZeroMemory(candidate);
        return key!;
    }

    /// <summary>
    /// Signs a 32-byte digest: 65 bytes r, s, v with v = 0 or 1 and low s. The RFC 6979 nonce makes it the same every time.
    /// </summary>
    public byte[] SignDigest(ReadOnlySpan<byte> digest)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (digest.Length != SecpSignature.DigestLength)
            throw new ArgumentException($"A digest has {SecpSignature.DigestLength} bytes, not {digest.Length}.", nameof(digest));
        var signer = new RecoverableSigner();
        signer.Init(true, new ECPrivateKeyParameters(new BigInteger(1, secret), SecpCurve.Domain));
        BigInteger[] pair = signer.GenerateSignature(digest.ToArray());
        (BigInteger x, bool isOdd) = signer.NoncePoint;

        // x at or above the group's order would need another bit: probability 2^-127.
        if (!x.Equals(pair[0]))
            throw new CryptographicException("The signature has no recovery bit.");
        bool isHigh = pair[1].CompareTo(SecpCurve.HalfOrder) > 0;
        var signature = new byte[SecpSignature.Length];
        SecpCurve.WriteScalar(pair[0], signature.AsSpan(0, 32));
        SecpCurve.WriteScalar(isHigh ? SecpCurve.Domain.N.Subtract(pair[1]) : pair[1], signature.AsSpan(32, 32));

        // The other root of s belongs to the negated point.
        signature[64] = isOdd != isHigh ? (byte)1 : (byte)0;
        return signature;
    }

    /// <summary>Copies the secret out, for a wallet file. The caller overwrites the copy.</summary>
    public void CopySecretTo(Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        secret.CopyTo(destination);
    }

    public void Dispose()
    {
        if (disposed)
            return;
        CryptographicOperations.ZeroMemory(secret);
        disposed = true;
    }

    // The recovery bit says which of the two points with this r the nonce made; the signer forgets it, so it is caught on its way.
    private sealed class RecoverableSigner() : ECDsaSigner(new HMacDsaKCalculator(new Sha256Digest()))
    {
        private readonly Multiplier multiplier = new();

        /// <summary>Affine x of the last signature's nonce point, and whether its y is odd.</summary>
        public (BigInteger X, bool IsOdd) NoncePoint
        {
            get
            {
                ECPoint point = multiplier.Last!.Normalize();
                return (point.AffineXCoord.ToBigInteger(), point.AffineYCoord.TestBitZero());
            }
        }

        protected override ECMultiplier CreateBasePointMultiplier() => multiplier;

        private sealed class Multiplier : ECMultiplier
        {
            private readonly FixedPointCombMultiplier comb = new();

            public ECPoint? Last { get; private set; }

            public ECPoint Multiply(ECPoint p, BigInteger k) => Last = comb.Multiply(p, k);
        }
    }
}
