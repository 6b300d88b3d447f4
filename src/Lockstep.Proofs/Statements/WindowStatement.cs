namespace Lockstep.Proofs;

/// <summary>
/// What a window's proof states: every ciphertext decrypts, under the preimage of its chunk's lock, to the block with the
/// chunk's digest. A chunk's position in the window is its index in the list.
/// </summary>
/// <param name="SuiteId">Names cipher, encoding and proof system: 1 to 64 printable ASCII characters without spaces.</param>
/// <param name="LockHash">The hash function of every lock of the window.</param>
/// <param name="ProviderKey">The provider's identity key, 1 to 128 bytes.</param>
/// <param name="Chunks">1 to <see cref="MaxChunks"/> chunks.</param>
public sealed record WindowStatement(
    string SuiteId,
    LockHash LockHash,
    ReadOnlyMemory<byte> ProviderKey,
    IReadOnlyList<ChunkStatement> Chunks)
{
    /// <summary>Most characters of a suite id.</summary>
    public const int MaxSuiteIdLength = 64;

    /// <summary>Most bytes of a provider key.</summary>
    public const int MaxProviderKeyLength = 128;

    /// <summary>Most chunks of a window.</summary>
    public const int MaxChunks = 1024;

    /// <summary>The first thing wrong with the statement, or null when it is well formed.</summary>
    public StatementFault? Validate()
    {
        if (SuiteId is null || SuiteId.Length is < 1 or > MaxSuiteIdLength || SuiteId.AsSpan().ContainsAnyExceptInRange('!', '~'))
            return new(StatementError.SuiteId, $"The suite id must be 1 to {MaxSuiteIdLength} printable ASCII characters without spaces.");
        if (LockHash is not (LockHash.Sha256 or LockHash.Blake2b256))
            return new(StatementError.LockHash, $"Lock hash {(byte)LockHash} is unknown; expected 1 (SHA-256) or 2 (BLAKE2b-256).");
        if (ProviderKey.Length is < 1 or > MaxProviderKeyLength)
            return new(StatementError.ProviderKey, $"The provider key has {ProviderKey.Length} bytes; expected 1 to {MaxProviderKeyLength}.");
        if (Chunks is null || Chunks.Count is < 1 or > MaxChunks)
            return new(StatementError.ChunkCount, $"The window has {Chunks?.Count ?? 0} chunks; expected 1 to {MaxChunks}.");

        var sealIds = new HashSet<string>(StringComparer.Ordinal);
        var locks = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < Chunks.Count; i++)
        {
            if (Chunks[i].Validate(i) is { } fault)
                return fault;
            if (!sealIds.Add(Convert.ToHexString(Chunks[i].SealId.Span)))
                return new(StatementError.RepeatedSealId, $"Chunk {i} carries the seal id of an earlier chunk; every seal has its own.");
            if (!locks.Add(Convert.ToHexString(Chunks[i].Lock.Span)))
                return new(StatementError.RepeatedLock, $"Chunk {i} carries the lock of an earlier chunk; every chunk has its own key.");
        }

        return null;
    }

    /// <summary>The canonical encoding <c>lockstep-statement/1</c>.</summary>
    /// <exception cref="InvalidOperationException">The statement is not well formed.</exception>
    public byte[] Encode() => StatementCodec.Encode(this);

    /// <summary>Reads a canonical encoding; every byte string has at most one reading and every statement one encoding.</summary>
    /// <param name="bytes">Untrusted bytes.</param>
    /// <param name="statement">The statement, well formed, or null.</param>
    /// <param name="fault">Why the bytes are refused, or null.</param>
    public static bool TryDecode(
        ReadOnlySpan<byte> bytes,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out WindowStatement? statement,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out StatementFault? fault)
    {
        fault = StatementCodec.Decode(bytes, out statement);
        return fault is null;
    }

    /// <inheritdoc/>
    public bool Equals(WindowStatement? other) =>
        other is not null
        && SuiteId == other.SuiteId
        && LockHash == other.LockHash
        && ProviderKey.Span.SequenceEqual(other.ProviderKey.Span)
        && Chunks.SequenceEqual(other.Chunks);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(SuiteId, StringComparer.Ordinal);
        hash.Add(LockHash);
        hash.AddBytes(ProviderKey.Span);
        foreach (ChunkStatement chunk in Chunks)
            hash.Add(chunk);
        return hash.ToHashCode();
    }
}
