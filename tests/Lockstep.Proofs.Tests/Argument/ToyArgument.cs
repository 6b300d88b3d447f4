using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Reference;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Argument;

/// <summary>
/// The whole argument over a circuit of 32-word units: state and key of 8 words, a few additions and ANDs, outputs. Same
/// field, same steps, same code as the real statement, small enough to run thousands of times.
/// </summary>
internal sealed class ToyArgument : IPublicWords
{
    public const int HIn = 0, Key = 8, Mask = 16, One = 20, Ands = 21;
    public const int OutputWords = 16;

    public static readonly Circuit UnitCircuit = BuildUnit();
    public static readonly Circuit TailCircuit = BuildTail();

    public static readonly uint[] InitialState = [.. Enumerable.Range(1, 8).Select(i => (uint)i * 0x9E3779B9u)];

    private readonly uint[][] _unitOutputs;
    private readonly uint[][] _tailOutputs;

    /// <param name="chunkUnits">Units of each chunk.</param>
    /// <param name="seed">Seed of keys and messages.</param>
    /// <param name="shape">The shape, or null for the default toy.</param>
    public ToyArgument(int[] chunkUnits, int seed = 1, ArgumentShape? shape = null)
    {
        Shape = shape ?? DefaultShape;
        var chunks = new List<UnitRange>();
        foreach (int count in chunkUnits)
            chunks.Add(new UnitRange(chunks.Count == 0 ? 0 : chunks[^1].First + chunks[^1].Count, count));
        Instance = new ArgumentInstance
        {
            Shape = Shape,
            Unit = UnitCircuit,
            Tail = TailCircuit,
            Chunks = chunks,
            InitialState = InitialState,
            Public = this,
        };
        Witness = new BitMatrices(Shape);
        _unitOutputs = [.. Enumerable.Range(0, Shape.PresentUnits).Select(_ => new uint[OutputWords])];
        _tailOutputs = [.. Enumerable.Range(0, Shape.Tails).Select(_ => new uint[OutputWords])];

        var random = new Random(seed);
        for (int q = 0; q < chunks.Count; q++)
        {
            uint[] key = [.. Enumerable.Range(0, 8).Select(_ => (uint)random.NextInt64())];
            uint[] state = [.. InitialState];
            for (int i = chunks[q].First; i < chunks[q].First + chunks[q].Count; i++)
            {
                Fill(Witness.Unit(i), state, key);
                UnitCircuit.Evaluate(Witness.Unit(i));
                UnitCircuit.Outputs(Witness.Unit(i), _unitOutputs[i]);
                UnitCircuit.Link(LinkKind.HOut, Witness.Unit(i), state);
            }

            Fill(Witness.Tail(q), state, key);
            TailCircuit.Evaluate(Witness.Tail(q));
            TailCircuit.Outputs(Witness.Tail(q), _tailOutputs[q]);
        }
    }

    public static ArgumentShape DefaultShape { get; } = new()
    {
        Kappa = 8,
        TopBits = 1,
        PresentTops = 2,
        PBits = 2,
        HBits = 2,
        HCount = 2,
        MaskUnits = 256,
        MaskElement = Mask / 4,
        RowPads = 12,
        Queries = 10,
        FoldGrinding = 2,
        MaskGrinding = 3,
        PadGrinding = 4,
        QueryGrinding = 5,
        Levels = [new LevelShape(9, 3, 2, 7, 2, 3), new LevelShape(6, 2, 1, 6, 1, 4)],
    };

    public ArgumentShape Shape { get; }

    public ArgumentInstance Instance { get; }

    public BitMatrices Witness { get; }

    /// <summary>Words of tail outputs that the statement leaves open.</summary>
    public HashSet<int> UntiedTailWords { get; } = [];

    public void UnitOutputs(int unit, Span<uint> words) => _unitOutputs[unit].CopyTo(words);

    public void TailOutputs(int tail, Span<uint> words) => _tailOutputs[tail].CopyTo(words);

    public bool IsTailOutputTied(int word) => !UntiedTailWords.Contains(word);

    /// <summary>The public value of an output, for tests that claim something else.</summary>
    public uint[] ClaimedUnitOutputs(int unit) => _unitOutputs[unit];

