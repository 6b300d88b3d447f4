using System.Security.Cryptography;
using Lockstep.Payments.Encodings;

namespace Lockstep.Payments;

/// <summary>The hash function of a lock. The values are those of the proof suite and of the wire.</summary>
public enum LockHashKind : byte
{
    Sha256 = 1,
    Blake2b256 = 2,
}

/// <summary>Lock hashes in words.</summary>
public static class LockHashWords
{
    /// <summary>The word for a lock hash, as people read and type it.</summary>
    public static string Word(this LockHashKind kind) => kind switch
    {
        LockHashKind.Sha256 => "sha256",
        LockHashKind.Blake2b256 => "blake2b",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown lock hash."),
    };
}

/// <summary>A lock on money: it opens to whoever shows the 32-byte secret whose hash this is.</summary>
public sealed class HashLock : IEquatable<HashLock>
{
    /// <summary>Bytes in a lock's hash, for every kind.</summary>
    public const int Length = 32;

    private readonly byte[] hash;

    /// <summary>Throws <see cref="ArgumentException"/> unless <paramref name="hash"/> has 32 bytes and the kind is known.</summary>
    public HashLock(LockHashKind kind, ReadOnlySpan<byte> hash)
    {
        if (hash.Length != Length)
            throw new ArgumentException($"A lock is {Length} bytes, not {hash.Length}.", nameof(hash));
        if (!Enum.IsDefined(kind))
            throw new ArgumentException($"Lock hash {(byte)kind} is unknown.", nameof(kind));
        Kind = kind;
        this.hash = hash.ToArray();
    }

    public LockHashKind Kind { get; }

    /// <summary>The 32 bytes a secret must hash to.</summary>
    public ReadOnlyMemory<byte> Hash => hash;

    /// <summary>The lock that <paramref name="secret"/> opens.</summary>
    public static HashLock Of(LockHashKind kind, ReadOnlySpan<byte> secret) => new(kind, Digest(kind, secret));

    public bool OpensWith(ReadOnlySpan<byte> secret) =>
        CryptographicOperations.FixedTimeEquals(hash, Digest(Kind, secret));

    public bool Equals(HashLock? other) => other is not null && Kind == other.Kind && hash.AsSpan().SequenceEqual(other.hash);

    public override bool Equals(object? obj) => Equals(obj as HashLock);

    public override int GetHashCode() => HashCode.Combine(Kind, BitConverter.ToInt64(hash));

    public override string ToString() => $"{Kind}:{Convert.ToHexStringLower(hash)}";

    internal static byte[] Digest(LockHashKind kind, ReadOnlySpan<byte> secret) => kind switch
    {
        LockHashKind.Sha256 => SHA256.HashData(secret),
        LockHashKind.Blake2b256 => Blake2b.Hash256(secret),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
