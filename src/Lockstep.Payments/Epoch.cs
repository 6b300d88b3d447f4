using System.Globalization;

namespace Lockstep.Payments;

/// <summary>
/// A point in a rail's own time: the height of its chain (30 s steps on Filecoin). Signed, because voucher time locks are.
/// </summary>
public readonly record struct Epoch(long Value) : IComparable<Epoch>
{
    public static Epoch Zero => default;

    public static Epoch Max(Epoch left, Epoch right) => left >= right ? left : right;

    /// <summary>Moves by a number of epochs; stops at the ends of the range, so that a hostile far-away epoch cannot wrap.</summary>
    public static Epoch operator +(Epoch epoch, long epochs)
    {
        Int128 sum = (Int128)epoch.Value + epochs;
        return new Epoch((long)Int128.Clamp(sum, long.MinValue, long.MaxValue));
    }

    /// <summary>Moves back by a number of epochs; stops at the ends of the range.</summary>
    public static Epoch operator -(Epoch epoch, long epochs)
    {
        Int128 difference = (Int128)epoch.Value - epochs;
        return new Epoch((long)Int128.Clamp(difference, long.MinValue, long.MaxValue));
    }

    public static bool operator <(Epoch left, Epoch right) => left.Value < right.Value;

    public static bool operator >(Epoch left, Epoch right) => left.Value > right.Value;

    public static bool operator <=(Epoch left, Epoch right) => left.Value <= right.Value;

    public static bool operator >=(Epoch left, Epoch right) => left.Value >= right.Value;

    public int CompareTo(Epoch other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
