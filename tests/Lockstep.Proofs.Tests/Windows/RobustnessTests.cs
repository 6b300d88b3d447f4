using System.Diagnostics;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Windows;

/// <summary>
/// Arbitrary bytes: the verifier never throws, and allocates at most 10 MiB for a window of up to 4 MiB, whatever the bytes,
/// accepted or not.
/// </summary>
public sealed class RobustnessTests(ITestOutputHelper output)
{
    private const long AllocationLimit = 10L << 20;

    private static readonly DeterministicWindow[] Small =
    [
        DeterministicWindow.OneByte,
        DeterministicWindow.Shared(Suites.Default, LockHash.Sha256, "statement", 130, 64, 1, 130),
        DeterministicWindow.Shared(Suites.Hundred, LockHash.Blake2b256, "corruption", 64, 200, 63),
    ];

    private long _mostBytes;
    private TimeSpan _longest;

    [Fact]
    public void Ten_thousand_fuzzed_proofs_and_statements_never_throw()
    {
        var random = new Random(10_000);
        var reasons = new Dictionary<string, int>();
        foreach (DeterministicWindow window in Small)
            Assert.Null(Measure(() => window.Verify()));
        for (int k = 0; k < 10_000; k++)
        {
            DeterministicWindow window = Small[k % Small.Length];
            string outcome = (k % 5) switch
            {
                0 => Reason(Measure(() => window.Verify(RandomBytes(random, window.Proof.Length, window.Proof.AsSpan(0, 16))))),
                1 => Reason(Measure(() => window.Verify(RandomBytes(random, random.Next(2 * window.Proof.Length), window.Proof.AsSpan(0, random.Next(17)))))),
                2 or 3 => Reason(Measure(() => window.Verify(Mutate(random, window.Proof)))),
                _ => FuzzStatement(random, window),
            };
            reasons[outcome] = reasons.GetValueOrDefault(outcome) + 1;
        }

        output.WriteLine($"{string.Join(", ", reasons.OrderBy(pair => pair.Key))}; most allocated {_mostBytes >> 10} KiB, longest {_longest.TotalMilliseconds:F0} ms");
        Assert.DoesNotContain("accepted", reasons.Keys);
        Assert.True(_mostBytes < AllocationLimit, $"{_mostBytes} bytes were allocated");
        Assert.Superset(new HashSet<string> { "Header", "ProofLength", "FoldWork", "Root", "statement Truncated", "statement ChunkLength" }, reasons.Keys.ToHashSet());
    }

    [Fact]
    public void Random_messages_without_any_work_reach_the_tree_and_are_refused_there()
    {
        // The same argument with no work demanded: random bytes pass every work and meet the checks behind it.
        var random = new Random(77);
        DeterministicWindow window = Small[1];
        Assert.Null(WindowInstance.TryCreate(window.Suite, window.Statement, window.Ciphertexts, out WindowInstance? instance));
        ArgumentShape shape = instance!.Argument.Shape with { FoldGrinding = 0, MaskGrinding = 0, PadGrinding = 0, QueryGrinding = 0 };
        shape = shape with { Levels = [.. shape.Levels.Select(level => level with { FoldGrinding = 0, QueryGrinding = 0 })] };
        ArgumentInstance easy = instance.Argument with { Shape = shape };
        ProofMap map = ProofMap.Of(window);
        for (int k = 0; k < 200; k++)
        {
            byte[] proof = RandomBytes(random, window.Proof.Length, default);
            foreach (ProofField nonce in map.Fields.Where(field => field.Name.Contains("nonce", StringComparison.Ordinal)))
                proof.AsSpan(nonce.Offset, nonce.Length).Clear();

            // The first look shows the positions, and so how many siblings a proof with these messages must have.
            var transcript = new PositionRecorder();
            instance.Bind(transcript);
            Measure(() => ArgumentVerifier.Verify(easy, proof.AsSpan(16), transcript));
            int leaves = map.FirstSibling - map.FirstLeaf + shape.Levels.Sum(level => level.Queries * level.LeafBytes);
            proof = [.. proof[..map.FirstLeaf], .. RandomBytes(random, leaves + 32 * transcript.Siblings.Sum(), default)];
            Assert.Equal(RejectReason.Root, Measure(() => ArgumentVerifier.Verify(easy, proof.AsSpan(16), instance.NewTranscript()))?.Reason);
        }

        output.WriteLine($"most allocated {_mostBytes >> 10} KiB, longest {_longest.TotalMilliseconds:F0} ms");
        Assert.True(_mostBytes < AllocationLimit);
    }

