using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Tests.Circuits;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Windows;

/// <summary>Every kind of chunk length seals and verifies, and what is too small or too large is refused in one sentence.</summary>
public sealed class LengthTests
{
    public static TheoryData<LockHash, int[]> Groups()
    {
        var groups = new TheoryData<LockHash, int[]>();
        foreach (LockHash lockHash in new[] { LockHash.Sha256, LockHash.Blake2b256 })
        {
            foreach (int[] group in Enumerable.Range(1, 200).Chunk(16))
                groups.Add(lockHash, group);
            groups.Add(lockHash, [.. Enumerable.Range(8, 5).SelectMany(AroundPowerOfTwo)]);
            groups.Add(lockHash, [.. Enumerable.Range(13, 3).SelectMany(AroundPowerOfTwo)]);
            groups.Add(lockHash, [.. AroundPowerOfTwo(16)]);
        }

        return groups;

        static IEnumerable<int> AroundPowerOfTwo(int k) => [(1 << k) - 1, 1 << k, (1 << k) + 1];
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public void Every_length_seals_and_verifies(LockHash lockHash, int[] lengths) => SealAndVerify(Suites.Default, lockHash, lengths);

    [Fact]
    public void Twenty_random_windows_of_up_to_32_chunks_seal_and_verify()
    {
        var random = new Random(32);
        for (int k = 0; k < 20; k++)
        {
            // Lengths spread evenly on a logarithmic scale up to 8 KiB.
            int[] lengths = [.. Enumerable.Range(0, random.Next(1, 33)).Select(_ => (int)Math.Pow(2, 13 * random.NextDouble()))];
            SealAndVerify(k % 2 == 0 ? Suites.Default : Suites.Hundred, k % 3 == 0 ? LockHash.Blake2b256 : LockHash.Sha256, lengths);
        }
    }

    [Theory]
    [InlineData(LockHash.Sha256, new[] { 262_144 })]
    [InlineData(LockHash.Blake2b256, new[] { ChunkStatement.MaxLength })]
    [InlineData(LockHash.Sha256, new[] { 1, 1_048_576, 63, 64, 4_097, 300_001 })]
    public void Large_windows_seal_and_verify(LockHash lockHash, int[] lengths) => SealAndVerify(Suites.Default, lockHash, lengths);

    [Theory]
    [InlineData(0, "Chunk 0 is 0 bytes long; a chunk has 1 to 1049600 bytes.")]
    [InlineData(ChunkStatement.MaxLength + 1, "Chunk 0 is 1049601 bytes long; a chunk has 1 to 1049600 bytes.")]
    public void A_chunk_out_of_range_is_refused_in_one_sentence(int length, string sentence)
    {
        var refusal = Assert.Throws<ArgumentException>(() => Seal([new byte[length]]));
        Assert.StartsWith(sentence, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Windows_without_chunks_with_too_many_or_too_large_are_refused_in_one_sentence()
    {
        Assert.StartsWith("The window has 0 chunks; expected 1 to 1024.", Assert.Throws<ArgumentException>(() => Seal([])).Message, StringComparison.Ordinal);
        Assert.StartsWith("The window has 1025 chunks; expected 1 to 1024.",
            Assert.Throws<ArgumentException>(() => Seal([.. Enumerable.Repeat((ReadOnlyMemory<byte>)new byte[1], 1025)])).Message, StringComparison.Ordinal);
        string large = Assert.Throws<ArgumentException>(() => Seal([.. Enumerable.Repeat((ReadOnlyMemory<byte>)new byte[1 << 20], 9)])).Message;
        Assert.Contains("split it", large, StringComparison.Ordinal);
    }

    [Fact]
    public void Sealing_reports_its_stages_in_order()
    {
        var stages = new List<string>();
        using SealedWindow window = WindowSealer.Seal(Suites.Hundred, LockHash.Sha256, new byte[] { 9 }, [new byte[100]], new SystemRandom(), Workers.All, stages.Add);
        Assert.Equal(WindowSealer.Stages, stages);
    }

    [Fact]
    public void Progress_names_the_stages_and_grows_to_one()
    {
        var reports = new List<SealProgress>();
        using SealedWindow window = WindowSealer.Seal(Suites.Hundred, LockHash.Sha256, new byte[] { 9 }, [new byte[100]], new SystemRandom(), Workers.All, new Reports(reports));
        Assert.Equal([.. WindowSealer.Stages, WindowSealer.Stages[^1]], reports.Select(report => report.Stage));
        Assert.Equal(0, reports[0].Done);
        Assert.Equal(1, reports[^1].Done);
        Assert.All(reports.Zip(reports.Skip(1)), pair => Assert.True(pair.First.Done < pair.Second.Done));
    }

    private sealed class Reports(List<SealProgress> reports) : IProgress<SealProgress>
    {
        public void Report(SealProgress value) => reports.Add(value);
    }

    private static SealedWindow Seal(IReadOnlyList<ReadOnlyMemory<byte>> chunks) =>
        WindowSealer.Seal(Suites.Default, LockHash.Sha256, new byte[] { 9 }, chunks, new SystemRandom(), Workers.All);

    // Through the public door, with true randomness.
    private static void SealAndVerify(Suite suite, LockHash lockHash, int[] lengths)
    {
        ReadOnlyMemory<byte>[] chunks = [.. lengths.Select((length, i) => (ReadOnlyMemory<byte>)DeterministicWindow.Expand($"length {i} {length}", length))];
        using SealedWindow window = WindowSealer.Seal(suite, lockHash, new byte[] { 9 }, chunks, new SystemRandom(), Workers.All);
        Rejection? rejection = WindowVerifier.Verify(window.Statement, window.Ciphertexts, window.Proof.Span, VerifierPolicy.Default);
        Assert.True(rejection is null, $"{string.Join(' ', lengths)}: {rejection}");

        // The key opens the ciphertext to the block: checked with the tests' own cipher.
        for (int i = 0; i < lengths.Length; i++)
        {
            ChunkStatement chunk = window.Statement.Chunks[i];
            byte[] opened = Textbook.Crypt(window.Key(i).ToArray(), chunk.FirstCounter, chunk.Nonce.ToArray(), window.Ciphertexts[i].Span);
            Assert.True(opened.AsSpan().SequenceEqual(chunks[i].Span));
        }
    }
}
