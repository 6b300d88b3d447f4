using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Codes;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Tests.Argument;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// The levels of the commitment against a prover whose statement is false: Z_U mends the lincheck, s_0 the ring switch, and V
/// the folds, so that the eight equations hold and only &lt;w', u&gt; = V is wrong. What then hides that from the levels is
/// refused; an attack on the order succeeds as soon as the challenge it waits for is drawn early (<see cref="EarlyOracle"/>).
/// </summary>
public sealed class LevelAttackTests
{
    private const int Seed = 12;

    private static readonly ArgumentShape Shape = ToyArgument.DefaultShape;

    /// <summary>Runs the prover with V wrong by the last argument of the doors.</summary>
    private delegate CheatingProver Run(
        Func<int, CheatingLevels, Gf128, Gf128[]?>? replace = null, Action<int, int, Gf128[], CheatingLevels, Gf128>? fold = null, Action<Gf128[], Gf128>? high = null);

    [Fact]
    public void An_inner_product_that_is_not_that_of_the_folded_row() => Refused(RejectReason.LevelSum, run => run());

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_vector_with_the_wanted_inner_product_is_committed_to(int level) => Refused(RejectReason.LevelSum, run => run(
        (index, levels, defect) => index == level ? Shifted(levels, Change([levels.Weights], [Remaining(levels, defect)])) : null));

