using System.Runtime.InteropServices;
using Lockstep.Proofs.Codes;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Tests.Kernels;

public sealed unsafe class RowEncoderTests
{
    public static TheoryData<string> Paths => [.. Enum.GetValues<KernelPath>().Where(KernelPaths.IsSupported).Select(p => p.ToString())];

    [Fact]
    public void The_factors_multiply_as_the_field_does()
    {
        var random = new Random(7);
        for (int round = 0; round < 200; round++)
        {
            int depth = random.Next(1, 32), block = (int)(random.NextInt64() & ((1L << (depth - 1)) - 1));
            Gf128 factor = CantorBasis.Beta(depth);
            for (int b = 0; b < depth - 1; b++)
                factor += CantorBasis.Beta(b + 1).IfBit((uint)(block >> b));
            Twiddle w = Twiddle.Of(depth, block);
            Assert.Equal(Twiddle.FromElement(factor), w);
            for (int d = Twiddle.Products(depth); d < 4; d++)
                Assert.Equal(0u, w[d]);
            if (Twiddle.Products(depth) == 1)
                Assert.Equal((byte)w[0] * 0x01010101u, w[0]);
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Codewords_are_those_of_the_reference(string name)
    {
        KernelPath path = Enum.Parse<KernelPath>(name);
        var random = new Random((int)path);
        for (int round = 0; round < 60; round++)
        {
            int logMessage = random.Next(5, 10), logRate = random.Next(1, 4), rows = random.Next(1, 45);
            int n = 1 << logMessage, pads = random.Next(0, Math.Min(260, (n << logRate) - n) + 1);
            Check(path, logMessage, logRate, pads, rows, random);
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Long_codewords_reach_all_kinds_of_factors(string name)
    {
        // Four products from layer depth 16 on; a codeword beyond the limit from which lines are streamed.
        Check(Enum.Parse<KernelPath>(name), 15, 2, 250, 3, new Random(1));
        Check(Enum.Parse<KernelPath>(name), 15, 1, 246, 22, new Random(2));
        Check(Enum.Parse<KernelPath>(name), 17, 2, 246, 2, new Random(3));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Interleaved_messages_give_the_same_codewords(string name)
    {
        var random = new Random(5);
        foreach ((int logMessage, int logRate, int rows) in ((int, int, int)[])[(2, 1, 4), (5, 3, 8), (8, 1, 16), (12, 3, 8), (13, 3, 12)])
        {
            int n = 1 << logMessage, length = n << logRate;
            using NativeBlock message = NativePool.Shared.Rent((long)rows * n * 16), interleaved = NativePool.Shared.Rent((long)rows * length * 16);
            using NativeBlock separate = NativePool.Shared.Rent((long)rows * n * 16), expected = NativePool.Shared.Rent((long)rows * length * 16);
            var sources = new RowSource[rows];
            for (int r = 0; r < rows; r++)
            {
                Gf128* row = separate.As<Gf128>() + r * n;
                for (int x = 0; x < n; x++)
                    row[x] = message.As<Gf128>()[r + rows * x] = Next(random);
                sources[r] = new RowSource(row, n);
            }

            RowEncoder.EncodeInterleaved(message.As<Gf128>(), rows, logMessage, logRate, interleaved.Memory, new Workers(2), path: Enum.Parse<KernelPath>(name));
            RowEncoder.Encode(sources, logMessage, logRate, expected.Memory, new Workers(1), path: KernelPath.Portable);
            Assert.True(expected.Span<Gf128>(0, rows * length).SequenceEqual(interleaved.Span<Gf128>(0, rows * length)));
        }
    }

    [Fact]
    public void Wrong_shapes_are_refused()
    {
        using NativeBlock block = NativePool.Shared.Rent(1 << 16);
        byte* memory = block.Memory;
        var element = (Gf128*)memory;
        Assert.Throws<ArgumentOutOfRangeException>(() => RowEncoder.Encode([], 5, 1, memory, Workers.All));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowEncoder.Encode(new RowSource[1], 1, 1, memory, Workers.All));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowEncoder.Encode(new RowSource[1], 5, 0, memory, Workers.All));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowEncoder.Encode(new RowSource[1], 30, 1, memory, Workers.All));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowEncoder.Encode(new RowSource[1], 5, 1, memory + 16, Workers.All));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowEncoder.Encode([new RowSource(element, 65)], 5, 1, memory, Workers.All));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowEncoder.Encode([RowSource.WithPads(element, 32, element, 33)], 5, 1, memory, Workers.All));
        Assert.Throws<ArgumentOutOfRangeException>(() => RowEncoder.EncodeInterleaved(element, 6, 5, 1, memory, Workers.All));
    }

    [Fact]
    public void A_cancelled_encoding_stops()
    {
        using NativeBlock codeword = NativePool.Shared.Rent(RowEncoder.Stride(1) << 12);
        using var source = new CancellationTokenSource();
        byte* memory = codeword.Memory;
        Assert.ThrowsAny<OperationCanceledException>(() => RowEncoder.Encode(
            new RowSource[1], 11, 1, memory, new Workers(1, source.Token), (_, _) => source.Cancel()));
    }

    private static Gf128 Next(Random random) => new((ulong)random.NextInt64(), (ulong)random.NextInt64() << 1);

    private static void Check(KernelPath path, int logMessage, int logRate, int pads, int rows, Random random)
    {
        int n = 1 << logMessage, length = n << logRate;
        var code = new RowCode(logMessage, pads, logRate);
        var coefficients = new Gf128[rows][];
        var sources = new RowSource[rows];
        var allocated = new List<nint>();
        int stride = RowEncoder.Stride(rows);
        byte* codeword = (byte*)NativeMemory.AlignedAlloc((nuint)(stride * length), 64);
        new Span<byte>(codeword, stride * length).Fill(0xa5);
        try
        {
            for (int r = 0; r < rows; r++)
            {
                int kind = random.Next(5);
                int count = kind == 3 ? random.Next(0, length + 1) : n + pads;
                coefficients[r] = new Gf128[count];
                for (int i = 0; i < count; i++)
                    coefficients[r][i] = Next(random);
                if (kind == 0)
                {
                    // The bit rows' layout: runs of 32 elements, slots of 4608 bytes.
                    Gf128* array = Allocate(n / 32 * 4608 / 16), tail = Allocate(pads);
                    for (int i = 0; i < n; i++)
                        array[i / 32 * (4608 / 16) + 32 + i % 32] = coefficients[r][i];
                    coefficients[r].AsSpan(n).CopyTo(new Span<Gf128>(tail, pads));
                    sources[r] = new RowSource(array + 32, n, 5, 4608, tail, pads);
                }
                else if (kind == 1)
                {
                    sources[r] = RowSource.WithPads(Copy(coefficients[r].AsSpan(0, n)), n, Copy(coefficients[r].AsSpan(n)), pads);
                }
                else if (kind == 2 && random.Next(4) == 0)
                {
                    coefficients[r] = [];
                    sources[r] = default;
                }
                else
                {
                    sources[r] = new RowSource(Copy(coefficients[r]), count);
                }
            }

            int seen = 0;
            RowEncoder.Encode(sources, logMessage, logRate, codeword, new Workers(2), (first, count) =>
            {
                Assert.Equal(0, first % count);
                Interlocked.Add(ref seen, count);
            }, path);
            Assert.Equal(length, seen);
            var expected = new Gf128[length];
            for (int r = 0; r < stride / 16; r++)
            {
                if (r < rows)
                    code.EncodeShort(Array.ConvertAll(coefficients[r], TowerBasis.ToPolynomial), expected);
                else
                    expected.AsSpan().Clear();
                for (int j = 0; j < length; j++)
                    if (TowerBasis.FromPolynomial(expected[j]) != ((Gf128*)(codeword + (long)j * stride))[r])
                        Assert.Fail($"row {r} of {rows}, position {j}: n = 2^{logMessage}, rate 2^-{logRate}, {pads} pads");
            }
        }
        finally
        {
            NativeMemory.AlignedFree(codeword);
            foreach (nint block in allocated)
                NativeMemory.AlignedFree((void*)block);
        }

        Gf128* Allocate(int count)
        {
            void* memory = NativeMemory.AlignedAlloc((nuint)Math.Max(16, count * 16), 64);
            allocated.Add((nint)memory);
            return (Gf128*)memory;
        }

        Gf128* Copy(ReadOnlySpan<Gf128> values)
        {
            Gf128* memory = Allocate(values.Length);
            for (int i = 0; i < values.Length; i++)
                memory[i] = values[i];
            return memory;
        }
    }
}
