using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;

namespace Lockstep.Proofs.Prover;

// The rounds after those inside blocks: over h, between a unit's blocks, then over units.
internal sealed unsafe partial class FastZerocheck
{
    // One column of units for each h at first, then one value of a, b and z for each unit.
    private Gf128* _columnA, _columnB, _columnZ;
    private Gf128* _baseA, _baseB;
    private int _length;

    // Rounds over h: column h holds the value of every unit there.
    private PairSums Between()
    {
        int step = _bound - BlockVariables, columns;
        Gf128 s = _bindings[_bound - 1];
        if (step == 0)
        {
            BindBlocks(s, []);
            columns = ToColumns();
        }
        else
        {
            columns = ((_shape.HCount + 1) + (1 << (step - 1)) - 1) >> (step - 1);
            BindColumns(columns, s);
            columns = (columns + 1) / 2;
        }

        Gf128[] eq = Multilinear.EqTable(_r.AsSpan(_bound + 1, _shape.InnerVariables - _bound - 1));
        PairSums sums = default;
        fixed (Gf128* weights = _iEq)
        {
            for (int k = 0; k < columns; k += 2)
            {
                // A last column without its neighbour stands at 0.
                bool alone = k + 1 == columns;
                Gf128* a0 = _columnA + (long)k * _units, b0 = _columnB + (long)k * _units, a1 = a0 + _units, b1 = b0 + _units;
                if (alone)
                {
                    sums += new PairSums(default, eq[k / 2] * ColumnRounds.WeightedProduct(weights, a0, b0, _units, _workers));
                    continue;
                }

                sums += new PairSums(
                    eq[k / 2] * ColumnRounds.WeightedProduct(weights, a1, b1, _units, _workers),
                    eq[k / 2] * ColumnRounds.WeightedDifferences(weights, a0, a1, b0, b1, _units, _workers));
            }
        }

        return sums;
    }

    private void BindColumns(int columns, Gf128 s)
    {
        foreach (nint memory in (ReadOnlySpan<nint>)[(nint)_columnA, (nint)_columnB])
        {
            var values = (Gf128*)memory;
            for (int k = 0; k < columns; k += 2)
            {
                Gf128* low = values + (long)k * _units, into = values + (long)(k / 2) * _units;
                if (k + 1 < columns)
                    ColumnRounds.Bind(low, low + _units, _units, s, _workers);
                else
                    for (int i = 0; i < _units; i++)
                        low[i] *= Gf128.One + s;
                if (into != low)
                    new Span<Gf128>(low, _units).CopyTo(new Span<Gf128>(into, _units));
            }
        }
    }

    // One value for each (unit, h) becomes a column for each h, the tails' last.
    private int ToColumns()
    {
        int hCount = _shape.HCount, columns = hCount + 1;
        bool away = _unitA != _otherA.As<Gf128>();
        Gf128* columnA = away ? _otherA.As<Gf128>() : (Gf128*)_a.Units, columnB = away ? _otherB.As<Gf128>() : (Gf128*)_b.Units;
        Gf128* unitA = _unitA, unitB = _unitB, tailA = _tailA, tailB = _tailB;
        int units = _units, tailBlocks = _tailBlocks;
        _workers.For(units, 512, (start, end) =>
        {
            for (int i = start; i < end; i++)
            {
                for (int h = 0; h < hCount; h++)
                {
                    columnA[(long)h * units + i] = unitA[i * hCount + h];
                    columnB[(long)h * units + i] = unitB[i * hCount + h];
                }

                columnA[(long)hCount * units + i] = i < tailBlocks ? tailA[i] : default;
                columnB[(long)hCount * units + i] = i < tailBlocks ? tailB[i] : default;
            }
        });
        _columnA = columnA;
        _columnB = columnB;
        return columns;
    }

    // Rounds over units.
    private PairSums Units(Gf128 s)
    {
        Gf128[] eq = _arrays.EqTable(_r.AsSpan(_bound + 1));
        PairSums sums;
        if (_bound == _shape.InnerVariables)
        {
            BindColumns(2, s);
            BeginUnits();
            Gf128* a = _columnA, b = _columnB;
            Gf128 one = default, leading = default;
            for (int k = 0; k < eq.Length; k++)
            {
                one += eq[k] * (a[2 * k + 1] * b[2 * k + 1]);
                leading += eq[k] * ((a[2 * k] + a[2 * k + 1]) * (b[2 * k] + b[2 * k + 1]));
            }

            sums = new PairSums(one, leading);
        }
        else
        {
            sums = BindUnits(s, eq);
        }

        Gf128 atOne = default;
        for (int k = 0; k < eq.Length; k++)
            atOne += eq[k] * _columnZ[2 * k + 1];
        return sums with { AtOne = sums.AtOne + atOne };
    }

    private PairSums BindUnits(Gf128 s, Gf128[] eq)
    {
        // The other half of the same memory takes the result.
        int quarter = _length / 4;
        long room = 1L << _shape.Kappa;
        Gf128* intoA = _columnA == _baseA ? _baseA + room : _baseA, intoB = _columnB == _baseB ? _baseB + room : _baseB;
        PairSums sums;
        fixed (Gf128* weights = eq)
            sums = BlockRounds.Bind(_columnA, _columnB, intoA, intoB, quarter, 4, s, [Gf128.One], weights, _workers);
        for (int k = 0; k < _length / 2; k++)
            _columnZ[k] = _columnZ[2 * k] + s * (_columnZ[2 * k] + _columnZ[2 * k + 1]);
        _columnA = intoA;
        _columnB = intoB;
        _length /= 2;
        return sums;
    }

    // z of every unit at the point bound so far, and zeros up to a power of two.
    private void BeginUnits()
    {
        Gf128[] rowEq = Multilinear.EqTable(_bindings.AsSpan(0, _shape.InnerVariables)), weights = _arrays.Take(8 * WitnessBits.UnitBytes), tailWeights = _arrays.Take(BlockRows * 64);
        for (int row = 0; row < (_shape.HCount + 1) * BlockRows; row++)
            for (int v = 0; v < 64; v++)
                (row < _shape.HCount * BlockRows ? weights : tailWeights)[row % (_shape.HCount * BlockRows) * 64 + v] = rowEq[row] * _lagrange[v];

        // Columns are in one memory, the units' rounds in the other.
        _length = 1 << _shape.Kappa;
        bool away = _columnA != _otherA.As<Gf128>();
        _baseA = away ? _otherA.As<Gf128>() : (Gf128*)_a.Units;
        _baseB = away ? _otherB.As<Gf128>() : (Gf128*)_b.Units;
        foreach ((nint from, nint to) in (ReadOnlySpan<(nint, nint)>)[((nint)_columnA, (nint)_baseA), ((nint)_columnB, (nint)_baseB)])
        {
            new Span<Gf128>((void*)from, _units).CopyTo(new Span<Gf128>((void*)to, _units));
            new Span<Gf128>((Gf128*)to + _units, _length - _units).Clear();
        }

        _columnA = _baseA;
        _columnB = _baseB;
        _columnZ = _baseA + 2L * _length;
        new Span<Gf128>(_columnZ, _length).Clear();
        SlotForms.Compute(_z.Units, WitnessBits.UnitBytes, WitnessBits.UnitBytes, _units, weights, _columnZ, _workers);
        Gf128* tails = _baseB + 2L * _length;
        SlotForms.Compute(_z.Tails, SkipKernel.BlockBytes, SkipKernel.BlockBytes, _tailBlocks, tailWeights, tails, _workers);
        for (int i = 0; i < _tailBlocks; i++)
            _columnZ[i] += tails[i];
    }
}
