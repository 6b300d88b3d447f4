using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Prover;

/// <summary>
/// The row folds (step 8) on the matrix B(f, f') = sum_x phi(w(f, x)) row_f'(x) alone: every round's message and every fold is
/// bilinear in it, so the rows themselves are folded only once, at the end.
/// </summary>
/// <param name="size">Rows, absent ones included: a power of two.</param>
/// <param name="arrays">Where the memory is taken from.</param>
internal sealed class FoldMatrix(int size, ProofArrays arrays)
{
    private readonly Gf128[] _b = arrays.Take(size * size);
    private int _size = size;

    /// <summary>B(weight row, value row).</summary>
    public ref Gf128 this[int weight, int value] => ref _b[weight * _size + value];

    /// <summary>The next round's coefficients g0 and g2.</summary>
    public (Gf128 G0, Gf128 G2) Round()
    {
        Gf128 g0 = default, g2 = default;
        for (int k = 0; k < _size; k += 2)
        {
            g0 += this[k, k];
            g2 += this[k, k] + this[k, k + 1] + this[k + 1, k] + this[k + 1, k + 1];
        }

        return (g0, g2);
    }

    /// <summary>Binds the lowest unbound row variable at <paramref name="s"/>.</summary>
    public void Bind(Gf128 s)
    {
        int half = _size / 2;
        for (int k = 0; k < half; k++)
            for (int l = 0; l < half; l++)
            {
                Gf128 low = Mix(this[2 * k, 2 * l], this[2 * k, 2 * l + 1]), high = Mix(this[2 * k + 1, 2 * l], this[2 * k + 1, 2 * l + 1]);

                // Row k ends at or before row 2k begins: nothing that is still read is overwritten.
                _b[k * half + l] = Mix(low, high);
            }

        _size = half;

        Gf128 Mix(Gf128 low, Gf128 high) => low + s * (low + high);
    }
}
