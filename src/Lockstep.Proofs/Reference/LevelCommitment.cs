using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Codes;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;

namespace Lockstep.Proofs.Reference;

/// <summary>
/// One level's commitment: row a has the coefficients x[a + rows b] over b; leaf j holds the j-th symbols of the rows in
/// order, in tower coordinates and without a salt (docs/proof-system.md section 8).
/// </summary>
internal sealed class LevelCommitment
{
    private readonly byte[] _leaves;
    private readonly int _leafLength;
    private readonly MerkleTree _tree;

    /// <param name="level">Dimensions.</param>
    /// <param name="vector">x, <see cref="LevelShape.Length"/> elements.</param>
    /// <param name="workers">Threads.</param>
    public LevelCommitment(LevelShape level, Gf128[] vector, Workers workers)
    {
        Code = level.NewCode();
        _leafLength = level.LeafBytes;
        _leaves = new byte[level.CodeLength * _leafLength];
        workers.For(level.Rows, 1, (start, end) =>
        {
            var row = new Gf128[1 << level.LogMessage];
            var codeword = new Gf128[level.CodeLength];
            for (int a = start; a < end; a++)
            {
                for (int b = 0; b < row.Length; b++)
                    row[b] = vector[a + (b << level.Folds)];
                Code.Encode(row, codeword);
                for (int j = 0; j < codeword.Length; j++)
                    TowerBasis.FromPolynomial(codeword[j]).Write(_leaves.AsSpan(j * _leafLength + a * Gf128.Size));
            }
        });
        var digests = new byte[level.CodeLength * MerkleHash.DigestSize];
        MerkleHash.LevelLeaves(_leaves, _leafLength, digests);
        _tree = MerkleTree.Build(digests, workers);
    }

    /// <summary>The code of the rows, whose positions make the claims on the next vector.</summary>
    public RowCode Code { get; }

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
