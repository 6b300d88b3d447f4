using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Prover;

/// <summary>Z(j), the witness summed over units or tails, and the sums over columns that the row folds need.</summary>
internal sealed unsafe class FoldSums : IDisposable
{
    private readonly ArgumentShape _shape;
    private readonly ProofArrays _arrays;
    private readonly NativeBlock _unitTops, _crossTops, _tailSlots, _tailUnits, _tailCross;

    public FoldSums(WitnessBits z, ReadOnlyMemory<Gf128> unitPoint, ProofArrays arrays, Workers workers)
    {
        _shape = z.Shape;
        _arrays = arrays;
        int unitBits = 8 * WitnessBits.UnitBytes, blockBits = 8 * SkipKernel.BlockBytes;
        Gf128[] low = arrays.EqTable(unitPoint.Span[.._shape.LowBits]);
        TopEq = Multilinear.EqTable(unitPoint.Span[_shape.LowBits..]);
        TailEq = Multilinear.EqTable(unitPoint.Span[_shape.TailInnerBits.._shape.LowBits]);
        Units = z.ActiveUnits();
        Tails = z.ActiveTails();
        _unitTops = NativePool.Shared.Rent((long)_shape.PresentTops * unitBits * Gf128.Size);
        _crossTops = NativePool.Shared.Rent((long)_shape.PresentTops * unitBits * Gf128.Size);
        _tailSlots = NativePool.Shared.Rent(8L * WitnessBits.TailBytes * Gf128.Size);
        _tailUnits = NativePool.Shared.Rent((long)blockBits * Gf128.Size);
        _tailCross = NativePool.Shared.Rent((long)blockBits * Gf128.Size);
        try
        {
            ForTops(z, low, _unitTops, workers);
            BitSums.Compute(z.Tails, WitnessBits.TailBytes, WitnessBits.TailBytes, TailEq.AsMemory(0, Tails), _tailSlots.As<Gf128>(), workers);
            BitSums.Compute(z.Tails, SkipKernel.BlockBytes, SkipKernel.BlockBytes, low.AsMemory(0, Tails << _shape.TailInnerBits), _tailUnits.As<Gf128>(), workers);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int Units { get; }

    public int Tails { get; }

    public Gf128[] TopEq { get; }

    public Gf128[] TailEq { get; }

    /// <summary>Z_U, laid out v | p | high with a copy for each value of the dummy high variable.</summary>
    public Gf128[] UnitSums()
    {
        Gf128[] sums = _arrays.Take(1 << _shape.LincheckVariables);
        int bits = 8 * WitnessBits.UnitBytes;
        for (int top = 0; top < _shape.PresentTops; top++)
            for (int j = 0; j < bits; j++)
                sums[j] += TopEq[top] * _unitTops.As<Gf128>()[(long)top * bits + j];
        sums.AsSpan(0, sums.Length / 2).CopyTo(sums.AsSpan(sums.Length / 2));
        return sums;
    }

    /// <summary>Z_T.</summary>
    public ReadOnlySpan<Gf128> TailSums() => _tailSlots.Span<Gf128>(0, 8 * WitnessBits.TailBytes);

    /// <summary>B(f, f') for all rows, from the end point t of the lincheck and phi.</summary>
    public FoldMatrix Matrix(WitnessBits z, ReadOnlySpan<Gf128> t, Gf128 regionWeight, LinearMap phi, Workers workers)
    {
        ArgumentShape shape = _shape;
        ReadOnlySpan<Gf128> high = t[(7 + shape.PBits)..];
        Gf128[] pEq = Multilinear.EqTable(t.Slice(7, shape.PBits)), hEq = Multilinear.EqTable(high[..shape.HBits]), innerEq = Multilinear.EqTable(high);

        // The tails' columns weigh units of the same low index.
        Gf128[] low = _arrays.Take(1 << shape.LowBits);
        for (int i = 0; i < low.Length; i++)
            low[i] = innerEq[i & (innerEq.Length - 1)] * TailEq[i >> shape.TailInnerBits];
        ForTops(z, low, _crossTops, workers);
        BitSums.Compute(z.Tails, SkipKernel.BlockBytes, SkipKernel.BlockBytes, low.AsMemory(0, Tails << shape.TailInnerBits), _tailCross.As<Gf128>(), workers);

        // For each row the 128 sums of its bits over the columns, weighed as units' and as tails' columns.
        int rows = shape.BitRows, tail = rows - 1;
        var places = new int[rows];
        var factors = new Gf128[rows];
        var unitColumns = new Gf128[rows][];
        var tailColumns = new Gf128[rows][];
        for (int h = 0; h < shape.HCount; h++)
            for (int top = 0; top < shape.PresentTops; top++)
            {
                int row = shape.RowIndex(h, top);
                long at = (long)top * 8 * WitnessBits.UnitBytes + h * 8 * SkipKernel.BlockBytes;
                (places[row], factors[row]) = (shape.FoldIndex(h, top), hEq[h] * TopEq[top]);
                unitColumns[row] = OverP(pEq, _unitTops.As<Gf128>() + at);
                tailColumns[row] = OverP(pEq, _crossTops.As<Gf128>() + at);
            }

        (places[tail], factors[tail]) = (shape.FoldIndex(shape.HCount, 0), regionWeight);
        unitColumns[tail] = OverP(pEq, _tailUnits.As<Gf128>());
        tailColumns[tail] = OverP(pEq, _tailCross.As<Gf128>());

        var matrix = new FoldMatrix(1 << shape.RowVariables, _arrays);
        workers.For(rows, 1, (start, end) =>
        {
            for (int f = start; f < end; f++)
                for (int value = 0; value < rows; value++)
                {
                    Gf128[] sums = (f == tail ? tailColumns : unitColumns)[value];
                    Gf128 sum = default;
                    for (int v = 0; v < sums.Length; v++)
                        sum += TowerBasis.Element(v) * phi.Apply(factors[f] * sums[v]);
                    matrix[places[f], places[value]] = sum;
                }
        });
        return matrix;
    }

    /// <summary>Overwrites all sums.</summary>
    public void Dispose()
    {
        _unitTops.Dispose();
        _crossTops.Dispose();
        _tailSlots.Dispose();
        _tailUnits.Dispose();
        _tailCross.Dispose();
    }

    private void ForTops(WitnessBits z, Gf128[] low, NativeBlock into, Workers workers)
    {
        long bits = 8L * WitnessBits.UnitBytes;
        for (int top = 0; top < _shape.PresentTops; top++)
        {
            int first = top << _shape.LowBits, count = Math.Clamp(Units - first, 0, low.Length);
            BitSums.Compute(z.Units + (long)first * WitnessBits.UnitBytes, WitnessBits.UnitBytes, WitnessBits.UnitBytes, low.AsMemory(0, count), into.As<Gf128>() + top * bits, workers);
        }
    }

    private static Gf128[] OverP(Gf128[] pEq, Gf128* sums)
    {
        var result = new Gf128[128];
        for (int p = 0; p < pEq.Length; p++)
            for (int v = 0; v < 128; v++)
                result[v] += pEq[p] * sums[128 * p + v];
        return result;
    }
}
