using System.Runtime.InteropServices;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Reference;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Prover;

/// <summary>
/// The prover's side of docs/proof-system.md section 6 on the kernels, one numbered step after the other: the same bytes as
/// <see cref="ReferenceProver"/>. Randomness belongs to one transcript: a proof that has to be given up starts again at step 1
/// with a new generator.
/// </summary>
internal static unsafe class WindowProver
{

    /// <summary>Proves <paramref name="instance"/> for the bits of <paramref name="z"/>, whose mask elements are filled here.</summary>
    /// <returns>False when the challenges were degenerate (probability about 2^-120): start again with fresh randomness.</returns>
    /// <param name="instance">The statement's circuits, chunks and public outputs, already absorbed by the transcript.</param>
    /// <param name="z">The witness.</param>
    /// <param name="random">Fresh randomness of this proof alone.</param>
    /// <param name="channel">Where the proof is written.</param>
    /// <param name="workers">Threads and cancellation.</param>
    /// <param name="progress">Receives the name of each stage as it begins.</param>
    /// <param name="satisfied">False in tests whose witness breaks rows: then the proof is the reference's too, and refused.</param>
    public static bool Prove(ArgumentInstance instance, WitnessBits z, ProofRandom random, ProverChannel channel, Workers workers, Action<string>? progress = null, bool satisfied = true)
    {
        using var arrays = new ProofArrays();
        ArgumentShape shape = instance.Shape;
        Transcript transcript = channel.Transcript;
        var schedule = new PadSchedule(shape);
        var said = new Conversation(shape);

        // 1 ---- Commit: rows of bits with q random coefficients each, the mask row g, the pad rows pi and mu. ----------
        Stage("commit");
        FillMasks(shape, z, random);
        Gf128[] pads = arrays.Take(shape.PadRowLength), padMask = arrays.Take(shape.PadRowLength);
        ReferenceProver.DrawPads(shape, schedule, random, pads);
        using (RandomStream stream = random.Take("pad mask"))
            stream.Fill(padMask.AsSpan());
        using var commitment = new FastCommitment(z, pads, padMask, random, workers);
        channel.Send(Labels.Root, commitment.Root);
        said.ZerocheckPoint = PinnedCoordinates.DrawPoint(shape, transcript);

        // 2 ---- Univariate skip. -----------------------------------------------------------------------------------------
        Stage("skip");
        using var a = new WitnessBits(shape);
        using var b = new WitnessBits(shape);
        using NativeBlock links = NativePool.Shared.Rent((long)z.ActiveUnits() * TiledWalk.LinkWords * sizeof(uint));
        Forms(instance, z, a, b, links.As<uint>(), workers);
        using var zerocheck = new FastZerocheck(z, a, b, said.ZerocheckPoint, arrays, workers);
        Gf128[] skip = zerocheck.Skip();
        said.Skip = SendMasked(Labels.Skip, schedule.Skip, skip);
        said.SkipPoint = transcript.Challenge(Labels.SkipPoint);
        said.Ties = new TieChallenges(instance, transcript);

        // 3, 4 ---- Zerocheck rounds; the rounds that bind i carry the ties. --------------------------------------------
        Stage("zerocheck");
        zerocheck.Begin(said.SkipPoint, skip, satisfied);
        using var ties = new FastTies(instance, z, links.As<uint>(), said.Ties,
            new TieWeights(instance, said.Ties.UnitPoint, said.Ties.TailPoint, said.Ties.StateWeights, said.Ties.Theta, arrays.Take), workers);
        for (int j = 0; j < shape.ZerocheckVariables; j++)
        {
            (Gf128 g1, Gf128 g2) = zerocheck.Round(j == 0 ? default : said.S[j - 1]);
            said.Zerocheck[j] = SendMasked(Labels.Round, schedule.Zerocheck + 2 * j, g1, g2);
            int tie = j - shape.InnerVariables;
            if (tie >= 0)
            {
                (Gf128 h0, Gf128 h2) = ties.Round();
                said.Tie[tie] = SendMasked(Labels.Round, schedule.Tie + 2 * tie, h0, h2);
            }

            said.S[j] = transcript.Challenge(Labels.RoundPoint);
            zerocheck.Challenge(said.S[j]);
            if (tie >= 0)
                ties.Bind(said.S[j]);
        }

        // 5 ---- End values. ----------------------------------------------------------------------------------------------
        zerocheck.Finish(said.S[^1]);
        (Gf128 va, Gf128 vb, Gf128 vc) = zerocheck.End;
        said.End = SendMasked(Labels.EndValues, schedule.End, [va, vb, vc, .. ties.End]);
        said.Outputs = new OutputChallenges(instance, transcript);

        // 6 ---- Lincheck. ------------------------------------------------------------------------------------------------
        Stage("lincheck");
        using var sums = new FoldSums(z, said.UnitPoint.ToArray(), arrays, workers);
        Gf128[] unitSums = sums.UnitSums(), tailSums = arrays.Copy(sums.TailSums());
        Gf128[] unitWeights = arrays.Take(1 << shape.LincheckVariables), tailWeights = arrays.Take(1 << shape.LincheckVariables);
        workers.For(2, 1, (start, end) =>
        {
            if (start == 0)
                CircuitWeights.Unit(instance, said.S, said.SkipPoint, said.Ties, said.Outputs, unitWeights);
            if (end == 2)
                CircuitWeights.Tail(instance, said.S, said.SkipPoint, said.Ties, said.Outputs, tailWeights);
        });
        var lincheck = new LincheckRounds(unitWeights, arrays.Copy(unitSums), tailWeights, arrays.Copy(tailSums));
        for (int j = 0; j < shape.LincheckVariables; j++)
        {
            (Gf128 g0, Gf128 g2) = lincheck.Round();
            said.Lincheck[j] = SendMasked(Labels.Lincheck, schedule.Lincheck + 2 * j, g0, g2);
            said.T[^(j + 1)] = transcript.Challenge(Labels.LincheckPoint);
            lincheck.Bind(said.T[^(j + 1)]);
        }

        said.WeightsAtEnd = lincheck.WeightsAtEnd;
        (Gf128 zu, Gf128 zt) = lincheck.End;
        said.Opened = SendMasked(Labels.Opened, schedule.Opened, zu, zt);
        said.RegionWeight = transcript.Challenge(Labels.RegionWeight);
        if (!ReferenceProver.MasksSpan(shape, said))
            return false;

        // 7 ---- Ring switch: 128 values in clear, made uniform by the mask elements. ------------------------------------
        said.RingValues = LincheckRounds.RingValues(shape, unitSums, tailSums, said.T, said.RegionWeight);
        channel.Send(Labels.RingValues, said.RingValues);
        said.RingPoint = transcript.Challenges(Labels.RingPoint, 7);

        // 8 ---- Row folds, on the matrix of the rows' products alone. ----------------------------------------------------
        Stage("fold");
        LinearMap phi = RingSwitch.Phi(said.RingPoint);
        FoldMatrix fold = sums.Matrix(z, said.T, said.RegionWeight, phi, workers);
        for (int j = 0; j < shape.RowVariables; j++)
        {
            (Gf128 g0, Gf128 g2) = fold.Round();
            said.Fold[j] = SendMasked(Labels.Fold, schedule.Fold + 2 * j, g0, g2);
            channel.SendWork(Labels.FoldPoint, shape.FoldGrinding, workers);
            said.FoldPoint[j] = transcript.Challenge(Labels.FoldPoint);
            fold.Bind(said.FoldPoint[j]);
        }

        // 9 ---- The mask row's share. ------------------------------------------------------------------------------------
        using var levels = new FastLevels(shape, workers);
        FoldedWeights.Compute(shape, said, phi, levels.Weights, arrays, workers);
        fixed (Gf128* mask = commitment.MaskRow)
            said.Sigma = SendMasked(Labels.Sigma, schedule.Sigma, ColumnRounds.InnerProduct(levels.Weights, mask, shape.MessageLength, workers));
        channel.SendWork(Labels.MaskWeight, shape.MaskGrinding, workers);
        said.MaskWeight = transcript.Challenge(Labels.MaskWeight);
        if (said.MaskWeight.IsZero)
            return false;

        // 10 ---- The folded row u: uniform, because g is. Its upper coefficients, its inner product, and a commitment. --
        said.FoldedHigh = Fold(shape, z, commitment, said, levels.Vector, workers);
        said.FoldedValue = [ColumnRounds.InnerProduct(levels.Weights, levels.Vector, shape.MessageLength, workers)];
        channel.Send(Labels.FoldedHigh, said.FoldedHigh);
        channel.Send(Labels.FoldedValue, said.FoldedValue);
        levels.Commit(channel);

        // 11 ---- The product of the pads of v_a and v_b, then all eight equations as one. --------------------------------
        Stage("open");
        said.TriplePoint = transcript.Challenge(Labels.TriplePoint);
        if (said.TriplePoint.IsZero)
            return false;
        said.TripleOpening =
        [
            said.TriplePoint * pads[schedule.End] + pads[schedule.Triple + 1],
            pads[schedule.End + 1] + pads[schedule.Triple + 2],
        ];
        channel.Send(Labels.TripleOpening, said.TripleOpening);
        AffineForm combined = PadEquations.Combine(PadEquations.Build(instance, said), transcript.Challenge(Labels.EquationWeight));
        channel.Send(Labels.PadSum, Multilinear.InnerProduct(combined.Coefficients, padMask));
        channel.SendWork(Labels.PadWeight, shape.PadGrinding, workers);
        Gf128 omega = transcript.Challenge(Labels.PadWeight);
        if (omega.IsZero)
            return false;

        // 12 ---- The pad row, masked by mu, then the positions. ----------------------------------------------------------
        for (int x = 0; x < padMask.Length; x++)
            padMask[x] += omega * pads[x];
        channel.Send(Labels.PadRow, padMask);
        channel.SendWork(Labels.Positions, shape.QueryGrinding, workers);
        int[] positions = transcript.DistinctPositions(Labels.Positions, shape.Queries, shape.CodeLength);

        // 13 ---- The levels, then all openings. --------------------------------------------------------------------------
        levels.Run(positions, channel);
        commitment.Open(positions, channel);
        levels.Open(channel);
        return true;

        Gf128[] SendMasked(string label, int firstPad, params ReadOnlySpan<Gf128> values)
        {
            var sent = new Gf128[values.Length];
            for (int i = 0; i < sent.Length; i++)
                sent[i] = values[i] + pads[firstPad + i];
            channel.Send(label, sent);
            return sent;
        }

        void Stage(string name)
        {
            workers.Cancellation.ThrowIfCancellationRequested();
            progress?.Invoke(name);
        }
    }

