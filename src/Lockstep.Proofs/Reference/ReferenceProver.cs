using System.Runtime.InteropServices;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Reference;

/// <summary>
/// The prover's side of docs/proof-system.md section 6, one numbered step after the other. Randomness belongs to one transcript: a
/// proof that has to be given up starts again at step 1 with a new generator.
/// </summary>
internal static class ReferenceProver
{
    /// <summary>Proves <paramref name="instance"/> for the bits of <paramref name="z"/>, whose mask elements are filled here.</summary>
    /// <returns>False when the challenges were degenerate (probability about 2^-120): start again with fresh randomness.</returns>
    /// <param name="instance">The statement's circuits, chunks and public outputs, already absorbed by the transcript.</param>
    /// <param name="z">The witness. A wrong one gives a proof that the verifier refuses.</param>
    /// <param name="random">Fresh randomness of this proof alone.</param>
    /// <param name="channel">Where the proof is written.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="progress">Receives the name of each stage as it begins.</param>
    /// <param name="secrets">Holds all that could tell the witness or the pads; empty, and overwritten on every way out. Null for one of its own.</param>
    public static bool Prove(ArgumentInstance instance, BitMatrices z, ProofRandom random, ProverChannel channel, Workers workers,
        Action<string>? progress = null, SecretArrays? secrets = null)
    {
        using SecretArrays hidden = secrets ?? new SecretArrays();
        ArgumentShape shape = instance.Shape;
        Transcript transcript = channel.Transcript;
        var schedule = new PadSchedule(shape);
        var said = new Conversation(shape);

        // 1 ---- Commit: rows of bits with q random coefficients each, the mask row g, the pad rows pi and mu. ----------
        Stage("commit");
        FillMasks(shape, z, random);
        Gf128[] pads = hidden.Take<Gf128>(shape.PadRowLength);
        DrawPads(shape, schedule, random, pads);
        Gf128[] maskRow = Draw("mask row", shape.RowLength), padMask = Draw("pad mask", shape.PadRowLength);
        Gf128[][] bitRows = PackRows(shape, z, random, hidden, workers);
        var commitment = new RowCommitment(shape, [.. bitRows, maskRow, pads, padMask], random, hidden, workers);
        channel.Send(Labels.Root, commitment.Root);
        said.ZerocheckPoint = PinnedCoordinates.DrawPoint(shape, transcript);

        // 2 ---- Univariate skip. -----------------------------------------------------------------------------------------
        Stage("skip");
        BitMatrices a = NewBits(), b = NewBits();
        z.Forms(instance, a, b, workers);
        said.Skip = SendMasked(Labels.Skip, schedule.Skip, SkipRound.Evaluate(shape, z, a, b, said.ZerocheckPoint, hidden, workers));
        said.SkipPoint = transcript.Challenge(Labels.SkipPoint);
        said.Ties = new TieChallenges(instance, transcript);

        // 3, 4 ---- Zerocheck rounds; the rounds that bind i carry the ties. --------------------------------------------
        Stage("zerocheck");
        var zerocheck = new ZerocheckRounds(shape, z, a, b, said.ZerocheckPoint, said.SkipPoint, hidden, workers);
        var tieWeights = new TieWeights(instance, said.Ties.UnitPoint, said.Ties.TailPoint, said.Ties.StateWeights, said.Ties.Theta);
        var ties = new TieRounds(instance, z, said.Ties, tieWeights, hidden);
        for (int j = 0; j < shape.ZerocheckVariables; j++)
        {
            (Gf128 g1, Gf128 g2) = zerocheck.Round();
            said.Zerocheck[j] = SendMasked(Labels.Round, schedule.Zerocheck + 2 * j, g1, g2);
            int tie = j - shape.InnerVariables;
            if (tie >= 0)
            {
                (Gf128 h0, Gf128 h2) = ties.Round();
                said.Tie[tie] = SendMasked(Labels.Round, schedule.Tie + 2 * tie, h0, h2);
            }

            said.S[j] = transcript.Challenge(Labels.RoundPoint);
            zerocheck.Bind(said.S[j]);
            if (tie >= 0)
                ties.Bind(said.S[j]);
        }

        // 5 ---- End values. ----------------------------------------------------------------------------------------------
        (Gf128 va, Gf128 vb, Gf128 vc) = zerocheck.End;
        said.End = SendMasked(Labels.EndValues, schedule.End, [va, vb, vc, .. ties.End]);
        said.Outputs = new OutputChallenges(instance, transcript);

        // 6 ---- Lincheck. ------------------------------------------------------------------------------------------------
        Stage("lincheck");
        Gf128[] unitSums = SlotSums.Units(shape, z, Multilinear.EqTable(said.UnitPoint), hidden, workers);
        Gf128[] tailSums = SlotSums.Tails(shape, z, Multilinear.EqTable(said.UnitPoint[shape.TailInnerBits..shape.LowBits]), hidden, workers);
        var lincheck = new LincheckRounds(
            CircuitWeights.Unit(instance, said.S, said.SkipPoint, said.Ties, said.Outputs), hidden.Copy<Gf128>(unitSums),
            CircuitWeights.Tail(instance, said.S, said.SkipPoint, said.Ties, said.Outputs), hidden.Copy<Gf128>(tailSums));
        for (int j = 0; j < shape.LincheckVariables; j++)
        {
            (Gf128 g0, Gf128 g2) = lincheck.Round();
            said.Lincheck[j] = SendMasked(Labels.Lincheck, schedule.Lincheck + 2 * j, g0, g2);
            said.T[^(j + 1)] = transcript.Challenge(Labels.LincheckPoint);
            lincheck.Bind(said.T[^(j + 1)]);
        }

        (Gf128 zu, Gf128 zt) = lincheck.End;
        said.Opened = SendMasked(Labels.Opened, schedule.Opened, zu, zt);
        said.RegionWeight = transcript.Challenge(Labels.RegionWeight);
        if (!MasksSpan(shape, said))
            return false;

        // 7 ---- Ring switch: 128 values in clear, made uniform by the mask elements. ------------------------------------
        said.RingValues = LincheckRounds.RingValues(shape, unitSums, tailSums, said.T, said.RegionWeight);
        channel.Send(Labels.RingValues, said.RingValues);
        said.RingPoint = transcript.Challenges(Labels.RingPoint, 7);

        // 8 ---- Row folds. -----------------------------------------------------------------------------------------------
        Stage("fold");
        var ring = new RingSwitch(shape, said.UnitPoint, said.T, said.RegionWeight);
        var fold = new FoldRounds(shape, bitRows, ring, RingSwitch.Phi(said.RingPoint), workers);
        for (int j = 0; j < shape.RowVariables; j++)
        {
            (Gf128 g0, Gf128 g2) = fold.Round();
            said.Fold[j] = SendMasked(Labels.Fold, schedule.Fold + 2 * j, g0, g2);
            channel.SendWork(Labels.FoldPoint, shape.FoldGrinding, workers);
            said.FoldPoint[j] = transcript.Challenge(Labels.FoldPoint);
            fold.Bind(said.FoldPoint[j]);
        }

        // 9 ---- The mask row's share. ------------------------------------------------------------------------------------
        said.Sigma = SendMasked(Labels.Sigma, schedule.Sigma, Multilinear.InnerProduct(fold.Weights, maskRow.AsSpan(0, shape.MessageLength)));
        channel.SendWork(Labels.MaskWeight, shape.MaskGrinding, workers);
        said.MaskWeight = transcript.Challenge(Labels.MaskWeight);
        if (said.MaskWeight.IsZero)
            return false;

        // 10 ---- The folded row u: uniform, because g is. Its upper coefficients, its inner product, and a commitment. --
        Gf128[] folded = fold.Row;
        for (int x = 0; x < folded.Length; x++)
            folded[x] += said.MaskWeight * maskRow[x];
        said.FoldedHigh = folded[shape.MessageLength..];
        said.FoldedValue = [Multilinear.InnerProduct(fold.Weights, folded.AsSpan(0, shape.MessageLength))];
        channel.Send(Labels.FoldedHigh, said.FoldedHigh);
        channel.Send(Labels.FoldedValue, said.FoldedValue);
        var levels = new LevelRounds(shape, folded[..shape.MessageLength], fold.Weights, workers);
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

        BitMatrices NewBits() => new(shape,
            hidden.Take<uint>((long)shape.PresentUnits * shape.UnitWords), hidden.Take<uint>((long)shape.Tails * shape.TailWords));

        Gf128[] Draw(string name, int count)
        {
            Gf128[] elements = hidden.Take<Gf128>(count);
            using RandomStream stream = random.Take(name);
            stream.Fill(elements.AsSpan());
            return elements;
        }
    }

