using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;
using Lockstep.Proofs.Randomness;

namespace Lockstep.Proofs.Prover;

/// <summary>
/// Step 1: every row encoded on the shifted domain in tower coordinates, leaves hashed while they are in the cache. A leaf is
/// a salt and one symbol of each row in the order bits, g, pi, mu.
/// </summary>
internal sealed unsafe class FastCommitment : IDisposable
{
    private readonly ArgumentShape _shape;
    private readonly int _stride;
    private readonly NativeBlock _codeword, _salts, _maskRow, _rowPads;
    private readonly NativeMerkleTree _tree;

    /// <param name="z">The witness, mask elements drawn.</param>
    /// <param name="pads">The row pi.</param>
    /// <param name="padMask">The row mu.</param>
    /// <param name="random">Row pads, mask row and salts are drawn from it.</param>
    /// <param name="workers">Threads.</param>
    public FastCommitment(WitnessBits z, ReadOnlySpan<Gf128> pads, ReadOnlySpan<Gf128> padMask, ProofRandom random, Workers workers)
    {
        _shape = z.Shape;
        _stride = RowEncoder.Stride(_shape.Rows);
        _codeword = NativePool.Shared.Rent((long)_shape.CodeLength * _stride);
        _salts = NativePool.Shared.Rent((long)_shape.CodeLength * MerkleHash.SaltSize);
        _maskRow = NativePool.Shared.Rent((long)_shape.RowLength * Gf128.Size);
        _rowPads = NativePool.Shared.Rent((long)_shape.BitRows * _shape.RowPads * Gf128.Size);
        _tree = new NativeMerkleTree(_shape.LogCodeLength, NativePool.Shared);
        try
        {
            Commit(z, pads, padMask, random, workers);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The root of the leaves.</summary>
    public ReadOnlySpan<byte> Root => _tree.Root;

    /// <summary>g, n + q coefficients in the polynomial basis.</summary>
    public Span<Gf128> MaskRow => _maskRow.Span<Gf128>(0, _shape.RowLength);

    /// <summary>The random coefficients of the bit rows, q for each, in the polynomial basis.</summary>
    public Span<Gf128> RowPads => _rowPads.Span<Gf128>(0, _shape.BitRows * _shape.RowPads);

    /// <summary>Sends the leaves at <paramref name="positions"/> (ascending) and the siblings that authenticate them.</summary>
    public void Open(ReadOnlySpan<int> positions, ProverChannel channel)
    {
        foreach (int position in positions)
        {
            channel.SendOpening(_salts.Span<byte>((long)position * MerkleHash.SaltSize, MerkleHash.SaltSize));
            channel.SendOpening(_codeword.Span<byte>((long)position * _stride, _shape.LeafBytes));
        }

        channel.SendOpening(_tree.Open(positions));
    }

    /// <summary>Overwrites codeword, salts and rows.</summary>
    public void Dispose()
    {
        _tree.Dispose();
        _codeword.Dispose();
        _salts.Dispose();
        _maskRow.Dispose();
        _rowPads.Dispose();
    }

    private void Commit(WitnessBits z, ReadOnlySpan<Gf128> pads, ReadOnlySpan<Gf128> padMask, ProofRandom random, Workers workers)
    {
        Draw("mask row", _maskRow);
        Draw("row pads", _rowPads);
        using (RandomStream salts = random.Take("salts"))
            salts.Fill(_salts.Memory, _salts.Length, workers);

        // The encoder works in tower coordinates throughout; the witness is in them already.
        using NativeBlock maskTower = ToTower(MaskRow), padsTower = ToTower(RowPads), piTower = ToTower(pads), muTower = ToTower(padMask);
        var rows = new RowSource[_shape.Rows];
        for (int h = 0; h < _shape.HCount; h++)
            for (int top = 0; top < _shape.PresentTops; top++)
            {
                int row = _shape.RowIndex(h, top);
                byte* first = z.Units + ((long)top << _shape.LowBits) * WitnessBits.UnitBytes + h * SkipKernel.BlockBytes;
                rows[row] = new RowSource((Gf128*)first, _shape.MessageLength, _shape.PBits, WitnessBits.UnitBytes, padsTower.As<Gf128>() + row * _shape.RowPads, _shape.RowPads);
            }

        int tail = _shape.BitRows - 1;
        rows[tail] = RowSource.WithPads((Gf128*)z.Tails, _shape.MessageLength, padsTower.As<Gf128>() + tail * _shape.RowPads, _shape.RowPads);
        rows[tail + 1] = new RowSource(maskTower.As<Gf128>(), _shape.RowLength);
        rows[tail + 2] = new RowSource(piTower.As<Gf128>(), _shape.PadRowLength);
        rows[tail + 3] = new RowSource(muTower.As<Gf128>(), _shape.PadRowLength);

        RowEncoder.Encode(rows, _shape.LogMessage, _shape.LogInverseRate, _codeword.Memory, workers, (first, count) => MerkleHash.Leaves(
            _salts.Memory + (long)first * MerkleHash.SaltSize, _codeword.Memory + (long)first * _stride, _stride, _shape.LeafBytes, count, _tree.Leaf(first)));
        _tree.Build(workers);

        void Draw(string name, NativeBlock into)
        {
            using RandomStream stream = random.Take(name);
            stream.Fill(into.Memory, into.Length, workers);
        }

        NativeBlock ToTower(ReadOnlySpan<Gf128> elements)
        {
            NativeBlock block = NativePool.Shared.Rent((long)elements.Length * Gf128.Size);
            try
            {
                fixed (Gf128* from = elements)
                    LinearMapKernel.FromPolynomial.Apply(from, block.As<Gf128>(), elements.Length, workers);
                return block;
            }
            catch
            {
                block.Dispose();
                throw;
            }
        }
    }
}
