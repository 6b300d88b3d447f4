using System.Diagnostics.CodeAnalysis;

namespace Lockstep.Content;

/// <summary>A value, or the reason why there is none. Untrusted bytes never cause an exception; they cause one of these.</summary>
/// <typeparam name="T">Type of the value.</typeparam>
[SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "The constructors are the named alternates.")]
public readonly struct Outcome<T> : IEquatable<Outcome<T>>
{
    private readonly T? _value;

    public Outcome(T value)
    {
        _value = value;
        Error = null;
        IsOk = true;
    }

    public Outcome(ContentError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        _value = default;
        Error = error;
        IsOk = false;
    }

    /// <summary>True when there is a value. A default instance is neither a value nor an error, and reports false.</summary>
    public bool IsOk { get; }

    /// <summary>The reason, or null when there is a value.</summary>
    public ContentError? Error { get; }

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">There is none; ask <see cref="IsOk"/> or <see cref="Try"/> first.</exception>
    public T Value => IsOk ? _value! : throw new InvalidOperationException(Error?.ToString() ?? "The outcome was never set.");

    /// <summary>Takes the value or the error in one step.</summary>
    public bool Try([MaybeNullWhen(false)] out T value, [NotNullWhen(false)] out ContentError? error)
    {
        value = _value;
        error = IsOk ? null : Error ?? new ContentError(ContentErrorKind.Unexpected, "The outcome was never set.");
        return IsOk;
    }

    public static implicit operator Outcome<T>(T value) => new(value);

    public static implicit operator Outcome<T>(ContentError error) => new(error);

    public bool Equals(Outcome<T> other) =>
        IsOk == other.IsOk && EqualityComparer<T?>.Default.Equals(_value, other._value) && Equals(Error, other.Error);

    public override bool Equals(object? obj) => obj is Outcome<T> other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(IsOk, _value, Error);

    public static bool operator ==(Outcome<T> left, Outcome<T> right) => left.Equals(right);

    public static bool operator !=(Outcome<T> left, Outcome<T> right) => !left.Equals(right);
}
