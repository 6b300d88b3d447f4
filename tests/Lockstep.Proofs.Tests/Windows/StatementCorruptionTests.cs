using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Windows;

/// <summary>
/// A good proof held against another statement. What is malformed has its own reason; all the rest is bound by the
/// transcript, so that no work of the proof holds any more.
/// </summary>
public sealed class StatementCorruptionTests
{
    private static readonly int[] Lengths = [130, 64, 1, 130];

    private static readonly RejectReason[] Bound = [RejectReason.FoldWork, RejectReason.MaskWork, RejectReason.PadWork, RejectReason.QueryWork];

    private static readonly DeterministicWindow Good = DeterministicWindow.Shared(Suites.Default, LockHash.Sha256, "statement", Lengths);

    [Fact]
    public void The_unchanged_statement_is_accepted()
    {
        Assert.Null(Good.Verify());
        Assert.True(WindowStatement.TryDecode(Good.Statement.Encode(), out WindowStatement? decoded, out _));
        Assert.Null(Good.Verify(statement: decoded));
    }

    [Fact]
    public void A_wrong_bit_of_any_ciphertext_is_refused()
    {
        for (int chunk = 0; chunk < Lengths.Length; chunk++)
        {
            // First, middle and last byte; the last of 64 bytes before the tail and the first of the tail.
            foreach (int at in new[] { 0, Lengths[chunk] / 2, Lengths[chunk] - 1, Math.Min(63, Lengths[chunk] - 1), Lengths[chunk] / 64 * 64 }.Where(at => at < Lengths[chunk]))
                for (int bit = 0; bit < 8; bit++)
                    Refused(Bound, ciphertexts: Replace(Good.Ciphertexts, chunk, Flip(Good.Ciphertexts[chunk], at, bit)));
        }
    }

    [Theory]
    [InlineData("digest")]
    [InlineData("seal id")]
    [InlineData("nonce")]
    [InlineData("lock")]
    public void A_wrong_bit_of_a_chunks_field_is_refused(string field)
    {
        for (int chunk = 0; chunk < Lengths.Length; chunk++)
        {
            ChunkStatement good = Good.Statement.Chunks[chunk];
            int size = field == "nonce" ? 12 : 32;
            for (int at = 0; at < size; at++)
                for (int bit = at % 2; bit < 8; bit += 4)
                    Refused(Bound, With(chunk, field switch
                    {
                        "digest" => good with { Digest = Flip(good.Digest, at, bit) },
                        "seal id" => good with { SealId = Flip(good.SealId, at, bit) },
                        "nonce" => good with { Nonce = Flip(good.Nonce, at, bit) },
                        _ => good with { Lock = Flip(good.Lock, at, bit) },
                    }));
        }
    }

    [Fact]
    public void Another_counter_length_or_size_of_field_is_refused()
    {
        for (int chunk = 0; chunk < Lengths.Length; chunk++)
        {
            ChunkStatement good = Good.Statement.Chunks[chunk];
            Refused(Bound, With(chunk, good with { FirstCounter = good.FirstCounter + 1 }));
            Refused(Bound, With(chunk, good with { FirstCounter = good.FirstCounter ^ 0x4000_0000 }));
            uint blocks = (uint)(good.Length + 63) / 64, last = (uint)((1L << 32) - blocks);
            Refused(Bound, With(chunk, good with { FirstCounter = last }));
            if (blocks > 1)
                Refused([RejectReason.Statement], With(chunk, good with { FirstCounter = last + 1 }));

            Refused([RejectReason.Ciphertext], With(chunk, good with { Length = good.Length + 1 }));
            Refused([good.Length == 1 ? RejectReason.Statement : RejectReason.Ciphertext], With(chunk, good with { Length = good.Length - 1 }));
            Refused([RejectReason.Statement], With(chunk, good with { Length = 0 }));
            Refused([RejectReason.Statement], With(chunk, good with { Length = -1 }));
            Refused([RejectReason.Statement], With(chunk, good with { Length = ChunkStatement.MaxLength + 1 }));

            // Length and ciphertext changed together.
            Refused(Bound, With(chunk, good with { Length = good.Length + 1 }),
                Replace(Good.Ciphertexts, chunk, (byte[])[.. Good.Ciphertexts[chunk].Span, 0]));
            if (good.Length > 1)
                Refused(Bound, With(chunk, good with { Length = good.Length - 1 }), Replace(Good.Ciphertexts, chunk, Good.Ciphertexts[chunk][..^1]));

            Refused([RejectReason.Statement], With(chunk, good with { Digest = good.Digest[1..] }));
            Refused([RejectReason.Statement], With(chunk, good with { SealId = (byte[])[.. good.SealId.Span, 0] }));
            Refused([RejectReason.Statement], With(chunk, good with { Nonce = default }));
            Refused([RejectReason.Statement], With(chunk, good with { Lock = good.Lock[..31] }));
        }
    }

