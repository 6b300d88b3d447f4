using System.Numerics;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>Linear systems over GF(2) whose columns are field elements.</summary>
internal static class BitSolver
{
    /// <summary>Indices of vectors that sum to the target, or null when it is not in their span.</summary>
    public static int[]? Solve(ReadOnlySpan<Gf128> vectors, Gf128 target)
    {
        var pivots = new (Gf128 Vector, BigInteger Made)[128];
        for (int k = 0; k < vectors.Length; k++)
        {
            (Gf128 vector, BigInteger made) = Reduce(pivots, vectors[k], BigInteger.One << k);
            if (!vector.IsZero)
                pivots[TopBit(vector)] = (vector, made);
        }

        (Gf128 rest, BigInteger solution) = Reduce(pivots, target, 0);
        return rest.IsZero ? [.. Enumerable.Range(0, vectors.Length).Where(k => !((solution >> k) & 1).IsZero)] : null;
    }

    private static (Gf128, BigInteger) Reduce((Gf128 Vector, BigInteger Made)[] pivots, Gf128 vector, BigInteger made)
    {
        for (int bit = 127; bit >= 0; bit--)
            if (vector.Bit(bit) == 1 && !pivots[bit].Vector.IsZero)
                (vector, made) = (vector + pivots[bit].Vector, made ^ pivots[bit].Made);
        return (vector, made);
    }

    private static int TopBit(Gf128 v) => v.Hi != 0 ? 127 - BitOperations.LeadingZeroCount(v.Hi) : 63 - BitOperations.LeadingZeroCount(v.Lo);
}
