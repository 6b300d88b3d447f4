using CsCheck;
using Lockstep.Proofs.Codes;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Tests.Codes;

public sealed class CodeTests
{
    private static Gf128[] Random(int count, int seed)
    {
        var random = new Random(seed);
        var elements = new Gf128[count];
        for (int i = 0; i < count; i++)
            elements[i] = new Gf128((ulong)random.NextInt64(long.MinValue, long.MaxValue), (ulong)random.NextInt64(long.MinValue, long.MaxValue));
        return elements;
    }

    // sum_k c_k X_k(x), every X_k the product of vanishing polynomials evaluated as products over their roots.
    private static Gf128 Direct(ReadOnlySpan<Gf128> coefficients, Gf128 x)
    {
        Gf128 sum = default;
        for (int k = 0; k < coefficients.Length; k++)
        {
            Gf128 term = coefficients[k];
            for (int b = 0; k >> b != 0; b++)
            {
                if ((k >> b & 1) == 0)
                    continue;
                for (ulong root = 0; root < 1UL << b; root++)
                    term *= x + CantorBasis.Point(root);
            }

            sum += term;
        }

        return sum;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(7)]
    public void The_transform_is_evaluation_on_the_shifted_domain(int log)
    {
        var transform = new AdditiveNtt(log);
        Gf128[] coefficients = Random(1 << log, log), values = [.. coefficients];
        transform.Forward(values);
        for (int j = 0; j < values.Length; j++)
        {
            Gf128 x = CantorBasis.Beta(log);
            for (int b = 0; b < log; b++)
                x += CantorBasis.Beta(b).IfBit((uint)(j >> b));
            Assert.Equal(x, transform.Point(j));
            Assert.Equal(Direct(coefficients, x), values[j]);
            Assert.Equal(values[j], Multilinear.InnerProduct(coefficients, transform.WeightsAt(j, coefficients.Length)));
            for (int degree = 0; degree <= log; degree++)
                Assert.Equal(CantorBasis.Vanish(degree, x), transform.Vanish(degree, j));
        }

        transform.Inverse(values);
        Assert.Equal(coefficients, values);
    }

    [Fact]
    public void Coefficients_left_out_are_zeros() =>
        Gen.Select(Gen.Int[0, 8], Gen.Double[0, 1], Gen.Int).Sample((log, share, seed) =>
        {
            int size = 1 << log, count = (int)Math.Round(share * size);
            var transform = new AdditiveNtt(log);
            Gf128[] garbage = Random(size, seed), padded = [.. garbage[..count], .. new Gf128[size - count]];
            transform.Forward(garbage, count);
            transform.Forward(padded);
            return garbage.AsSpan().SequenceEqual(padded);
        }, iter: 200);

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(12)]
    public void The_transposed_transform_is_the_adjoint(int log)
    {
        var transform = new AdditiveNtt(log);
        Gf128[] c = Random(1 << log, 1), d = Random(1 << log, 2), forward = [.. c], transposed = [.. d];
        transform.Forward(forward);
        transform.TransposedForward(transposed);
        Assert.Equal(Multilinear.InnerProduct(forward, d), Multilinear.InnerProduct(c, transposed));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(10)]
    [InlineData(16)]
    public void The_pads_factor_takes_two_nonzero_constants_on_the_domain(int logMessage)
    {
        var transform = new AdditiveNtt(logMessage + 1);
        int n = 1 << logMessage;
        var constants = new HashSet<Gf128>();
        bool zeroUnshifted = true;
        for (int j = 0; j < 2 * n; j++)
        {
            constants.Add(CantorBasis.Vanish(logMessage, transform.Point(j)));
            if (j < n)
                zeroUnshifted &= CantorBasis.Vanish(logMessage, CantorBasis.Point((ulong)j)).IsZero;
        }

        Assert.Equal([CantorBasis.Beta(1), CantorBasis.Beta(1) + Gf128.One], constants);
        Assert.DoesNotContain(Gf128.Zero, constants);

        // Why the domain is shifted: without it half of all positions would show the message bare.
        Assert.True(zeroUnshifted);
    }

    [Fact]
    public void Any_q_positions_of_a_row_are_hidden_by_q_pads() =>
        Gen.Int.Sample(seed =>
        {
            // X_{n+k}(x_j) for q positions and k < q is a regular matrix, so uniform pads make the symbols uniform.
            const int Pads = 12;
            var code = new RowCode(6, Pads, 1);
            var random = new Random(seed);
            int[] positions = [.. Enumerable.Range(0, code.Length).OrderBy(_ => random.Next()).Take(Pads)];
            Gf128[][] rows = [.. positions.Select(j => code.WeightsAt(j, code.Dimension)[code.Message..])];
            return Rank(rows) == Pads;
        }, iter: 100);

    private static int Rank(Gf128[][] rows)
    {
        int rank = 0;
        for (int column = 0; column < rows[0].Length; column++)
        {
            int pivot = Array.FindIndex(rows, rank, row => !row[column].IsZero);
            if (pivot < 0)
                continue;
            (rows[rank], rows[pivot]) = (rows[pivot], rows[rank]);
            Gf128 inverse = rows[rank][column].Inverse();
            for (int i = rank + 1; i < rows.Length; i++)
            {
                Gf128 factor = rows[i][column] * inverse;
                for (int j = 0; j < rows[i].Length; j++)
                    rows[i][j] += factor * rows[rank][j];
            }

            rank++;
        }

        return rank;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Rows_are_encoded_alike_by_any_number_of_workers(int logInverseRate)
    {
        var code = new RowCode(8, 37, logInverseRate);
        const int Rows = 9;
        Gf128[] coefficients = Random(Rows * code.Dimension, 4), one = Random(Rows * code.Length, 5), two = Random(Rows * code.Length, 6);
        code.EncodeRows(coefficients, one, Rows, new Workers(1));
        code.EncodeRows(coefficients, two, Rows, new Workers(2));
        Assert.Equal(one, two);
        var positions = new[] { 0, 1, 255, 256, 257, code.Length - 1 };
        for (int row = 0; row < Rows; row++)
        {
            Gf128[] own = coefficients[(row * code.Dimension)..((row + 1) * code.Dimension)];
            for (int i = 0; i < positions.Length; i++)
                Assert.Equal(code.EvaluateAt(own, positions[i]), one[row * code.Length + positions[i]]);
        }
    }

    [Fact]
    public void Short_rows_are_polynomials_of_lower_degree()
    {
        var code = new RowCode(9, 20, 1);
        Gf128[] coefficients = Random(276, 8), codeword = new Gf128[code.Length];
        code.EncodeShort(coefficients, codeword);
        foreach (int j in new[] { 0, 5, 511, 512, 1023 })
            Assert.Equal(code.EvaluateAt(coefficients, j), codeword[j]);

        // Interpolation gives back zeros above the last coefficient.
        new AdditiveNtt(10).Inverse(codeword);
        Assert.Equal([.. coefficients, .. new Gf128[1024 - 276]], codeword);
    }

    [Fact]
    public void Wrong_sizes_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new RowCode(4, 17, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RowCode(4, 1, 0));
        var code = new RowCode(4, 3, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => code.Encode(new Gf128[18], new Gf128[32]));
        Assert.Throws<ArgumentOutOfRangeException>(() => code.Encode(new Gf128[19], new Gf128[31]));
        Assert.Throws<ArgumentOutOfRangeException>(() => code.WeightsAt(32, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => code.EncodeRows(new Gf128[19], new Gf128[64], 2, new Workers(1)));
    }
}
