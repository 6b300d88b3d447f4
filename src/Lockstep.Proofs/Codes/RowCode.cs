using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Codes;

/// <summary>
/// The Reed-Solomon code of the matrix rows: novel-basis coefficients [message | randomness | 0...]
/// evaluated on the shifted domain. Any <see cref="Pads"/> distinct positions of a row with uniform randomness are
/// uniform and independent of the message, because X_n, the factor of the random part, vanishes nowhere on the domain.
/// </summary>
internal sealed class RowCode
{
    private readonly AdditiveNtt _transform;

    /// <summary>The code of message length n = 2^logMessage with q random coefficients and N = n * 2^logInverseRate positions.</summary>
    /// <param name="logMessage">log2 of n.</param>
    /// <param name="pads">q.</param>
    /// <param name="logInverseRate">log2 of N / n, at least 1.</param>
    /// <param name="shift">Off only in tests that show what the shifted domain is for.</param>
    public RowCode(int logMessage, int pads, int logInverseRate, bool shift = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pads);
        ArgumentOutOfRangeException.ThrowIfLessThan(logInverseRate, 1);
        (LogMessage, Pads) = (logMessage, pads);
        _transform = new AdditiveNtt(logMessage + logInverseRate, shift);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Dimension, Length, nameof(pads));
    }

    /// <summary>log2 of n.</summary>
    public int LogMessage { get; }

    /// <summary>n, the message coefficients of a row.</summary>
    public int Message => 1 << LogMessage;

    /// <summary>q, the random coefficients of a row.</summary>
    public int Pads { get; }

    /// <summary>n + q, the coefficients of a row.</summary>
    public int Dimension => Message + Pads;

    /// <summary>log2 of N.</summary>
    public int LogLength => _transform.LogSize;

    /// <summary>N, the positions of a codeword.</summary>
    public int Length => _transform.Size;

    /// <summary>The codeword of one row.</summary>
    /// <param name="coefficients">n message elements, then q random ones.</param>
    /// <param name="codeword">N elements.</param>
    public void Encode(ReadOnlySpan<Gf128> coefficients, Span<Gf128> codeword)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(coefficients.Length, Dimension);
        EncodeShort(coefficients, codeword);
    }

    /// <summary>The codeword of any number of coefficients up to N: the pad row and its mask are shorter than the others.</summary>
    public void EncodeShort(ReadOnlySpan<Gf128> coefficients, Span<Gf128> codeword)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(codeword.Length, Length);
        coefficients.CopyTo(codeword);
        _transform.Forward(codeword, coefficients.Length);
    }

    /// <summary>The codewords of many rows.</summary>
    /// <param name="coefficients">rows * (n + q) elements, row by row.</param>
    /// <param name="codewords">rows * N elements, row by row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="workers">Threads, and how they are cancelled.</param>
    public void EncodeRows(ReadOnlyMemory<Gf128> coefficients, Memory<Gf128> codewords, int rows, Workers workers)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual((long)coefficients.Length, (long)rows * Dimension);
        ArgumentOutOfRangeException.ThrowIfNotEqual((long)codewords.Length, (long)rows * Length);
        workers.For(rows, 1, (start, end) =>
        {
            for (int row = start; row < end; row++)
                Encode(coefficients.Span.Slice(row * Dimension, Dimension), codewords.Span.Slice(row * Length, Length));
        });
    }

    /// <summary>One symbol of the codeword of any number of coefficients up to N, straight from the definition.</summary>
    public Gf128 EvaluateAt(ReadOnlySpan<Gf128> coefficients, int position) =>
        Multilinear.InnerProduct(coefficients, WeightsAt(position, coefficients.Length));

    /// <summary>X_k at the position's point for every k below <paramref name="count"/>.</summary>
    public Gf128[] WeightsAt(int position, int count) => _transform.WeightsAt(position, count);

    /// <summary>
    /// Adds sum_j factor_j X_k(x_j) to target[k]: the weights of the claims on the symbols at these positions, by one
    /// transposed transform of the sparse vector of factors.
    /// </summary>
    /// <param name="positions">Distinct positions.</param>
    /// <param name="factors">One per position.</param>
    /// <param name="target">At most <see cref="Length"/> elements.</param>
    public void AddClaims(ReadOnlySpan<int> positions, ReadOnlySpan<Gf128> factors, Span<Gf128> target)
    {
        var sparse = new Gf128[Length];
        for (int k = 0; k < positions.Length; k++)
            sparse[positions[k]] = factors[k];
        _transform.TransposedForward(sparse);
        for (int k = 0; k < target.Length; k++)
            target[k] += sparse[k];
    }
}
