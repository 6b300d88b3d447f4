using System.Security.Cryptography;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Codes;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Transcripts;

namespace Lockstep.Proofs.Verifier;

/// <summary>
/// The verifier's side of docs/proof-system.md, numbered as the prover's. It reads the conversation, builds its eight
/// equations in the committed pads, and checks one random combination of them against the opened positions.
/// </summary>
internal static class ArgumentVerifier
{
    /// <summary>Checks a proof of <paramref name="instance"/>, already absorbed by the transcript.</summary>
    /// <returns>Null when the proof is accepted, or why it is refused. Never throws on any bytes.</returns>
    public static Rejection? Verify(ArgumentInstance instance, ReadOnlySpan<byte> proof, Transcript transcript) =>
        Verify(instance, proof, transcript, new Conversation(instance.Shape));

    /// <summary>The same, leaving what was said in <paramref name="said"/> for tests that look at single equations.</summary>
    internal static Rejection? Verify(ArgumentInstance instance, ReadOnlySpan<byte> proof, Transcript transcript, Conversation said)
    {
        ArgumentShape shape = instance.Shape;
        int openings = shape.Queries * (MerkleHash.SaltSize + shape.LeafBytes), allOpenings = openings + LevelVerifier.LeafBytes(shape);
        int expected = MessageBytes(shape) + allOpenings;
        int mostSiblings = MultiProof.MaxSiblingCount(shape.Queries, shape.LogCodeLength) + LevelVerifier.MaxSiblingCount(shape);
        if (proof.Length < expected || proof.Length > expected + MerkleHash.DigestSize * mostSiblings)
            return new Rejection(RejectReason.ProofLength, $"{proof.Length} bytes, expected at least {expected}");
        var channel = new VerifierChannel(proof, transcript);

        // 1 ---- Commitment. Error of the point: 19 / 2^128 (kappa + 3 free coordinates). -------------------------------
        ReadOnlySpan<byte> root = channel.Receive(Labels.Root, MerkleHash.DigestSize);
        said.ZerocheckPoint = PinnedCoordinates.DrawPoint(shape, transcript);

        // 2 ---- Univariate skip. Error: 127 / 2^128. ---------------------------------------------------------------------
        said.Skip = channel.ReceiveElements(Labels.Skip, SkipDomain.Half);
        said.SkipPoint = transcript.Challenge(Labels.SkipPoint);
        said.Ties = new TieChallenges(instance, transcript);

        // 3, 4 ---- Zerocheck rounds; the rounds that bind i carry the ties. Error of a round: 2 / 2^128 each. ----------
        for (int j = 0; j < shape.ZerocheckVariables; j++)
        {
            said.Zerocheck[j] = channel.ReceiveElements(Labels.Round, 2);
            int tie = j - shape.InnerVariables;
            if (tie >= 0)
                said.Tie[tie] = channel.ReceiveElements(Labels.Round, 2);
            said.S[j] = transcript.Challenge(Labels.RoundPoint);
        }

        // 5 ---- End values. ----------------------------------------------------------------------------------------------
        said.End = channel.ReceiveElements(Labels.EndValues, PadSchedule.EndValues);
        said.Outputs = new OutputChallenges(instance, transcript);

        // 6 ---- Lincheck. Error of a round: 2 / 2^128. -------------------------------------------------------------------
        for (int j = 0; j < shape.LincheckVariables; j++)
        {
            said.Lincheck[j] = channel.ReceiveElements(Labels.Lincheck, 2);
            said.T[^(j + 1)] = transcript.Challenge(Labels.LincheckPoint);
        }

        said.Opened = channel.ReceiveElements(Labels.Opened, 2);
        said.RegionWeight = transcript.Challenge(Labels.RegionWeight);

        // 7 ---- Ring switch. Error: 8 / 2^128. ---------------------------------------------------------------------------
        said.RingValues = channel.ReceiveElements(Labels.RingValues, 128);
        said.RingPoint = transcript.Challenges(Labels.RingPoint, 7);

        // 8 ---- Row folds. Error of a fold: (gamma N + 1) / 2^128 before the proof of work. -----------------------------
        for (int j = 0; j < shape.RowVariables; j++)
        {
            said.Fold[j] = channel.ReceiveElements(Labels.Fold, 2);
            if (!channel.ReceiveWork(Labels.FoldPoint, shape.FoldGrinding))
                return new Rejection(RejectReason.FoldWork, $"fold {j} lacks {shape.FoldGrinding} bits of work");
            said.FoldPoint[j] = transcript.Challenge(Labels.FoldPoint);
        }

        // 9 ---- The mask row's share. Error of xi as of a fold. ----------------------------------------------------------
        said.Sigma = channel.ReceiveElements(Labels.Sigma, 1);
        if (!channel.ReceiveWork(Labels.MaskWeight, shape.MaskGrinding))
            return new Rejection(RejectReason.MaskWork, $"the mask row's challenge lacks {shape.MaskGrinding} bits of work");
        said.MaskWeight = transcript.Challenge(Labels.MaskWeight);

        // 10 ---- The folded row: upper coefficients, inner product, commitment. ------------------------------------------
        said.FoldedHigh = channel.ReceiveElements(Labels.FoldedHigh, shape.RowPads);
        said.FoldedValue = channel.ReceiveElements(Labels.FoldedValue, 1);
        var levels = new LevelVerifier(shape);
        levels.ReceiveCommitment(ref channel);

        // 11 ---- Triple and combination. Errors: 1 / 2^128 and 8 / 2^128. ------------------------------------------------
        said.TriplePoint = transcript.Challenge(Labels.TriplePoint);
        said.TripleOpening = channel.ReceiveElements(Labels.TripleOpening, 2);
        Gf128 chi = transcript.Challenge(Labels.EquationWeight);
        Gf128 padSum = channel.ReceiveElements(Labels.PadSum, 1)[0];
        if (!channel.ReceiveWork(Labels.PadWeight, shape.PadGrinding))
            return new Rejection(RejectReason.PadWork, $"the pad row's challenge lacks {shape.PadGrinding} bits of work");
        Gf128 omega = transcript.Challenge(Labels.PadWeight);
        if (said.MaskWeight.IsZero || said.TriplePoint.IsZero || omega.IsZero)
            return new Rejection(RejectReason.DegenerateChallenge, "a challenge that must not be zero is zero");

        // 12 ---- The masked pad row, then the positions. Error: (1 - gamma)^t0 before the proof of work. ----------------
        Gf128[] padRow = channel.ReceiveElements(Labels.PadRow, shape.PadRowLength);
        if (!channel.ReceiveWork(Labels.Positions, shape.QueryGrinding))
            return new Rejection(RejectReason.QueryWork, $"the query positions lack {shape.QueryGrinding} bits of work");
        int[] positions = transcript.DistinctPositions(Labels.Positions, shape.Queries, shape.CodeLength);

        // 13 ---- The levels, all openings, then the equations, cheapest first. --------------------------------------------
        if (levels.ReceiveFolds(ref channel) is { } workRejection)
            return workRejection;
        int siblings = MerkleHash.DigestSize * MultiProof.SiblingCount(positions, shape.LogCodeLength);
        int rest = allOpenings + siblings + MerkleHash.DigestSize * levels.SiblingCount();
        if (channel.Remaining != rest)
            return new Rejection(RejectReason.ProofLength, $"{channel.Remaining} bytes of openings, expected {rest}");
        ReadOnlySpan<byte> leaves = channel.ReceiveOpening(openings);
        if (CheckTree(shape, root, leaves, positions, channel.ReceiveOpening(siblings)) is { } treeRejection)
            return treeRejection;
        if (levels.ReceiveOpenings(ref channel) is { } levelRejection)
            return levelRejection;
        var known = new Gf128[positions.Length];
        if (CheckLeaves(shape, said, padRow, omega, leaves, positions, known) is { } leafRejection)
            return leafRejection;
        if (levels.Check(said, positions, known) is { } sumRejection)
            return sumRejection;

        AffineForm combined = PadEquations.Combine(PadEquations.Build(instance, said), chi);
        Gf128 opened = Multilinear.InnerProduct(combined.Coefficients, padRow);
        return opened == padSum + omega * combined.Constant
            ? null
            : new Rejection(RejectReason.Equations, "the combined equations do not hold at the committed pads");
    }

