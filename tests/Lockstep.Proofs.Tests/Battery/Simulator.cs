using System.Buffers.Binary;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Codes;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Reference;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>An oracle that answers as programmed at the states it was programmed for, and honestly elsewhere.</summary>
internal sealed class ProgrammedOracle : Transcript
{
    private readonly Dictionary<string, object> _answers;

    /// <summary>Nothing programmed yet.</summary>
    public ProgrammedOracle()
        : this([])
    {
    }

    private ProgrammedOracle(Dictionary<string, object> answers) => _answers = answers;

    /// <summary>The same oracle for another party that begins at the beginning.</summary>
    public ProgrammedOracle Fresh() => new(_answers);

    /// <summary>Sets the answer to the next question, which must not have been asked at this state before.</summary>
    public void Program(string label, object answer) => _answers.Add(Question(label), answer);

    public override Gf128[] Challenges(string label, int count)
    {
        string question = Question(label);
        Gf128[] honest = base.Challenges(label, count);
        return _answers.TryGetValue(question, out object? answer) ? (Gf128[])answer : honest;
    }

    public override int[] DistinctPositions(string label, int count, int size)
    {
        string question = Question(label);
        int[] honest = base.DistinctPositions(label, count, size);
        return _answers.TryGetValue(question, out object? answer) ? (int[])answer : honest;
    }

    private string Question(string label) => $"{Convert.ToHexString(State)} {label}";
}

/// <summary>
/// The simulator of docs/proof-system.md section 11: it has the instance alone, no witness. It draws challenges, positions and
/// everything that is uniform, solves for what the checks determine, and programs the oracle with its challenges.
/// </summary>
internal sealed class Simulator(ArgumentInstance instance, int seed)
{
    // 5 + log2 of the eight words of a state or a key.
    private const int LinkBits = 8;

    private readonly Random _random = new(seed);
    private readonly ArgumentShape _shape = instance.Shape;
    private readonly List<byte> _proof = [];

