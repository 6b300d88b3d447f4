using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// Zero knowledge counted exactly, on the smallest argument (<see cref="TinyArgument"/>: same field, same code), at fixed
/// challenges and positions and for everything a proof shows at once (<see cref="ProofView"/>: all but root, salts,
/// siblings and nonces).
/// <para>
/// What is proven. Fix the mask words m and pi_a, pi_b, x, y (the pads of v_a, v_b and the two blinds of the product
/// triple). In all other randomness r the view is affine over F: view = c(witness, m, ...) + L r, with L measured by running
/// the prover once per coordinate. (sigma_lambda stands apart: acceptance determines it from the rest.) (1) L has full
/// column rank, and its rank is the number of coordinates left when s_v, the masked v_a, v_b, alpha, beta, sigma_lambda, V and
/// the verifier's 2 t0 checks of symbols are taken off: given those, the view is uniform on what the verifier accepts. (2) s_v is affine over GF(2) in m alone and onto; the masked v_a, v_b shift with pi_a,
/// pi_b, and alpha, beta with x, y: so for two witnesses A, B there is a measure-preserving map of (m, pi_a, pi_b, x, y)
/// that makes these coordinates agree, and then by (1) a unique r' that makes the whole view agree. The tests compute it
/// and run the prover with it: witness B gives A's very proof. So at these challenges both witnesses give the same law.
/// (3) The agreement needs every single coordinate of r that masks anything (its coefficient in r' - r is not zero), and
/// fails when any one stream, pad, or the domain's shift is taken away.
/// </para>
/// <para>
/// The counted argument has no levels, so that all of u is in view. With levels the verifier sees less of u and else only what
/// is computed from it and the challenges: whenever two views agree, so must everything that the levels add. That too is
/// done, not only said: each pair that agrees proves again with levels, and the bytes are compared.
/// </para>
/// <para>Not covered: other challenges than those drawn here, and the digests, which hide behind salts in the oracle model.</para>
/// </summary>
public sealed class ExactZeroKnowledgeTests(ITestOutputHelper output)
{
    private const uint KeyA = 0x13579bdf, KeyB = 0xfeedc0de;

    private static readonly Lazy<Experiment> Standard = new(() => new Experiment(TinyArgument.SmallestShape, seed: 1));

    public static TheoryData<string> Streams => [.. new ChosenRandomness(TinyArgument.SmallestShape).Names];

    [Fact]
    public void The_view_is_uniform_on_what_the_verifier_accepts()
    {
        Experiment e = Standard.Value;
        int fixedApart = 128 + 2 + 2 + 1 + 1, checks = 2 * e.Shape.Queries;
        int view = e.View(KeyA, new ChosenRandomness(e.Shape)).Elements.Length;
        output.WriteLine($"view {view} elements, free coordinates of randomness {e.Columns.Count}, rank {e.Span.Rank}, expected {view} - {fixedApart} - {checks}");
        Assert.Equal(e.Columns.Count, e.Span.Rank);
        Assert.Equal(view - fixedApart - checks, e.Span.Rank);
    }

    [Theory]
    [InlineData(1, KeyB)]
    [InlineData(2, 0u)]
    [InlineData(3, 0xffffffffu)]
    public void Another_witness_gives_the_very_same_proof(int seed, uint key)
    {
        Gf128[]? shift = Standard.Value.Match(KeyA, key, seed, (_, _) => false);
        Assert.NotNull(shift);
    }

    [Fact]
    public void At_other_challenges_too()
    {
        int more = Bench.Exhaustive ? 20 : 1;
        for (int seed = 2; seed < 2 + more; seed++)
        {
            var e = new Experiment(TinyArgument.SmallestShape, seed);
            Assert.Equal(e.Columns.Count, e.Span.Rank);
            Assert.NotNull(e.Match(KeyA, KeyB, seed, (_, _) => false));
        }
    }

