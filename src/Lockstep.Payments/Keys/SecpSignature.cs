using Org.BouncyCastle.Math;
using Org.BouncyCastle.Math.EC;
using Org.BouncyCastle.Utilities;

namespace Lockstep.Payments.Keys;

/// <summary>Recoverable secp256k1 signatures over 32-byte digests: r, s, v in 65 bytes.</summary>
public static class SecpSignature
{
    /// <summary>Bytes in a signature.</summary>
    public const int Length = 65;

    /// <summary>Bytes in a digest.</summary>
    public const int DigestLength = 32;

    /// <summary>
    /// The 65-byte uncompressed key that made a signature. Takes high s, as Filecoin does; v is 0 to 3. A wrong digest gives
    /// another key, so compare the key or its address.
    /// </summary>
    public static bool TryRecover(ReadOnlySpan<byte> digest, ReadOnlySpan<byte> signature, out byte[] publicKey)
    {
        publicKey = [];
        if (digest.Length != DigestLength || signature.Length != Length || signature[64] > 3)
            return false;
        var r = new BigInteger(1, signature[..32]);
        var s = new BigInteger(1, signature[32..64]);
        BigInteger order = SecpCurve.Domain.N;
        if (r.SignValue == 0 || s.SignValue == 0 || r.CompareTo(order) >= 0 || s.CompareTo(order) >= 0)
            return false;
        if (!TryLiftPoint(r, signature[64], out ECPoint? point))
            return false;

        // The key is (s R - e G) / r.
        var e = new BigInteger(1, digest);
        BigInteger inverse = BigIntegers.ModOddInverseVar(order, r);
        BigInteger generatorFactor = inverse.Multiply(e.Negate()).Mod(order);
        BigInteger pointFactor = inverse.Multiply(s).Mod(order);
        ECPoint key = ECAlgorithms.SumOfTwoMultiplies(SecpCurve.Domain.G, generatorFactor, point!, pointFactor).Normalize();
        if (key.IsInfinity)
            return false;
        publicKey = key.GetEncoded(compressed: false);
        return true;
    }

    /// <summary>True for the one form our own peers use: s at most half the order, v = 0 or 1.</summary>
    public static bool IsCanonical(ReadOnlySpan<byte> signature) =>
        signature.Length == Length && signature[64] <= 1
        && new BigInteger(1, signature[32..64]).CompareTo(SecpCurve.HalfOrder) <= 0;

    private static bool TryLiftPoint(BigInteger r, byte recovery, out ECPoint? point)
    {
        point = null;
        // Bit 1 says that the point's x was r plus the order.
        BigInteger x = (recovery & 2) == 0 ? r : r.Add(SecpCurve.Domain.N);
        if (x.CompareTo(SecpCurve.Domain.Curve.Field.Characteristic) >= 0)
            return false;
        Span<byte> compressed = stackalloc byte[33];
        compressed[0] = (byte)(2 | (recovery & 1));
        SecpCurve.WriteScalar(x, compressed[1..]);
        try
        {
            point = SecpCurve.Domain.Curve.DecodePoint(compressed.ToArray());
            return true;
        }
        catch (ArgumentException)
        {
            // x is on no point of the curve.
            return false;
        }
    }
}