    /// <summary>A proof that the verifier accepts with the programmed oracle.</summary>
    /// <param name="oracle">Already bound to the statement.</param>
    public byte[] Run(ProgrammedOracle oracle)
    {
        var schedule = new PadSchedule(_shape);
        var said = new Conversation(_shape);
        RowCode code = _shape.NewCode();
        int[] all = [.. Enumerable.Range(0, _shape.CodeLength)];
        _random.Shuffle(all);
        int[] positions = [.. all.Take(_shape.Queries).Order()];

        // Every opened symbol of the rows of bits and of pi is uniform; u, u_pi and alpha, beta too. What lies on g and mu
        // follows once xi and omega are known.
        Gf128 xi = NonZero(), omega = NonZero();
        Gf128[] foldPoint = Elements(_shape.RowVariables), u = Elements(_shape.RowLength), padRow = Elements(_shape.PadRowLength);
        Gf128[] foldEq = Multilinear.EqTable(foldPoint), uCode = Symbols(u), padCode = Symbols(padRow);
        var leaves = new byte[_shape.Queries][];
        for (int k = 0; k < leaves.Length; k++)
        {
            Gf128[] symbols = Elements(_shape.Rows);
            Gf128 folded = foldEq[_shape.FoldIndex(_shape.HCount, 0)] * symbols[_shape.BitRows - 1];
            for (int h = 0; h < _shape.HCount; h++)
                for (int top = 0; top < _shape.PresentTops; top++)
                    folded += foldEq[_shape.FoldIndex(h, top)] * symbols[_shape.RowIndex(h, top)];
            symbols[_shape.BitRows] = (uCode[k] + folded) * xi.Inverse();
            symbols[_shape.BitRows + 2] = padCode[k] + omega * symbols[_shape.BitRows + 1];
            leaves[k] = new byte[MerkleHash.SaltSize + _shape.LeafBytes];
            _random.NextBytes(leaves[k]);
            for (int row = 0; row < symbols.Length; row++)
                TowerBasis.FromPolynomial(symbols[row]).Write(leaves[k].AsSpan(MerkleHash.SaltSize + row * Gf128.Size));
        }

        Gf128[] Symbols(Gf128[] coefficients) => [.. positions.Select(position => code.EvaluateAt(coefficients, position))];

        // Subtrees that are never opened are random digests.
        int depth = System.Numerics.BitOperations.Log2((uint)_shape.CodeLength);
        var siblings = new byte[MerkleHash.DigestSize * MultiProof.SiblingCount(positions, depth)];
        _random.NextBytes(siblings);
        var digests = new byte[leaves.Length * MerkleHash.DigestSize];
        MerkleHash.Leaves(leaves.SelectMany(leaf => leaf).ToArray(), leaves[0].Length, digests);
        Assert.True(MultiProof.TryRoot(digests, positions, depth, siblings, out byte[] root));

        // The conversation, every masked value uniform.
        _proof.AddRange(root);
        oracle.Absorb(Labels.Root, root);
        oracle.Program(Labels.ZerocheckPoint, Elements(FreeCoordinates()));
        said.ZerocheckPoint = PinnedCoordinates.DrawPoint(_shape, oracle);
        said.Skip = Send(oracle, Labels.Skip, Elements(SkipDomain.Half));
        said.SkipPoint = Draw(oracle, Labels.SkipPoint);
        oracle.Program(Labels.TiePoints, Elements(_shape.Kappa + _shape.TailBits + 2 * LinkBits + 1));
        said.Ties = new TieChallenges(instance, oracle);
        for (int j = 0; j < _shape.ZerocheckVariables; j++)
        {
            said.Zerocheck[j] = Send(oracle, Labels.Round, Elements(2));
            int tie = j - _shape.InnerVariables;
            if (tie >= 0)
                said.Tie[tie] = Send(oracle, Labels.Round, Elements(2));
            said.S[j] = Draw(oracle, Labels.RoundPoint);
        }

        said.End = Send(oracle, Labels.EndValues, Elements(PadSchedule.EndValues));
        oracle.Program(Labels.OutputPoints, Elements(OutputBits(instance.Unit) + OutputBits(instance.Tail) + 1));
        said.Outputs = new OutputChallenges(instance, oracle);
        for (int j = 0; j < _shape.LincheckVariables; j++)
        {
            said.Lincheck[j] = Send(oracle, Labels.Lincheck, Elements(2));
            said.T[^(j + 1)] = Draw(oracle, Labels.LincheckPoint);
        }

        said.Opened = Send(oracle, Labels.Opened, Elements(2));
        said.RegionWeight = Draw(oracle, Labels.RegionWeight);
        said.RingValues = Send(oracle, Labels.RingValues, Elements(128));
        oracle.Program(Labels.RingPoint, Elements(7));
        said.RingPoint = oracle.Challenges(Labels.RingPoint, 7);
        for (int j = 0; j < _shape.RowVariables; j++)
        {
            said.Fold[j] = Send(oracle, Labels.Fold, Elements(2));
            Work(oracle, Labels.FoldPoint, _shape.FoldGrinding);
            said.FoldPoint[j] = Draw(oracle, Labels.FoldPoint, foldPoint[j]);
        }

        said.Sigma = Send(oracle, Labels.Sigma, Elements(1));
        Work(oracle, Labels.MaskWeight, _shape.MaskGrinding);
        said.MaskWeight = Draw(oracle, Labels.MaskWeight, xi);

        // u is uniform, and the levels are run honestly on it.
        Gf128[] weights = DirectWeights.Of(_shape, said), low = u[.._shape.MessageLength];
        said.FoldedHigh = Send(oracle, Labels.FoldedHigh, u[_shape.MessageLength..]);
        said.FoldedValue = Send(oracle, Labels.FoldedValue, [Multilinear.InnerProduct(weights, low)]);
        var levels = new LevelRounds(_shape, low, weights, new Workers(1));
        Record(oracle, levels.Commit);
        said.TriplePoint = Draw(oracle, Labels.TriplePoint);
        said.TripleOpening = Send(oracle, Labels.TripleOpening, Elements(2));
        AffineForm combined = PadEquations.Combine(PadEquations.Build(instance, said), Draw(oracle, Labels.EquationWeight));
        Assert.Equal(schedule.Count, combined.Coefficients.Length);
        Send(oracle, Labels.PadSum, [Multilinear.InnerProduct(combined.Coefficients, padRow) + omega * combined.Constant]);
        Work(oracle, Labels.PadWeight, _shape.PadGrinding);
        Draw(oracle, Labels.PadWeight, omega);
        Send(oracle, Labels.PadRow, padRow);
        Work(oracle, Labels.Positions, _shape.QueryGrinding);
        oracle.Program(Labels.Positions, positions);
        Assert.Equal(positions, oracle.DistinctPositions(Labels.Positions, _shape.Queries, _shape.CodeLength));
        Record(oracle, channel => levels.Run(positions, channel));
        foreach (byte[] leaf in leaves)
            _proof.AddRange(leaf);
        _proof.AddRange(siblings);
        Record(oracle, levels.Open);
        return [.. _proof];
    }

    private void Record(ProgrammedOracle oracle, Action<ProverChannel> say)
    {
        var channel = new ProverChannel(oracle);
        say(channel);
        _proof.AddRange(channel.ToArray());
    }

    private static int OutputBits(Circuit circuit) => 5 + System.Numerics.BitOperations.Log2((uint)circuit.OutputWords);

    private int FreeCoordinates() => Enumerable.Range(0, _shape.ZerocheckVariables).Count(i => PinnedCoordinates.Ratio(_shape, i).IsZero);

    private Gf128 Draw(ProgrammedOracle oracle, string label, Gf128? value = null)
    {
        oracle.Program(label, new[] { value ?? Elements(1)[0] });
        return oracle.Challenge(label);
    }

    private Gf128[] Send(ProgrammedOracle oracle, string label, Gf128[] values)
    {
        var bytes = new byte[values.Length * Gf128.Size];
        for (int i = 0; i < values.Length; i++)
            values[i].Write(bytes.AsSpan(i * Gf128.Size));
        _proof.AddRange(bytes);
        oracle.AbsorbElements(label, values);
        return values;
    }

    private void Work(ProgrammedOracle oracle, string label, int bits)
    {
        var nonce = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(nonce, oracle.Grind(label, bits, new Workers(1)));
        _proof.AddRange(nonce);
    }

    private Gf128 NonZero()
    {
        Gf128 value;
        do
            value = Elements(1)[0];
        while (value.IsZero);
        return value;
    }

    private Gf128[] Elements(int count)
    {
        var elements = new Gf128[count];
        Span<byte> bytes = stackalloc byte[Gf128.Size];
        for (int i = 0; i < count; i++)
        {
            _random.NextBytes(bytes);
            elements[i] = Gf128.Read(bytes);
        }

        return elements;
    }
}