    public uint[] ClaimedTailOutputs(int tail) => _tailOutputs[tail];

    /// <summary>A transcript that binds nothing but a name: toy statements are compared inside one test.</summary>
    public static Transcript NewTranscript(string statement = "toy")
    {
        var transcript = new Transcript();
        transcript.Absorb("statement", System.Text.Encoding.ASCII.GetBytes(statement));
        return transcript;
    }

    public byte[] Prove(int seed = 7, Transcript? transcript = null, int workers = 1)
    {
        var bytes = new byte[32];
        BitConverter.TryWriteBytes(bytes, seed);
        using var proofSeed = new ProofSeed(bytes);
        using ProofRandom random = proofSeed.Consume();
        var channel = new ProverChannel(transcript ?? NewTranscript());
        Assert.True(ReferenceProver.Prove(Instance, Witness, random, channel, new Workers(workers)));
        return channel.ToArray();
    }

    public Rejection? Verify(byte[] proof, Transcript? transcript = null) =>
        ArgumentVerifier.Verify(Instance, proof, transcript ?? NewTranscript());

    /// <summary>
    /// Which of the verifier's equations fail at the true pads, for a proof made by <see cref="Prove"/> with the same seed.
    /// </summary>
    public PadEquation[] FailingEquations(byte[] proof, int seed = 7)
    {
        var said = new Conversation(Shape);
        ArgumentVerifier.Verify(Instance, proof, NewTranscript(), said);
        var bytes = new byte[32];
        BitConverter.TryWriteBytes(bytes, seed);
        using var proofSeed = new ProofSeed(bytes);
        using ProofRandom random = proofSeed.Consume();
        Gf128Pads pads = new(Shape, random);
        AffineForm[] equations = PadEquations.Build(Instance, said);
        return [.. Enumerable.Range(0, equations.Length).Where(k => !equations[k].Evaluate(pads.Values).IsZero).Select(k => (PadEquation)k)];
    }

    private static void Fill(Span<uint> slot, ReadOnlySpan<uint> state, ReadOnlySpan<uint> key)
    {
        state.CopyTo(slot[HIn..]);
        key.CopyTo(slot[Key..]);
        slot[One] = 1;
    }

    private static Circuit BuildUnit()
    {
        var b = new CircuitBuilder(32, OutputWords, One);
        Wire[] state = b.Inputs(HIn, 8, "H_in"), key = b.Inputs(Key, 8, "key");
        b.Inputs(Mask, 4, "mask");
        b.CommitAt(Ands);
        Wire[] next = Mix(b, state, key, out Wire[] mixed);
        b.Link(LinkKind.HIn, state);
        b.Link(LinkKind.Key, key);
        b.Link(LinkKind.HOut, next);
        b.Outputs(0, mixed);
        b.Output(8, b.One);
        return b.Build();
    }

    private static Circuit BuildTail()
    {
        var b = new CircuitBuilder(128, OutputWords, One);
        Wire[] state = b.Inputs(HIn, 8, "H_in"), key = b.Inputs(Key, 8, "key");
        b.CommitAt(Ands);
        Mix(b, state, key, out Wire[] mixed);
        b.Link(LinkKind.HIn, state);
        b.Link(LinkKind.Key, key);
        b.Outputs(0, mixed);
        b.Output(8, b.One);
        b.Output(9, b.Add(key[0], key[1], "lock"));
        return b.Build();
    }

    // Four additions and four ANDs: enough for every kind of row.
    private static Wire[] Mix(CircuitBuilder b, Wire[] state, Wire[] key, out Wire[] mixed)
    {
        mixed = new Wire[8];
        for (int i = 0; i < 4; i++)
        {
            mixed[i] = b.Add(state[i], b.Xor(b.RotateRight(key[i], 7 + i), b.Constant(0x01234567u * (uint)(i + 1))), $"add {i}");
            mixed[i + 4] = b.Xor(b.And(state[i + 4], b.Xor(key[i + 4], b.ShiftRight(mixed[i], 3)), $"and {i}"), state[i]);
        }

        var next = new Wire[8];
        for (int i = 0; i < 8; i++)
            next[i] = b.Xor(mixed[(i + 1) & 7], b.RotateRight(state[i], 5));
        return next;
    }
}
