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
    public static long UpperBound(WindowShape shape, LayoutParameters parameters) =>
        Exact(shape, parameters, MultiProof.MaxSiblingCount(parameters.Queries, parameters.LogLength));

    /// <summary>The bytes of a proof of this shape whose multiproof has the given number of sibling digests.</summary>
    public static long Exact(WindowShape shape, LayoutParameters parameters, int siblings)
    {
        // Padded scalars (the transcript pads less the Beaver triple's four), 128 ring-switch values, and the clear
        // openings alpha, beta and sigma_lambda.
        long scalars = parameters.TranscriptPads - 4 + 128 + 3;
        long folded = parameters.Message + parameters.RowPads + LayoutParameters.PadRowMessage + parameters.RowPads;
        long leaf = shape.LeafElements * Gf128.Size + MerkleHash.SaltSize;

        // One nonce for each row fold, for the mask row, the pad row and the queries.
        long nonces = (parameters.FoldVariables + 3) * sizeof(ulong);
        return HeaderBytes + nonces + (scalars + folded) * Gf128.Size + parameters.Queries * leaf
            + (long)siblings * MerkleHash.DigestSize;
    }
}
