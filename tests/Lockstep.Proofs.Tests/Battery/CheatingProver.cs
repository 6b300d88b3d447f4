using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Reference;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// The prover's steps over the engine's own parts, with a door at every message. An attack runs it several times with the
/// same randomness: what it learns in one run it uses to change what it says in the next. Without changes it is the honest
/// prover, byte for byte.
/// </summary>
internal sealed class CheatingProver(ArgumentInstance instance, BitMatrices z, int seed)
{
    /// <summary>What was said so far, as the verifier hears it.</summary>
    public Conversation Said { get; } = new(instance.Shape);

    /// <summary>The committed pads, in the order of the schedule.</summary>
    public Gf128[] Pads { get; private set; } = [];

    public PadSchedule Schedule { get; } = new(instance.Shape);

    /// <summary>Changes the pads that are committed; those that mask messages stay as drawn.</summary>
    public Action<Gf128[]>? Commit { get; init; }

    /// <summary>Changes what is sent under a label, before it is absorbed.</summary>
    public Dictionary<string, Action<Gf128[]>> Say { get; init; } = [];

    /// <summary>What replaces x_1, x_2, ... of the levels before it is committed to or sent: level index and the levels so far.</summary>
    public Func<int, CheatingLevels, Gf128[]?>? Replace { get; init; }

    /// <summary>Changes g0, g2 of a level's fold: level index, fold, message.</summary>
    public Action<int, int, Gf128[], CheatingLevels>? SayFold { get; init; }

    /// <summary>The levels of the commitment.</summary>
    public CheatingLevels Levels { get; private set; } = null!;

    /// <summary>Level 0's positions.</summary>
    public int[] Positions { get; private set; } = [];

    /// <summary>The eight equations of what was said, once all was said.</summary>
    public AffineForm[] Equations() => PadEquations.Build(instance, Said);

    /// <summary>What is left of an equation at the committed pads; zero where it holds.</summary>
    public Gf128 Defect(PadEquation equation) => Equations()[(int)equation].Evaluate(Pads);

    /// <summary>What is left of the combined equations; known to the prover as soon as chi is.</summary>
    public Gf128 CombinedDefect { get; private set; }

    public Gf128 Chi { get; private set; }

    public Gf128 Omega { get; private set; }