    // 128 random bits in each of the first units, as free witness bits: they mask the ring values (docs/proof-system.md
    // section 11).
    private static void FillMasks(ArgumentShape shape, WitnessBits z, ProofRandom random)
    {
        using RandomStream masks = random.Take("mask elements");
        for (int i = 0; i < shape.MaskUnits; i++)
            masks.Fill(MemoryMarshal.AsBytes(z.Unit(i).Slice(4 * shape.MaskElement, 4)));
    }

    private static void Forms(ArgumentInstance instance, WitnessBits z, WitnessBits a, WitnessBits b, uint* links, Workers workers)
    {
        int units = z.ActiveUnits(), tails = z.ActiveTails();
        const int Tile = TiledWalk.TileSlots, Words = WitnessBits.UnitBytes / sizeof(uint);
        workers.For((units + Tile - 1) / Tile, 4, (start, end) =>
        {
            int first = start * Tile, count = Math.Min(end * Tile, units) - first;
            long at = (long)first * Words;
            TiledWalk.Unit.Forms((uint*)z.Units + at, count, (uint*)a.Units + at, (uint*)b.Units + at, links + (long)first * TiledWalk.LinkWords, bypassCache: true);
        });
        workers.For(tails, 1, (start, end) =>
        {
            for (int q = start; q < end; q++)
                instance.Tail.Forms(z.Tail(q), a.Tail(q), b.Tail(q));
        });
    }

