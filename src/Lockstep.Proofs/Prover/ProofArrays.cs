using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Prover;

/// <summary>
/// The managed arrays of one proof, kept for the next one of the same shape, so that a proof allocates nothing large. They
/// are pinned, so that the collector leaves no copies behind, and overwritten at the end, however the proof ends.
/// </summary>
internal sealed class ProofArrays : IDisposable
{
    private static readonly ConcurrentDictionary<int, ConcurrentBag<Gf128[]>> Kept = new();

    private readonly List<Gf128[]> _taken = [];

    /// <summary>Whether every array that waits for the next proof holds zeros only: for the tests of what a proof leaves behind.</summary>
    internal static bool IsKeptClear() => Kept.Values.All(bag => bag.All(array => !array.AsSpan().ContainsAnyExcept(default(Gf128))));

    /// <summary>An array of <paramref name="length"/> zeros, the caller's until this object is disposed.</summary>
    public Gf128[] Take(int length)
    {
        if (!Kept.TryGetValue(length, out ConcurrentBag<Gf128[]>? bag) || !bag.TryTake(out Gf128[]? array))
            array = GC.AllocateArray<Gf128>(length, pinned: true);
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

    /// <summary>Overwrites all arrays and keeps them for the next proof.</summary>
    public void Dispose()
    {
        foreach (Gf128[] array in _taken)
        {
            Clear(array);
            Kept.GetOrAdd(array.Length, static _ => []).Add(array);
        }

        _taken.Clear();
    }

    // Not to be left out by the compiler, however dead the array is.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static void Clear(Gf128[] array) => Array.Clear(array);
}
