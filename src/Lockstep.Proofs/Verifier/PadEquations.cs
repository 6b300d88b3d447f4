using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Verifier;

/// <summary>The verifier's eight equations, in the order of their powers of chi.</summary>
internal enum PadEquation
{
    /// <summary>The zerocheck ends in v_a v_b + v_c.</summary>
    Zerocheck,

    /// <summary>The tie sumcheck ends in its four weighted values.</summary>
    Ties,

    /// <summary>The lincheck ends in M_U(t) Z_U + M_T(t) Z_T.</summary>
    Lincheck,

    /// <summary>The ring-switch values agree with Z_U + gamma' Z_T.</summary>
    RingSwitch,

    /// <summary>The inner product V of the folded row is the one that the folds and sigma claim.</summary>
    Folds,

    /// <summary>alpha opens epsilon * pad(v_a) + x.</summary>
    TripleAlpha,

    /// <summary>beta opens pad(v_b) + y.</summary>
    TripleBeta,

    /// <summary>The committed products are products.</summary>
    TripleProduct,
}

/// <summary>
/// The verifier's decision as eight forms in the committed pads, each zero for an honest prover (docs/proof-system.md,
/// "The eight equations"). Masked messages enter as sent + pad; the only product of two masked values is taken from the
/// committed triple.
/// </summary>
internal static class PadEquations
{
    /// <summary>How many equations there are.</summary>
    public const int Count = 8;

    /// <summary>The eight forms, indexed by <see cref="PadEquation"/>.</summary>
    public static AffineForm[] Build(ArgumentInstance instance, Conversation c)
    {
        ArgumentShape shape = instance.Shape;
        var schedule = new PadSchedule(shape);
        int pads = schedule.Count;
        using var unitEq = new RentedElements(1 << c.UnitPoint.Length);
        Multilinear.EqTable(c.UnitPoint, Gf128.One, unitEq.Array);
        AffineForm[] end = Masked(c.End, schedule.End, pads), opened = Masked(c.Opened, schedule.Opened, pads);

        return
        [
            Zerocheck(shape, schedule, c, end),
            Ties(instance, schedule, c, end, unitEq.Array),
            Lincheck(instance, schedule, c, end, opened, unitEq.Array),
            opened[0] + c.RegionWeight * opened[1] + Multilinear.InnerProduct(Multilinear.EqTable(c.T.AsSpan(0, 7)), c.RingValues),
            Folds(shape, schedule, c),
            .. Triple(schedule, c),
        ];
    }

    /// <summary>The eight forms combined by powers of <paramref name="chi"/>.</summary>
    public static AffineForm Combine(ReadOnlySpan<AffineForm> equations, Gf128 chi)
    {
        AffineForm sum = equations[^1];
        for (int k = equations.Length - 2; k >= 0; k--)
            sum = equations[k] + chi * sum;
        return sum;
    }

    private static AffineForm[] Masked(ReadOnlySpan<Gf128> sent, int firstPad, int pads)
    {
        var forms = new AffineForm[sent.Length];
        for (int i = 0; i < forms.Length; i++)
            forms[i] = AffineForm.Masked(sent[i], firstPad + i, pads);
        return forms;
    }

    private static AffineForm Zerocheck(ArgumentShape shape, PadSchedule schedule, Conversation c, AffineForm[] end)
    {
        // P vanishes on S, so P(zeta) comes from the 64 values on Lambda.
        ReadOnlySpan<Gf128> lagrange = SkipDomain.LagrangeOfAll(c.SkipPoint).AsSpan(SkipDomain.Half);
        AffineForm claim = AffineForm.Known(default, schedule.Count).ScaleAndAddMasked(Gf128.One, lagrange, c.Skip, schedule.Skip);

        // g0 = claim + r (g1 + g2), so g(s) = claim + (r + s) g1 + (r + s^2) g2.
        for (int j = 0; j < shape.ZerocheckVariables; j++)
        {
            (Gf128 r, Gf128 s) = (c.ZerocheckPoint[j], c.S[j]);
            claim = claim.ScaleAndAddMasked(Gf128.One, [r + s, r + s.Square()], c.Zerocheck[j], schedule.Zerocheck + 2 * j);
        }

        // v_a v_b with v = sent + pad: the product of the two pads is the triple's first slot.
        AffineForm product = c.End[0] * AffineForm.Masked(default, schedule.End + 1, schedule.Count)
            + c.End[1] * AffineForm.Masked(default, schedule.End, schedule.Count)
            + AffineForm.Masked(c.End[0] * c.End[1], schedule.Triple, schedule.Count);
        return claim + product + end[2];
    }