    [Fact]
    public void Verifying_a_mebibyte_allocates_less_than_ten()
    {
        DeterministicWindow window = DeterministicWindow.Shared(Suites.Default, LockHash.Sha256, "mebibyte", 262_144, 262_144, 262_144, 262_144);
        Assert.Null(window.Verify());
        Assert.Null(Measure(() => window.Verify()));
        output.WriteLine($"{_mostBytes >> 10} KiB, {_longest.TotalMilliseconds:F0} ms");
        Assert.True(_mostBytes < AllocationLimit, $"{_mostBytes} bytes were allocated");
    }

    [Fact]
    public void Statements_of_hostile_size_are_refused_before_anything_large_is_allocated()
    {
        // 1,024 chunks of the largest length: a gibibyte that no shape holds, with no ciphertext behind it.
        WindowStatement huge = Many(1024, ChunkStatement.MaxLength);
        ReadOnlyMemory<byte>[] none = [.. Enumerable.Repeat(ReadOnlyMemory<byte>.Empty, 1024)];
        VerifierPolicy patient = VerifierPolicy.Default with { MaxChunks = 1024 };
        Assert.Equal(RejectReason.Statement, Measure(() => WindowVerifier.Verify(huge, none, Small[0].Proof, patient))!.Reason);

        // As many chunks as any shape holds, and the largest window on offer: the proof is far too short for them.
        WindowStatement many = Many(1024, 1);
        ReadOnlyMemory<byte>[] bytes = [.. Enumerable.Repeat((ReadOnlyMemory<byte>)new byte[1], 1024)];
        Assert.Equal(RejectReason.ProofLength, Measure(() => WindowVerifier.Verify(many, bytes, Small[0].Proof, patient))!.Reason);
        Assert.Equal(RejectReason.Ciphertext, Measure(() => WindowVerifier.Verify(Many(4, 1 << 20), none[..4], Small[0].Proof, VerifierPolicy.Default))!.Reason);

        // A declared count is held against the bytes at hand.
        byte[] encoded = Small[0].Statement.Encode();
        for (int count = 0; count < 65_536; count += 257)
        {
            int at = 20 + 1 + Small[0].Statement.SuiteId.Length + 2 + Small[0].Statement.ProviderKey.Length;
            BitConverter.TryWriteBytes(encoded.AsSpan(at), (ushort)count);
            Measure(() =>
            {
                Assert.False(WindowStatement.TryDecode(encoded, out _, out StatementFault? fault));
                Assert.Contains(fault.Error, new[] { StatementError.ChunkCount, StatementError.Truncated, StatementError.TrailingBytes });
                return null;
            });
        }

        output.WriteLine($"most allocated {_mostBytes >> 10} KiB, longest {_longest.TotalMilliseconds:F0} ms");
        Assert.True(_mostBytes < AllocationLimit, $"{_mostBytes} bytes were allocated");
    }

    [Fact]
    public void What_the_policy_does_not_allow_is_refused_before_anything_is_allocated_for_it()
    {
        VerifierPolicy policy = VerifierPolicy.Default;
        WindowStatement[] tooMany = [Many(policy.MaxChunks + 1, 1), Many(1024, 1)];
        ReadOnlyMemory<byte>[] bytes = [.. Enumerable.Repeat((ReadOnlyMemory<byte>)new byte[1], 1024)];
        var longProof = new byte[policy.MaxProofBytes + 1];
        var largeContent = new ReadOnlyMemory<byte>[] { new byte[1 << 20] };
        foreach (WindowStatement statement in tooMany)
        {
            ReadOnlyMemory<byte>[] theirs = bytes[..statement.Chunks.Count];
            Refused(() => WindowVerifier.Verify(statement, theirs, Small[0].Proof, policy));
        }

        Refused(() => WindowVerifier.Verify(Small[0].Statement, bytes, Small[0].Proof, policy));
        Refused(() => WindowVerifier.Verify(Small[0].Statement, Small[0].Ciphertexts, longProof, policy));
        Refused(() => WindowVerifier.Verify(Many(1, 1 << 20), largeContent, Small[0].Proof, policy with { MaxContentBytes = (1 << 20) - 1 }));
        Refused(() => WindowVerifier.Verify(Small[0].Statement, Small[0].Ciphertexts, Small[0].Proof, policy with { MaxProofBytes = Small[0].Proof.Length - 1 }));
        Assert.True(_mostBytes < 4096, $"{_mostBytes} bytes were allocated");

        void Refused(Func<Rejection?> verify) => Assert.Equal(RejectReason.Limit, Measure(verify)?.Reason);
    }