    [Fact]
    public void Another_provider_suite_or_lock_hash_is_refused()
    {
        WindowStatement good = Good.Statement;
        for (int at = 0; at < good.ProviderKey.Length; at++)
            Refused(Bound, good with { ProviderKey = Flip(good.ProviderKey, at, at % 8) });
        Refused(Bound, good with { ProviderKey = good.ProviderKey[..^1] });
        Refused(Bound, good with { ProviderKey = (byte[])[.. good.ProviderKey.Span, 0] });
        Refused([RejectReason.Statement], good with { ProviderKey = default });
        Refused([RejectReason.Statement], good with { ProviderKey = new byte[129] });

        Refused(Bound, good with { LockHash = LockHash.Blake2b256 });
        Refused([RejectReason.Statement], good with { LockHash = 0 });
        Refused([RejectReason.Statement], good with { LockHash = (LockHash)3 });

        // The other suite prescribes fewer queries, so a shorter proof.
        Refused([RejectReason.ProofLength], good with { SuiteId = Suites.Hundred.Id });
        Refused([RejectReason.Suite], good with { SuiteId = "lockstep-b128-u120/1" });
        Refused([RejectReason.Suite], good with { SuiteId = "" });
        Assert.Equal(RejectReason.Suite, Good.Verify(policy: new VerifierPolicy([Suites.Hundred]))?.Reason);
        Assert.Equal(RejectReason.Limit, Good.Verify(policy: VerifierPolicy.Default with { MaxContentBytes = Lengths.Sum() - 1 })?.Reason);
        Assert.Null(Good.Verify(policy: VerifierPolicy.Default with { MaxContentBytes = Lengths.Sum() }));
    }

    [Fact]
    public void Chunks_swapped_dropped_or_added_are_refused()
    {
        WindowStatement good = Good.Statement;
        ChunkStatement[] chunks = [.. good.Chunks];
        ReadOnlyMemory<byte>[] ciphertexts = Good.Ciphertexts;

        // Chunks 0 and 3 have one length: nothing but the proof itself can tell them apart.
        ChunkStatement[] swapped = [chunks[3], chunks[1], chunks[2], chunks[0]];
        ReadOnlyMemory<byte>[] swappedBytes = [ciphertexts[3], ciphertexts[1], ciphertexts[2], ciphertexts[0]];
        Refused(Bound, good with { Chunks = swapped });
        Refused(Bound, ciphertexts: swappedBytes);
        Refused(Bound, good with { Chunks = swapped }, swappedBytes);
        Refused([RejectReason.Ciphertext], good with { Chunks = [chunks[1], chunks[0], chunks[2], chunks[3]] });

        Refused(Bound, good with { Chunks = chunks[..^1] }, ciphertexts[..^1]);
        Refused([RejectReason.Ciphertext], good with { Chunks = chunks[..^1] });
        Refused([RejectReason.Ciphertext], ciphertexts: ciphertexts[..^1]);
        Refused([RejectReason.Ciphertext], ciphertexts: []);
        Refused([RejectReason.Statement], good with { Chunks = [] }, []);

        DeterministicWindow other = DeterministicWindow.Shared(Suites.Default, LockHash.Sha256, "other deal", Lengths);
        Refused(Bound, good with { Chunks = [.. chunks, other.Statement.Chunks[0]] }, [.. ciphertexts, other.Ciphertexts[0]]);
        Refused([RejectReason.Ciphertext], ciphertexts: [.. ciphertexts, other.Ciphertexts[0]]);
        Refused([RejectReason.Statement], good with { Chunks = [.. chunks, chunks[0]] }, [.. ciphertexts, ciphertexts[0]]);
        Refused([RejectReason.Statement], With(1, chunks[1] with { Lock = chunks[0].Lock }));
        Refused([RejectReason.Statement], With(1, chunks[1] with { SealId = chunks[0].SealId }));
    }

    [Fact]
    public void A_proof_of_another_deal_or_window_is_refused()
    {
        DeterministicWindow other = DeterministicWindow.Shared(Suites.Default, LockHash.Sha256, "other deal", Lengths);
        Assert.Null(other.Verify());
        Assert.Contains(Good.Verify(other.Proof)!.Reason, Bound);
        Assert.Contains(other.Verify(Good.Proof)!.Reason, Bound);
        Refused(Bound, other.Statement);
        Refused(Bound, other.Statement, other.Ciphertexts);
        Refused(Bound, ciphertexts: other.Ciphertexts);

        // One chunk taken over from another deal, statement and ciphertext together.
        Refused(Bound, With(2, other.Statement.Chunks[2]), Replace(Good.Ciphertexts, 2, other.Ciphertexts[2]));
        Assert.Contains(Good.Verify(DeterministicWindow.OneByte.Proof)!.Reason, Bound);
    }

    private static void Refused(RejectReason[] reasons, WindowStatement? statement = null, IReadOnlyList<ReadOnlyMemory<byte>>? ciphertexts = null)
    {
        Rejection? rejection = Good.Verify(statement: statement, ciphertexts: ciphertexts);
        Assert.NotNull(rejection);
        Assert.Contains(rejection.Reason, reasons);
        Assert.False(string.IsNullOrWhiteSpace(rejection.Detail));
    }

    private static WindowStatement With(int chunk, ChunkStatement replacement) =>
        Good.Statement with { Chunks = [.. Good.Statement.Chunks.Select((good, i) => i == chunk ? replacement : good)] };

    private static ReadOnlyMemory<byte>[] Replace(ReadOnlyMemory<byte>[] ciphertexts, int chunk, ReadOnlyMemory<byte> replacement) =>
        [.. ciphertexts.Select((good, i) => i == chunk ? replacement : good)];

    private static ReadOnlyMemory<byte> Flip(ReadOnlyMemory<byte> bytes, int at, int bit)
    {
        byte[] changed = bytes.ToArray();
        changed[at] ^= (byte)(1 << bit);
        return changed;
    }
}
