using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Codes;

/// <summary>
/// The additive transform of Lin, Chung and Han: coefficients in the novel basis X_k = prod over set bits b of k of s_b
/// to evaluations on the affine domain beta_m + U_m of size N = 2^m. Position j is the point
/// beta_m + sum over b of bit_b(j) beta_b.
/// </summary>
/// <remarks>
/// The shift by beta_m is what hides the row randomness: on U_m itself X_{N/2} vanishes on half the domain
/// (docs/proof-system.md sections 4 and 11). With it, s_i at a point is beta_{m-i} + sum over b >= i of bit_b(j) beta_{b-i}.
/// </remarks>
internal sealed class AdditiveNtt
{
    // Twiddle of block k of layer i is beta_{m-i} + sum over b of bit_b(k) beta_{b+1}; the sums do not depend on the
    // layer, so one table of N/2 entries (8 N bytes) serves all.
    private readonly Gf128[] _spans;
    private readonly bool _shift;

    /// <summary>The transform of size 2^<paramref name="logSize"/>, 0..30.</summary>
    /// <param name="logSize">m.</param>
    /// <param name="shift">Off only in tests that show what the shifted domain is for.</param>
    public AdditiveNtt(int logSize, bool shift = true)
    {
        _shift = shift;
        ArgumentOutOfRangeException.ThrowIfNegative(logSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(logSize, 30);
        LogSize = logSize;
        _spans = new Gf128[Math.Max(1, Size / 2)];
        for (int bit = 0; bit < logSize - 1; bit++)
            for (int k = 0; k < 1 << bit; k++)
                _spans[k + (1 << bit)] = _spans[k] + CantorBasis.Beta(bit + 1);
    }

    /// <summary>m, log2 of the size.</summary>
    public int LogSize { get; }

    /// <summary>N, the number of positions.</summary>
    public int Size => 1 << LogSize;

    /// <summary>The domain point at <paramref name="position"/>.</summary>
    public Gf128 Point(int position) => Shift(0) + CantorBasis.Point((ulong)position);

    /// <summary>s_<paramref name="degree"/> at the point of <paramref name="position"/>, for degree up to m.</summary>
    public Gf128 Vanish(int degree, int position) =>
        Shift(degree) + CantorBasis.Point((ulong)position >> degree);

    /// <summary>Coefficients to evaluations in place.</summary>
    /// <param name="data">N elements.</param>
    /// <param name="count">How many leading coefficients may be nonzero; the rest is not read.</param>
    public void Forward(Span<Gf128> data, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(data.Length, Size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Size);

        // A layer whose upper halves are all zero copies the lower ones.
        int layer = LogSize;
        while (layer > 0 && count <= 1 << (layer - 1))
            layer--;
        int period = 1 << layer;
        data[count..period].Clear();
        for (int filled = period; filled < Size; filled *= 2)
            data[..filled].CopyTo(data[filled..]);

        while (--layer >= 0)
        {
            int half = 1 << layer;
            Gf128 shift = Shift(layer);
            for (int block = 0, start = 0; start < data.Length; block++, start += 2 * half)
            {
                Gf128 twiddle = shift + _spans[block];
                Span<Gf128> low = data.Slice(start, half), high = data.Slice(start + half, half);
                for (int i = 0; i < low.Length; i++)
                {
                    low[i] += twiddle * high[i];
                    high[i] += low[i];
                }
            }
        }
    }

    /// <summary>Coefficients to evaluations in place, all N of them read.</summary>
    public void Forward(Span<Gf128> data) => Forward(data, Size);

    /// <summary>Evaluations to coefficients in place.</summary>
    public void Inverse(Span<Gf128> data)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(data.Length, Size);
        for (int layer = 0; layer < LogSize; layer++)
        {
            int half = 1 << layer;
            Gf128 shift = Shift(layer);
            for (int block = 0, start = 0; start < data.Length; block++, start += 2 * half)
            {
                Gf128 twiddle = shift + _spans[block];
                Span<Gf128> low = data.Slice(start, half), high = data.Slice(start + half, half);
                for (int i = 0; i < low.Length; i++)
                {
                    high[i] += low[i];
                    low[i] += twiddle * high[i];
                }
            }
        }
    }

    /// <summary>
    /// The adjoint of <see cref="Forward(Span{Gf128})"/> in place: with E the transform,
    /// sum_j E(c)_j d_j = sum_k c_k Transposed(d)_k.
    /// </summary>
    public void TransposedForward(Span<Gf128> data)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(data.Length, Size);
        for (int layer = 0; layer < LogSize; layer++)
        {
            int half = 1 << layer;
            Gf128 shift = Shift(layer);
            for (int block = 0, start = 0; start < data.Length; block++, start += 2 * half)
            {
                Gf128 twiddle = shift + _spans[block];
                Span<Gf128> low = data.Slice(start, half), high = data.Slice(start + half, half);
                for (int i = 0; i < low.Length; i++)
                {
                    low[i] += high[i];
                    high[i] += twiddle * low[i];
                }
            }
        }
    }

    /// <summary>X_k at the point of <paramref name="position"/> for all k below <paramref name="count"/>: a tensor of the s_b.</summary>
    public Gf128[] WeightsAt(int position, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)position, (uint)Size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Size);
        var weights = new Gf128[count];
        if (count > 0)
            weights[0] = Gf128.One;
        for (int bit = 0; 1 << bit < count; bit++)
        {
            Gf128 vanish = Vanish(bit, position);
            int half = 1 << bit;
            for (int k = half; k < Math.Min(2 * half, count); k++)
                weights[k] = weights[k - half] * vanish;
        }

        return weights;
    }

    // s_degree of the domain's shift.
    private Gf128 Shift(int degree) => _shift ? CantorBasis.Beta(LogSize - degree) : default;
}