    [Fact]
    public void As_many_tiny_chunks_as_the_policy_allows_take_less_than_ten_mebibytes()
    {
        // The worst that a window can ask of a verifier for its bytes.
        DeterministicWindow window = DeterministicWindow.Shared(Suites.Default, LockHash.Sha256, "tiny", [.. Enumerable.Repeat(1, VerifierPolicy.DefaultMaxChunks)]);
        Assert.Null(Measure(() => window.Verify()));
        output.WriteLine($"proof of {window.Proof.Length >> 10} KiB, {_mostBytes >> 10} KiB allocated, {_longest.TotalMilliseconds:F0} ms");
        Assert.InRange(window.Proof.Length, 200 << 10, VerifierPolicy.DefaultMaxProofBytes);
        Assert.True(_mostBytes < AllocationLimit, $"{_mostBytes} bytes were allocated");
    }

    [Fact]
    public void Planned_windows_have_a_shape_and_a_proof_within_the_policy()
    {
        foreach (Suite suite in Suites.All)
        {
            foreach (int length in (int[])[1, 63, 64, 1000, 4096, 65_536, 262_144, 262_145, 1 << 20, ChunkStatement.MaxLength])
            {
                int most = VerifierPolicy.Default.MostChunks(suite, length, 64 << 20);
                long bound = Bound(suite, length, most);
                Assert.InRange(bound, 1, VerifierPolicy.DefaultMaxProofBytes);
                Assert.True(most == VerifierPolicy.DefaultMaxChunks || Bound(suite, length, most + 1) > VerifierPolicy.DefaultMaxProofBytes, $"{most} chunks of {length} bytes are too few");
                Assert.Equal(1, VerifierPolicy.Default.MostChunks(suite, length, length));
                for (int fewer = 1; fewer < most; fewer++)
                    Assert.InRange(Bound(suite, length, fewer), 1, bound);
            }

            // A tighter policy plans smaller windows.
            Assert.Equal(4, (VerifierPolicy.Default with { MaxProofBytes = 300_000 }).MostChunks(suite, 262_144, 64 << 20));
            Assert.Equal(32, VerifierPolicy.Default.MostChunks(suite, 262_144, 64 << 20));
        }

        static long Bound(Suite suite, int length, int count) => WindowInstance.ProofBound(suite, count, (long)count * (length / 64));
    }

    private static WindowStatement Many(int count, int length) => Small[0].Statement with
    {
        Chunks =
        [
            .. Enumerable.Range(0, count).Select(i => new ChunkStatement(length, new byte[32], Numbered(i), new byte[12], 0, Numbered(i))),
        ],
    };

    private static byte[] Numbered(int number) => [.. BitConverter.GetBytes(number), .. new byte[28]];

    private string FuzzStatement(Random random, DeterministicWindow window)
    {
        byte[] bytes = random.Next(4) == 0 ? RandomBytes(random, random.Next(600), window.Statement.Encode().AsSpan(0, 20)) : Mutate(random, window.Statement.Encode());
        Rejection? rejection = null;
        StatementFault? fault = null;
        Measure(() => rejection = WindowStatement.TryDecode(bytes, out WindowStatement? statement, out fault) ? window.Verify(statement: statement) : null);
        return fault is not null ? $"statement {fault.Error}" : Reason(rejection);
    }

    private Rejection? Measure(Func<Rejection?> verify)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        Rejection? rejection = verify();
        _longest = watch.Elapsed > _longest ? watch.Elapsed : _longest;
        _mostBytes = Math.Max(_mostBytes, GC.GetAllocatedBytesForCurrentThread() - before);
        return rejection;
    }

    private static string Reason(Rejection? rejection) => rejection?.Reason.ToString() ?? "accepted";

    private static byte[] RandomBytes(Random random, int length, ReadOnlySpan<byte> prefix)
    {
        var bytes = new byte[Math.Max(length, prefix.Length)];
        random.NextBytes(bytes);
        prefix.CopyTo(bytes);
        return bytes;
    }

    // One to eight changes, each of one kind: other bits, another byte, a run of zeros or of one bits, a run copied from
    // elsewhere, a run removed, a run inserted.
    private static byte[] Mutate(Random random, byte[] good)
    {
        while (true)
        {
            byte[] bytes = [.. good];
            for (int changes = random.Next(1, 9); changes > 0; changes--)
            {
                int at = random.Next(bytes.Length), run = Math.Min(random.Next(1, 65), bytes.Length - at);
                switch (random.Next(7))
                {
                    case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                    case 1: bytes[at] = (byte)random.Next(256); break;
                    case 2: bytes.AsSpan(at, run).Clear(); break;
                    case 3: bytes.AsSpan(at, run).Fill(0xff); break;
                    case 4: bytes.AsSpan(random.Next(bytes.Length - run + 1), run).CopyTo(bytes.AsSpan(at)); break;
                    case 5: bytes = [.. bytes[..at], .. bytes[(at + run)..], 0]; break;
                    default: bytes = [.. bytes[..at], .. new byte[run], .. bytes[at..]]; break;
                }
            }

            if (!bytes.AsSpan().SequenceEqual(good))
                return bytes;
        }
    }
}