    [Fact]
    public void Every_single_coordinate_of_the_randomness_is_needed()
    {
        Experiment e = Standard.Value;
        var schedule = new PadSchedule(e.Shape);
        Gf128[] shift = e.Match(KeyA, KeyB, 4, (_, _) => false)!;
        int needed = 0, tailRow = 0;
        for (int k = 0; k < shift.Length; k++)
        {
            // Nothing to hide: columns in which the witnesses do not differ, and the pad row's fixed zeros.
            (string stream, int index) = e.Columns[k];
            if (stream == ChosenRandomness.RowPads && index >= (e.Shape.BitRows - 1) * e.Shape.RowPads)
            {
                tailRow += shift[k].IsZero ? 0 : 1;
                continue;
            }

            bool empty = (stream == ChosenRandomness.MaskRow && index < e.Shape.MessageLength && !e.ColumnDiffers(KeyA, KeyB, index))
                || (stream == ChosenRandomness.PadMask && index >= schedule.Count && index < ArgumentShape.PadSlots);
            Assert.True(empty == shift[k].IsZero, $"{e.Columns[k]}: {(empty ? "needed" : "could be left out")}");
            needed += empty ? 0 : 1;
        }

        // The tails' row has no mask elements; these witnesses differ there in two columns only.
        Assert.True(tailRow > 0);
        output.WriteLine($"{needed} coordinates, none of which can be left out; {shift.Length - needed} mask what these two witnesses share");
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void Fails_without_one_stream(string removed) =>
        Assert.Null(Standard.Value.Match(KeyA, KeyB, 5, (stream, _) => stream == removed));

    [Fact]
    public void Fails_without_any_one_pad()
    {
        Experiment e = Standard.Value;
        var schedule = new PadSchedule(e.Shape);
        int failed = 0;
        for (int pad = 0; pad < schedule.Count; pad++)
        {
            // The two products of the triple are no randomness of their own.
            if (pad == schedule.Triple || pad == schedule.Triple + 3)
                continue;
            Assert.Null(e.Match(KeyA, KeyB, 6, (stream, index) => stream == ChosenRandomness.Pads && index == pad));
            failed++;
        }

        output.WriteLine($"{failed} pads, each needed");
    }

    [Fact]
    public void Fails_with_fewer_than_128_mask_bits_per_place()
    {
        // 127 of the 256 mask elements span at most 127 dimensions of s_v.
        Assert.Null(Standard.Value.Match(KeyA, KeyB, 7, (stream, index) => stream == ChosenRandomness.Masks && index >= 127));
        Assert.NotNull(Standard.Value.Match(KeyA, KeyB, 7, (_, _) => false));
    }

    [Fact]
    public void Fails_on_the_unshifted_domain()
    {
        var e = new Experiment(TinyArgument.SmallestShape with { ShiftDomain = false }, seed: 1);
        Assert.Contains(e.Positions, position => position < e.Shape.CodeLength / 2);
        Assert.True(e.Span.Rank < e.Columns.Count);
        Assert.Null(e.Match(KeyA, KeyB, 8, (_, _) => false));
        output.WriteLine($"rank {e.Span.Rank} of {e.Columns.Count} coordinates, positions {string.Join(' ', e.Positions)} of {e.Shape.CodeLength}");
    }

    [Fact]
    public void Fails_with_one_position_more_than_random_coefficients()
    {
        var e = new Experiment(TinyArgument.SmallestShape with { Queries = TinyArgument.SmallestShape.RowPads + 1 }, seed: 1);
        Assert.Null(e.Match(KeyA, KeyB, 9, (_, _) => false));
    }

    /// <summary>L at one choice of challenges, and the search for randomness that makes two witnesses agree.</summary>
    private sealed class Experiment
    {
        private readonly TinyArgument _tiny;
        private readonly TinyArgument _leveled;
        private readonly PadSchedule _schedule;
        private readonly int _seed;
        private readonly Gf128[] _maskWeights;

        public Experiment(ArgumentShape shape, int seed)
        {
            _tiny = new TinyArgument(shape);
            _leveled = new TinyArgument(shape with { Levels = [new LevelShape(8, 3, 1, 4, 0, 0), new LevelShape(5, 2, 2, 3, 0, 0)] });
            _schedule = new PadSchedule(shape);
            _seed = seed;
            var zero = new ChosenRandomness(shape);
            Conversation said = _tiny.Accept(_tiny.Prove(KeyA, zero, Oracle()), Oracle());
            Gf128 place = Multilinear.Eq(said.T.AsSpan(7, shape.PBits + shape.HBits), shape.MaskElement);
            _maskWeights = [.. Multilinear.EqTable(said.UnitPoint).Take(shape.MaskUnits).Select(eq => place * eq)];
            Positions = Oracle().DistinctPositions(Labels.Positions, shape.Queries, shape.CodeLength);

            int[] apart = [_schedule.End, _schedule.End + 1, .. Enumerable.Range(_schedule.Triple, 4), .. Enumerable.Range(_schedule.Count, ArgumentShape.PadSlots - _schedule.Count)];
            foreach (string stream in zero.Names)
                for (int i = 0; i < zero[stream].Length; i++)
                    if (stream != ChosenRandomness.Masks && !(stream == ChosenRandomness.Pads && apart.Contains(i)))
                        Columns.Add((stream, i));

            Gf128[] origin = Free(View(KeyA, zero));
            var columns = new Gf128[Columns.Count][];
            for (int k = 0; k < columns.Length; k++)
            {
                (string stream, int index) = Columns[k];
                zero[stream][index] = Gf128.One;
                columns[k] = Difference(Free(View(KeyA, zero)), origin);
                zero[stream][index] = default;
            }

            Span = new FieldSpan(columns);
        }

        public ArgumentShape Shape => _tiny.Shape;

        public List<(string Stream, int Index)> Columns { get; } = [];

        public FieldSpan Span { get; }

        public int[] Positions { get; }

        public ProofView View(uint key, ChosenRandomness chosen) => new(Shape, _tiny.Prove(key, chosen, Oracle()));

        /// <summary>Whether the committed rows of the two witnesses differ in column <paramref name="x"/>; mask elements always do.</summary>
        public bool ColumnDiffers(uint keyA, uint keyB, int x)
        {
            using BitMatrices a = _tiny.Witness(keyA), b = _tiny.Witness(keyB);
            int low = x >> Shape.PBits, p = x & (Shape.BlockElements - 1);
            if (p == Shape.MaskElement)
                return true;
            for (int h = 0; h <= Shape.HCount; h++)
                for (int top = 0; top < Shape.PresentTops; top++)
                {
                    ReadOnlySpan<ulong> blockA = a.Block(top << Shape.LowBits | low, h), blockB = b.Block(top << Shape.LowBits | low, h);
                    if (blockA.Length > 0 && !blockA.Slice(2 * p, 2).SequenceEqual(blockB.Slice(2 * p, 2)))
                        return true;
                }

            return false;
        }

        /// <summary>
        /// The change of randomness that makes witness <paramref name="keyB"/> show what <paramref name="keyA"/> shows, without
        /// the removed coordinates, which are zero on both sides; null when there is none.
        /// </summary>
        public Gf128[]? Match(uint keyA, uint keyB, int seed, Func<string, int, bool> removed)
        {
            ChosenRandomness a = Random(seed, removed);
            ProofView target = View(keyA, a);
            ChosenRandomness b = a.Copy();
            if (!ShiftMasks(b, Difference(target[Labels.RingValues], View(keyB, b)[Labels.RingValues]), removed))
                return null;
            if (!ShiftPads(_schedule.End, Labels.EndValues) || !ShiftPads(_schedule.Triple + 1, Labels.TripleOpening))
                return null;

            Gf128[]? shift = Span.Solve(Difference(Free(target), Free(View(keyB, b))));
            if (shift is null)
                return null;
            for (int k = 0; k < shift.Length; k++)
            {
                if (!shift[k].IsZero && removed(Columns[k].Stream, Columns[k].Index))
                    return null;
                b[Columns[k].Stream][Columns[k].Index] += shift[k];
            }

            // The claim itself: the other witness now shows the same, element by element, and is accepted.
            byte[] proof = _tiny.Prove(keyB, b, Oracle());
            Assert.Equal(target.Elements, new ProofView(Shape, proof).Elements);
            _tiny.Accept(proof, Oracle());

            // With levels: but for the root and the siblings of level 0, which hide behind salts, the same bytes.
            byte[] levelsA = _leveled.Prove(keyA, a, Oracle()), levelsB = _leveled.Prove(keyB, b, Oracle());
            _leveled.Accept(levelsB, Oracle());
            int messages = ArgumentVerifier.MessageBytes(_leveled.Shape), leaves = Shape.Queries * (MerkleHash.SaltSize + Shape.LeafBytes);
            int siblings = MerkleHash.DigestSize * MultiProof.SiblingCount(Positions, Shape.LogCodeLength);
            foreach (Range part in new[] { MerkleHash.DigestSize..(messages + leaves), (messages + leaves + siblings).. })
                Assert.Equal(levelsA[part], levelsB[part]);
            return shift;

            // v_a, v_b with pi_a, pi_b; alpha, beta with x, y: a pad that is not removed takes up the difference.
            bool ShiftPads(int first, string label)
            {
                Gf128[] difference = Difference(target[label][..2], View(keyB, b)[label][..2]);
                for (int i = 0; i < 2; i++)
                {
                    if (!difference[i].IsZero && removed(ChosenRandomness.Pads, first + i))
                        return false;
                    b[ChosenRandomness.Pads][first + i] += difference[i];
                }

                return true;
            }
        }

        // Mask bits v of the units change s_v by their weights, over GF(2). Of the many solutions a random one is taken.
        private bool ShiftMasks(ChosenRandomness chosen, Gf128[] difference, Func<string, int, bool> removed)
        {
            int[] present = [.. Enumerable.Range(0, _maskWeights.Length).Where(i => !removed(ChosenRandomness.Masks, i))];
            Gf128[] weights = [.. present.Select(i => _maskWeights[i])], masks = chosen[ChosenRandomness.Masks];
            var random = new Random(1);
            for (int v = 0; v < 128; v++)
            {
                int[] arbitrary = [.. Enumerable.Range(0, present.Length).Where(_ => random.Next(2) == 0)];
                if (BitSolver.Solve(weights, arbitrary.Aggregate(difference[v], (sum, k) => sum + weights[k])) is not { } rest)
                    return false;
                foreach (int k in arbitrary.Concat(rest))
                    masks[present[k]] += Gf128.Monomial(v);
            }

            return true;
        }

        private ChosenRandomness Random(int seed, Func<string, int, bool> removed)
        {
            var random = new Random(seed);
            var chosen = new ChosenRandomness(Shape);
            foreach (string stream in chosen.Names)
                for (int i = 0; i < chosen[stream].Length; i++)
                    if (!removed(stream, i))
                        chosen[stream][i] = new Gf128((ulong)random.NextInt64(), (ulong)random.NextInt64() << 1);
            return chosen;
        }

        // Without sigma_lambda, whose coefficients depend on what is fixed apart.
        private static Gf128[] Free(ProofView view) =>
            [.. view.Elements[..view.Start(Labels.PadSum)], .. view.Elements[(view.Start(Labels.PadSum) + 1)..]];

        private EarlyOracle Oracle() => new(_seed, null);

        private static Gf128[] Difference(ReadOnlySpan<Gf128> x, ReadOnlySpan<Gf128> y)
        {
            var difference = new Gf128[x.Length];
            for (int i = 0; i < difference.Length; i++)
                difference[i] = x[i] + y[i];
            return difference;
        }
    }
}
