using Org.BouncyCastle.Crypto.EC;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Utilities;

namespace Lockstep.Payments.Keys;

/// <summary>The constants of secp256k1.</summary>
internal static class SecpCurve
{
    public static ECDomainParameters Domain { get; } = new(CustomNamedCurves.GetByName("secp256k1"));

    /// <summary>Half the group's order: the highest s of a canonical signature.</summary>
    public static BigInteger HalfOrder { get; } = Domain.N.ShiftRight(1);

    public static void WriteScalar(BigInteger scalar, Span<byte> destination) =>
        BigIntegers.AsUnsignedByteArray(destination.Length, scalar).CopyTo(destination);
}