    /// <summary>A proof for the given oracle.</summary>
    public byte[] Prove(Transcript transcript)
    {
        ArgumentShape shape = instance.Shape;
        using ProofRandom random = Bench.NewRandom(seed);
        var channel = new ProverChannel(transcript);
        var workers = new Workers(1);

        // 1
        using (RandomStream masks = random.Take("mask elements"))
        {
            for (int i = 0; i < shape.MaskUnits; i++)
                masks.Fill(System.Runtime.InteropServices.MemoryMarshal.AsBytes(z.Unit(i).Slice(4 * shape.MaskElement, 4)));
        }

        using var secrets = new SecretArrays();
        var pads = new Gf128[shape.PadRowLength];
        ReferenceProver.DrawPads(shape, Schedule, random, pads);
        var committed = (Gf128[])pads.Clone();
        Pads = committed[..Schedule.Count];
        Commit?.Invoke(Pads);
        Pads.CopyTo(committed, 0);
        Gf128[] maskRow = Draw(random, "mask row", shape.RowLength), padMask = Draw(random, "pad mask", shape.PadRowLength);
        Gf128[][] bitRows = PackRows(shape, random);
        var commitment = new RowCommitment(shape, [.. bitRows, maskRow, committed, padMask], random, secrets, workers);
        channel.Send(Labels.Root, commitment.Root);
        Said.ZerocheckPoint = PinnedCoordinates.DrawPoint(shape, transcript);

        // 2
        using BitMatrices a = new(shape), b = new(shape);
        z.Forms(instance, a, b, workers);
        Said.Skip = Masked(Labels.Skip, Schedule.Skip, SkipRound.Evaluate(shape, z, a, b, Said.ZerocheckPoint, secrets, workers));
        Said.SkipPoint = transcript.Challenge(Labels.SkipPoint);
        Said.Ties = new TieChallenges(instance, transcript);

        // 3, 4
        var zerocheck = new ZerocheckRounds(shape, z, a, b, Said.ZerocheckPoint, Said.SkipPoint, secrets, workers);
        var tieRounds = new TieRounds(instance, z, Said.Ties, new TieWeights(instance, Said.Ties.UnitPoint, Said.Ties.TailPoint, Said.Ties.StateWeights, Said.Ties.Theta), secrets);
        for (int j = 0; j < shape.ZerocheckVariables; j++)
        {
            (Gf128 g1, Gf128 g2) = zerocheck.Round();
            Said.Zerocheck[j] = Masked(Labels.Round, Schedule.Zerocheck + 2 * j, g1, g2);
            int tie = j - shape.InnerVariables;
            if (tie >= 0)
            {
                (Gf128 h0, Gf128 h2) = tieRounds.Round();
                Said.Tie[tie] = Masked(Labels.Round, Schedule.Tie + 2 * tie, h0, h2);
            }

            Said.S[j] = transcript.Challenge(Labels.RoundPoint);
            zerocheck.Bind(Said.S[j]);
            if (tie >= 0)
                tieRounds.Bind(Said.S[j]);
        }

        // 5
        (Gf128 va, Gf128 vb, Gf128 vc) = zerocheck.End;
        Said.End = Masked(Labels.EndValues, Schedule.End, [va, vb, vc, .. tieRounds.End]);
        Said.Outputs = new OutputChallenges(instance, transcript);

        // 6
        Gf128[] unitSums = SlotSums.Units(shape, z, Multilinear.EqTable(Said.UnitPoint), secrets, workers);
        Gf128[] tailSums = SlotSums.Tails(shape, z, Multilinear.EqTable(Said.UnitPoint[shape.TailInnerBits..shape.LowBits]), secrets, workers);
        var lincheck = new LincheckRounds(
            CircuitWeights.Unit(instance, Said.S, Said.SkipPoint, Said.Ties, Said.Outputs), (Gf128[])unitSums.Clone(),
            CircuitWeights.Tail(instance, Said.S, Said.SkipPoint, Said.Ties, Said.Outputs), (Gf128[])tailSums.Clone());
        for (int j = 0; j < shape.LincheckVariables; j++)
        {
            (Gf128 g0, Gf128 g2) = lincheck.Round();
            Said.Lincheck[j] = Masked(Labels.Lincheck, Schedule.Lincheck + 2 * j, g0, g2);
            Said.T[^(j + 1)] = transcript.Challenge(Labels.LincheckPoint);
            lincheck.Bind(Said.T[^(j + 1)]);
        }

        (Gf128 zu, Gf128 zt) = lincheck.End;
        Said.Opened = Masked(Labels.Opened, Schedule.Opened, zu, zt);
        Said.RegionWeight = transcript.Challenge(Labels.RegionWeight);

        // 7
        Said.RingValues = Clear(Labels.RingValues, LincheckRounds.RingValues(shape, unitSums, tailSums, Said.T, Said.RegionWeight));
        Said.RingPoint = transcript.Challenges(Labels.RingPoint, 7);

        // 8
        var ring = new RingSwitch(shape, Said.UnitPoint, Said.T, Said.RegionWeight);
        var fold = new FoldRounds(shape, bitRows, ring, RingSwitch.Phi(Said.RingPoint), workers);
        for (int j = 0; j < shape.RowVariables; j++)
        {
            (Gf128 g0, Gf128 g2) = fold.Round();
            Said.Fold[j] = Masked(Labels.Fold, Schedule.Fold + 2 * j, g0, g2);
            channel.SendWork(Labels.FoldPoint, shape.FoldGrinding, workers);
            Said.FoldPoint[j] = transcript.Challenge(Labels.FoldPoint);
            fold.Bind(Said.FoldPoint[j]);
        }

        // 9, 10
        Said.Sigma = Masked(Labels.Sigma, Schedule.Sigma, Multilinear.InnerProduct(fold.Weights, maskRow.AsSpan(0, shape.MessageLength)));
        channel.SendWork(Labels.MaskWeight, shape.MaskGrinding, workers);
        Said.MaskWeight = transcript.Challenge(Labels.MaskWeight);
        for (int x = 0; x < maskRow.Length; x++)
            maskRow[x] = fold.Row[x] + Said.MaskWeight * maskRow[x];
        Said.FoldedHigh = Clear(Labels.FoldedHigh, maskRow[shape.MessageLength..]);
        Said.FoldedValue = Clear(Labels.FoldedValue, [Multilinear.InnerProduct(fold.Weights, maskRow.AsSpan(0, shape.MessageLength))]);
        Levels = new CheatingLevels(shape, maskRow[..shape.MessageLength], fold.Weights) { Replace = Replace, Say = SayFold };
        Levels.Commit(channel);

        // 11
        Said.TriplePoint = transcript.Challenge(Labels.TriplePoint);
        Said.TripleOpening = Clear(Labels.TripleOpening,
            [Said.TriplePoint * Pads[Schedule.End] + Pads[Schedule.Triple + 1], Pads[Schedule.End + 1] + Pads[Schedule.Triple + 2]]);
        AffineForm combined = PadEquations.Combine(Equations(), Chi = transcript.Challenge(Labels.EquationWeight));
        CombinedDefect = combined.Evaluate(Pads);
        Clear(Labels.PadSum, [Multilinear.InnerProduct(combined.Coefficients, padMask)]);
        channel.SendWork(Labels.PadWeight, shape.PadGrinding, workers);
        Omega = transcript.Challenge(Labels.PadWeight);

        // 12, 13
        for (int x = 0; x < padMask.Length; x++)
            padMask[x] += Omega * committed[x];
        channel.Send(Labels.PadRow, padMask);
        channel.SendWork(Labels.Positions, shape.QueryGrinding, workers);
        Positions = transcript.DistinctPositions(Labels.Positions, shape.Queries, shape.CodeLength);
        Levels.Run(Positions, channel);
        commitment.Open(Positions, channel);
        Levels.Open(channel);
        return channel.ToArray();

        Gf128[] Masked(string label, int firstPad, params ReadOnlySpan<Gf128> values)
        {
            var sent = new Gf128[values.Length];
            for (int i = 0; i < sent.Length; i++)
                sent[i] = values[i] + pads[firstPad + i];
            return Clear(label, sent);
        }

        Gf128[] Clear(string label, Gf128[] values)
        {
            if (Say.TryGetValue(label, out Action<Gf128[]>? change))
                change(values);
            channel.Send(label, values);
            return values;
        }
    }

    private Gf128[][] PackRows(ArgumentShape shape, ProofRandom random)
    {
        using RandomStream rowPads = random.Take("row pads");
        var rows = new Gf128[shape.BitRows][];
        for (int row = 0; row < rows.Length; row++)
        {
            rows[row] = new Gf128[shape.RowLength];
            rowPads.Fill(rows[row].AsSpan(shape.MessageLength));
            int h = row / shape.PresentTops, top = row % shape.PresentTops;
            for (int x = 0; x < shape.MessageLength; x++)
            {
                ReadOnlySpan<ulong> block = z.Block(top << shape.LowBits | x >> shape.PBits, h);
                int p = x & (shape.BlockElements - 1);
                rows[row][x] = TowerBasis.ToPolynomial(new Gf128(block[2 * p], block[2 * p + 1]));
            }
        }

        return rows;
    }

    private static Gf128[] Draw(ProofRandom random, string name, int count)
    {
        using RandomStream stream = random.Take(name);
        return stream.Elements(count);
    }
}
