using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;

namespace Lockstep.Proofs.Reference;

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
    // While variables inside a slot are bound, unit i's values stand from i * _pitch on, _stride of them; then one per unit.
    private readonly int _pitch;
    private readonly Gf128[] _unitEq;
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
        _pitch = _stride = (shape.HCount + 1) * shape.BlockRows;
        _units = shape.PresentUnits;
        _unitEq = Multilinear.EqTable(r.AsSpan(shape.InnerVariables));
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
        Gf128[] eq = Multilinear.EqTable(_r.AsSpan(_bound + 1, (inner ? _shape.InnerVariables : _shape.ZerocheckVariables) - _bound - 1));
        var total = default(RoundSums);
        object gate = new();
        int groups = inner ? _units : (_units + 1) / 2;
        _workers.For(groups, inner ? 64 : 256, (start, end) =>
        {
            var sums = default(RoundSums);
            if (inner)
            {
                for (int i = start; i < end; i++)
                {
                    int at = i * _pitch;
                    sums.Add(_unitEq[i], Sums(eq, _a.AsSpan(at, _stride), _b.AsSpan(at, _stride), _z.AsSpan(at, _stride)));
                }
            }
            else
            {
                int first = 2 * start, count = Math.Min(2 * end, _units) - first;
                sums = Sums(eq.AsSpan(start), _a.AsSpan(first, count), _b.AsSpan(first, count), _z.AsSpan(first, count));
            }

            lock (gate)
                total.Add(Gf128.One, sums);
        });
        return (total.AtZero + total.AtOne + total.Leading, total.Leading);
    }

    /// <summary>Binds the current variable at <paramref name="s"/>.</summary>
    public void Bind(Gf128 s)
    {
        if (_bound++ >= _shape.InnerVariables)
        {
            _a = BindPairs(_a, s);
            _b = BindPairs(_b, s);
            _z = BindPairs(_z, s);
            _units = (_units + 1) / 2;
            return;
        }

        _workers.For(_units, 64, (start, end) =>
        {
            for (int at = start * _pitch; at < end * _pitch; at += _pitch)
            {
                BindInPlace(_a.AsSpan(at, _stride), s);
                BindInPlace(_b.AsSpan(at, _stride), s);
                BindInPlace(_z.AsSpan(at, _stride), s);
            }
        });
        _stride = (_stride + 1) / 2;
        if (_bound == _shape.InnerVariables)
            (_a, _b, _z) = (FirstOfEach(_a), FirstOfEach(_b), FirstOfEach(_z));
    }

    // Sums over pairs k of eq[k] times the value at 0, at 1 and the leading coefficient of a b + z; an odd last value is
    // followed by zero.
    private static RoundSums Sums(ReadOnlySpan<Gf128> eq, ReadOnlySpan<Gf128> a, ReadOnlySpan<Gf128> b, ReadOnlySpan<Gf128> z)
    {
        var sums = default(RoundSums);
        int pairs = a.Length / 2;
        for (int k = 0; k < pairs; k++)
        {
            Gf128 a0 = a[2 * k], a1 = a[2 * k + 1], b0 = b[2 * k], b1 = b[2 * k + 1];
            sums.Add(eq[k], a0 * b0 + z[2 * k], a1 * b1 + z[2 * k + 1], (a0 + a1) * (b0 + b1));
        }

        if ((a.Length & 1) != 0)
        {
            Gf128 product = a[^1] * b[^1];
            sums.Add(eq[pairs], product + z[^1], default, product);
        }

        return sums;
    }

    private static void BindInPlace(Span<Gf128> values, Gf128 s)
    {
        int pairs = values.Length / 2;
        for (int k = 0; k < pairs; k++)
            values[k] = values[2 * k] + s * (values[2 * k] + values[2 * k + 1]);
        if ((values.Length & 1) != 0)
            values[pairs] = values[^1] + s * values[^1];
    }

    // Between units threads would write where others still read, so the result has an array of its own.
    private Gf128[] BindPairs(Gf128[] values, Gf128 s)
    {
        Gf128[] bound = _secrets.Take<Gf128>((_units + 1) / 2);
        _workers.For(bound.Length, 1024, (start, end) =>
        {
            for (int k = start; k < end; k++)
            {
                Gf128 low = values[2 * k], high = 2 * k + 1 < _units ? values[2 * k + 1] : default;
                bound[k] = low + s * (low + high);
            }
        });
        _secrets.GiveBack(values);
        return bound;
    }

    private Gf128[] FirstOfEach(Gf128[] values)
    {
        Gf128[] first = _secrets.Take<Gf128>(_units);
        for (int i = 0; i < first.Length; i++)
            first[i] = values[i * _pitch];
        _secrets.GiveBack(values);
        return first;
    }

    private struct RoundSums
    {
        public Gf128 AtZero, AtOne, Leading;

        public void Add(Gf128 weight, Gf128 atZero, Gf128 atOne, Gf128 leading)
        {
            AtZero += weight * atZero;
            AtOne += weight * atOne;
            Leading += weight * leading;
        }

        public void Add(Gf128 weight, in RoundSums sums) => Add(weight, sums.AtZero, sums.AtOne, sums.Leading);
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
}
