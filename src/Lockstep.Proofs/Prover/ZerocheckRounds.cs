using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Prover;

/// <summary>
/// Step 3: the zerocheck's sumcheck after the skip, variables v6, p, h, then i, with the eq factor of the bound variables
/// stripped (Gruen, ePrint 2024/108). A round sends g1, g2 of g(X) = g0 + g1 X + g2 X^2 with
/// claim = (1 + r_j) g(0) + r_j g(1), so g0 = claim + r_j (g1 + g2) needs no division.
/// </summary>
internal sealed class ZerocheckRounds
{
    private readonly ArgumentShape _shape;
    private readonly Gf128[] _r;
    private readonly SecretArrays _secrets;
    private readonly Workers _workers;
    private Gf128[] _a, _b, _z;
    private int _stride;
    private int _units;
    private int _bound;

    public ZerocheckRounds(ArgumentShape shape, BitMatrices z, BitMatrices a, BitMatrices b, Gf128[] r, Gf128 zeta, SecretArrays secrets, Workers workers)
    {
        _shape = shape;
        _r = r;
        _secrets = secrets;
        _workers = workers;
        _stride = (shape.HCount + 1) * shape.BlockRows;
        _units = shape.PresentUnits;
        var fold = new BitFold(SkipDomain.LagrangeOfS(zeta));
        _a = FoldBits(a, fold);
        _b = FoldBits(b, fold);
        _z = FoldBits(z, fold);
    }

    /// <summary>v_a, v_b, v_c once every variable is bound.</summary>
    public (Gf128 A, Gf128 B, Gf128 C) End => (_a[0], _b[0], _z[0]);

    /// <summary>The next round's coefficients g1 and g2.</summary>
    public (Gf128 G1, Gf128 G2) Round()
    {
        bool inner = _bound < _shape.InnerVariables;
        ReadOnlySpan<Gf128> rest = _r.AsSpan(_bound + 1);
        Gf128[] innerEq = Multilinear.EqTable(inner ? rest[..(_shape.InnerVariables - _bound - 1)] : default);
        Gf128[] outerEq = Multilinear.EqTable(inner ? rest[(_shape.InnerVariables - _bound - 1)..] : rest);
        Gf128 g0 = default, gOne = default, g2 = default;
        object gate = new();
        int groups = inner ? _units : (_units + 1) / 2, grain = inner ? 64 : 256;
        _workers.For(groups, grain, (start, end) =>
        {
            Gf128 t0 = default, t1 = default, t2 = default;
            for (int group = start; group < end; group++)
            {
                Gf128 s0 = default, s1 = default, s2 = default;
                int at = inner ? group * _stride : 2 * group, pairs = inner ? (_stride + 1) / 2 : 1;
                int limit = inner ? at + _stride : _units;
                for (int k = 0; k < pairs; k++, at += 2)
                {
                    Gf128 a0 = _a[at], b0 = _b[at], z0 = _z[at], a1 = default, b1 = default, z1 = default;
                    if (at + 1 < limit)
                        (a1, b1, z1) = (_a[at + 1], _b[at + 1], _z[at + 1]);
                    Gf128 eq = innerEq[k];
                    s0 += eq * (a0 * b0 + z0);
                    s1 += eq * (a1 * b1 + z1);
                    s2 += eq * ((a0 + a1) * (b0 + b1));
                }

                Gf128 outer = outerEq[group];
                t0 += outer * s0;
                t1 += outer * s1;
                t2 += outer * s2;
            }

            lock (gate)
            {
                g0 += t0;
                gOne += t1;
                g2 += t2;
            }
        });
        return (g0 + gOne + g2, g2);
    }

    /// <summary>Binds the current variable at <paramref name="s"/>.</summary>
    public void Bind(Gf128 s)
    {
        bool inner = _bound < _shape.InnerVariables;
        if (inner)
        {
            int next = (_stride + 1) / 2;
            _a = FoldSlots(_a, next, s);
            _b = FoldSlots(_b, next, s);
            _z = FoldSlots(_z, next, s);
            _stride = next;
        }
        else
        {
            FoldUnits(_a, s);
            FoldUnits(_b, s);
            FoldUnits(_z, s);
            _units = (_units + 1) / 2;
        }

        _bound++;
    }

    private Gf128[] FoldBits(BitMatrices bits, BitFold fold)
    {
        Gf128[] values = _secrets.Take<Gf128>((long)_units * _stride);
        _workers.For(_units, 16, (start, end) =>
        {
            for (int i = start; i < end; i++)
                for (int h = 0; h <= _shape.HCount; h++)
                {
                    ReadOnlySpan<ulong> rows = bits.Block(i, h);
                    Span<Gf128> into = values.AsSpan(i * _stride + h * _shape.BlockRows);
                    for (int row = 0; row < rows.Length; row++)
                        into[row] = rows[row] == 0 ? default : fold.Apply(rows[row]);
                }
        });
        return values;
    }

    private Gf128[] FoldSlots(Gf128[] values, int next, Gf128 s)
    {
        Gf128[] folded = _secrets.Take<Gf128>((long)_units * next);
        _workers.For(_units, 64, (start, end) =>
        {
            for (int i = start; i < end; i++)
                for (int k = 0; k < next; k++)
                {
                    Gf128 low = values[i * _stride + 2 * k], high = 2 * k + 1 < _stride ? values[i * _stride + 2 * k + 1] : default;
                    folded[i * next + k] = low + s * (low + high);
                }
        });
        _secrets.GiveBack(values);
        return folded;
    }

    private void FoldUnits(Gf128[] values, Gf128 s)
    {
        for (int k = 0; k < (_units + 1) / 2; k++)
        {
            Gf128 low = values[2 * k], high = 2 * k + 1 < _units ? values[2 * k + 1] : default;
            values[k] = low + s * (low + high);
        }
    }
}
