using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Argument;

/// <summary>
/// The vectors M_U and M_T of the combined linear claim
/// sum_k gamma^k claim_k = sum_j M_U(j) Z_U(j) + sum_j M_T(j) Z_T(j),
/// from one backward walk over each circuit. Index j = v | p | high bits; the units' vector is zero-extended in its dummy
/// high variable, so that both have 2^LincheckVariables entries.
/// </summary>
internal static class CircuitWeights
{
    /// <summary>M_U: weight of each bit of a unit's slot.</summary>
    /// <param name="instance">The circuits.</param>
    /// <param name="s">The zerocheck end point: v6 | p | h | i.</param>
    /// <param name="zeta">The skip point.</param>
    /// <param name="ties">Challenges of the ties.</param>
    /// <param name="outputs">Challenges of outputs and gamma.</param>
    /// <param name="into">2^LincheckVariables zeros, returned filled; null for a new array.</param>
    public static Gf128[] Unit(ArgumentInstance instance, ReadOnlySpan<Gf128> s, Gf128 zeta, in TieChallenges ties, in OutputChallenges outputs, Gf128[]? into = null)
    {
        ArgumentShape shape = instance.Shape;
        Gf128[] rowEq = Multilinear.EqTable(s[..shape.InnerVariables]);
        var rows = rowEq.AsSpan(0, shape.HCount * shape.BlockRows);
        ReadOnlySpan<Gf128> gamma = outputs.Gamma;
        return Walk(instance.Unit, rows, zeta, gamma, Scale(outputs.UnitWeights, gamma[7]), into ?? new Gf128[1 << shape.LincheckVariables], new LinkWeights
        {
            HIn = Scale(ties.StateWeights, gamma[3]),
            Key = Scale(ties.KeyWeights, gamma[3] * ties.Theta),
            HOut = Scale(ties.StateWeights, gamma[4]),
        });
    }

    /// <summary>M_T: weight of each bit of a tail's slot.</summary>
    public static Gf128[] Tail(ArgumentInstance instance, ReadOnlySpan<Gf128> s, Gf128 zeta, in TieChallenges ties, in OutputChallenges outputs, Gf128[]? into = null)
    {
        ArgumentShape shape = instance.Shape;
        ReadOnlySpan<Gf128> unitPoint = s[shape.InnerVariables..];
        Gf128 place = TailPlace(shape, unitPoint);

        // Rows of a tail slot: (v6, p) from the block, the slot's high part from the low bits of i.
        Gf128 outer = Multilinear.Eq(s.Slice(1 + shape.PBits, shape.HBits), shape.HCount) * TopsZero(shape, unitPoint);
        Gf128[] blockEq = Multilinear.EqTable(s[..(1 + shape.PBits)]);
        Gf128[] innerEq = Multilinear.EqTable(unitPoint[..shape.TailInnerBits]);
        var rows = new Gf128[shape.BlockRows << shape.TailInnerBits];
        for (int inner = 0; inner < innerEq.Length; inner++)
            for (int row = 0; row < shape.BlockRows; row++)
                rows[inner * shape.BlockRows + row] = outer * innerEq[inner] * blockEq[row];

        ReadOnlySpan<Gf128> gamma = outputs.Gamma;
        return Walk(instance.Tail, rows, zeta, gamma, Scale(outputs.TailWeights, gamma[8]), into ?? new Gf128[1 << shape.LincheckVariables], new LinkWeights
        {
            HIn = Scale(ties.StateWeights, gamma[5] * place),
            Key = Scale(ties.KeyWeights, gamma[6] * place),
        });
    }

    /// <summary>
    /// The factor of a tail vector that lives at i = 2^TailInnerBits q: its extension at s_out is this times the extension
    /// over q.
    /// </summary>
    public static Gf128 TailPlace(ArgumentShape shape, ReadOnlySpan<Gf128> unitPoint) =>
        Multilinear.Eq(unitPoint[..shape.TailInnerBits], 0) * TopsZero(shape, unitPoint);

    private static Gf128 TopsZero(ArgumentShape shape, ReadOnlySpan<Gf128> unitPoint) => Multilinear.Eq(unitPoint[shape.LowBits..], 0);

    private static Gf128[] Walk(Circuit circuit, ReadOnlySpan<Gf128> rowWeights, Gf128 zeta, ReadOnlySpan<Gf128> gamma,
        ReadOnlySpan<Gf128> outputWeights, Gf128[] m, in LinkWeights links)
    {
        Gf128[] lagrange = SkipDomain.LagrangeOfS(zeta), forB = Scale(lagrange, gamma[1]), forZ = Scale(lagrange, gamma[2]);
        int bits = circuit.SlotBits;
        ArgumentOutOfRangeException.ThrowIfNotEqual(rowWeights.Length * SkipDomain.Half, bits);

        // Scratch of up to 2 MiB each.
        using RentedElements rentedA = new(bits), rentedB = new(bits);
        Gf128[] a = rentedA.Array, b = rentedB.Array;
        for (int row = 0, j = 0; row < rowWeights.Length; row++, j += SkipDomain.Half)
        {
            FieldSpans.Scale(lagrange, rowWeights[row], a.AsSpan(j, SkipDomain.Half));
            FieldSpans.Scale(forB, rowWeights[row], b.AsSpan(j, SkipDomain.Half));
            FieldSpans.Scale(forZ, rowWeights[row], m.AsSpan(j, SkipDomain.Half));
        }

        circuit.Adjoint(a, b, outputWeights, links, m.AsSpan(0, bits));
        return m;
    }

    private static Gf128[] Scale(ReadOnlySpan<Gf128> values, Gf128 factor)
    {
        var scaled = new Gf128[values.Length];
        FieldSpans.Scale(values, factor, scaled);
        return scaled;
    }
}
