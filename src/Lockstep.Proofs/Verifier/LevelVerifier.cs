using System.Security.Cryptography;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Codes;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Verifier;

/// <summary>
/// The verifier's side of the levels (docs/proof-system.md section 8). It first hears all messages, then is given the openings and
/// follows the one claim through the levels. Claims on positions are tensors over the bits of an index, so nothing here is
/// longer than the last vector's codeword or a level's list of positions.
/// </summary>
internal sealed class LevelVerifier(ArgumentShape shape)
{
    private readonly Level[] _levels = [.. shape.Levels.Select(level => new Level(level))];
    private readonly List<Gf128> _point = [];
    private readonly Dictionary<(int LogInverseRate, bool Shift), Gf128[]> _lastSymbols = [];
    private Gf128[] _last = [];

    /// <summary>Hears the first level's root, or the vector itself when there are no levels.</summary>
    public void ReceiveCommitment(ref VerifierChannel channel) => ReceiveNext(ref channel, 0);

    /// <summary>Hears the folds of every level. Error of a fold: 2 / 2^128 and (gamma N + 1) / 2^128 before its work.</summary>
    public Rejection? ReceiveFolds(ref VerifierChannel channel)
    {
        for (int i = 0; i < _levels.Length; i++)
        {
            Level level = _levels[i];
            level.Batch = channel.Transcript.Challenge(Labels.LevelBatch);
            for (int j = 0; j < level.Shape.Folds; j++)
            {
                level.Rounds[j] = channel.ReceiveElements(Labels.LevelFold, 2);
                if (!channel.ReceiveWork(Labels.LevelPoint, level.Shape.FoldGrinding))
                    return new Rejection(RejectReason.LevelWork, $"fold {j} of level {i + 1} lacks {level.Shape.FoldGrinding} bits of work");
                level.Point[j] = channel.Transcript.Challenge(Labels.LevelPoint);
            }

            _point.AddRange(level.Point);
            ReceiveNext(ref channel, i + 1);
            if (!channel.ReceiveWork(Labels.LevelPositions, level.Shape.QueryGrinding))
                return new Rejection(RejectReason.LevelWork, $"the positions of level {i + 1} lack {level.Shape.QueryGrinding} bits of work");
            level.Positions = channel.Transcript.DistinctPositions(Labels.LevelPositions, level.Shape.Queries, level.Shape.CodeLength);
        }

        return null;
    }

    /// <summary>Bytes of all messages of the levels, the last vector among them.</summary>
    public static int MessageBytes(ArgumentShape shape) => (Gf128.Size << shape.LogLastLength)
        + shape.Levels.Sum(level => MerkleHash.DigestSize + level.Folds * (2 * Gf128.Size + sizeof(ulong)) + sizeof(ulong));

    /// <summary>Bytes of all leaves of the levels.</summary>
    public static int LeafBytes(ArgumentShape shape) => shape.Levels.Sum(level => level.Queries * level.LeafBytes);

    /// <summary>The most sibling digests of the levels.</summary>
    public static int MaxSiblingCount(ArgumentShape shape) =>
        shape.Levels.Sum(level => MultiProof.MaxSiblingCount(level.Queries, level.LogCodeLength));

    /// <summary>Sibling digests of the levels at their positions.</summary>
    public int SiblingCount() => _levels.Sum(level => MultiProof.SiblingCount(level.Positions, level.Shape.LogCodeLength));

    /// <summary>Reads the openings, the first level's first, and checks them against the roots.</summary>
    public Rejection? ReceiveOpenings(ref VerifierChannel channel)
    {
        for (int i = 0; i < _levels.Length; i++)
        {
            Level level = _levels[i];
            ReadOnlySpan<byte> leaves = channel.ReceiveOpening(level.Positions.Length * level.Shape.LeafBytes);
            var digests = new byte[level.Positions.Length * MerkleHash.DigestSize];
            MerkleHash.LevelLeaves(leaves, level.Shape.LeafBytes, digests);
            int siblings = MultiProof.SiblingCount(level.Positions, level.Shape.LogCodeLength) * MerkleHash.DigestSize;
            if (!MultiProof.TryRoot(digests, level.Positions, level.Shape.LogCodeLength, channel.ReceiveOpening(siblings), out byte[] root)
                || !CryptographicOperations.FixedTimeEquals(root, level.Root))
                return new Rejection(RejectReason.LevelRoot, $"the opened leaves of level {i + 1} do not lead to its root");
            level.Fold(leaves);
        }

        return null;
    }

