using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>The folded weights w' entry by entry, straight from the definition (docs/proof-system.md section 7, equation 5).</summary>
internal static class DirectWeights
{
    public static Gf128[] Of(ArgumentShape shape, Conversation said)
    {
        var ring = new RingSwitch(shape, said.UnitPoint, said.T, said.RegionWeight);
        LinearMap phi = RingSwitch.Phi(said.RingPoint);
        Gf128[] foldEq = Multilinear.EqTable(said.FoldPoint), row = new Gf128[shape.MessageLength], folded = new Gf128[shape.MessageLength];
        for (int h = 0; h < shape.HCount; h++)
            for (int top = 0; top < shape.PresentTops; top++)
                Add(shape.RowIndex(h, top), foldEq[shape.FoldIndex(h, top)]);
        Add(shape.BitRows - 1, foldEq[shape.FoldIndex(shape.HCount, 0)]);
        return folded;

        void Add(int index, Gf128 weight)
        {
            ring.RowWeights(phi, index, row);
            for (int x = 0; x < folded.Length; x++)
                folded[x] += weight * row[x];
        }
    }
}
