using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Prover;

/// <summary>
/// The slots of a window as the fast prover reads them: slot-major in native memory, unit i at 4,608 i bytes, tail q at
/// 16,384 q. Holds keys and data; disposing it overwrites them.
/// </summary>
internal sealed unsafe class WitnessBits : IDisposable
{
    /// <summary>Bytes of a unit's slot.</summary>
    public const int UnitBytes = 4608;

    /// <summary>Bytes of a tail's slot.</summary>
    public const int TailBytes = 16384;

    private readonly NativeBlock _units, _tails;
    private readonly bool _owned;

    /// <summary>Slots of undefined content.</summary>
    /// <param name="shape">Dimensions; all units and tails that the matrix has.</param>
    public WitnessBits(ArgumentShape shape)
        : this(shape, NativePool.Shared.Rent((long)shape.PresentUnits * UnitBytes), NativePool.Shared.Rent((long)shape.Tails * TailBytes)) => _owned = true;

    /// <summary>Slots that belong to another.</summary>
    internal WitnessBits(ArgumentShape shape, NativeBlock units, NativeBlock tails) => (Shape, _units, _tails) = (shape, units, tails);

    /// <summary>Dimensions.</summary>
    public ArgumentShape Shape { get; }

    /// <summary>First byte of the units.</summary>
    public byte* Units => _units.Memory;

    /// <summary>First byte of the tails.</summary>
    public byte* Tails => _tails.Memory;

    /// <summary>The words of a unit's slot.</summary>
    public Span<uint> Unit(int i) => _units.Span<uint>((long)i * UnitBytes / 4, UnitBytes / 4);

    /// <summary>The words of a tail's slot.</summary>
    public Span<uint> Tail(int q) => _tails.Span<uint>((long)q * TailBytes / 4, TailBytes / 4);

    /// <summary>
    /// Units up to the last that is not all zero, rounded up to an even number, and at least those at whose places the active
    /// tails stand.
    /// </summary>
    public int ActiveUnits()
    {
        int count = Shape.PresentUnits, least = Math.Max(2, ActiveTails() << Shape.TailInnerBits);
        while (count > least && !Unit(count - 1).ContainsAnyExcept(0u) && !Unit(count - 2).ContainsAnyExcept(0u))
            count -= 2;
        return count;
    }

    /// <summary>Tails up to the last that is not all zero, at least one.</summary>
    public int ActiveTails()
    {
        int count = Shape.Tails;
        while (count > 1 && !Tail(count - 1).ContainsAnyExcept(0u))
            count--;
        return count;
    }

    /// <summary>Overwrites the slots, unless they belong to another.</summary>
    public void Dispose()
    {
        if (!_owned)
            return;
        _units.Dispose();
        _tails.Dispose();
    }
}
