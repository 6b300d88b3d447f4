using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Windows;

/// <summary>
/// One field of a proof's bytes, and the reasons for which a change in it may be refused. A change of a message that the
/// transcript binds alters every later challenge, so the first proof of work after it fails (it holds by chance once in
/// 2^bits, and then a later one fails); bytes that no challenge depends on must lead to the committed root.
/// </summary>
internal sealed record ProofField(string Name, int Offset, int Length, RejectReason[] Reasons)
{
    public int End => Offset + Length;
}

/// <summary>
/// Where every field of a proof lies, counted from docs/proof-system.md sections 6, 8 and 9 and from the shape alone, not with the
/// verifier's code; only the numbers of siblings are taken from the positions drawn.
/// </summary>
internal sealed class ProofMap
{
    private readonly List<ProofField> _fields = [];
    private int _at;

    /// <param name="shape">Dimensions.</param>
    /// <param name="siblings">Sibling digests of level 0, 1, ...</param>
    public ProofMap(ArgumentShape shape, IReadOnlyList<int> siblings)
    {
        // Where a shape asks for no work a message cannot fail it, but a nonce, which must then be zero, can.
        (RejectReason Reason, int Bits)[] works =
        [
            (RejectReason.FoldWork, shape.FoldGrinding), (RejectReason.MaskWork, shape.MaskGrinding),
            (RejectReason.PadWork, shape.PadGrinding), (RejectReason.QueryWork, shape.QueryGrinding),
            .. shape.Levels.Select(level => (RejectReason.LevelWork, level.QueryGrinding)).Distinct(),
        ];
        RejectReason[] From(int work) => [.. works[work..].Where(w => w.Bits > 0).Select(w => w.Reason)];
        RejectReason[] Nonce(int work) => works[work].Bits == 0 ? [works[work].Reason] : From(work);

        // The last nonce of a level, should it hold by chance, leads to other positions, and so to another root or number of
        // siblings.
        RejectReason[] fromFolds = From(0), fromMask = From(1), fromPad = From(2), query = From(3), root = [RejectReason.Root];
        RejectReason[] levelWork = [RejectReason.LevelWork], levelRoot = [RejectReason.LevelRoot];
        RejectReason[] levelNonce = [RejectReason.LevelWork, RejectReason.LevelRoot, RejectReason.ProofLength];
        int element = Gf128.Size, q = shape.RowPads, logLength = 5 + shape.Kappa - shape.TopBits;

        Add("header", 16, [RejectReason.Header]);
        Add("root", 32, fromFolds);
        Add("skip", 64 * element, fromFolds);
        for (int j = 0; j < shape.Kappa + 10; j++)
        {
            Add($"zerocheck {j}", 2 * element, fromFolds);
            if (j >= 10)
                Add($"tie {j - 10}", 2 * element, fromFolds);
        }

        Add("end values", 7 * element, fromFolds);
        for (int j = 0; j < 17; j++)
            Add($"lincheck {j}", 2 * element, fromFolds);
        Add("opened", 2 * element, fromFolds);
        Add("ring values", 128 * element, fromFolds);
        for (int j = 0; j < 4 + shape.TopBits; j++)
        {
            Add($"fold {j}", 2 * element, fromFolds);
            Add($"fold nonce {j}", sizeof(ulong), Nonce(0));
        }

        Add("sigma", element, fromMask);
        Add("mask nonce", sizeof(ulong), Nonce(1));
        Add("u high", q * element, fromPad);
        Add("V", element, fromPad);
        Add("level root 1", 32, fromPad);
        Add("alpha beta", 2 * element, fromPad);
        Add("sigma_lambda", element, fromPad);
        Add("pad nonce", sizeof(ulong), Nonce(2));
        Add("u_pi", (256 + q) * element, query);
        Add("query nonce", sizeof(ulong), query);
        for (int i = 1; i <= shape.Levels.Count; i++)
        {
            LevelShape level = shape.Levels[i - 1];
            for (int j = 0; j < level.Folds; j++)
            {
                Add($"level {i} fold {j}", 2 * element, levelWork);
                Add($"level {i} fold nonce {j}", sizeof(ulong), levelWork);
            }

            logLength -= level.Folds;
            if (i < shape.Levels.Count)
                Add($"level root {i + 1}", 32, levelWork);
            else
                Add("last", element << logLength, levelWork);
            Add($"level {i} nonce", sizeof(ulong), levelNonce);
        }

        FirstLeaf = _at;
        for (int k = 0; k < shape.Queries; k++)
        {
            Add($"leaf {k} salt", MerkleHash.SaltSize, root);
            Add($"leaf {k} unit rows", 9 * shape.PresentTops * element, root);
            Add($"leaf {k} tails' row", element, root);
            Add($"leaf {k} g", element, root);
            Add($"leaf {k} pi", element, root);
            Add($"leaf {k} mu", element, root);
        }

        FirstSibling = _at;
        LeafLength = (FirstSibling - FirstLeaf) / shape.Queries;
        Add("siblings", siblings[0] * MerkleHash.DigestSize, root);
        FirstLevelLeaf = _at;
        for (int i = 1; i <= shape.Levels.Count; i++)
        {
            for (int k = 0; k < shape.Levels[i - 1].Queries; k++)
                Add($"leaf {k} of level {i}", element << shape.Levels[i - 1].Folds, levelRoot);
            Add($"siblings of level {i}", siblings[i] * MerkleHash.DigestSize, levelRoot);
        }
    }

