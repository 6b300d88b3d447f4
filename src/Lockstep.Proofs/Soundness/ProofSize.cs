using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Soundness;

/// <summary>The size of a proof, counted from its parameters.</summary>
internal static class ProofSize
{
    /// <summary>Bytes of the format name and the root.</summary>
    public const int HeaderBytes = 16 + MerkleHash.DigestSize;

    /// <summary>
    /// The most bytes a proof of this shape can have. Only the number of sibling digests depends on the positions drawn;
    /// their bound is reached when the positions are spread evenly.
    /// </summary>
    public static long UpperBound(WindowShape shape, LayoutParameters parameters) => Exact(shape, parameters, MaxSiblings(parameters));

    /// <summary>The bytes of a proof of this shape whose multiproofs, of all levels together, have the given number of sibling digests.</summary>
    public static long Exact(WindowShape shape, LayoutParameters parameters, int siblings)
    {
        // Padded scalars (the transcript pads less the Beaver triple's four), 128 ring-switch values, <w', u>, and the clear
        // openings alpha, beta and sigma_lambda.
        long scalars = parameters.TranscriptPads - 4 + 128 + 1 + 3;

        // The upper coefficients of u, the pad row, and the vector that no level commits to.
        long vectors = parameters.RowPads + LayoutParameters.PadRowMessage + parameters.RowPads + (1L << parameters.LogLastLength);
        long leaf = shape.LeafElements * Gf128.Size + MerkleHash.SaltSize;

        // One nonce for each row fold, for the mask row, the pad row and the queries.
        long nonces = (parameters.FoldVariables + 3) * sizeof(ulong);
        return HeaderBytes + nonces + (scalars + vectors) * Gf128.Size + parameters.Queries * leaf
            + parameters.Levels.Sum(LevelBytes) + (long)siblings * MerkleHash.DigestSize;
    }

    /// <summary>The most sibling digests of all levels together.</summary>
    public static int MaxSiblings(LayoutParameters parameters) =>
        MultiProof.MaxSiblingCount(parameters.Queries, parameters.LogLength) + parameters.Levels.Sum(MaxSiblings);

    /// <summary>The most sibling digests of one level.</summary>
    public static int MaxSiblings(LevelParameters level) => MultiProof.MaxSiblingCount(level.Queries, level.LogCodeLength);

    /// <summary>Bytes of one level without its siblings: root, two elements and a nonce per fold, the positions' nonce, leaves.</summary>
    public static long LevelBytes(LevelParameters level) =>
        MerkleHash.DigestSize + level.Folds * (2 * Gf128.Size + sizeof(ulong)) + sizeof(ulong) + ((long)level.Queries << level.Folds) * Gf128.Size;
}
