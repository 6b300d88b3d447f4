namespace Lockstep.Proofs;

/// <summary>The public part of one sealed chunk.</summary>
/// <param name="Length">Bytes of the block, 1 to <see cref="MaxLength"/>.</param>
/// <param name="Digest">SHA-256 of the block, 32 bytes.</param>
/// <param name="SealId">32 random bytes, never used for another seal.</param>
/// <param name="Nonce">ChaCha20 nonce, 12 bytes.</param>
/// <param name="FirstCounter">ChaCha20 block counter of the first 64 bytes.</param>
/// <param name="Lock">y = lockhash(k), 32 bytes.</param>
public sealed record ChunkStatement(
    int Length,
    ReadOnlyMemory<byte> Digest,
    ReadOnlyMemory<byte> SealId,
    ReadOnlyMemory<byte> Nonce,
    uint FirstCounter,
    ReadOnlyMemory<byte> Lock)
{
    /// <summary>The largest leaf block: 1 MiB and 1 KiB.</summary>
    public const int MaxLength = (1 << 20) + 1024;

    /// <summary>Bytes of a SHA-256 digest.</summary>
    public const int DigestSize = 32;

    /// <summary>Bytes of a seal id.</summary>
    public const int SealIdSize = 32;

    /// <summary>Bytes of a nonce.</summary>
    public const int NonceSize = 12;

    /// <summary>Bytes of a lock.</summary>
    public const int LockSize = 32;

    /// <summary>Bytes of a key.</summary>
    public const int KeySize = 32;

    /// <inheritdoc/>
    public bool Equals(ChunkStatement? other) =>
        other is not null
        && Length == other.Length
        && FirstCounter == other.FirstCounter
        && Digest.Span.SequenceEqual(other.Digest.Span)
        && SealId.Span.SequenceEqual(other.SealId.Span)
        && Nonce.Span.SequenceEqual(other.Nonce.Span)
        && Lock.Span.SequenceEqual(other.Lock.Span);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Length);
        hash.Add(FirstCounter);
        hash.AddBytes(SealId.Span);
        hash.AddBytes(Lock.Span);
        return hash.ToHashCode();
    }

    // The first fault of this chunk by itself, or null.
    internal StatementFault? Validate(int index)
    {
        if (Length is < 1 or > MaxLength)
            return new(StatementError.ChunkLength, $"Chunk {index} is {Length} bytes long; a chunk has 1 to {MaxLength} bytes.");
        if (SizeFault("digest", Digest, DigestSize) is { } digest)
            return digest;
        if (SizeFault("seal id", SealId, SealIdSize) is { } sealId)
            return sealId;
        if (SizeFault("nonce", Nonce, NonceSize) is { } nonce)
            return nonce;
        if (SizeFault("lock", Lock, LockSize) is { } locked)
            return locked;
        long blocks = ((long)Length + 63) / 64;
        if (FirstCounter + blocks > 1L << 32)
            return new(StatementError.Counter, $"Chunk {index} starts at block counter {FirstCounter} and needs {blocks} blocks; the counter must not pass 2^32.");
        return null;

        StatementFault? SizeFault(string field, ReadOnlyMemory<byte> value, int size) => value.Length == size
            ? null
            : new(StatementError.FieldSize, $"The {field} of chunk {index} has {value.Length} bytes; expected {size}.");
    }
}
