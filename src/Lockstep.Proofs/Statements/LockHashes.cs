using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Digests;

namespace Lockstep.Proofs;

/// <summary>The lock hash functions.</summary>
public static class LockHashes
{
    /// <summary>The lock y = hash(key), 32 bytes.</summary>
    public static byte[] Hash(LockHash kind, ReadOnlySpan<byte> key)
    {
        if (kind == LockHash.Sha256)
            return SHA256.HashData(key);
        var digest = new byte[ChunkStatement.LockSize];
        var blake2b = new Blake2bDigest(8 * digest.Length);
        blake2b.BlockUpdate(key);
        blake2b.DoFinal(digest, 0);
        return digest;
    }
}
