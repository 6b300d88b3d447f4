using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Prover;

/// <summary>
/// Steps 2 and 3 on bits and native memory: the skip polynomial, then the rounds over v6 and p inside blocks, over h between
/// a unit's blocks, and over units. The witness z enters linearly: its share of the first rounds comes from its sums over
/// units, its share of the last ones from one form of every unit.
/// </summary>
internal sealed unsafe partial class FastZerocheck : IDisposable
{
    private const int Half = SkipDomain.Half;
    private const int BlockRows = 64, BlockWords = 32, BlockVariables = 6;

    private readonly ArgumentShape _shape;
    private readonly WitnessBits _z;
    private readonly WitnessBits _a, _b;
    private readonly Gf128[] _r;
    private readonly ProofArrays _arrays;
    private readonly Workers _workers;
    private readonly int _units, _tailBlocks;
    private readonly Gf128[] _hEq, _iEq;
    private readonly NativeBlock _zSums, _zTailSums, _weights;
    private readonly NativeBlock _otherA, _otherB;
    private Gf128[] _zRows = [], _lagrange = [];
    private Gf128* _unitA, _unitB, _tailA, _tailB;
    private Gf128 _claim;

    // Coefficients of the round that was just sent, and the challenges so far.
    private (Gf128 G0, Gf128 G1, Gf128 G2) _next;
    private readonly Gf128[] _bindings = new Gf128[64];
    private int _bound;

