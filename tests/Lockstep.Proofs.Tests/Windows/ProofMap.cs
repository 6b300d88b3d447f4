using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;
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
/// Where every field of a proof lies, counted from docs/proof-system.md sections 6 and 9 and from the shape alone, not with the
/// verifier's code.
/// </summary>
internal sealed class ProofMap
{
    private readonly List<ProofField> _fields = [];
    private int _at;

    public ProofMap(ArgumentShape shape, int proofLength)
    {
        // Where a shape asks for no work a message cannot fail it, but a nonce, which must then be zero, can.
        (RejectReason Reason, int Bits)[] works =
        [
            (RejectReason.FoldWork, shape.FoldGrinding), (RejectReason.MaskWork, shape.MaskGrinding),
            (RejectReason.PadWork, shape.PadGrinding), (RejectReason.QueryWork, shape.QueryGrinding),
        ];
        RejectReason[] From(int work) => [.. works[work..].Where(w => w.Bits > 0).Select(w => w.Reason)];
        RejectReason[] Nonce(int work) => works[work].Bits == 0 ? [works[work].Reason] : From(work);
        RejectReason[] fromFolds = From(0), fromMask = From(1), fromPad = From(2), query = From(3), root = [RejectReason.Root];

        // A query nonce that holds by chance leads to other positions, and so to another root or number of siblings.
        RejectReason[] queryNonce = [.. query, RejectReason.Root, RejectReason.ProofLength];
        int element = Gf128.Size, q = shape.RowPads, n = 1 << (5 + shape.Kappa - shape.TopBits);

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
        Add("u", (n + q) * element, fromPad);
        Add("alpha beta", 2 * element, fromPad);
        Add("sigma_lambda", element, fromPad);
        Add("pad nonce", sizeof(ulong), Nonce(2));
        Add("u_pi", (256 + q) * element, query);
        Add("query nonce", sizeof(ulong), queryNonce);
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
        Add("siblings", proofLength - _at, root);
        LeafLength = (FirstSibling - FirstLeaf) / shape.Queries;
        Assert.True(proofLength > FirstSibling && (proofLength - FirstSibling) % MerkleHash.DigestSize == 0);
    }

    public static ProofMap Of(DeterministicWindow window) =>
        new(WindowInstance.Shape(window.Suite, [.. window.Data.Select(block => block.Length)])!, window.Proof.Length);

    public IReadOnlyList<ProofField> Fields => _fields;

    public int FirstLeaf { get; }

    public int LeafLength { get; }

    public int FirstSibling { get; }

    /// <summary>The fields up to the openings, the first, a middle and the last leaf, and the siblings.</summary>
    public IEnumerable<ProofField> OneOfEachKind()
    {
        int leaves = (FirstSibling - FirstLeaf) / LeafLength;
        return _fields.Where(field => !field.Name.StartsWith("leaf ", StringComparison.Ordinal)
            || new[] { 0, leaves / 2, leaves - 1 }.Any(k => field.Name.StartsWith($"leaf {k} ", StringComparison.Ordinal)));
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