    // 128 random bits in each of the first units, as free witness bits: they mask the ring values (docs/proof-system.md
    // section 11).
    private static void FillMasks(ArgumentShape shape, BitMatrices z, ProofRandom random)
    {
        using RandomStream masks = random.Take("mask elements");
        for (int i = 0; i < shape.MaskUnits; i++)
            masks.Fill(MemoryMarshal.AsBytes(z.Unit(i).Slice(4 * shape.MaskElement, 4)));
    }

    // The row pi: pads, their product triple, zeros up to PadSlots, q random coefficients.
    internal static void DrawPads(ArgumentShape shape, PadSchedule schedule, ProofRandom random, Span<Gf128> pads)
    {
        using RandomStream stream = random.Take("pads");
        stream.Fill(pads);
        pads.Slice(schedule.Count, ArgumentShape.PadSlots - schedule.Count).Clear();
        pads[schedule.Triple] = pads[schedule.End] * pads[schedule.End + 1];
        pads[schedule.Triple + 3] = pads[schedule.Triple + 1] * pads[schedule.Triple + 2];
    }

    // Packed elements in matrix order, read from tower coordinates, followed by the row's random coefficients.
    private static Gf128[][] PackRows(ArgumentShape shape, BitMatrices z, ProofRandom random, SecretArrays secrets, Workers workers)
    {
        using RandomStream rowPads = random.Take("row pads");
        var rows = new Gf128[shape.BitRows][];
        for (int row = 0; row < rows.Length; row++)
        {
            rows[row] = secrets.Take<Gf128>(shape.RowLength);
            rowPads.Fill(rows[row].AsSpan(shape.MessageLength));
        }

        workers.For(rows.Length, 1, (start, end) =>
        {
            for (int row = start; row < end; row++)
            {
                int h = row / shape.PresentTops, top = row % shape.PresentTops;
                for (int low = 0; low < 1 << shape.LowBits; low++)
                {
                    ReadOnlySpan<ulong> block = z.Block(top << shape.LowBits | low, h);
                    Span<Gf128> into = rows[row].AsSpan(low << shape.PBits, shape.BlockElements);
                    for (int p = 0; p < into.Length; p++)
                        into[p] = TowerBasis.ToPolynomial(new Gf128(block[2 * p], block[2 * p + 1]));
                }
            }
        });
        return rows;
    }

    // The mask elements reach s_v with the weights eq(s_out, i) eq(t_high, h) eq(t_p, p); if those do not span the field,
    // the values would not be uniform.
    internal static bool MasksSpan(ArgumentShape shape, Conversation said)
    {
        Gf128 place = Multilinear.Eq(said.T.AsSpan(7, shape.PBits + shape.HBits), shape.MaskElement);
        var eq = new Gf128[shape.MaskUnits];
        for (int i = 0; i < eq.Length; i++)
            eq[i] = Multilinear.Eq(said.UnitPoint, i);
        return !place.IsZero && BinaryMatrix.Rank(eq) == 128;
    }
}
