using System.Text;
using System.Text.Json;
using CsCheck;
using Lockstep.Proofs.Hashing;

namespace Lockstep.Proofs.Tests.Hashing;

public sealed class Blake3Tests
{
    private static readonly JsonDocument Vectors = JsonDocument.Parse(
        File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "vectors", "blake3.v1.json")));

    private static readonly byte[] Key = Encoding.ASCII.GetBytes(Vectors.RootElement.GetProperty("key").GetString()!);

    public static TheoryData<int> OfficialCases =>
        [.. Vectors.RootElement.GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("input_len").GetInt32())];

    private static byte[] Input(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i % 251))];

    private static byte[] Expected(int length, string mode) => Convert.FromHexString(
        Vectors.RootElement.GetProperty("cases").EnumerateArray().Single(c => c.GetProperty("input_len").GetInt32() == length)
            .GetProperty(mode).GetString()!);

    [Fact]
    public void The_official_file_has_all_its_cases() => Assert.Equal(35, OfficialCases.Count);

    [Theory]
    [MemberData(nameof(OfficialCases))]
    public void Official_vectors(int length)
    {
        byte[] input = Input(length), expected = Expected(length, "hash"), output = new byte[expected.Length];
        Blake3.Hash(input, output);
        Assert.Equal(expected, output);
        Assert.Equal(expected[..32], Blake3.Hash(input));

        Blake3.KeyedHash(Key, input, output);
        Assert.Equal(Expected(length, "keyed_hash"), output);

        Blake3.DeriveKey(Vectors.RootElement.GetProperty("context_string").GetString()!, input, output);
        Assert.Equal(Expected(length, "derive_key"), output);
    }

    [Theory]
    [MemberData(nameof(OfficialCases))]
    public void Official_vectors_at_every_width(int length)
    {
        if (length == 0)
            return;
        byte[] expected = Expected(length, "keyed_hash")[..32], input = Input(length);
        foreach (int lanes in new[] { 1, 4, 8, 16 })
        {
            byte[] inputs = [.. Enumerable.Repeat(input, lanes).SelectMany(x => x)], outputs = new byte[lanes * 32];
            Blake3Batch.KeyedHashMany(Key, inputs, length, outputs, lanes);
            Assert.Equal(Enumerable.Repeat(expected, lanes).SelectMany(x => x), outputs);
        }

        Assert.Equal(Expected(length, "hash")[..32], Blake3.Hash(input));
    }

    [Fact]
    public void Long_messages_hash_the_same_whole_and_in_pieces()
    {
        var random = new Random(3);
        foreach (int length in (int[])[0, 1, 3072, 3073, 4095, 16_384, 16_385, 31 * 1024, 262_144, 262_145, 1_049_600, 33_000 + random.Next(1000)])
        {
            var input = new byte[length];
            random.NextBytes(input);

            // Pieces shorter than a chunk never reach the lanes that hash whole chunks side by side.
            using var hasher = new Blake3Hasher();
            for (int at = 0; at < length; at += 777)
                hasher.Update(input.AsSpan(at, Math.Min(777, length - at)));
            var digest = new byte[Blake3.DigestSize];
            hasher.Finish(digest);
            Assert.Equal(Blake3.Hash(input), digest);
        }
    }

    [Fact]
    public void Pieces_do_not_matter() =>
        Gen.Select(Gen.Int[0, 5000], Gen.Int[1, 1500].Array[1, 8]).Sample((length, pieces) =>
        {
            byte[] input = Input(length), whole = new byte[32], parts = new byte[32];
            Blake3.Hash(input, whole);
            using var hasher = new Blake3Hasher();
            for (int offset = 0, i = 0; offset < length; i++)
            {
                int take = Math.Min(pieces[i % pieces.Length], length - offset);
                hasher.Update(input.AsSpan(offset, take));
                offset += take;
            }

            hasher.Finish(parts);
            return whole.AsSpan().SequenceEqual(parts);
        }, iter: 300);

    [Fact]
    public void Finishing_does_not_end_a_hasher()
    {
        using var hasher = new Blake3Hasher();
        hasher.Update(Input(2048));
        byte[] early = new byte[32], late = new byte[32];
        hasher.Finish(early);
        hasher.Update(Input(3073).AsSpan(2048));
        hasher.Finish(late);
        Assert.Equal(Expected(2048, "hash")[..32], early);
        Assert.Equal(Expected(3073, "hash")[..32], late);
    }

    [Fact]
    public void Output_is_one_stream_from_any_place()
    {
        using var hasher = new Blake3Hasher();
        hasher.Update(Input(1025));
        var whole = new byte[1000];
        hasher.Finish(whole);
        Gen.Select(Gen.Int[0, 900], Gen.Int[0, 100]).Sample((offset, length) =>
        {
            using Blake3Output output = hasher.Finish();
            var part = new byte[length];
            output.Seek((ulong)offset);
            output.Fill(part);
            return part.AsSpan().SequenceEqual(whole.AsSpan(offset, length));
        }, iter: 200);
    }

    [Fact]
    public void Batches_equal_single_hashes_at_every_width_and_count() =>
        Gen.Select(Gen.OneOf(Gen.Int[1, 130], Gen.Int[1000, 1100], Gen.Int[2000, 2500], Gen.Int[4090, 4200]), Gen.Int[0, 37], Gen.Int, Gen.Int[0, 3].Select(i => new[] { 1, 4, 8, 16 }[i]))
            .Sample((length, count, seed, lanes) =>
            {
                byte[] inputs = new byte[length * count], outputs = new byte[count * 32], one = new byte[32];
                new Random(seed).NextBytes(inputs);
                Blake3Batch.KeyedHashMany(Key, inputs, length, outputs, lanes);
                for (int i = 0; i < count; i++)
                {
                    Blake3.KeyedHash(Key, inputs.AsSpan(i * length, length), one);
                    if (!one.AsSpan().SequenceEqual(outputs.AsSpan(i * 32, 32)))
                        return false;
                }

                return true;
            }, iter: 200);

    [Fact]
    public void Unkeyed_batches_equal_single_hashes()
    {
        byte[] inputs = Input(77 * 21), outputs = new byte[21 * 32];
        Blake3Batch.HashMany(inputs, 77, outputs);
        for (int i = 0; i < 21; i++)
            Assert.Equal(Blake3.Hash(inputs.AsSpan(i * 77, 77)), outputs[(i * 32)..(i * 32 + 32)]);
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Blake3Hasher.Keyed(new byte[31]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Blake3Batch.KeyedHashMany(Key, new byte[127], 64, new byte[64]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Blake3Batch.KeyedHashMany(Key, new byte[128], 64, new byte[63]));
    }
}
