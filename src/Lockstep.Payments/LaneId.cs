using System.Globalization;

namespace Lockstep.Payments;

/// <summary>A lane of a channel: its own nonce and its own cumulative amount.</summary>
public readonly record struct LaneId(ulong Value) : IComparable<LaneId>
{
    /// <summary>The highest lane a channel accepts, 2^63 - 1 (docs/filecoin.md section 1.1).</summary>
    public static LaneId MaxValue => new(long.MaxValue);

    public static bool operator <(LaneId left, LaneId right) => left.Value < right.Value;

    public static bool operator >(LaneId left, LaneId right) => left.Value > right.Value;

    public static bool operator <=(LaneId left, LaneId right) => left.Value <= right.Value;

    public static bool operator >=(LaneId left, LaneId right) => left.Value >= right.Value;

    public int CompareTo(LaneId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
