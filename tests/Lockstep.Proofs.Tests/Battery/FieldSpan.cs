using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>The span of vectors over F, kept reduced, with the combination of the given vectors that makes each.</summary>
internal sealed class FieldSpan
{
    private readonly List<(int Pivot, Gf128[] Vector, Gf128[] Combination)> _basis = [];

    public FieldSpan(IReadOnlyList<Gf128[]> vectors)
    {
        for (int k = 0; k < vectors.Count; k++)
        {
            var vector = (Gf128[])vectors[k].Clone();
            var combination = new Gf128[vectors.Count];
            combination[k] = Gf128.One;
            Reduce(vector, combination);
            int pivot = Array.FindIndex(vector, x => !x.IsZero);
            if (pivot < 0)
                continue;
            Gf128 inverse = vector[pivot].Inverse();
            Scale(vector, inverse);
            Scale(combination, inverse);
            _basis.Add((pivot, vector, combination));
        }

        Count = vectors.Count;
    }

    public int Rank => _basis.Count;

    private int Count { get; }

    /// <summary>Coefficients x with sum x_k vector_k = target, or null when the target is not in the span.</summary>
    public Gf128[]? Solve(ReadOnlySpan<Gf128> target)
    {
        Gf128[] rest = target.ToArray();
        var solution = new Gf128[Count];
        Reduce(rest, solution);
        return rest.All(x => x.IsZero) ? solution : null;
    }

    // Characteristic 2: what is taken off is what is added to the combination.
    private void Reduce(Gf128[] vector, Gf128[] combination)
    {
        foreach ((int pivot, Gf128[] basis, Gf128[] made) in _basis)
        {
            Gf128 factor = vector[pivot];
            if (factor.IsZero)
                continue;
            for (int i = pivot; i < vector.Length; i++)
                if (!basis[i].IsZero)
                    vector[i] += factor * basis[i];
            for (int i = 0; i < made.Length; i++)
                if (!made[i].IsZero)
                    combination[i] += factor * made[i];
        }
    }

    private static void Scale(Gf128[] vector, Gf128 factor)
    {
        for (int i = 0; i < vector.Length; i++)
            vector[i] = factor * vector[i];
    }
}
