using System.Security.Cryptography;
using Lockstep.Payments.Addresses;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math;

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
        var signer = new ECDsaSigner(new HMacDsaKCalculator(new Sha256Digest()));
        signer.Init(true, new ECPrivateKeyParameters(new BigInteger(1, secret), SecpCurve.Domain));
        BigInteger[] pair = signer.GenerateSignature(digest.ToArray());
        BigInteger s = pair[1].CompareTo(SecpCurve.HalfOrder) > 0 ? SecpCurve.Domain.N.Subtract(pair[1]) : pair[1];

        var signature = new byte[SecpSignature.Length];
        SecpCurve.WriteScalar(pair[0], signature.AsSpan(0, 32));
        SecpCurve.WriteScalar(s, signature.AsSpan(32, 32));
        for (byte recovery = 0; recovery < 2; recovery++)
        {
            signature[64] = recovery;
            if (SecpSignature.TryRecover(digest, signature, out byte[] recovered) && recovered.AsSpan().SequenceEqual(publicKey))
                return signature;
        }
        // r would have to be at least the group's order: probability 2^-127.
        throw new CryptographicException("The signature has no recovery bit.");
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
}
