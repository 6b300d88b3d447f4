using System.Globalization;

namespace Lockstep.Payments;

/// <summary>A voucher's number on its lane; only a higher one replaces what the channel has seen.</summary>
public readonly record struct Nonce(ulong Value) : IComparable<Nonce>
{
    /// <summary>2^64 - 1: a voucher with it closes its lane for good.</summary>
    public static Nonce MaxValue => new(ulong.MaxValue);

    public static bool operator <(Nonce left, Nonce right) => left.Value < right.Value;

    public static bool operator >(Nonce left, Nonce right) => left.Value > right.Value;

    public static bool operator <=(Nonce left, Nonce right) => left.Value <= right.Value;

    public static bool operator >=(Nonce left, Nonce right) => left.Value >= right.Value;

    public int CompareTo(Nonce other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
