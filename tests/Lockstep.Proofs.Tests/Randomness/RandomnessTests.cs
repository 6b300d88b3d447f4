using System.Reflection;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Hashing;
using Lockstep.Proofs.Randomness;

namespace Lockstep.Proofs.Tests.Randomness;

public sealed class RandomnessTests
{
    /// <summary>A generator that fails in the worst way: the same bytes for ever.</summary>
    private sealed class StuckRandom : ISecretRandom
    {
        public void Fill(Span<byte> destination) => destination.Fill(7);
    }

    private static byte[] Draw(ProofSeed seed, string name, int count = 64)
    {
        using ProofRandom random = seed.Consume();
        using RandomStream stream = random.Take(name);
        var bytes = new byte[count];
        stream.Fill(bytes);
        return bytes;
    }

    [Fact]
    public void A_seed_serves_once()
    {
        var seed = ProofSeed.Create(new SystemRandom(), new byte[32]);
        using ProofRandom first = seed.Consume();
        Assert.Throws<InvalidOperationException>(() => seed.Consume());
        seed.Dispose();
        Assert.Throws<InvalidOperationException>(() => seed.Consume());

        var disposed = new ProofSeed(new byte[32]);
        disposed.Dispose();
        Assert.Throws<InvalidOperationException>(() => disposed.Consume());
    }

    [Fact]
    public void Of_many_threads_one_gets_the_seed()
    {
        for (int i = 0; i < 50; i++)
        {
            var seed = new ProofSeed(new byte[32]);
            int won = 0;
            Parallel.For(0, 8, _ =>
            {
                try
                {
                    seed.Consume().Dispose();
                    Interlocked.Increment(ref won);
                }
                catch (InvalidOperationException)
                {
                    // The others' lot.
                }
            });
            Assert.Equal(1, won);
        }
    }

    [Fact]
    public void Types_cannot_be_copied_or_made_otherwise()
    {
        foreach (Type type in new[] { typeof(ProofSeed), typeof(ProofRandom), typeof(RandomStream) })
        {
            Assert.True(type.IsSealed && type.IsClass);
            Assert.False(typeof(ICloneable).IsAssignableFrom(type));
            Assert.Null(type.GetMethod("<Clone>$"));
            Assert.Empty(type.GetConstructors(BindingFlags.Public | BindingFlags.Instance));
            Assert.DoesNotContain(type.GetConstructors(BindingFlags.NonPublic | BindingFlags.Instance), c => c.GetParameters().Any(p => p.ParameterType == type));
            Assert.Empty(type.GetProperties());
            Assert.Empty(type.GetFields(BindingFlags.Public | BindingFlags.Instance));
        }
    }

    [Fact]
    public void The_seed_is_erased_when_consumed()
    {
        var seed = new ProofSeed(Blake3.Hash("seed"u8));
        FieldInfo field = typeof(ProofSeed).GetField("_seed", BindingFlags.NonPublic | BindingFlags.Instance)!;
        byte[] bytes = (byte[])field.GetValue(seed)!;
        Assert.Contains(bytes, b => b != 0);
        ProofRandom random = seed.Consume();
        Assert.All(bytes, b => Assert.Equal(0, b));
        Assert.Null(field.GetValue(seed));

        byte[] own = (byte[])typeof(ProofRandom).GetField("_seed", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(random)!;
        Assert.Contains(own, b => b != 0);
        random.Dispose();
        Assert.All(own, b => Assert.Equal(0, b));
        Assert.Throws<ObjectDisposedException>(() => random.Take("x"));
    }

    [Fact]
    public void Seeds_follow_the_definition_and_differ_with_the_witness_even_under_a_stuck_generator()
    {
        byte[] digest = Blake3.Hash("witness"u8), key = new byte[32], expected = new byte[64], proofSeed = new byte[32];
        new StuckRandom().Fill(key);
        Blake3.KeyedHash(key, [.. "lockstep/proof-seed/1"u8, .. digest], proofSeed);
        Blake3.KeyedHash(proofSeed, [.. "lockstep/proof-random/1/"u8, .. "salts"u8], expected);
        Assert.Equal(expected, Draw(ProofSeed.Create(new StuckRandom(), digest), "salts"));
        Assert.NotEqual(expected, Draw(ProofSeed.Create(new StuckRandom(), Blake3.Hash("other"u8)), "salts"));
    }

    [Fact]
    public void Two_proofs_of_one_witness_share_nothing()
    {
        byte[] digest = Blake3.Hash("witness"u8);
        byte[] first = Draw(ProofSeed.Create(new SystemRandom(), digest), "rows", 1 << 16);
        byte[] second = Draw(ProofSeed.Create(new SystemRandom(), digest), "rows", 1 << 16);
        HashSet<Gf128> elements = [.. Enumerable.Range(0, 4096).Select(i => Gf128.Read(first.AsSpan(16 * i)))];
        Assert.Equal(4096, elements.Count);
        Assert.DoesNotContain(Enumerable.Range(0, 4096), i => elements.Contains(Gf128.Read(second.AsSpan(16 * i))));
    }

    [Fact]
    public void Streams_are_taken_once_and_do_not_depend_on_order()
    {
        using ProofRandom one = new ProofSeed(new byte[32]).Consume(), two = new ProofSeed(new byte[32]).Consume();
        Gf128[] a1 = one.Take("a").Elements(5), b1 = one.Take("b").Elements(5);
        Gf128[] b2 = two.Take("b").Elements(5), a2 = two.Take("a").Elements(5);
        Assert.Equal(a1, a2);
        Assert.Equal(b1, b2);
        Assert.NotEqual(a1, b1);
        Assert.Throws<InvalidOperationException>(() => one.Take("a"));
    }

    [Fact]
    public void Elements_are_the_bytes_of_the_stream()
    {
        using ProofRandom one = new ProofSeed(new byte[32]).Consume(), two = new ProofSeed(new byte[32]).Consume();
        Gf128[] elements = one.Take("a").Elements(9);
        var bytes = new byte[9 * 16];
        RandomStream stream = two.Take("a");
        stream.Fill(bytes.AsSpan(0, 5));
        stream.Fill(bytes.AsSpan(5));
        for (int i = 0; i < 9; i++)
            Assert.Equal(Gf128.Read(bytes.AsSpan(16 * i)), elements[i]);
    }

    [Fact]
    public void Seeds_have_32_bytes_and_a_witness()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ProofSeed(new byte[31]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ProofSeed.Create(new SystemRandom(), []));
    }
}
