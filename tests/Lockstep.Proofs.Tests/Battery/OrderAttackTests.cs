using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Tests.Argument;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// Why each message comes before its challenge. Each attack proves a false statement by choosing one message after the
/// challenge that follows it. Against a transcript with that challenge drawn early (<see cref="EarlyOracle"/>) the real
/// verifier accepts; against the real transcript the same attack fails at its equation, because the challenge moved when
/// the message did.
/// </summary>
public sealed class OrderAttackTests
{
    private const int Seed = 11;

    // Everything before the triple is opened.
    private static readonly string[] UntilTriple =
    [
        Labels.ZerocheckPoint, Labels.SkipPoint, Labels.TiePoints, Labels.RoundPoint, Labels.OutputPoints, Labels.LincheckPoint,
        Labels.RegionWeight, Labels.RingPoint, Labels.FoldPoint, Labels.MaskWeight, Labels.TriplePoint,
    ];

    private delegate CheatingProver Run(Dictionary<string, Action<Gf128[]>> say, Action<Gf128[]>? commit = null);

    [Fact]
    public void Without_changes_the_cheating_prover_is_the_honest_one()
    {
        var toy = new ToyArgument([5, 0, 30]);
        byte[] honest = Bench.Prove(toy.Instance, toy.Witness, Seed, new Transcript());
        Assert.Equal(honest, new CheatingProver(toy.Instance, toy.Witness, Seed).Prove(new Transcript()));
    }

    [Fact]
    public void Opened_values_after_gamma_prime() => Attack(WrongOutput, [Labels.RegionWeight], [PadEquation.RingSwitch], run =>
    {
        // The lincheck is mended by Z_U and Z_T together so that Z_U + gamma' Z_T stays what it was.
        CheatingProver first = run([]);
        (Gf128 unit, Gf128 tail) = OpenedWeights(first);
        Gf128 gamma = first.Said.RegionWeight;
        Gf128 change = first.Defect(PadEquation.Lincheck) * (unit * gamma + tail).Inverse();
        return run(new() { [Labels.Opened] = z => (z[0], z[1]) = (z[0] + gamma * change, z[1] + change) });
    });

    [Fact]
    public void Ring_values_after_their_point() => Attack(WrongOutput, [Labels.RingPoint], [PadEquation.Folds], run =>
    {
        // Z_U mends the lincheck; s_0 and some s_v follow it, with a change that sum_v b_v phi(s_v) does not see.
        CheatingProver first = run([]);
        Gf128 change = first.Defect(PadEquation.Lincheck) * OpenedWeights(first).Unit.Inverse();
        Gf128[] eq = Multilinear.EqTable(first.Said.T.AsSpan(0, 7));
        LinearMap phi = RingSwitch.Phi(first.Said.RingPoint);
        Gf128 start = change * eq[0].Inverse();
        for (int v = 1; v < 128; v++)
        {
            Gf128 ratio = eq[v] * eq[0].Inverse();
            Gf128[] columns = [.. Enumerable.Range(0, 128).Select(j => Seen(ratio * Gf128.Monomial(j), v, Gf128.Monomial(j)))];
            if (BitSolver.Solve(columns, Seen(start, v, default)) is not { } bits)
                continue;
            Gf128 other = bits.Aggregate(default(Gf128), (sum, j) => sum + Gf128.Monomial(j));
            return run(new()
            {
                [Labels.Opened] = z => z[0] += change,
                [Labels.RingValues] = s => (s[0], s[v]) = (s[0] + start + ratio * other, s[v] + other),
            });
        }

        throw new InvalidOperationException("No pair of values hides the change.");

        Gf128 Seen(Gf128 zero, int v, Gf128 other) => TowerBasis.Element(0) * phi.Apply(zero) + TowerBasis.Element(v) * phi.Apply(other);
    });

    [Fact]
    public void Sigma_after_xi() => Attack(WrongOutput, [Labels.MaskWeight], [PadEquation.Folds], run =>
    {
        // Z_U mends the lincheck, s_0 follows it, and the mask row's share takes up what is wrong at the end of the folds.
        CheatingProver first = run([]);
        Gf128 change = first.Defect(PadEquation.Lincheck) * OpenedWeights(first).Unit.Inverse();
        Gf128 follow = change * Multilinear.EqTable(first.Said.T.AsSpan(0, 7))[0].Inverse();
        Dictionary<string, Action<Gf128[]>> say = new()
        {
            [Labels.Opened] = z => z[0] += change,
            [Labels.RingValues] = s => s[0] += follow,
        };
        CheatingProver second = run(say);
        Gf128 rest = second.Defect(PadEquation.Folds) * second.Said.MaskWeight.Inverse();
        say[Labels.Sigma] = sigma => sigma[0] += rest;
        return run(say);
    });

    [Fact]
    public void Triple_after_epsilon() => Attack(WrongRow, UntilTriple, [PadEquation.Zerocheck, PadEquation.TripleProduct], run =>
    {
        // The product of the pads is off by what the zerocheck lacks, and x y by epsilon times that.
        CheatingProver first = run([]);
        Gf128 defect = first.Defect(PadEquation.Zerocheck), epsilon = first.Said.TriplePoint;
        return run([], pads =>
        {
            pads[first.Schedule.Triple] += defect;
            pads[first.Schedule.Triple + 3] += epsilon * defect;
        });
    });

