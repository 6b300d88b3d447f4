using Org.BouncyCastle.Crypto.Digests;

namespace Lockstep.Payments.Encodings;

/// <summary>Keccak-256 with the padding of Ethereum, which is not SHA3-256's.</summary>
internal static class Keccak
{
    public static byte[] Hash256(params ReadOnlySpan<byte> data)
    {
        var digest = new KeccakDigest(256);
        digest.BlockUpdate(data);
        byte[] output = new byte[32];
        digest.DoFinal(output, 0);
        return output;
    }
}
