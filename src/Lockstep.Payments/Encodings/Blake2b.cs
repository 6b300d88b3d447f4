using Org.BouncyCastle.Crypto.Digests;

namespace Lockstep.Payments.Encodings;

/// <summary>Unkeyed BLAKE2b at the output lengths that Filecoin uses. The length is part of the function, not a truncation.</summary>
internal static class Blake2b
{
    public static byte[] Hash256(ReadOnlySpan<byte> data) => Hash(data, 32);

    public static byte[] Hash160(ReadOnlySpan<byte> data) => Hash(data, 20);

    public static byte[] Hash512(ReadOnlySpan<byte> data) => Hash(data, 64);

    /// <summary>An address checksum (docs/filecoin.md section 4).</summary>
    public static byte[] Hash32(ReadOnlySpan<byte> data) => Hash(data, 4);

    private static byte[] Hash(ReadOnlySpan<byte> data, int length)
    {
        var digest = new Blake2bDigest(length * 8);
        digest.BlockUpdate(data);
        byte[] output = new byte[length];
        digest.DoFinal(output, 0);
        return output;
    }
}