    [Fact]
    public void Alpha_after_chi() => Attack(WrongOutput, [Labels.EquationWeight], [PadEquation.Lincheck, PadEquation.TripleAlpha, PadEquation.TripleProduct], run =>
    {
        // alpha + d moves two equations: its own by d, the product's by d (y + beta) = d pi_b.
        CheatingProver first = run([]);
        Gf128 chi = first.Chi, defect = first.CombinedDefect;
        Gf128 slope = chi.Pow((int)PadEquation.TripleAlpha) + chi.Pow((int)PadEquation.TripleProduct) * first.Pads[first.Schedule.End + 1];
        return run(new() { [Labels.TripleOpening] = opening => opening[0] += defect * slope.Inverse() });
    });

    [Fact]
    public void Beta_after_chi() => Attack(WrongOutput, [Labels.EquationWeight], [PadEquation.Lincheck, PadEquation.TripleBeta, PadEquation.TripleProduct], run =>
    {
        // beta + d moves its own equation by d, the product's by d (x + alpha) = d epsilon pi_a.
        CheatingProver first = run([]);
        Gf128 chi = first.Chi, defect = first.CombinedDefect;
        Gf128 slope = chi.Pow((int)PadEquation.TripleBeta)
            + chi.Pow((int)PadEquation.TripleProduct) * first.Said.TriplePoint * first.Pads[first.Schedule.End];
        return run(new() { [Labels.TripleOpening] = opening => opening[1] += defect * slope.Inverse() });
    });

    [Fact]
    public void Pad_sum_after_omega() => Attack(WrongOutput, [Labels.PadWeight], [PadEquation.Lincheck], run =>
    {
        // <lambda, u_pi> = sigma_lambda + omega c_0 holds for any c_0 when sigma_lambda may follow omega.
        CheatingProver first = run([]);
        Gf128 change = first.Omega * first.CombinedDefect;
        return run(new() { [Labels.PadSum] = sum => sum[0] += change });
    });

    [Fact]
    public void Pads_after_the_root() => Attack(WrongRow, [Labels.ZerocheckPoint, Labels.SkipPoint, Labels.TiePoints, Labels.RoundPoint], [PadEquation.Zerocheck], run =>
    {
        // The pad of the last zerocheck message is committed to be what would have made that message true.
        CheatingProver first = run([]);
        int pad = first.Schedule.Tie - 1;
        Gf128 change = first.Defect(PadEquation.Zerocheck) * first.Equations()[(int)PadEquation.Zerocheck].Coefficients[pad].Inverse();
        return run([], pads => pads[pad] += change);
    });

    private static ToyArgument WrongOutput()
    {
        var toy = new ToyArgument([5, 0, 30]);
        toy.ClaimedUnitOutputs(3)[2] ^= 1;
        return toy;
    }

    // An empty word that is not zero: no output and no link depends on it, so the zerocheck alone is broken.
    private static ToyArgument WrongRow()
    {
        var toy = new ToyArgument([5, 0, 30]);
        toy.Witness.Unit(7)[31] = 1;
        return toy;
    }

    private static (Gf128 Unit, Gf128 Tail) OpenedWeights(CheatingProver prover)
    {
        ReadOnlySpan<Gf128> coefficients = prover.Equations()[(int)PadEquation.Lincheck].Coefficients;
        return (coefficients[prover.Schedule.Opened], coefficients[prover.Schedule.Opened + 1]);
    }

    private static void Attack(Func<ToyArgument> lie, string[] early, PadEquation[] expected, Func<Run, CheatingProver> attack)
    {
        ToyArgument toy = lie();
        Assert.Null(toy.Verify(LastProof(toy, () => new EarlyOracle(Seed, early), attack).Proof, new EarlyOracle(Seed, early)));

        (byte[] proof, CheatingProver prover) = LastProof(toy, () => new Transcript(), attack);
        Assert.Equal(RejectReason.Equations, toy.Verify(proof, new Transcript())?.Reason);
        Assert.Equal(expected, Enum.GetValues<PadEquation>().Where(equation => !prover.Defect(equation).IsZero));

        // The honest prover gets no false statement past the reordered transcript either: it is the attack that succeeds.
        byte[] honest = Bench.Prove(toy.Instance, toy.Witness, Seed, new EarlyOracle(Seed, early));
        Assert.Equal(RejectReason.Equations, toy.Verify(honest, new EarlyOracle(Seed, early))?.Reason);
    }

    private static (byte[] Proof, CheatingProver Prover) LastProof(ToyArgument toy, Func<Transcript> oracle, Func<Run, CheatingProver> attack)
    {
        byte[] proof = [];
        CheatingProver last = attack((say, commit) =>
        {
            var prover = new CheatingProver(toy.Instance, toy.Witness, Seed) { Say = say, Commit = commit };
            proof = prover.Prove(oracle());
            return prover;
        });
        return (proof, last);
    }
}
