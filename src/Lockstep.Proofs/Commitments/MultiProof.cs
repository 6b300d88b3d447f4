namespace Lockstep.Proofs.Commitments;

/// <summary>
/// Openings of many leaves of one tree. The proof holds exactly the sibling digests that cannot be computed from the
/// leaves, level by level from the leaves upward and from left to right: one encoding per set of positions.
/// </summary>
internal static class MultiProof
{
    /// <summary>True for at least one position, strictly ascending, each in 0..2^depth - 1.</summary>
    public static bool AreCanonical(ReadOnlySpan<int> positions, int depth)
    {
        if (positions.IsEmpty || depth is < 0 or > 30 || positions[0] < 0 || positions[^1] >> depth != 0)
            return false;
        for (int i = 1; i < positions.Length; i++)
            if (positions[i] <= positions[i - 1])
                return false;
        return true;
    }

    /// <summary>Number of sibling digests in the multiproof of canonical positions.</summary>
    public static int SiblingCount(ReadOnlySpan<int> sortedPositions, int depth)
    {
        // Two neighbours share their path from the level where it joins: the number of nodes known at level h is one
        // more than the neighbours that still differ there.
        int siblings = 0, known = sortedPositions.Length;
        for (int level = 0; level < depth; level++)
        {
            int parents = 1;
            for (int i = 1; i < sortedPositions.Length; i++)
                if (sortedPositions[i] >> (level + 1) != sortedPositions[i - 1] >> (level + 1))
                    parents++;
            siblings += 2 * parents - known;
            known = parents;
        }

        return siblings;
    }

    /// <summary>The most siblings that any <paramref name="count"/> distinct positions can need.</summary>
    public static int MaxSiblingCount(int count, int depth)
    {
        int siblings = 0;
        for (int level = 0; level < depth; level++)
        {
            // Spread evenly, the positions occupy as many nodes as a level has, or are alone under theirs.
            long nodes = Math.Min(count, 1L << (depth - level)), parents = Math.Min(count, 1L << (depth - level - 1));
            siblings += (int)(2 * parents - nodes);
        }

        return siblings;
    }

    /// <summary>The digest of a node of a tree, level 0 being the leaves.</summary>
    public delegate ReadOnlySpan<byte> NodeReader(int level, int node);

    /// <summary>The multiproof of positions in a tree that is kept whole.</summary>
    /// <param name="positions">Strictly ascending, at least one.</param>
    /// <param name="depth">log2 of the number of leaves.</param>
    /// <param name="read">Reads 32 bytes of the tree.</param>
    public static byte[] Open(ReadOnlySpan<int> positions, int depth, NodeReader read)
    {
        if (!AreCanonical(positions, depth))
            throw new ArgumentException("Positions must be strictly ascending and inside the tree.", nameof(positions));
        var siblings = new byte[SiblingCount(positions, depth) * MerkleHash.DigestSize];
        Span<byte> rest = siblings;
        int[] nodes = positions.ToArray();
        int count = nodes.Length;
        for (int level = 0; level < depth; level++)
        {
            int parents = 0;
            for (int i = 0; i < count; i++)
            {
                int node = nodes[i];
                nodes[parents++] = node >> 1;
                if ((node & 1) == 0 && i + 1 < count && nodes[i + 1] == node + 1)
                {
                    i++;
                    continue;
                }

                read(level, node ^ 1).CopyTo(rest);
                rest = rest[MerkleHash.DigestSize..];
            }

            count = parents;
        }

        return siblings;
    }

    /// <summary>
    /// The root above opened leaves. False when the positions are not canonical or the proof does not hold exactly the
    /// siblings needed; a wrong digest shows as a wrong root.
    /// </summary>
    /// <param name="leafDigests">32 bytes per position, in the order of the positions.</param>
    /// <param name="sortedPositions">Strictly ascending positions.</param>
    /// <param name="depth">log2 of the number of leaves.</param>
    /// <param name="siblings">Sibling digests in canonical order, 32 bytes each.</param>
    /// <param name="root">32 bytes, or an empty array.</param>
    public static bool TryRoot(
        ReadOnlySpan<byte> leafDigests, ReadOnlySpan<int> sortedPositions, int depth, ReadOnlySpan<byte> siblings, out byte[] root)
    {
        const int Size = MerkleHash.DigestSize;
        root = [];
        if (!AreCanonical(sortedPositions, depth) || leafDigests.Length != (long)sortedPositions.Length * Size
            || siblings.Length != (long)SiblingCount(sortedPositions, depth) * Size)
            return false;

        int[] nodes = sortedPositions.ToArray();
        byte[] digests = leafDigests.ToArray();
        var pairs = new byte[2 * digests.Length];
        int count = nodes.Length;
        for (int level = 0; level < depth; level++)
        {
            int parents = 0;
            for (int i = 0; i < count; i++, parents++)
            {
                int node = nodes[i];
                Span<byte> pair = pairs.AsSpan(parents * 2 * Size, 2 * Size);
                ReadOnlySpan<byte> own = digests.AsSpan(i * Size, Size);
                nodes[parents] = node >> 1;
                own.CopyTo(pair[((node & 1) * Size)..]);
                if ((node & 1) == 0 && i + 1 < count && nodes[i + 1] == node + 1)
                {
                    i++;
                    digests.AsSpan(i * Size, Size).CopyTo(pair[Size..]);
                }
                else
                {
                    siblings[..Size].CopyTo(pair[((1 - (node & 1)) * Size)..]);
                    siblings = siblings[Size..];
                }
            }

            count = parents;
            MerkleHash.Parents(pairs.AsSpan(0, count * 2 * Size), digests.AsSpan(0, count * Size));
        }

        root = digests[..Size];
        return true;
    }
}
