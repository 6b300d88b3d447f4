using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;

namespace Lockstep.Proofs.Reference;

/// <summary>
/// Step 8: the sumcheck of sum_f sum_x phi(w(f, x)) row_f(x) over the row variables f = h | top, lowest first. Rows that are
/// absent are null. A round sends g0, g2; g1 = claim + g2. Row pads are folded along: what remains is
/// sum_f eq(r_f, f) row_f in all n + q coefficients.
/// </summary>
internal sealed class FoldRounds
{
    private readonly int _message;
    private readonly Workers _workers;
    private Gf128[]?[] _rows;
    private Gf128[]?[] _weights;

    /// <param name="shape">Dimensions.</param>
    /// <param name="bitRows">The committed rows of bits, n + q coefficients each; consumed.</param>
    /// <param name="ring">The weights.</param>
    /// <param name="phi">phi of the ring switch.</param>
    /// <param name="workers">Threads.</param>
    public FoldRounds(ArgumentShape shape, Gf128[][] bitRows, RingSwitch ring, LinearMap phi, Workers workers)
    {
        _message = shape.MessageLength;
        _workers = workers;
        var rows = new Gf128[]?[1 << shape.RowVariables];
        var weights = new Gf128[]?[rows.Length];
        var places = new int[bitRows.Length];
        for (int h = 0; h < shape.HCount; h++)
            for (int top = 0; top < shape.PresentTops; top++)
                places[shape.RowIndex(h, top)] = shape.FoldIndex(h, top);
        places[^1] = shape.FoldIndex(shape.HCount, 0);
        workers.For(bitRows.Length, 1, (start, end) =>
        {
            for (int row = start; row < end; row++)
            {
                var w = new Gf128[_message];
                ring.RowWeights(phi, row, w);
                rows[places[row]] = bitRows[row];
                weights[places[row]] = w;
            }
        });
        (_rows, _weights) = (rows, weights);
    }

    /// <summary>The fully folded row, n + q coefficients.</summary>
    public Gf128[] Row => _rows[0]!;

    /// <summary>The fully folded weights, n entries.</summary>
    public Gf128[] Weights => _weights[0]!;

    /// <summary>The next round's coefficients g0 and g2.</summary>
    public (Gf128 G0, Gf128 G2) Round()
    {
        Gf128 g0 = default, g2 = default;
        object gate = new();
        _workers.For(_rows.Length / 2, 1, (start, end) =>
        {
            Gf128 t0 = default, t2 = default;
            for (int k = start; k < end; k++)
            {
                Gf128[]? z0 = _rows[2 * k], z1 = _rows[2 * k + 1], w0 = _weights[2 * k], w1 = _weights[2 * k + 1];
                for (int x = 0; x < _message && (z0 ?? z1) != null; x++)
                {
                    Gf128 zLow = At(z0, x), wLow = At(w0, x);
                    t0 += wLow * zLow;
                    t2 += (wLow + At(w1, x)) * (zLow + At(z1, x));
                }
            }

            lock (gate)
            {
                g0 += t0;
                g2 += t2;
            }
        });
        return (g0, g2);
    }

    /// <summary>Binds the lowest unbound row variable at <paramref name="s"/>.</summary>
    public void Bind(Gf128 s)
    {
        var rows = new Gf128[]?[_rows.Length / 2];
        var weights = new Gf128[]?[rows.Length];
        _workers.For(rows.Length, 1, (start, end) =>
        {
            for (int k = start; k < end; k++)
            {
                rows[k] = Fold(_rows[2 * k], _rows[2 * k + 1], s);
                weights[k] = Fold(_weights[2 * k], _weights[2 * k + 1], s);
            }
        });
        (_rows, _weights) = (rows, weights);
    }

    private static Gf128 At(Gf128[]? row, int x) => row == null ? default : row[x];

    private static Gf128[]? Fold(Gf128[]? low, Gf128[]? high, Gf128 s)
    {
        Gf128[]? into = low ?? high;
        if (into == null)
            return null;
        for (int x = 0; x < into.Length; x++)
            into[x] = At(low, x) + s * (At(low, x) + At(high, x));
        return into;
    }
}