    /// <summary>Bytes of all messages before the openings.</summary>
    internal static int MessageBytes(ArgumentShape shape)
    {
        var schedule = new PadSchedule(shape);
        int masked = schedule.Triple, clear = 128 + shape.RowPads + 1 + 2 + 1 + shape.PadRowLength;
        int nonces = shape.RowVariables + 3;
        return MerkleHash.DigestSize + (masked + clear) * Gf128.Size + nonces * sizeof(ulong) + LevelVerifier.MessageBytes(shape);
    }

    private static Rejection? CheckTree(ArgumentShape shape, ReadOnlySpan<byte> root, ReadOnlySpan<byte> leaves, int[] positions, ReadOnlySpan<byte> siblings)
    {
        var digests = new byte[positions.Length * MerkleHash.DigestSize];
        MerkleHash.Leaves(leaves, MerkleHash.SaltSize + shape.LeafBytes, digests);
        return MultiProof.TryRoot(digests, positions, shape.LogCodeLength, siblings, out byte[] opened) && CryptographicOperations.FixedTimeEquals(opened, root)
            ? null
            : new Rejection(RejectReason.Root, "the opened leaves do not lead to the committed root");
    }

    // At every opened position, Enc(u_pi) = mu + omega pi; and Enc(u) = sum_f eq(r_f, f) row_f + xi g makes what is left of it
    // without u's upper coefficients a known value of x_1.
    private static Rejection? CheckLeaves(ArgumentShape shape, Conversation said, Gf128[] padRow, Gf128 omega, ReadOnlySpan<byte> leaves,
        int[] positions, Gf128[] known)
    {
        Gf128[] foldEq = Multilinear.EqTable(said.FoldPoint);
        var weights = new Gf128[shape.BitRows + 1];
        for (int h = 0; h < shape.HCount; h++)
            for (int top = 0; top < shape.PresentTops; top++)
                weights[shape.RowIndex(h, top)] = foldEq[shape.FoldIndex(h, top)];
        weights[shape.BitRows - 1] = foldEq[shape.FoldIndex(shape.HCount, 0)];
        weights[shape.BitRows] = said.MaskWeight;

        int leafLength = MerkleHash.SaltSize + shape.LeafBytes;
        var domain = new CodeDomain(shape.LogCodeLength, shape.ShiftDomain);
        var factors = new Gf128[shape.LogCodeLength];
        var scratch = new Gf128[shape.PadRowLength];
        for (int k = 0; k < positions.Length; k++)
        {
            ReadOnlySpan<byte> row = leaves.Slice(k * leafLength + MerkleHash.SaltSize, shape.LeafBytes);
            domain.Factors(positions[k], factors);
            if (Element(row, shape.BitRows + 2) + omega * Element(row, shape.BitRows + 1) != Evaluate(padRow))
                return new Rejection(RejectReason.PadRow, $"position {positions[k]} does not lie on the pad row");
            known[k] = High(said.FoldedHigh);
            for (int i = 0; i < weights.Length; i++)
                known[k] += weights[i] * Element(row, i);
        }

        return null;

        // sum_k u_{n+k} X_{n+k}: in stretches of n, where X_{n+k} is X_n X_k, X_2n X_k, ...
        Gf128 High(ReadOnlySpan<Gf128> coefficients)
        {
            Gf128 sum = default;
            for (int start = 0, block = 1; start < coefficients.Length; start += shape.MessageLength, block++)
            {
                Gf128 scale = Gf128.One;
                for (int bit = 0; block >> bit != 0; bit++)
                    if ((block >> bit & 1) != 0)
                        scale *= factors[shape.LogMessage + bit];
                sum += scale * Evaluate(coefficients[start..Math.Min(coefficients.Length, start + shape.MessageLength)]);
            }

            return sum;
        }

        // Coefficients in the novel basis at the position's point.
        Gf128 Evaluate(ReadOnlySpan<Gf128> coefficients)
        {
            coefficients.CopyTo(scratch);
            return CodeDomain.EvaluateInPlace(scratch.AsSpan(0, coefficients.Length), factors);
        }

        static Gf128 Element(ReadOnlySpan<byte> row, int index) => TowerBasis.ToPolynomial(Gf128.Read(row[(index * Gf128.Size)..]));
    }
}
