using System.Numerics;
using System.Runtime.InteropServices;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Reference;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// An argument as small as it goes with every part: 256 units of 16 words with 128 mask bits each, 16 tails, rows of 256
/// elements, and q = t0 = 3. Its circuits have a free input word, so that a statement has many witnesses: the key may be
/// any, the free word makes up for it in the public output.
/// </summary>
internal sealed class TinyArgument : IPublicWords
{
    public const int Units = 3;

    private const int One = 0, State = 1, Key = 2, Free = 3, Mask = 4, Ands = 8, OutputWords = 2;
    private const uint Initial = 0x6a09e667;

    private static readonly Circuit UnitCircuit = Build(16, mask: true);
    private static readonly Circuit TailCircuit = Build(64, mask: false);

    public static ArgumentShape SmallestShape { get; } = new()
    {
        Kappa = 8,
        TopBits = 2,
        PresentTops = 4,
        PBits = 2,
        HBits = 1,
        HCount = 1,
        MaskUnits = 256,
        MaskElement = Mask / 4,
        RowPads = 3,
        Queries = 3,
        FoldGrinding = 0,
        MaskGrinding = 0,
        PadGrinding = 0,
        QueryGrinding = 0,
    };

    public TinyArgument(ArgumentShape? shape = null)
    {
        Shape = shape ?? SmallestShape;
        Instance = new ArgumentInstance
        {
            Shape = Shape,
            Unit = UnitCircuit,
            Tail = TailCircuit,
            Chunks = [new UnitRange(0, Units)],
            InitialState = [.. Enumerable.Range(0, 8).Select(i => BitOperations.RotateRight(Initial, i))],
            Public = this,
        };
    }

    public ArgumentShape Shape { get; }

    public ArgumentInstance Instance { get; }

    // The statement: these outputs, whatever the witness.
    public void UnitOutputs(int unit, Span<uint> words) => (words[0], words[1]) = unit < Units ? (0xdecade00u + (uint)unit, 1u) : (0, 0);

    public void TailOutputs(int tail, Span<uint> words) => (words[0], words[1]) = (0x7a115eedu, 1u);

    public bool IsTailOutputTied(int word) => true;

    /// <summary>One of the statement's witnesses for every key; mask words zero.</summary>
    public BitMatrices Witness(uint key)
    {
        var witness = new BitMatrices(Shape);
        uint state = Initial;
        Span<uint> outputs = stackalloc uint[OutputWords], demanded = stackalloc uint[OutputWords], link = stackalloc uint[8];
        for (int i = 0; i <= Units; i++)
        {
            Circuit circuit = i < Units ? UnitCircuit : TailCircuit;
            Span<uint> slot = i < Units ? witness.Unit(i) : witness.Tail(0);
            (slot[One], slot[State], slot[Key]) = (1, state, key);
            circuit.Evaluate(slot);
            circuit.Outputs(slot, outputs);
            if (i < Units)
                UnitOutputs(i, demanded);
            else
                TailOutputs(0, demanded);
            slot[Free] = outputs[0] ^ demanded[0];
            circuit.Evaluate(slot);
            circuit.Link(LinkKind.HOut, slot, link);
            state = link[0];
        }

        return witness;
    }

    /// <summary>The honest prover with chosen randomness.</summary>
    public byte[] Prove(uint key, ChosenRandomness chosen, Transcript transcript)
    {
        using var random = new ProofRandom(chosen.Stream);
        using BitMatrices witness = Witness(key);
        var channel = new ProverChannel(transcript);
        Assert.True(ReferenceProver.Prove(Instance, witness, random, channel, new Workers(1)));
        return channel.ToArray();
    }

    /// <summary>What is said in an accepted proof.</summary>
    public Conversation Accept(byte[] proof, Transcript transcript)
    {
        var said = new Conversation(Shape);
        Assert.Null(ArgumentVerifier.Verify(Instance, proof, transcript, said));
        return said;
    }

    private static Circuit Build(int slotWords, bool mask)
    {
        var b = new CircuitBuilder(slotWords, OutputWords, One);
        Wire state = b.Input(State, "state"), key = b.Input(Key, "key"), free = b.Input(Free, "free");
        if (mask)
            b.Inputs(Mask, 4, "mask");
        b.CommitAt(Ands);
        Wire sum = b.Add(state, b.RotateRight(key, 7), "sum");
        Wire product = b.And(sum, b.Xor(key, b.Constant(0x01234567)), "product");
        b.Link(LinkKind.HIn, Spread(state));
        b.Link(LinkKind.Key, Spread(key));
        b.Link(LinkKind.HOut, Spread(b.Add(sum, product, "next")));
        b.Output(0, b.Xor(product, free));
        b.Output(1, b.One);
        return b.Build();

        Wire[] Spread(Wire word) => [word, .. Enumerable.Range(1, 7).Select(i => b.RotateRight(word, i))];
    }
}

/// <summary>Every random value of one proof, by stream; salts are zero.</summary>
internal sealed class ChosenRandomness
{
    public const string Masks = "mask elements", Pads = "pads", MaskRow = "mask row", PadMask = "pad mask", RowPads = "row pads";

    private readonly Dictionary<string, Gf128[]> _streams;

    public ChosenRandomness(ArgumentShape shape) => _streams = new()
    {
        [Masks] = new Gf128[shape.MaskUnits],
        [Pads] = new Gf128[shape.PadRowLength],
        [MaskRow] = new Gf128[shape.RowLength],
        [PadMask] = new Gf128[shape.PadRowLength],
        [RowPads] = new Gf128[shape.BitRows * shape.RowPads],
    };

    private ChosenRandomness(Dictionary<string, Gf128[]> streams) => _streams = streams;

    public Gf128[] this[string stream] => _streams[stream];

    public IEnumerable<string> Names => _streams.Keys;

    public ChosenRandomness Copy() => new(_streams.ToDictionary(s => s.Key, s => (Gf128[])s.Value.Clone()));

    public RandomStream Stream(string name)
    {
        if (!_streams.TryGetValue(name, out Gf128[]? elements))
            return new RandomStream(destination => destination.Clear());
        int at = 0;
        return new RandomStream(destination =>
        {
            MemoryMarshal.AsBytes(elements.AsSpan()).Slice(at, destination.Length).CopyTo(destination);
            at += destination.Length;
        });
    }
}
