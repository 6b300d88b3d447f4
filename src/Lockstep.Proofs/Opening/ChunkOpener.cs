using System.Buffers;
using System.Security.Cryptography;
using Lockstep.Proofs.Ciphers;
using Org.BouncyCastle.Crypto.Digests;

namespace Lockstep.Proofs;

/// <summary>How opening a chunk ended.</summary>
public enum OpenStatus
{
    /// <summary>The plaintext is the block that the statement names.</summary>
    Opened,

    /// <summary>The chunk's statement is not well formed, or the lock hash is unknown.</summary>
    InvalidStatement,

    /// <summary>The key does not have 32 bytes.</summary>
    WrongKeyLength,

    /// <summary>The ciphertext is not as long as the block.</summary>
    WrongCiphertextLength,

    /// <summary>The destination is not as long as the block, or overlaps the ciphertext.</summary>
    WrongDestination,

    /// <summary>The key is not the preimage of the lock.</summary>
    KeyIsNotThePreimage,

    /// <summary>The decrypted bytes do not have the statement's digest.</summary>
    WrongDigest,
}

/// <summary>The end of an attempt to open a chunk.</summary>
/// <param name="Status">The typed reason.</param>
/// <param name="Message">One sentence for people.</param>
public sealed record OpenResult(OpenStatus Status, string Message)
{
    /// <summary>True when the plaintext is the right block.</summary>
    public bool IsOpened => Status == OpenStatus.Opened;
}

/// <summary>Opens a sealed chunk with its revealed key and checks both against the statement.</summary>
public static class ChunkOpener
{
    /// <summary>
    /// Checks the key against the lock, decrypts, and checks the digest. Never throws on its input; the destination is
    /// zero unless the result is <see cref="OpenStatus.Opened"/>, and the ciphertext is never touched.
    /// </summary>
    /// <param name="chunk">The chunk's public statement.</param>
    /// <param name="lockHash">The window's lock hash.</param>
    /// <param name="key">The revealed key, 32 bytes.</param>
    /// <param name="ciphertext">As long as the block.</param>
    /// <param name="plaintext">Receives the block; as long as the ciphertext and apart from it.</param>
    public static OpenResult Open(ChunkStatement chunk, LockHash lockHash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        // A failed attempt must leave the ciphertext for the next one: it may be paid for already.
        if (plaintext.Overlaps(ciphertext))
            return new OpenResult(OpenStatus.WrongDestination, "The destination overlaps the ciphertext; decrypt into memory of its own.");
        if (chunk.Validate(0) is { } fault)
            return Fail(plaintext, OpenStatus.InvalidStatement, fault.Message);
        if (lockHash is not (LockHash.Sha256 or LockHash.Blake2b256))
            return Fail(plaintext, OpenStatus.InvalidStatement, $"Lock hash {(byte)lockHash} is unknown; expected 1 (SHA-256) or 2 (BLAKE2b-256).");
        if (key.Length != ChunkStatement.KeySize)
            return Fail(plaintext, OpenStatus.WrongKeyLength, $"The key has {key.Length} bytes; expected {ChunkStatement.KeySize}.");
        if (ciphertext.Length != chunk.Length)
            return Fail(plaintext, OpenStatus.WrongCiphertextLength, $"The ciphertext has {ciphertext.Length} bytes; expected {chunk.Length}, as many as the block.");
        if (plaintext.Length != chunk.Length)
            return Fail(plaintext, OpenStatus.WrongDestination, $"The destination has {plaintext.Length} bytes; expected {chunk.Length}, as many as the block.");

        Span<byte> hash = stackalloc byte[32];
        HashKey(lockHash, key, hash);
        if (!CryptographicOperations.FixedTimeEquals(hash, chunk.Lock.Span))
            return Fail(plaintext, OpenStatus.KeyIsNotThePreimage, "The key does not hash to the chunk's lock; wait for the right key or take it from the ledger.");

        ChaCha20.Transform(key, chunk.FirstCounter, chunk.Nonce.Span, ciphertext, plaintext);
        SHA256.HashData(plaintext, hash);
        if (!CryptographicOperations.FixedTimeEquals(hash, chunk.Digest.Span))
            return Fail(plaintext, OpenStatus.WrongDigest, "The decrypted bytes are not the block that the CID names; the ciphertext is not the one that was proven.");
        return new OpenResult(OpenStatus.Opened, "The chunk is open.");
    }

    /// <summary>
    /// Opens a chunk from one stream into another. Nothing is written before the whole block is decrypted and its digest is
    /// right: a refused chunk leaves the destination as it was.
    /// </summary>
    /// <param name="chunk">The chunk's public statement.</param>
    /// <param name="lockHash">The window's lock hash.</param>
    /// <param name="key">The revealed key, 32 bytes.</param>
    /// <param name="ciphertext">Read from where it stands, exactly as many bytes as the block has.</param>
    /// <param name="destination">Receives the block.</param>
    /// <param name="cancellation">Cancels reading and writing.</param>
    /// <exception cref="IOException">A stream failed; if the destination did, part of the block may be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; part of the block may be written.</exception>
    public static async Task<OpenResult> OpenAsync(
        ChunkStatement chunk, LockHash lockHash, ReadOnlyMemory<byte> key, Stream ciphertext, Stream destination, CancellationToken cancellation = default)
    {
        // The length is untrusted until the statement is checked, and decides what is allocated.
        if (chunk.Validate(0) is { } fault)
            return new OpenResult(OpenStatus.InvalidStatement, fault.Message);
        int length = chunk.Length;
        byte[] memory = ArrayPool<byte>.Shared.Rent(2 * length);
        try
        {
            Memory<byte> sealedBytes = memory.AsMemory(0, length), plaintext = memory.AsMemory(length, length);
            int read = await ciphertext.ReadAtLeastAsync(sealedBytes, length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
            OpenResult result = Open(chunk, lockHash, key.Span, sealedBytes.Span[..read], plaintext.Span);
            if (result.IsOpened)
                await destination.WriteAsync(plaintext, cancellation).ConfigureAwait(false);
            return result;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(memory.AsSpan(0, 2 * length));
            ArrayPool<byte>.Shared.Return(memory);
        }
    }

    /// <summary>The lock of a key: 32 bytes of SHA-256 or BLAKE2b-256.</summary>
    /// <param name="lockHash">A known lock hash.</param>
    /// <param name="key">32 bytes.</param>
    /// <param name="destination">Receives 32 bytes.</param>
    public static void HashKey(LockHash lockHash, ReadOnlySpan<byte> key, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, ChunkStatement.KeySize);
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, ChunkStatement.LockSize);
        switch (lockHash)
        {
            case LockHash.Sha256:
                SHA256.HashData(key, destination);
                break;
            case LockHash.Blake2b256:
                var blake = new Blake2bDigest(256);
                blake.BlockUpdate(key);
                blake.DoFinal(destination);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(lockHash), lockHash, "Unknown lock hash.");
        }
    }

    private static OpenResult Fail(Span<byte> plaintext, OpenStatus status, string message)
    {
        CryptographicOperations.ZeroMemory(plaintext);
        return new OpenResult(status, message);
    }
}