    /// <param name="z">The witness.</param>
    /// <param name="a">Its form a; used up.</param>
    /// <param name="b">Its form b; used up.</param>
    /// <param name="r">The zerocheck point: v6 | p | h | i.</param>
    /// <param name="arrays">Where tables are taken from.</param>
    /// <param name="workers">Threads.</param>
    public FastZerocheck(WitnessBits z, WitnessBits a, WitnessBits b, Gf128[] r, ProofArrays arrays, Workers workers)
    {
        (_shape, _z, _a, _b, _r, _arrays, _workers) = (z.Shape, z, a, b, r, arrays, workers);
        _units = z.ActiveUnits();
        _tailBlocks = z.ActiveTails() << _shape.TailInnerBits;
        _hEq = Multilinear.EqTable(r.AsSpan(1 + _shape.PBits, _shape.HBits));
        _iEq = arrays.EqTable(r.AsSpan(_shape.InnerVariables));
        _zSums = NativePool.Shared.Rent(8L * WitnessBits.UnitBytes * Gf128.Size);
        _zTailSums = NativePool.Shared.Rent(8L * SkipKernel.BlockBytes * Gf128.Size);
        _weights = NativePool.Shared.Rent(((long)_units * _shape.HCount + _tailBlocks) * Gf128.Size);
        _otherA = NativePool.Shared.Rent(Folds(_shape, _units, _tailBlocks));
        _otherB = NativePool.Shared.Rent(_otherA.Length);
        try
        {
            BitSums.Compute(z.Units, WitnessBits.UnitBytes, WitnessBits.UnitBytes, _iEq.AsMemory(0, _units), _zSums.As<Gf128>(), workers);
            BitSums.Compute(z.Tails, SkipKernel.BlockBytes, SkipKernel.BlockBytes, _iEq.AsMemory(0, _tailBlocks), _zTailSums.As<Gf128>(), workers);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes of the folds of one form, at most.</summary>
    public static long FoldBytes(ArgumentShape shape) => Folds(shape, shape.PresentUnits, shape.Tails << shape.TailInnerBits);

    private static long Folds(ArgumentShape shape, int units, int tailBlocks) =>
        Math.Max(((long)units * shape.HCount + tailBlocks) * BlockWords / 2, 16L << shape.Kappa) * Gf128.Size;

    /// <summary>v_a, v_b, v_c once every variable is bound.</summary>
    public (Gf128 A, Gf128 B, Gf128 C) End => (_columnA[0], _columnB[0], _columnZ[0]);

    /// <summary>The 64 values of P on Lambda.</summary>
    public Gf128[] Skip()
    {
        Gf128 pinned = Gf128.One;
        for (int c = 0; c < _shape.ZerocheckVariables; c++)
            if (!PinnedCoordinates.Ratio(_shape, c).IsZero)
                pinned *= Gf128.One + _r[c];
        Gf128[] groups = Scale(_hEq, pinned), pairs = _arrays.EqTable(_r.AsSpan(_shape.InnerVariables + 1)), total = new Gf128[Half];
        SkipKernel.Add(_a.Units, _b.Units, WitnessBits.UnitBytes, _shape.HCount, _units / 2, groups.AsMemory(0, _shape.HCount), pairs, total, _workers);
        SkipKernel.Add(_a.Tails, _b.Tails, SkipKernel.BlockBytes, 1, _tailBlocks / 2, groups.AsMemory(_shape.HCount, 1), pairs, total, _workers);

        // z's share on S, extended to Lambda: one value for each point of S.
        Gf128[] rowEq = Multilinear.EqTable(_r.AsSpan(0, _shape.InnerVariables)), onS = new Gf128[Half];
        for (int row = 0; row < (_shape.HCount + 1) * BlockRows; row++)
        {
            Gf128* sums = RowSums(row);
            for (int y = 0; y < Half; y++)
                onS[y] += rowEq[row] * sums[y];
        }

        for (int y = 0; y < Half; y++)
            total[y] += Multilinear.InnerProduct(SkipDomain.LagrangeOfS(SkipDomain.Point(Half + y)), onS);
        return total;
    }

    /// <summary>Begins the rounds at the skip point.</summary>
    /// <param name="zeta">The skip point.</param>
    /// <param name="skip">The 64 values of P on Lambda.</param>
    /// <param name="satisfied">Whether every row is known to hold, so that P vanishes on S; if not, its values there are computed.</param>
    public void Begin(Gf128 zeta, Gf128[] skip, bool satisfied)
    {
        Gf128[] all = SkipDomain.LagrangeOfAll(zeta);
        _claim = Multilinear.InnerProduct(all.AsSpan(Half), skip);
        if (!satisfied)
            _claim += Multilinear.InnerProduct(all.AsSpan(0, Half), Defects());
        _lagrange = SkipDomain.LagrangeOfS(zeta);
        _zRows = new Gf128[1 << _shape.InnerVariables];
        for (int row = 0; row < (_shape.HCount + 1) * BlockRows; row++)
            _zRows[row] = Multilinear.InnerProduct(_lagrange, new ReadOnlySpan<Gf128>(RowSums(row), Half));
        Gf128* weights = _weights.As<Gf128>();
        int hCount = _shape.HCount;
        _workers.For(_units, 256, (start, end) =>
        {
            for (int i = start; i < end; i++)
                for (int h = 0; h < hCount; h++)
                    weights[i * hCount + h] = _hEq[h] * _iEq[i];
        });
        for (int i = 0; i < _tailBlocks; i++)
            weights[_units * hCount + i] = _hEq[hCount] * _iEq[i];
        _unitA = (Gf128*)_a.Units;
        _unitB = (Gf128*)_b.Units;
        _tailA = (Gf128*)_a.Tails;
        _tailB = (Gf128*)_b.Tails;
    }

    // P on S: the rows at which a b + z is not 0, weighed by eq.
    private Gf128[] Defects()
    {
        Gf128[] rowEq = Multilinear.EqTable(_r.AsSpan(0, _shape.InnerVariables)), onS = new Gf128[Half];
        Add(_a.Units, _b.Units, _z.Units, WitnessBits.UnitBytes, _units, 0);
        Add(_a.Tails, _b.Tails, _z.Tails, SkipKernel.BlockBytes, _tailBlocks, _shape.HCount * BlockRows);
        return onS;

        void Add(byte* a, byte* b, byte* z, int slotBytes, int count, int firstRow)
        {
            using NativeBlock bits = NativePool.Shared.Rent((long)slotBytes * count), sums = NativePool.Shared.Rent(8L * slotBytes * Gf128.Size);
            for (long i = 0; i < bits.Length; i++)
                bits.Memory[i] = (byte)(a[i] & b[i] ^ z[i]);
            BitSums.Compute(bits.Memory, slotBytes, slotBytes, _iEq.AsMemory(0, count), sums.As<Gf128>(), _workers);
            for (int row = 0; row < slotBytes / 8; row++)
                for (int y = 0; y < Half; y++)
                    onS[y] += rowEq[firstRow + row] * sums.As<Gf128>()[64 * row + y];
        }
    }

    /// <summary>The next round's coefficients g1 and g2, and the binding of the round before at <paramref name="bound"/> (not looked at in the first).</summary>
    public (Gf128 G1, Gf128 G2) Round(Gf128 bound)
    {
        if (_bound > 0)
            BindRows(bound);
        PairSums sums = _bound < BlockVariables ? Inside(bound) : _bound < _shape.InnerVariables ? Between() : Units(bound);

        // claim = (1 + r) g(0) + r g(1).
        Gf128 r = _r[_bound], atOne = sums.AtOne + RowsAtOne();
        Gf128 atZero = (_claim + r * atOne) * (Gf128.One + r).Inverse(), linear = atZero + atOne + sums.Leading;
        _next = (atZero, linear, sums.Leading);
        _bound++;
        return (linear, sums.Leading);
    }

    /// <summary>Tells the challenge of the round just sent.</summary>
    public void Challenge(Gf128 s) => _claim = _next.G0 + s * (_next.G1 + s * _next.G2);

    /// <summary>Binds the last variable.</summary>
    public void Finish(Gf128 s)
    {
        foreach (nint column in (ReadOnlySpan<nint>)[(nint)_columnA, (nint)_columnB, (nint)_columnZ])
        {
            var x = (Gf128*)column;
            x[0] += s * (x[0] + x[1]);
        }
    }

    /// <summary>Overwrites all values.</summary>
    public void Dispose()
    {
        _zSums.Dispose();
        _zTailSums.Dispose();
        _weights.Dispose();
        _otherA.Dispose();
        _otherB.Dispose();
    }

    private Gf128* RowSums(int row) => row < _shape.HCount * BlockRows ? _zSums.As<Gf128>() + 64 * row : _zTailSums.As<Gf128>() + 64 * (row - _shape.HCount * BlockRows);

    // What z, summed over units, adds at 1 while a variable inside a slot is bound.
    private Gf128 RowsAtOne()
    {
        if (_bound >= _shape.InnerVariables)
            return default;
        Gf128[] eq = Multilinear.EqTable(_r.AsSpan(_bound + 1, _shape.InnerVariables - _bound - 1));
        Gf128 sum = default;
        for (int k = 0; k < eq.Length; k++)
            sum += eq[k] * _zRows[2 * k + 1];
        return sum;
    }

    private void BindRows(Gf128 s)
    {
        int half = _zRows.Length / 2;
        for (int k = 0; k < half; k++)
            _zRows[k] = _zRows[2 * k] + s * (_zRows[2 * k] + _zRows[2 * k + 1]);
        if (half > 0)
            _zRows = _zRows[..half];
        _bindings[_bound - 1] = s;
    }

    // Rounds over v6 and p.
    private PairSums Inside(Gf128 s)
    {
        Gf128* weights = _weights.As<Gf128>(), tailWeights = weights + (long)_units * _shape.HCount;
        int blocks = _units * _shape.HCount;
        Gf128[] eq = Multilinear.EqTable(_r.AsSpan(_bound + 1, BlockVariables - _bound - 1));
        if (_bound == 0)
            return BlockRounds.FirstRound(_a.Units, _b.Units, blocks, _lagrange, eq, weights, _workers)
                + BlockRounds.FirstRound(_a.Tails, _b.Tails, _tailBlocks, _lagrange, eq, tailWeights, _workers);
        if (_bound == 1)
            return BlockRounds.BindRows(_a.Units, _b.Units, blocks, _lagrange, s, eq, weights, _workers)
                + BlockRounds.BindRows(_a.Tails, _b.Tails, _tailBlocks, _lagrange, s, eq, tailWeights, _workers);
        return BindBlocks(s, eq);
    }

    // Halves all blocks, from one memory into the other.
    private PairSums BindBlocks(Gf128 s, Gf128[] eq)
    {
        Gf128* weights = _weights.As<Gf128>(), tailWeights = weights + (long)_units * _shape.HCount;
        int blocks = _units * _shape.HCount, size = 1 << (BlockVariables + 1 - _bound);
        bool away = (_bound & 1) == 0;
        Gf128* intoA = away ? _otherA.As<Gf128>() : (Gf128*)_a.Units, intoB = away ? _otherB.As<Gf128>() : (Gf128*)_b.Units;
        Gf128* intoTailA = away ? intoA + (long)blocks * size / 2 : (Gf128*)_a.Tails, intoTailB = away ? intoB + (long)blocks * size / 2 : (Gf128*)_b.Tails;
        PairSums sums = BlockRounds.Bind(_unitA, _unitB, intoA, intoB, blocks, size, s, eq, weights, _workers)
            + BlockRounds.Bind(_tailA, _tailB, intoTailA, intoTailB, _tailBlocks, size, s, eq, tailWeights, _workers);
        _unitA = intoA;
        _unitB = intoB;
        _tailA = intoTailA;
        _tailB = intoTailB;
        return sums;
    }

    private static Gf128[] Scale(ReadOnlySpan<Gf128> values, Gf128 factor)
    {
        var scaled = new Gf128[values.Length];
        for (int k = 0; k < scaled.Length; k++)
            scaled[k] = values[k] * factor;
        return scaled;
    }
}
