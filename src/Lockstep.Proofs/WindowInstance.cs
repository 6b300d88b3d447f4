using System.Buffers.Binary;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Hashing;
using Lockstep.Proofs.Layout;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs;

/// <summary>A window's statement as an instance of the argument; both ends build it from public data alone.</summary>
internal sealed class WindowInstance : IPublicWords
{
    private readonly WindowStatement _statement;
    private readonly IReadOnlyList<ReadOnlyMemory<byte>> _ciphertexts;
    private readonly PublicWords _words;
    private readonly int _untiedLock;

    private WindowInstance(WindowStatement statement, IReadOnlyList<ReadOnlyMemory<byte>> ciphertexts, WindowLayout layout, ArgumentShape shape, PublicWords words)
    {
        (_statement, _ciphertexts, _words) = (statement, ciphertexts, words);
        _untiedLock = TailCircuit.UntiedLock(statement.LockHash);
        Layout = layout;
        Argument = new ArgumentInstance
        {
            Shape = shape,
            Unit = UnitCircuit.Instance,
            Tail = TailCircuit.Instance,
            Chunks = [.. Enumerable.Range(0, layout.ChunkCount).Select(q => new UnitRange(layout.FirstUnit(q), layout.UnitsOf(q)))],
            InitialState = Sha256Gadget.InitialState.ToArray(),
            Public = this,
        };
    }

    public WindowLayout Layout { get; }

    public ArgumentInstance Argument { get; }

    /// <summary>Builds the instance, or says why the statement and its ciphertexts are refused.</summary>
    public static Rejection? TryCreate(Suite suite, WindowStatement statement, IReadOnlyList<ReadOnlyMemory<byte>> ciphertexts, out WindowInstance? instance)
    {
        instance = null;
        if (statement.Validate() is { } fault)
            return new Rejection(RejectReason.Statement, fault.Message);
        if (statement.SuiteId != suite.Id)
            return new Rejection(RejectReason.Suite, $"the statement names suite {statement.SuiteId}, expected {suite.Id}");
        int[] lengths = [.. statement.Chunks.Select(chunk => chunk.Length)];
        if (Shape(suite, lengths) is not { } shape)
            return new Rejection(RejectReason.Statement, "the window is larger than any shape of its suite; split it");
        if (WindowLayout.TryCreate(lengths, shape.Kappa, shape.TopBits, out string? layoutReason) is not { } layout)
            return new Rejection(RejectReason.Statement, layoutReason!);
        if (PublicWords.TryCreate(statement, layout, ciphertexts, out string? wordsReason) is not { } words)
            return new Rejection(RejectReason.Ciphertext, wordsReason!);
        instance = new WindowInstance(statement, ciphertexts, layout, shape, words);
        return null;
    }

    /// <summary>The most bytes that a proof of a window up to this large can have; more than any number when no shape holds it.</summary>
    public static long ProofBound(Suite suite, int chunks, long units) => Suites.ProofBound(suite, units, chunks) ?? long.MaxValue;

    /// <summary>The shape that a suite prescribes for chunks of these lengths, or null when none holds them.</summary>
    public static ArgumentShape? Shape(Suite suite, IReadOnlyList<int> lengths)
    {
        long units = lengths.Sum(length => (long)length / WindowLayout.UnitBytes);
        if (Suites.Choose(suite, units, lengths.Count) is not { } window || suite.Layout(window) is not { } layout)
            return null;
        return new ArgumentShape
        {
            Kappa = window.LogUnits,
            TopBits = window.LogRowGroups,
            PresentTops = window.RowGroups,
            LogInverseRate = layout.LogInverseRate,
            RowPads = layout.RowPads,
            Queries = layout.Queries,
            FoldGrinding = layout.FoldGrindingBits,
            MaskGrinding = layout.MaskGrindingBits,
            PadGrinding = layout.PadGrindingBits,
            QueryGrinding = layout.Suite.QueryGrindingBits,
            Levels =
            [
                .. layout.Levels.Select(level => new LevelShape(
                    level.LogLength, level.Folds, level.LogInverseRate, level.Queries, level.FoldGrindingBits, level.QueryGrindingBits)),
            ],
        };
    }

    /// <summary>
    /// Step 0: a transcript that binds suite, shape, both circuits, the whole statement (with provider key, seal ids and
    /// the order of the chunks) and every ciphertext.
    /// </summary>
    public Transcript NewTranscript()
    {
        var transcript = new Transcript();
        Bind(transcript);
        return transcript;
    }

    /// <summary>Absorbs step 0 (docs/proof-system.md section 5) into a given transcript.</summary>
    public void Bind(Transcript transcript)
    {
        ArgumentShape shape = Argument.Shape;
        int[] numbers =
        [
            shape.Kappa, shape.TopBits, shape.PresentTops, shape.LogInverseRate, shape.RowPads, shape.Queries,
            shape.FoldGrinding, shape.MaskGrinding, shape.PadGrinding, shape.QueryGrinding, shape.Levels.Count,
            .. shape.Levels.SelectMany(level => (int[])[level.LogLength, level.Folds, level.LogInverseRate, level.Queries, level.FoldGrinding, level.QueryGrinding]),
        ];
        var bytes = new byte[4 * numbers.Length];
        for (int i = 0; i < numbers.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * i), numbers[i]);
        transcript.Absorb(Labels.Shape, bytes);
        transcript.Absorb(Labels.UnitCircuit, Argument.Unit.Digest);
        transcript.Absorb(Labels.TailCircuit, Argument.Tail.Digest);
        transcript.Absorb(Labels.Statement, _statement.Encode());
        foreach (ReadOnlyMemory<byte> ciphertext in _ciphertexts)
            transcript.Absorb(Labels.Ciphertext, Blake3.Hash(ciphertext.Span));
    }

    void IPublicWords.UnitOutputs(int unit, Span<uint> words) => _words.UnitOutputs(unit, words);

    void IPublicWords.TailOutputs(int tail, Span<uint> words) => _words.TailOutputs(tail, words);

    bool IPublicWords.IsTailOutputTied(int word) => word < _untiedLock || word >= _untiedLock + TailCircuit.LockWords;
}
