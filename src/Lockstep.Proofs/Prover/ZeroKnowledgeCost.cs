using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Proofs.Prover;

/// <summary>
/// For measurements only: the commitment of a window with all that hides it, and the same without, so that the difference can be
/// timed. No proof can be made without: what is left out here exists nowhere else.
/// </summary>
internal sealed unsafe class ZeroKnowledgeCost : IDisposable
{
    private readonly ArgumentShape _shape;
    private readonly WitnessBits _bits;
    private readonly Workers _workers;

    /// <param name="suite">Cipher and proof system.</param>
    /// <param name="lengths">Bytes of each chunk.</param>
    /// <param name="workers">Threads and cancellation.</param>
    /// <exception cref="ArgumentException">No shape of the suite holds the window.</exception>
    public ZeroKnowledgeCost(Suite suite, IReadOnlyList<int> lengths, Workers workers)
    {
        _shape = WindowInstance.Shape(suite, lengths) ?? throw new ArgumentException("No shape of the suite holds this window.", nameof(lengths));
        _workers = workers;
        _bits = new WitnessBits(_shape);

        // Memory that was never written is one page of zeros to the processor; a witness is not.
        using RandomStream stream = new ProofRandom(new byte[32]).Take("witness");
        stream.Fill(_bits.Units, (long)_shape.PresentUnits * WitnessBits.UnitBytes, workers);
        stream.Fill(_bits.Tails, (long)_shape.Tails * WitnessBits.TailBytes, workers);
    }

    /// <summary>
    /// Bytes of a proof that serve only to hide: in every opened leaf a salt and the symbols of g, pi and mu; the upper
    /// coefficients of u; the pad row; the four openings of masks; the nonces before xi and omega.
    /// </summary>
    public long ProofBytes =>
        (long)_shape.Queries * (3 * Gf128.Size + MerkleHash.SaltSize) + (_shape.RowPads + _shape.PadRowLength + 4L) * Gf128.Size + 2 * sizeof(ulong);

    /// <summary>The commitment as the prover makes it: random coefficients, the rows g, pi and mu, a salt for each leaf.</summary>
    public void Commit()
    {
        using var random = new ProofRandom(new byte[32]);
        var pads = new Gf128[_shape.PadRowLength];
        var padMask = new Gf128[_shape.PadRowLength];
        using (RandomStream stream = random.Take("pad mask"))
            stream.Fill(padMask.AsSpan());
        using var commitment = new FastCommitment(_bits, pads, padMask, random, _workers);
    }

    /// <summary>The rows of bits alone, without random coefficients; the leaves' salts are zeros, 16 bytes of some hundreds or thousands.</summary>
    public void CommitBare()
    {
        var rows = new RowSource[_shape.BitRows];
        for (int h = 0; h < _shape.HCount; h++)
            for (int top = 0; top < _shape.PresentTops; top++)
                rows[_shape.RowIndex(h, top)] = new RowSource(
                    (Gf128*)(_bits.Units + ((long)top << _shape.LowBits) * WitnessBits.UnitBytes + h * SkipKernel.BlockBytes),
                    _shape.MessageLength, _shape.PBits, WitnessBits.UnitBytes, null, 0);
        rows[^1] = new RowSource((Gf128*)_bits.Tails, _shape.MessageLength);

        int stride = RowEncoder.Stride(rows.Length), leafBytes = rows.Length * Gf128.Size;
        using NativeBlock codeword = NativePool.Shared.Rent((long)_shape.CodeLength * stride), salts = NativePool.Shared.Rent((long)_shape.CodeLength * MerkleHash.SaltSize);
        new Span<byte>(salts.Memory, checked((int)salts.Length)).Clear();
        using var tree = new NativeMerkleTree(_shape.LogCodeLength, NativePool.Shared);
        RowEncoder.Encode(rows, _shape.LogMessage, _shape.LogInverseRate, codeword.Memory, _workers, (first, count) => MerkleHash.Leaves(
            salts.Memory + (long)first * MerkleHash.SaltSize, codeword.Memory + (long)first * stride, stride, leafBytes, count, tree.Leaf(first)));
        tree.Build(_workers);
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => _bits.Dispose();
}