    // u = sum_f eq(r_f, f) row_f + xi g: the first n coefficients into memory, the others returned.
    private static Gf128[] Fold(ArgumentShape shape, WitnessBits z, FastCommitment commitment, Conversation said, Gf128* into, Workers workers)
    {
        Gf128[] eq = Multilinear.EqTable(said.FoldPoint), factors = new Gf128[shape.BitRows], high = new Gf128[shape.RowPads];
        var rows = new RowCombination.Row[shape.BitRows];
        for (int h = 0; h < shape.HCount; h++)
            for (int top = 0; top < shape.PresentTops; top++)
            {
                int row = shape.RowIndex(h, top);
                factors[row] = eq[shape.FoldIndex(h, top)];
                byte* first = z.Units + ((long)top << shape.LowBits) * WitnessBits.UnitBytes + h * SkipKernel.BlockBytes;
                rows[row] = new RowCombination.Row(first, WitnessBits.UnitBytes, 1 << shape.LowBits, factors[row]);
            }

        factors[^1] = eq[shape.FoldIndex(shape.HCount, 0)];
        rows[^1] = new RowCombination.Row(z.Tails, SkipKernel.BlockBytes, z.ActiveTails() << shape.TailInnerBits, factors[^1]);
        RowCombination.Compute(rows, into, shape.MessageLength, workers);
        Span<Gf128> mask = commitment.MaskRow, pads = commitment.RowPads;
        fixed (Gf128* low = mask)
            PairRounds.AddScaled(into, said.MaskWeight, low, shape.MessageLength, workers);
        for (int k = 0; k < high.Length; k++)
        {
            high[k] = said.MaskWeight * mask[shape.MessageLength + k];
            for (int row = 0; row < factors.Length; row++)
                high[k] += factors[row] * pads[row * shape.RowPads + k];
        }

        return high;
    }
}