    private static AffineForm Ties(ArgumentInstance instance, PadSchedule schedule, Conversation c, AffineForm[] end, ReadOnlySpan<Gf128> unitEq)
    {
        var weights = new TieEvaluation(instance, c.Ties, unitEq);
        AffineForm claim = AffineForm.Known(weights.RightSide, schedule.Count);
        for (int j = 0; j < instance.Shape.Kappa; j++)
            claim = PlainRound(claim, c.Tie[j], schedule.Tie + 2 * j, c.UnitPoint[j]);

        return claim
            + Multilinear.Eq(c.Ties.UnitPoint, c.UnitPoint) * end[3]
            + weights.Out * end[4]
            + weights.TailState * end[5]
            + weights.TailKey * end[6];
    }

    private static AffineForm Lincheck(ArgumentInstance instance, PadSchedule schedule, Conversation c, AffineForm[] end, AffineForm[] opened,
        Gf128[] unitEq)
    {
        ArgumentShape shape = instance.Shape;

        // The walks over the circuits are a third of a verification: the tails' runs beside the rest.
        Task<Gf128> tailWeight = c.WeightsAtEnd is { } known
            ? Task.FromResult(known.Tail)
            : Task.Run(() => AtEnd(CircuitWeights.Tail));
        Gf128[] gamma = c.Outputs.Gamma;
        Gf128[] tailEq = Multilinear.EqTable(c.UnitPoint[shape.TailInnerBits..shape.LowBits]);
        Gf128 outputs = gamma[7] * PublicSums.Units(instance, unitEq, c.Outputs.UnitWeights)
            + gamma[8] * PublicSums.Tails(instance, tailEq, c.Outputs.TailWeights);
        AffineForm claim = AffineForm.Known(outputs, schedule.Count);
        for (int k = 0; k < end.Length; k++)
            claim += gamma[k] * end[k];
        for (int j = 0; j < shape.LincheckVariables; j++)
            claim = PlainRound(claim, c.Lincheck[j], schedule.Lincheck + 2 * j, c.T[^(j + 1)]);

        Gf128 unitWeight = c.WeightsAtEnd?.Unit ?? AtEnd(CircuitWeights.Unit);
        return claim + unitWeight * opened[0] + tailWeight.GetAwaiter().GetResult() * opened[1];

        Gf128 AtEnd(WeightWalk walk)
        {
            using var weights = new RentedElements(1 << shape.LincheckVariables);
            return Multilinear.EvaluateInPlace(walk(instance, c.S, c.SkipPoint, c.Ties, c.Outputs, weights.Array), c.T);
        }
    }

    private delegate Gf128[] WeightWalk(ArgumentInstance instance, ReadOnlySpan<Gf128> s, Gf128 zeta, in TieChallenges ties, in OutputChallenges outputs, Gf128[]? into);

    private static AffineForm Folds(ArgumentShape shape, PadSchedule schedule, Conversation c)
    {
        LinearMap phi = RingSwitch.Phi(c.RingPoint);
        AffineForm claim = AffineForm.Known(RingSwitch.PackedClaim(phi, c.RingValues), schedule.Count);
        for (int j = 0; j < shape.RowVariables; j++)
            claim = PlainRound(claim, c.Fold[j], schedule.Fold + 2 * j, c.FoldPoint[j]);

        return claim + c.MaskWeight * AffineForm.Masked(c.Sigma[0], schedule.Sigma, schedule.Count) + c.FoldedValue[0];
    }

    private static AffineForm[] Triple(PadSchedule schedule, Conversation c)
    {
        AffineForm Pad(int index) => AffineForm.Masked(default, index, schedule.Count);
        AffineForm product = Pad(schedule.Triple), x = Pad(schedule.Triple + 1), y = Pad(schedule.Triple + 2), xy = Pad(schedule.Triple + 3);
        (Gf128 alpha, Gf128 beta) = (c.TripleOpening[0], c.TripleOpening[1]);
        return
        [
            c.TriplePoint * Pad(schedule.End) + x + alpha,
            Pad(schedule.End + 1) + y + beta,
            c.TriplePoint * product + xy + alpha * y + beta * x + alpha * beta,
        ];
    }

    // One round of a plain sumcheck: g(0) + g(1) = claim gives g1 = claim + g2, so g(x) = x claim + g0 + (x + x^2) g2.
    private static AffineForm PlainRound(AffineForm claim, ReadOnlySpan<Gf128> g0AndG2, int firstPad, Gf128 point) =>
        claim.ScaleAndAddMasked(point, [Gf128.One, point + point.Square()], g0AndG2, firstPad);
}
