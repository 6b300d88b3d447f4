using System.Runtime.CompilerServices;

namespace Lockstep.Proofs.Prover;

/// <summary>
/// The arrays of one proof from which keys, data or pads could be told. They are pinned, so that the collector leaves no
/// copies behind, and overwritten when given back, or all together at the end, however the proof ends.
/// </summary>
internal sealed class SecretArrays : IDisposable
{
    private readonly List<Array> _arrays = [];
    private bool _disposed;

    /// <summary>The arrays that are in use; after <see cref="Dispose"/> those that were, all zero.</summary>
    internal IReadOnlyList<Array> InUse => _arrays;

    /// <summary>An array of zeros.</summary>
    public T[] Take<T>(long length)
        where T : unmanaged
    {
        T[] array = GC.AllocateArray<T>(checked((int)length), pinned: true);
        lock (_arrays)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _arrays.Add(array);
        }

        return array;
    }

    /// <summary>An array with a copy of <paramref name="source"/>.</summary>
    public T[] Copy<T>(ReadOnlySpan<T> source)
        where T : unmanaged
    {
        T[] copy = Take<T>(source.Length);
        source.CopyTo(copy);
        return copy;
    }

    /// <summary>Overwrites one array before the end, so that its memory can be used again.</summary>
    public void GiveBack(Array array)
    {
        Clear(array);
        lock (_arrays)
            _arrays.RemoveAll(taken => ReferenceEquals(taken, array));
    }

    /// <summary>Overwrites all arrays.</summary>
    public void Dispose()
    {
        lock (_arrays)
        {
            _disposed = true;
            foreach (Array array in _arrays)
                Clear(array);
        }
    }

    // Not to be left out by the compiler, however dead the array is.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static void Clear(Array array) => Array.Clear(array);
}
