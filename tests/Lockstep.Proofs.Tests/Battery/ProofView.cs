using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// All field elements that a proof shows, in order, by the label they were sent under; opened symbols are under
/// <see cref="Symbols"/>, one row after the other at each position. Root, salts, siblings and nonces are left out: the
/// digests hide behind the salts, and the salts are independent of everything else. So are the levels' roots and openings,
/// which are made from u alone (docs/proof-system.md section 11).
/// </summary>
internal sealed class ProofView
{
    public const string Symbols = "symbols";

    public ProofView(ArgumentShape shape, ReadOnlySpan<byte> proof)
    {
        var elements = new List<Gf128>();
        ReadOnlySpan<byte> rest = proof[MerkleHash.DigestSize..];
        Take(ref rest, Labels.Skip, SkipDomain.Half);
        for (int j = 0; j < shape.ZerocheckVariables; j++)
            Take(ref rest, Labels.Round, j < shape.InnerVariables ? 2 : 4);
        Take(ref rest, Labels.EndValues, PadSchedule.EndValues);
        Take(ref rest, Labels.Lincheck, 2 * shape.LincheckVariables);
        Take(ref rest, Labels.Opened, 2);
        Take(ref rest, Labels.RingValues, 128);
        for (int j = 0; j < shape.RowVariables; j++)
        {
            Take(ref rest, Labels.Fold, 2);
            rest = rest[sizeof(ulong)..];
        }

        Take(ref rest, Labels.Sigma, 1);
        rest = rest[sizeof(ulong)..];
        Take(ref rest, Labels.FoldedHigh, shape.RowPads);
        Take(ref rest, Labels.FoldedValue, 1);
        TakeNext(ref rest, 0);
        Take(ref rest, Labels.TripleOpening, 2);
        Take(ref rest, Labels.PadSum, 1);
        rest = rest[sizeof(ulong)..];
        Take(ref rest, Labels.PadRow, shape.PadRowLength);
        rest = rest[sizeof(ulong)..];
        for (int i = 0; i < shape.Levels.Count; i++)
        {
            for (int j = 0; j < shape.Levels[i].Folds; j++)
            {
                Take(ref rest, Labels.LevelFold, 2);
                rest = rest[sizeof(ulong)..];
            }

            TakeNext(ref rest, i + 1);
            rest = rest[sizeof(ulong)..];
        }

        for (int k = 0; k < shape.Queries; k++)
        {
            Salts.Add(Convert.ToHexString(rest[..MerkleHash.SaltSize]));
            rest = rest[MerkleHash.SaltSize..];
            Take(ref rest, Symbols, shape.Rows);
        }

        for (int at = Start(Symbols); at < elements.Count; at++)
            elements[at] = TowerBasis.ToPolynomial(elements[at]);
        Elements = [.. elements];

        // The next level's root, or the last vector.
        void TakeNext(ref ReadOnlySpan<byte> from, int level)
        {
            if (level < shape.Levels.Count)
                from = from[MerkleHash.DigestSize..];
            else
                Take(ref from, Labels.Last, 1 << shape.LogLastLength);
        }

        void Take(ref ReadOnlySpan<byte> from, string label, int count)
        {
            Places.TryAdd(label, (elements.Count, 0));
            Places[label] = (Places[label].Start, Places[label].Count + count);
            for (int i = 0; i < count; i++, from = from[Gf128.Size..])
                elements.Add(Gf128.Read(from));
        }
    }

    public Gf128[] Elements { get; }

    public List<string> Salts { get; } = [];

    public Dictionary<string, (int Start, int Count)> Places { get; } = [];

    public int Start(string label) => Places[label].Start;

    public Span<Gf128> this[string label] => Elements.AsSpan(Places[label].Start, Places[label].Count);
}
