using System.Numerics;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;

namespace Lockstep.Proofs.Codes;

/// <summary>
/// The points of a code, beta_m + U_m, without a transform's tables: what a verifier needs to evaluate at few positions.
/// The same points as those of <see cref="AdditiveNtt"/>.
/// </summary>
/// <param name="logSize">m.</param>
/// <param name="shift">Off only in tests that show what the shifted domain is for.</param>
internal readonly struct CodeDomain(int logSize, bool shift = true)
{
    /// <summary>s_b at the position's point for b = 0, 1, ...: the factors of X_k over the set bits of k.</summary>
    /// <param name="position">0 to 2^m - 1.</param>
    /// <param name="values">One per factor, at most m.</param>
    public void Factors(int position, Span<Gf128> values)
    {
        for (int b = 0; b < values.Length; b++)
            values[b] = Vanish(b, position);
    }

    /// <summary>s_<paramref name="degree"/> at the point of <paramref name="position"/>.</summary>
    public Gf128 Vanish(int degree, int position) =>
        (shift ? CantorBasis.Beta(logSize - degree) : default) + CantorBasis.Point((ulong)position >> degree);

    /// <summary>sum_k coefficient_k X_k at the factors' point, binding the highest factor first; overwrites the coefficients.</summary>
    public static Gf128 EvaluateInPlace(Span<Gf128> coefficients, ReadOnlySpan<Gf128> factors)
    {
        while (coefficients.Length > 1)
        {
            int b = BitOperations.Log2((uint)coefficients.Length - 1);
            Span<Gf128> low = coefficients[..(1 << b)], high = coefficients[(1 << b)..];
            FieldSpans.AddScaled(low[..high.Length], factors[b], high);
            coefficients = low;
        }

        return coefficients[0];
    }
}