    /// <summary>
    /// Follows the claim &lt;w', x_1&gt; = V and those of level 0's positions to the last vector, and checks that vector.
    /// </summary>
    /// <param name="said">The conversation.</param>
    /// <param name="positions">Level 0's positions.</param>
    /// <param name="known">For each of them &lt;G_j, x_1&gt; as the opened leaves say.</param>
    public Rejection? Check(Conversation said, ReadOnlySpan<int> positions, ReadOnlySpan<Gf128> known)
    {
        Gf128 claim = said.FoldedValue[0], opened = WeightTensor.InnerProduct(shape, said, _point.ToArray(), _last);
        var domain = new CodeDomain(shape.LogCodeLength, shape.ShiftDomain);
        Gf128[] symbols = LastSymbols(shape.LogInverseRate, shape.ShiftDomain);
        ReadOnlySpan<Gf128> bound = _point.ToArray();
        var factors = new Gf128[bound.Length];
        foreach (Level level in _levels)
        {
            // X_k is its part over the variables bound from here on, 1 + r + r s_b each, times its part over the last ones.
            Span<Gf128> s = factors.AsSpan(0, bound.Length);
            Gf128 power = level.Batch;
            for (int k = 0; k < positions.Length; k++, power *= level.Batch)
            {
                claim += power * known[k];
                domain.Factors(positions[k], s);
                Gf128 weight = power;
                for (int b = 0; b < s.Length; b++)
                    weight *= Gf128.One + bound[b] + bound[b] * s[b];
                opened += weight * symbols[positions[k] >> bound.Length];
            }

            for (int j = 0; j < level.Point.Length; j++)
            {
                (Gf128 r, Gf128 g0, Gf128 g2) = (level.Point[j], level.Rounds[j][0], level.Rounds[j][1]);
                claim = g0 + r * (claim + g2) + r.Square() * g2;
            }

            bound = bound[level.Point.Length..];
            positions = level.Positions;
            known = level.Known;
            domain = new CodeDomain(level.Shape.LogCodeLength);
            symbols = LastSymbols(level.Shape.LogInverseRate, true);
        }

        for (int k = 0; k < positions.Length; k++)
            if (symbols[positions[k]] != known[k])
                return new Rejection(RejectReason.LastVector, $"position {positions[k]} does not lie on the last vector");
        return opened == claim ? null : new Rejection(RejectReason.LevelSum, "the last vector does not have the inner product that the levels claim");
    }

    // The factors s_b of a position's high bits are those of its high part in the smaller domain of the same rate. So the last
    // vector, coefficients in the novel basis of the last variables, is evaluated for all positions by one short transform.
    private Gf128[] LastSymbols(int logInverseRate, bool shift)
    {
        if (_lastSymbols.TryGetValue((logInverseRate, shift), out Gf128[]? symbols))
            return symbols;
        var code = new RowCode(shape.LogLastLength, 0, logInverseRate, shift);
        symbols = new Gf128[code.Length];
        code.Encode(_last, symbols);
        _lastSymbols.Add((logInverseRate, shift), symbols);
        return symbols;
    }

    private void ReceiveNext(ref VerifierChannel channel, int index)
    {
        if (index == _levels.Length)
            _last = channel.ReceiveElements(Labels.Last, 1 << shape.LogLastLength);
        else
            _levels[index].Root = channel.Receive(Labels.LevelRoot, MerkleHash.DigestSize).ToArray();
    }

    // What was said on one level.
    private sealed class Level(LevelShape shape)
    {
        public LevelShape Shape => shape;

        public byte[] Root { get; set; } = [];

        public Gf128 Batch { get; set; }

        public Gf128[][] Rounds { get; } = new Gf128[shape.Folds][];

        public Gf128[] Point { get; } = new Gf128[shape.Folds];

        public int[] Positions { get; set; } = [];

        // <G_j, next vector> at the positions, from the leaves.
        public Gf128[] Known { get; } = new Gf128[shape.Queries];

        public void Fold(ReadOnlySpan<byte> leaves)
        {
            Gf128[] eq = Multilinear.EqTable(Point);
            for (int k = 0; k < Known.Length; k++)
                for (int a = 0; a < eq.Length; a++)
                    Known[k] += eq[a] * TowerBasis.ToPolynomial(Gf128.Read(leaves[((k * eq.Length + a) * Gf128.Size)..]));
        }
    }
}
