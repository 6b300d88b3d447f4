using System.Reflection;
using System.Runtime.InteropServices;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Tests.Argument;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>What many proofs show together: ranks of the mask weights, byte statistics, nothing shared, no generator used twice.</summary>
public sealed class HidingTests(ITestOutputHelper output)
{
    [Fact]
    public void The_256_mask_weights_span_the_field_at_10_000_random_points()
    {
        // The weights are multiples of eq(s_0..s_7, i); a common factor does not change their rank.
        const int Points = 10_000;
        int full = 0, sevenCoordinates = 0;
        object gate = new();
        Parallel.For(0, 20, part =>
        {
            var random = new Random(part);
            int spanning = 0, half = 0;
            for (int k = 0; k < Points / 20; k++)
            {
                Gf128[] eq = Multilinear.EqTable([.. Enumerable.Range(0, 8).Select(_ => Element(random))]);
                spanning += BinaryMatrix.Rank(eq) == 128 ? 1 : 0;
                if (k % 10 == 0)
                    half += BinaryMatrix.Rank(Multilinear.EqTable([.. Enumerable.Range(0, 7).Select(_ => Element(random))])) == 128 ? 1 : 0;
            }

            lock (gate)
            {
                full += spanning;
                sevenCoordinates += half;
            }
        });
        output.WriteLine($"256 weights span at {full} of {Points} points; 128 weights at {sevenCoordinates} of {Points / 10}");
        Assert.Equal(Points, full);
        Assert.True(sevenCoordinates < Points / 20, "128 weights would seldom do: why there are 256");
    }

    /// <summary>
    /// 1,000 proofs, 500 of each of two chunks of one length. In each of s_v, the upper coefficients of u, the last vector of its levels, u_pi and the opened symbols (tower
    /// coordinates): the byte frequencies of either chunk, and of both against each other, pass a chi-squared test with 255
    /// degrees of freedom at 400 (a uniform source exceeds it about once in 10^7), and no two values of 16 bytes are equal
    /// (a uniform source has two equal ones once in 10^27).
    /// </summary>
    [Fact]
    public void Proofs_of_two_chunks_look_uniform_and_alike()
    {
        const int Proofs = 500;
        const double Threshold = 400;
        var shape = ToyArgument.DefaultShape with { FoldGrinding = 0, MaskGrinding = 0, PadGrinding = 0, QueryGrinding = 0 };
        ToyArgument[] chunks = [new([200], 1, shape), new([200], 2, shape)];
        string[] labels = [Labels.RingValues, Labels.FoldedHigh, Labels.Last, Labels.PadRow, ProofView.Symbols];
        var counts = new Dictionary<(string, int), long[]>();
        var seen = labels.ToDictionary(label => label, _ => new HashSet<Gf128>());
        int repeated = 0;
        for (int chunk = 0; chunk < 2; chunk++)
            for (int seed = 0; seed < Proofs; seed++)
            {
                var view = new ProofView(shape, chunks[chunk].Prove(1000 * chunk + seed));
                foreach (string label in labels)
                {
                    if (!counts.TryGetValue((label, chunk), out long[]? bytes))
                        counts[(label, chunk)] = bytes = new long[256];
                    foreach (byte value in MemoryMarshal.AsBytes(view[label]))
                        bytes[value]++;
                    // u_pi is long; a part keeps the set small.
                    foreach (Gf128 element in view[label][..Math.Min(view[label].Length, 160)])
                        repeated += seen[label].Add(element) ? 0 : 1;
                }
            }

        foreach (string label in labels)
        {
            double one = Uniform(counts[(label, 0)]), two = Uniform(counts[(label, 1)]), both = Alike(counts[(label, 0)], counts[(label, 1)]);
            output.WriteLine($"{label}: {counts[(label, 0)].Sum()} bytes each, chi-squared {one:F0}, {two:F0}, between {both:F0}");
            Assert.True(one < Threshold && two < Threshold && both < Threshold, label);
        }

        Assert.Equal(0, repeated);

        // The same statistic does see what is not uniform: the witness itself.
        var witness = new long[256];
        for (int i = 0; i < 200; i++)
            foreach (byte value in MemoryMarshal.AsBytes(chunks[0].Witness.Unit(i)))
                witness[value]++;
        Assert.True(Uniform(witness) > 10 * Threshold);
    }

    [Fact]
    public void Two_proofs_of_one_chunk_share_no_leaf_pad_or_salt()
    {
        var toy = new ToyArgument([200]);
        ProofView one = new(toy.Shape, toy.Prove(1)), two = new(toy.Shape, toy.Prove(2));
        Assert.Empty(one.Elements.Intersect(two.Elements));
        Assert.Empty(one.Salts.Intersect(two.Salts));
        Assert.Equal(toy.Shape.Queries, one.Salts.Distinct().Count());
        using ProofRandom first = Bench.NewRandom(1), second = Bench.NewRandom(2);
        foreach (string stream in new[] { "pads", "mask row", "pad mask", "row pads", "mask elements", "salts" })
            Assert.Empty(first.Take(stream).Elements(1000).Intersect(second.Take(stream).Elements(1000)));
    }

    [Fact]
    public void No_generator_can_be_used_twice_copied_or_read_back()
    {
        var seed = new ProofSeed(new byte[32]);
        ProofRandom random = seed.Consume();
        Assert.Throws<InvalidOperationException>(seed.Consume);
        random.Take("pads").Dispose();
        Assert.Throws<InvalidOperationException>(() => random.Take("pads"));
        foreach (Type type in new[] { typeof(ProofSeed), typeof(ProofRandom), typeof(RandomStream) })
        {
            const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
            Assert.True(type.IsSealed && type.IsClass && !typeof(ICloneable).IsAssignableFrom(type));
            Assert.Empty(type.GetProperties(All));
            Assert.DoesNotContain(type.GetConstructors(All), c => c.GetParameters().Any(p => p.ParameterType == type));
            Assert.DoesNotContain(type.GetMethods(All), m => !m.IsPrivate && m.ReturnType == type && (type != typeof(ProofSeed) || m.Name != nameof(ProofSeed.Create)));
            Assert.DoesNotContain(type.GetMethods(All), m => !m.IsPrivate && m.ReturnType == typeof(byte[]));
            Assert.All(type.GetFields(All), field => Assert.True(field.IsPrivate || field.IsLiteral));
        }
    }

    [Fact]
    public void No_suite_turns_a_protection_off()
    {
        foreach (Suite suite in Suites.All)
            foreach (int length in new[] { 1, 1 << 18, 1 << 20 })
            {
                ArgumentShape shape = WindowInstance.Shape(suite, [length])!;
                Assert.True(shape.ShiftDomain);
                Assert.True(shape.RowPads >= shape.Queries);
                Assert.Equal(256, shape.MaskUnits);
                Assert.True(new PadSchedule(shape).Count <= ArgumentShape.PadSlots);
            }
    }

    private static double Uniform(long[] counts)
    {
        double expected = counts.Sum() / 256.0;
        return counts.Sum(count => (count - expected) * (count - expected) / expected);
    }

    // Two samples of equal size: sum (a - b)^2 / (a + b).
    private static double Alike(long[] a, long[] b) =>
        Enumerable.Range(0, 256).Sum(value => (double)(a[value] - b[value]) * (a[value] - b[value]) / (a[value] + b[value]));

    private static Gf128 Element(Random random)
    {
        Span<byte> bytes = stackalloc byte[Gf128.Size];
        random.NextBytes(bytes);
        return Gf128.Read(bytes);
    }
}
