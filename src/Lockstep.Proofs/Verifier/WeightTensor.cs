using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Verifier;

/// <summary>
/// The folded weights w' at the levels' challenges, without their n entries. w'(x) = sum_f eq(r_f, f) phi(c_f col(x)) with
/// col a tensor, so all of it is an element of F (x) F over GF(2): the left factor carries what is linear over F, the right
/// one waits for phi. It is kept as 128 elements, the left coefficients of the right factor's powers of X.
/// </summary>
internal static class WeightTensor
{
    /// <summary>
    /// sum_y w(y) last_y, where w is w' with its lowest variables bound at <paramref name="levelPoint"/> and y runs over the
    /// others.
    /// </summary>
    /// <param name="shape">Dimensions.</param>
    /// <param name="said">Whence s_out, t, gamma', r''' and r_f come.</param>
    /// <param name="levelPoint">The challenges of all levels, lowest variable first.</param>
    /// <param name="last">The last vector, 2^LogLastLength elements.</param>
    public static Gf128 InnerProduct(ArgumentShape shape, Conversation said, ReadOnlySpan<Gf128> levelPoint, ReadOnlySpan<Gf128> last)
    {
        LinearMap phi = RingSwitch.Phi(said.RingPoint);
        ReadOnlySpan<Gf128> p = said.T.AsSpan(7, shape.PBits), high = said.T.AsSpan(7 + shape.PBits);
        Gf128[] foldEq = Multilinear.EqTable(said.FoldPoint), hEq = Multilinear.EqTable(high[..shape.HBits]);
        Gf128[] topEq = Multilinear.EqTable(said.UnitPoint[shape.LowBits..]);

        Gf128[] units = Fold([.. p, .. said.UnitPoint[..shape.LowBits]], levelPoint, last);
        Gf128 sum = default;
        for (int h = 0; h < shape.HCount; h++)
            for (int top = 0; top < shape.PresentTops; top++)
                sum += foldEq[shape.FoldIndex(h, top)] * Apply(phi, hEq[h] * topEq[top], units);

        Gf128[] tails = Fold([.. p, .. high, .. said.UnitPoint[shape.TailInnerBits..shape.LowBits]], levelPoint, last);
        return sum + foldEq[shape.FoldIndex(shape.HCount, 0)] * Apply(phi, said.RegionWeight, tails);
    }

    // sum_y last_y (x) col(y) over the variables that remain, then the bound ones: a variable with point w bound at r is the
    // factor (1 + r) (x) (1 + w) + r (x) w = (1 + r) (x) 1 + 1 (x) w.
    private static Gf128[] Fold(ReadOnlySpan<Gf128> columnPoint, ReadOnlySpan<Gf128> levelPoint, ReadOnlySpan<Gf128> last)
    {
        var tensor = new Gf128[128];
        Gf128[] columns = Multilinear.EqTable(columnPoint[levelPoint.Length..]);
        for (int y = 0; y < columns.Length; y++)
            AddTo(tensor, last[y], columns[y]);

        var product = new Gf128[128];
        for (int b = 0; b < levelPoint.Length; b++)
        {
            Array.Clear(product);
            Gf128 shifted = columnPoint[b], left = Gf128.One + levelPoint[b];
            for (int v = 0; v < 128; v++, shifted *= Gf128.X)
            {
                AddTo(product, tensor[v], shifted);
                product[v] += left * tensor[v];
            }

            (tensor, product) = (product, tensor);
        }

        return tensor;
    }

    // Adds left (x) right.
    private static void AddTo(Gf128[] tensor, Gf128 left, Gf128 right)
    {
        for (int v = 0; v < 128; v++)
            tensor[v] += left.IfBit(right.Bit(v));
    }

    // sum_v tensor_v phi(factor X^v).
    private static Gf128 Apply(LinearMap phi, Gf128 factor, ReadOnlySpan<Gf128> tensor)
    {
        Gf128 sum = default;
        for (int v = 0; v < 128; v++, factor *= Gf128.X)
            sum += tensor[v] * phi.Apply(factor);
        return sum;
    }
}
