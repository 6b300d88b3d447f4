using System.Runtime.InteropServices;
using Lockstep.Proofs.Argument;

namespace Lockstep.Proofs.Prover;

/// <summary>The bits of every slot: witness z and its forms a and b, slot-major, as little-endian 32-bit words.</summary>
internal sealed class BitMatrices(ArgumentShape shape, uint[] units, uint[] tails) : IDisposable
{
    /// <summary>All bits zero.</summary>
    public BitMatrices(ArgumentShape shape)
        : this(shape, GC.AllocateArray<uint>(shape.PresentUnits * shape.UnitWords, pinned: true), GC.AllocateArray<uint>(shape.Tails * shape.TailWords, pinned: true))
    {
    }

    /// <summary>The slot of unit <paramref name="unit"/>.</summary>
    public Span<uint> Unit(int unit) => units.AsSpan(unit * shape.UnitWords, shape.UnitWords);

    /// <summary>The slot of tail <paramref name="tail"/>.</summary>
    public Span<uint> Tail(int tail) => tails.AsSpan(tail * shape.TailWords, shape.TailWords);

    /// <summary>The BlockRows 64-bit rows at (<paramref name="unit"/>, <paramref name="h"/>); empty where the matrix has none.</summary>
    public ReadOnlySpan<ulong> Block(int unit, int h)
    {
        if (h < shape.HCount)
            return MemoryMarshal.Cast<uint, ulong>(Unit(unit)).Slice(h * shape.BlockRows, shape.BlockRows);
        if (unit >= 1 << shape.LowBits)
            return [];
        int inner = unit & ((1 << shape.TailInnerBits) - 1);
        return MemoryMarshal.Cast<uint, ulong>(Tail(unit >> shape.TailInnerBits)).Slice(inner * shape.BlockRows, shape.BlockRows);
    }

    /// <summary>Fills <paramref name="a"/> and <paramref name="b"/> with the forms of the circuits at these bits.</summary>
    public void Forms(ArgumentInstance instance, BitMatrices a, BitMatrices b, Workers workers)
    {
        workers.For(shape.PresentUnits, 16, (start, end) =>
        {
            for (int i = start; i < end; i++)
                instance.Unit.Forms(Unit(i), a.Unit(i), b.Unit(i));
        });
        workers.For(shape.Tails, 1, (start, end) =>
        {
            for (int q = start; q < end; q++)
                instance.Tail.Forms(Tail(q), a.Tail(q), b.Tail(q));
        });
    }

    public void Dispose()
    {
        Array.Clear(units);
        Array.Clear(tails);
    }
}
