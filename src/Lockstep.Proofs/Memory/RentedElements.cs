using System.Buffers;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Memory;

/// <summary>Public scratch elements, zeros at first, from the pool of the runtime: for tables too large to allocate for each proof.</summary>
internal readonly struct RentedElements : IDisposable
{
    private readonly int _length;

    /// <param name="length">Elements.</param>
    public RentedElements(int length)
    {
        _length = length;
        Array = ArrayPool<Gf128>.Shared.Rent(length);
        Span.Clear();
    }

    /// <summary>The elements, perhaps with more behind them.</summary>
    public Gf128[] Array { get; }

    /// <summary>The elements.</summary>
    public Span<Gf128> Span => Array.AsSpan(0, _length);

    /// <summary>Gives them back.</summary>
    public void Dispose() => ArrayPool<Gf128>.Shared.Return(Array);
}
