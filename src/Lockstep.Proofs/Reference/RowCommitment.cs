using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Codes;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Randomness;

namespace Lockstep.Proofs.Reference;

/// <summary>
/// Step 1: every row encoded on the shifted domain, one salted leaf per position, in tower coordinates: the salt, then one
/// element of each row in the order bits, g, pi, mu.
/// </summary>
internal sealed class RowCommitment
{
    private readonly byte[] _leaves;
    private readonly int _leafLength;
    private readonly MerkleTree _tree;

    public RowCommitment(ArgumentShape shape, IReadOnlyList<Gf128[]> rows, ProofRandom random, SecretArrays secrets, Workers workers)
    {
        RowCode code = shape.NewCode();
        _leafLength = MerkleHash.SaltSize + shape.LeafBytes;
        _leaves = secrets.Take<byte>((long)shape.CodeLength * _leafLength);
        byte[] salts = secrets.Take<byte>((long)shape.CodeLength * MerkleHash.SaltSize);
        using (RandomStream stream = random.Take("salts"))
            stream.Fill(salts.AsSpan());
        for (int j = 0; j < shape.CodeLength; j++)
            salts.AsSpan(j * MerkleHash.SaltSize, MerkleHash.SaltSize).CopyTo(_leaves.AsSpan(j * _leafLength));

        workers.For(rows.Count, 1, (start, end) =>
        {
            Gf128[] codeword = secrets.Take<Gf128>(shape.CodeLength);
            for (int row = start; row < end; row++)
            {
                code.EncodeShort(rows[row], codeword);
                int at = MerkleHash.SaltSize + row * Gf128.Size;
                for (int j = 0; j < codeword.Length; j++, at += _leafLength)
                    TowerBasis.FromPolynomial(codeword[j]).Write(_leaves.AsSpan(at));
            }

            secrets.GiveBack(codeword);
        });

        var digests = new byte[shape.CodeLength * MerkleHash.DigestSize];
        workers.For(shape.CodeLength, 64, (start, end) => MerkleHash.Leaves(
            _leaves.AsSpan(start * _leafLength, (end - start) * _leafLength), _leafLength,
            digests.AsSpan(start * MerkleHash.DigestSize, (end - start) * MerkleHash.DigestSize)));
        _tree = MerkleTree.Build(digests, workers);
    }

    /// <summary>The root of the leaves.</summary>
    public ReadOnlySpan<byte> Root => _tree.Root;

    /// <summary>Sends the leaves at <paramref name="positions"/> (ascending) and the siblings that authenticate them.</summary>
    public void Open(ReadOnlySpan<int> positions, ProverChannel channel)
    {
        foreach (int position in positions)
            channel.SendOpening(_leaves.AsSpan(position * _leafLength, _leafLength));
        channel.SendOpening(_tree.Open(positions));
    }
}
