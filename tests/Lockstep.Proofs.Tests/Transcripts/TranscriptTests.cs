using System.Buffers.Binary;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Hashing;
using Lockstep.Proofs.Transcripts;

namespace Lockstep.Proofs.Tests.Transcripts;

public sealed class TranscriptTests
{
    private static readonly byte[] Initial = Blake3.Hash("lockstep/transcript/1"u8);

    private static byte[] UInt64(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Step(byte[] state, byte tag, ReadOnlySpan<byte> label, byte[] body, int length = 32)
    {
        var output = new byte[length];
        Blake3.Hash([.. state, tag, (byte)label.Length, .. label, .. body], output);
        return output;
    }

    private static Transcript After(string data)
    {
        var transcript = new Transcript();
        transcript.Absorb("data", System.Text.Encoding.ASCII.GetBytes(data));
        return transcript;
    }

    [Fact]
    public void Every_step_follows_the_definition()
    {
        var transcript = new Transcript();
        Assert.Equal(Initial, transcript.State.ToArray());

        transcript.Absorb("root", [1, 2, 3]);
        byte[] state = Step(Initial, 1, "root"u8, [.. UInt64(3), 1, 2, 3]);
        Assert.Equal(state, transcript.State.ToArray());

        var element = new Gf128(0x0807060504030201, 0x100f0e0d0c0b0a09);
        transcript.AbsorbElements("e", [element]);
        state = Step(state, 1, "e"u8, [.. UInt64(16), .. Enumerable.Range(1, 16).Select(i => (byte)i)]);
        Assert.Equal(state, transcript.State.ToArray());

        Gf128[] challenges = transcript.Challenges("r", 3);
        byte[] output = Step(state, 2, "r"u8, UInt64(3), 32 + 48);
        state = output[..32];
        Assert.Equal(state, transcript.State.ToArray());
        for (int i = 0; i < 3; i++)
            Assert.Equal(Gf128.Read(output.AsSpan(32 + 16 * i)), challenges[i]);

        Gf128 challenge = transcript.Challenge("s");
        output = Step(state, 2, "s"u8, UInt64(1), 48);
        state = output[..32];
        Assert.Equal(Gf128.Read(output.AsSpan(32)), challenge);

        int[] positions = transcript.DistinctPositions("q", 5, 16);
        output = Step(state, 4, "q"u8, [.. UInt64(5), .. UInt64(16)], 32 + 400);
        state = output[..32];
        var expected = new List<int>();
        for (int i = 32; expected.Count < 5; i += 4)
            if (!expected.Contains(output[i] & 15))
                expected.Add(output[i] & 15);
        Assert.Equal(expected.Order(), positions);

        ulong nonce = transcript.Grind("w", 6, new Workers(1)), lowest = 0;
        while (Step(state, 3, "w"u8, [6, .. UInt64(lowest)])[0] >= 4)
            lowest++;
        Assert.Equal(lowest, nonce);
        state = Step(state, 5, "w"u8, [6, .. UInt64(nonce)]);
        Assert.Equal(state, transcript.State.ToArray());

        Assert.True(transcript.CheckGrind("w", 0, 0));
        Assert.Equal(Step(state, 5, "w"u8, [0, .. UInt64(0)]), transcript.State.ToArray());
    }

    [Fact]
    public void Equal_steps_give_equal_challenges_and_any_difference_shows()
    {
        Assert.Equal(After("a").Challenges("r", 4), After("a").Challenges("r", 4));
        Action<Transcript>[] steps =
        [
            t => { },
            t => t.Absorb("data", "b"u8),
            t => t.Absorb("datab", ""u8),
            t => t.Absorb("dat", "ab"u8),
            t => t.Absorb("data", "b\0"u8),
            t => t.AbsorbElements("data", [Gf128.One]),
            t => t.Challenge("data"),
            t => t.Challenges("data", 0),
            t => t.Challenges("data", 2),
            t => t.DistinctPositions("data", 1, 2),
            t => t.DistinctPositions("data", 1, 4),
            t => t.Grind("data", 0, new Workers(1)),
            t => t.CheckGrind("data", 0, 1),
            t => t.CheckGrind("data", 1, 0),
        ];
        var seen = new HashSet<Gf128>();
        foreach (Action<Transcript> step in steps)
        {
            Transcript transcript = After("a");
            step(transcript);
            Assert.True(seen.Add(transcript.Challenge("r")));
        }
    }

    [Fact]
    public void Positions_are_distinct_sorted_and_uniform()
    {
        var counts = new int[64];
        for (int i = 0; i < 2000; i++)
        {
            var transcript = new Transcript();
            transcript.Absorb("i", BitConverter.GetBytes(i));
            int[] positions = transcript.DistinctPositions("q", 16, 64);
            Assert.Equal(16, positions.Distinct().Count());
            Assert.Equal(positions.Order(), positions);
            foreach (int position in positions)
                counts[position]++;
        }

        // Mean 500, standard deviation 19.4: six deviations either side.
        Assert.All(counts, count => Assert.InRange(count, 384, 616));
        Assert.Equal(Enumerable.Range(0, 32), new Transcript().DistinctPositions("all", 32, 32));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Transcript().DistinctPositions("q", 33, 32));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Transcript().DistinctPositions("q", 3, 33));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(15)]
    public void Work_finds_the_lowest_nonce_with_any_number_of_workers(int bits)
    {
        for (int i = 0; i < 4; i++)
        {
            Transcript one = After($"{i}"), two = After($"{i}"), seven = After($"{i}"), verifier = After($"{i}");
            ulong nonce = one.Grind("work", bits, new Workers(1));
            Assert.Equal(nonce, two.Grind("work", bits, new Workers(2)));
            Assert.Equal(nonce, seven.Grind("work", bits, new Workers(7)));
            Assert.True(verifier.CheckGrind("work", bits, nonce));
            Assert.Equal(one.State.ToArray(), verifier.State.ToArray());
            for (ulong lower = 0; lower < nonce; lower++)
                Assert.False(After($"{i}").CheckGrind("work", bits, lower));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Work_that_is_cancelled_ends(int threads) =>
        // 40 bits take hours: only the cancellation can end it.
        Assert.ThrowsAny<OperationCanceledException>(() => After("a").Grind("work", 40, new Workers(threads, new CancellationToken(canceled: true))));

    [Fact]
    public void Work_of_one_bit_less_is_refused()
    {
        // A nonce good for 10 bits is good for 11 half the time only, and its digest depends on the bits asked for.
        int refused = 0;
        for (int i = 0; i < 32; i++)
        {
            ulong nonce = After($"{i}").Grind("work", 10, new Workers(2));
            if (!After($"{i}").CheckGrind("work", 11, nonce))
                refused++;
        }

        Assert.True(refused >= 30);
        Assert.False(After("a").CheckGrind("work", 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => After("a").Grind("work", 41, new Workers(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => After("a").CheckGrind("work", -1, 0));
    }

    [Fact]
    public void Labels_are_short_ascii()
    {
        Assert.Throws<ArgumentException>(() => new Transcript().Absorb("é", []));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Transcript().Absorb(new string('a', 256), []));
    }

    private sealed class ZeroOracle : Transcript
    {
        public override Gf128[] Challenges(string label, int count) => new Gf128[count];
    }

    [Fact]
    public void A_zero_where_none_may_be_is_reported()
    {
        Assert.False(new ZeroOracle().ChallengeNonZero("xi", out Gf128 zero));
        Assert.True(zero.IsZero);
        Transcript transcript = After("a"), same = After("a");
        Assert.True(transcript.ChallengeNonZero("xi", out Gf128 value));
        Assert.Equal(same.Challenge("xi"), value);
    }

    [Fact]
    public void Challenges_have_balanced_bits()
    {
        Gf128[] challenges = new Transcript().Challenges("r", 4096);
        for (int bit = 0; bit < 128; bit++)
            Assert.InRange(challenges.Count(c => c.Bit(bit) == 1), 1856, 2240);
    }
}
