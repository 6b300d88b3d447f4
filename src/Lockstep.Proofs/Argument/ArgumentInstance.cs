using Lockstep.Proofs.Circuits;

namespace Lockstep.Proofs.Argument;

/// <summary>The consecutive units of one chunk; chunk q owns tail q.</summary>
internal readonly record struct UnitRange(int First, int Count);

/// <summary>The values that the public outputs of every slot must take; zero words for unused slots.</summary>
internal interface IPublicWords
{
    /// <summary>Writes the expected public-output words of unit <paramref name="unit"/>.</summary>
    void UnitOutputs(int unit, Span<uint> words);

    /// <summary>Writes the expected public-output words of tail <paramref name="tail"/>.</summary>
    void TailOutputs(int tail, Span<uint> words);

    /// <summary>Whether public-output word <paramref name="word"/> of the tails is tied in this statement.</summary>
    bool IsTailOutputTied(int word);
}

/// <summary>
/// What one argument proves: slots of two circuits satisfy their AND rows, their public outputs have the given values,
/// states chain inside a chunk and all units of a chunk share its tail's key.
/// </summary>
internal sealed record ArgumentInstance
{
    public required ArgumentShape Shape { get; init; }

    public required Circuit Unit { get; init; }

    public required Circuit Tail { get; init; }

    /// <summary>The chunks in table order; their units fill 0.. without gaps.</summary>
    public required IReadOnlyList<UnitRange> Chunks { get; init; }

    /// <summary>The chaining state of a chunk's first unit, or of its tail when it has none.</summary>
    public required IReadOnlyList<uint> InitialState { get; init; }

    public required IPublicWords Public { get; init; }

    /// <summary>
    /// The weight of the tails' states among the ties, from theta: theta^2 sets them apart from the units' states (weight 1)
    /// and the keys (theta). Tests put 1 here to show what it prevents; nothing else does.
    /// </summary>
    public Func<Fields.Gf128, Fields.Gf128> TailStateWeight { get; init; } = theta => theta.Square();

    /// <summary>Units in use.</summary>
    public int UsedUnits => Chunks.Count == 0 ? 0 : Chunks[^1].First + Chunks[^1].Count;
}
