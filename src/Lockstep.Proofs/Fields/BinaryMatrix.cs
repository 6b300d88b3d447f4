namespace Lockstep.Proofs.Fields;

/// <summary>A 128 x 128 matrix over GF(2): column j is the image of the basis vector with bit j set.</summary>
internal static class BinaryMatrix
{
    /// <summary>Rank of the GF(2)-span of <paramref name="vectors"/>.</summary>
    public static int Rank(ReadOnlySpan<Gf128> vectors)
    {
        var pivots = new Gf128[128];
        int rank = 0;
        foreach (Gf128 vector in vectors)
        {
            Gf128 v = vector;
            int top;
            while ((top = TopBit(v)) >= 0 && !pivots[top].IsZero)
                v += pivots[top];
            if (top < 0)
                continue;
            pivots[top] = v;
            rank++;
        }

        return rank;
    }

    /// <summary>The inverse of a full-rank matrix given by its 128 columns.</summary>
    /// <exception cref="ArgumentException">The columns do not span the field.</exception>
    public static Gf128[] Inverse(ReadOnlySpan<Gf128> columns)
    {
        // Reduce [columns | identity] by column operations until the left half is the identity.
        var left = columns.ToArray();
        var right = new Gf128[128];
        for (int i = 0; i < 128; i++)
            right[i] = Gf128.Monomial(i);
        for (int bit = 0; bit < 128; bit++)
        {
            int pivot = bit;
            while (pivot < 128 && left[pivot].Bit(bit) == 0)
                pivot++;
            if (pivot == 128)
                throw new ArgumentException("The columns do not span the field.", nameof(columns));
            (left[bit], left[pivot]) = (left[pivot], left[bit]);
            (right[bit], right[pivot]) = (right[pivot], right[bit]);
            for (int j = 0; j < 128; j++)
            {
                if (j == bit || left[j].Bit(bit) == 0)
                    continue;
                left[j] += left[bit];
                right[j] += right[bit];
            }
        }

        return right;
    }

    private static int TopBit(Gf128 v) =>
        v.Hi != 0 ? 127 - System.Numerics.BitOperations.LeadingZeroCount(v.Hi)
        : v.Lo != 0 ? 63 - System.Numerics.BitOperations.LeadingZeroCount(v.Lo) : -1;
}