    public static ProofMap Of(DeterministicWindow window)
    {
        ArgumentShape shape = WindowInstance.Shape(window.Suite, [.. window.Data.Select(block => block.Length)])!;
        Assert.Null(WindowInstance.TryCreate(window.Suite, window.Statement, window.Ciphertexts, out WindowInstance? instance));
        var recorder = new PositionRecorder();
        instance!.Bind(recorder);
        Assert.Null(ArgumentVerifier.Verify(instance.Argument, window.Proof.AsSpan(16), recorder));
        var map = new ProofMap(shape, recorder.Siblings);
        Assert.Equal(window.Proof.Length, map._at);
        return map;
    }

    public IReadOnlyList<ProofField> Fields => _fields;

    public int FirstLeaf { get; }

    public int LeafLength { get; }

    public int FirstSibling { get; }

    public int FirstLevelLeaf { get; }

    /// <summary>The fields up to the openings, the first, a middle and the last leaf of every level, and the siblings.</summary>
    public IEnumerable<ProofField> OneOfEachKind()
    {
        int leaves = (FirstSibling - FirstLeaf) / LeafLength;
        return _fields.Where(field => !field.Name.StartsWith("leaf ", StringComparison.Ordinal)
            || new[] { 0, 77, leaves - 1 }.Any(k => field.Name.StartsWith($"leaf {k} ", StringComparison.Ordinal)));
    }

    /// <summary>The field that holds the byte at <paramref name="offset"/>.</summary>
    public ProofField At(int offset)
    {
        int low = 0, high = _fields.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = _fields[middle].Offset <= offset ? (middle, high) : (low, middle - 1);
        }

        return _fields[low];
    }

    private void Add(string name, int length, RejectReason[] reasons)
    {
        _fields.Add(new ProofField(name, _at, length, reasons));
        _at += length;
    }
}

/// <summary>A transcript that keeps the positions drawn from it, level after level.</summary>
internal sealed class PositionRecorder : Transcript
{
    private readonly List<(int[] Positions, int Depth)> _drawn = [];

    /// <summary>Sibling digests of level 0, 1, ... at their positions.</summary>
    public int[] Siblings => [.. _drawn.Select(level => MultiProof.SiblingCount(level.Positions, level.Depth))];

    public override int[] DistinctPositions(string label, int count, int size)
    {
        int[] positions = base.DistinctPositions(label, count, size);
        _drawn.Add((positions, System.Numerics.BitOperations.Log2((uint)size)));
        return positions;
    }
}
