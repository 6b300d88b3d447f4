using System.Diagnostics.CodeAnalysis;

namespace Lockstep.Retrieval.Deals;

/// <summary>32 bytes compared by value: deal ids, key fingerprints, seal ids, locks.</summary>
public readonly struct Bytes32 : IEquatable<Bytes32>
{
    public const int Length = 32;

    private readonly ReadOnlyMemory<byte> _bytes;

    /// <summary>Copies 32 bytes. Throws <see cref="ArgumentException"/> for any other number.</summary>
    public Bytes32(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
            throw new ArgumentException($"Expected {Length} bytes, not {bytes.Length}.", nameof(bytes));
        _bytes = bytes.ToArray();
    }

    /// <summary>The bytes; 32 zeros for the default value.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes.IsEmpty ? new byte[Length] : _bytes;

    public ReadOnlySpan<byte> Span => Memory.Span;

    /// <summary>Reads 64 hexadecimal digits.</summary>
    public static bool TryParse(string? text, out Bytes32 value)
    {
        value = default;
        Span<byte> bytes = stackalloc byte[Length];
        if (text is null || text.Length != 2 * Length
            || Convert.FromHexString(text, bytes, out _, out int written) != System.Buffers.OperationStatus.Done || written != Length)
            return false;
        value = new Bytes32(bytes);
        return true;
    }

    public static bool operator ==(Bytes32 left, Bytes32 right) => left.Equals(right);

    public static bool operator !=(Bytes32 left, Bytes32 right) => !left.Equals(right);

    public bool Equals(Bytes32 other) => Span.SequenceEqual(other.Span);

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is Bytes32 other && Equals(other);

    public override int GetHashCode() => BitConverter.ToInt32(Span[4..8]);

    /// <summary>Lower-case hexadecimal.</summary>
    public override string ToString() => Convert.ToHexStringLower(Span);
}
