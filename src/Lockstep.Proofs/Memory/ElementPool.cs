using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Memory;

/// <summary>
/// Managed arrays of field elements of exact lengths, kept for the next proof of the same shape, so that a proof allocates
/// nothing large. Pinned, so that the collector leaves no copies behind, and overwritten when they are given back.
/// </summary>
internal static class ElementPool
{
    private static readonly ConcurrentDictionary<int, ConcurrentBag<Gf128[]>> Kept = new();

    /// <summary>An array of <paramref name="length"/> zeros.</summary>
    public static Gf128[] Rent(int length) => Kept.TryGetValue(length, out ConcurrentBag<Gf128[]>? bag) && bag.TryTake(out Gf128[]? array)
        ? array
        : GC.AllocateArray<Gf128>(length, pinned: true);

    /// <summary>Overwrites an array and keeps it for the next proof.</summary>
    public static void Return(Gf128[] array)
    {
        Clear(array);
        Kept.GetOrAdd(array.Length, static _ => []).Add(array);
    }

    /// <summary>Whether every array that waits for the next proof holds zeros only: for the tests of what a proof leaves behind.</summary>
    internal static bool IsKeptClear() => Kept.Values.All(bag => bag.All(array => !array.AsSpan().ContainsAnyExcept(default(Gf128))));

    // Not to be left out by the compiler, however dead the array is.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static void Clear(Gf128[] array) => Array.Clear(array);
}

/// <summary>One array of <see cref="ElementPool"/>, given back at the end of a block.</summary>
/// <param name="length">Elements, zeros at first.</param>
internal readonly struct RentedElements(int length) : IDisposable
{
    /// <summary>The elements.</summary>
    public Gf128[] Array { get; } = ElementPool.Rent(length);

    /// <summary>Gives them back.</summary>
    public void Dispose() => ElementPool.Return(Array);
}
