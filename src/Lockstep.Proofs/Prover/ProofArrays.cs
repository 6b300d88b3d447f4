using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Prover;

/// <summary>The managed arrays of one proof, given back to <see cref="ElementPool"/> all together, however the proof ends.</summary>
internal sealed class ProofArrays : IDisposable
{
    private readonly List<Gf128[]> _taken = [];

    /// <summary>An array of <paramref name="length"/> zeros, the caller's until this object is disposed.</summary>
    public Gf128[] Take(int length)
    {
        Gf128[] array = ElementPool.Rent(length);
        _taken.Add(array);
        return array;
    }

    /// <summary>An array with a copy of <paramref name="source"/>.</summary>
    public Gf128[] Copy(ReadOnlySpan<Gf128> source)
    {
        Gf128[] copy = Take(source.Length);
        source.CopyTo(copy);
        return copy;
    }

    /// <summary>eq(point, b) for all b, as <see cref="Multilinear.EqTable(ReadOnlySpan{Gf128})"/>.</summary>
    public Gf128[] EqTable(ReadOnlySpan<Gf128> point)
    {
        Gf128[] table = Take(1 << point.Length);
        Multilinear.EqTable(point, Gf128.One, table);
        return table;
    }

    /// <summary>Overwrites all arrays.</summary>
    public void Dispose()
    {
        foreach (Gf128[] array in _taken)
            ElementPool.Return(array);
        _taken.Clear();
    }
}