    [Fact]
    public void A_last_vector_with_the_wanted_inner_product() => Refused(RejectReason.LastVector, run => run(
        (index, levels, defect) => index == Shape.Levels.Count ? Shifted(levels, Change([levels.Weights], [Remaining(levels, defect)])) : null));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 2)]
    [InlineData(1, 1)]
    public void A_fold_that_is_off(int level, int fold) => Refused(RejectReason.LevelSum, run => run(fold: (i, j, message, _, defect) =>
        message[i] += i == level && j == fold ? defect : default));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void A_fold_after_its_challenge(int level, int fold) => Attack([Labels.LevelPoint], RejectReason.LevelSum, run =>
    {
        // g(r) = g0 + r (claim + g2) + r^2 g2: a claim that is off by e is mended by g0 + r e.
        Gf128 r = run().Levels.Point[fold + Shape.Levels.Take(level).Sum(l => l.Folds)];
        return run(fold: (i, j, message, levels, defect) => message[0] += i == level && j == fold ? r * Remaining(levels, defect) : default);
    });

    [Fact]
    public void The_first_root_after_the_positions_of_the_rows() => Attack([Labels.Positions], RejectReason.LevelSum, run =>
    {
        int[] positions = run().Positions;
        return run((index, levels, defect) => index == 0 ? Shifted(levels, Unseen(levels, Shape.NewCode(), positions, defect)) : null);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_next_vector_after_the_positions_of_a_level(int level) => Attack(
        [Labels.LevelPositions], level == Shape.Levels.Count - 1 ? RejectReason.LastVector : RejectReason.LevelSum, run =>
    {
        int[] positions = run().Levels.Positions[level];
        return run((index, levels, defect) =>
            index == level + 1 ? Shifted(levels, Unseen(levels, Shape.Levels[level].NewCode(), positions, defect)) : null);
    });

    [Fact]
    public void The_upper_coefficients_after_the_positions() => Attack([Labels.Positions], RejectReason.LevelSum, run =>
    {
        // Any x_1 with the wanted inner product; the upper coefficients make it agree with the rows at the positions.
        CheatingProver first = run();
        RowCode code = Shape.NewCode();
        Gf128[][] weights = [.. first.Positions.Select(position => code.WeightsAt(position, Shape.RowLength))];
        Gf128[]? change = null;
        run((index, levels, defect) =>
        {
            if (index == 0)
                change = Change([levels.Weights], [defect]);
            return null;
        });
        Gf128[] high = Change([.. weights.Select(w => w[Shape.MessageLength..])], [.. weights.Select(w => Multilinear.InnerProduct(change!, w))]);
        return run((index, levels, _) => index == 0 ? Shifted(levels, change!) : null, high: (sent, _) =>
        {
            for (int k = 0; k < sent.Length; k++)
                sent[k] += high[k];
        });
    });

    // What is left of V's defect after the folds: each multiplies it by its challenge, since g(1) = claim + g(0).
    private static Gf128 Remaining(CheatingLevels levels, Gf128 defect) => levels.Point.Aggregate(defect, (error, r) => error * r);

    // A change that no position sees and that has the wanted inner product.
    private static Gf128[] Unseen(CheatingLevels levels, RowCode code, int[] positions, Gf128 defect) => Change(
        [levels.Weights, .. positions.Select(position => code.WeightsAt(position, levels.Vector.Length))],
        [Remaining(levels, defect), .. positions.Select(_ => default(Gf128))]);

    // A vector with the given inner products with the rows, nonzero in a few places only.
    private static Gf128[] Change(Gf128[][] rows, Gf128[] products)
    {
        int places = Math.Min(rows[0].Length, 2 * rows.Length);
        var span = new FieldSpan([.. Enumerable.Range(0, places).Select(k => rows.Select(row => row[k]).ToArray())]);
        Gf128[] solution = span.Solve(products) ?? throw new InvalidOperationException("The rows are not independent.");
        return [.. solution, .. new Gf128[rows[0].Length - places]];
    }

    private static Gf128[] Shifted(CheatingLevels levels, Gf128[] change) => [.. levels.Vector.Select((x, k) => x + change[k])];

    private static void Attack(string[] early, RejectReason expected, Func<Run, CheatingProver> attack)
    {
        Assert.Null(Prove(() => new EarlyOracle(Seed, early), attack));
        Refused(expected, attack);
        Assert.NotNull(Prove(() => new EarlyOracle(Seed, early), run => run()));
    }

    private static void Refused(RejectReason expected, Func<Run, CheatingProver> attack) =>
        Assert.Equal(expected, Prove(() => new Transcript(), attack)?.Reason);

    // What the verifier says to the attack's last proof.
    private static Rejection? Prove(Func<Transcript> oracle, Func<Run, CheatingProver> attack)
    {
        var toy = new ToyArgument([5, 0, 30]);
        toy.ClaimedUnitOutputs(3)[2] ^= 1;
        byte[] proof = [];
        CheatingProver Once(Dictionary<string, Action<Gf128[]>> say, Func<int, CheatingLevels, Gf128[]?>? replace = null, Action<int, int, Gf128[], CheatingLevels>? fold = null)
        {
            var prover = new CheatingProver(toy.Instance, toy.Witness, Seed) { Say = say, Replace = replace, SayFold = fold };
            proof = prover.Prove(oracle());
            return prover;
        }

        CheatingProver first = Once([]);
        Gf128 unit = first.Equations()[(int)PadEquation.Lincheck].Coefficients[first.Schedule.Opened];
        Gf128 change = first.Defect(PadEquation.Lincheck) * unit.Inverse();
        Gf128 follow = change * Multilinear.EqTable(first.Said.T.AsSpan(0, 7))[0].Inverse();
        Dictionary<string, Action<Gf128[]>> say = new()
        {
            [Labels.Opened] = z => z[0] += change,
            [Labels.RingValues] = s => s[0] += follow,
        };
        Gf128 defect = Once(say).Defect(PadEquation.Folds);
        say[Labels.FoldedValue] = v => v[0] += defect;
        CheatingProver last = attack((replace, fold, high) => Once(
            high is null ? say : new(say) { [Labels.FoldedHigh] = sent => high(sent, defect) },
            replace is null ? null : (index, levels) => replace(index, levels, defect),
            fold is null ? null : (i, j, message, levels) => fold(i, j, message, levels, defect)));
        Assert.All(Enum.GetValues<PadEquation>(), equation => Assert.True(last.Defect(equation).IsZero));
        return toy.Verify(proof, oracle());
    }
}
