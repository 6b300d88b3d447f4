using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Layout;

namespace Lockstep.Proofs.Tests.Layout;

/// <summary>Honest windows of many shapes satisfy every row and tie; every kind of wrong witness is named.</summary>
public sealed class ExplainTests
{
    [Theory]
    [InlineData(LockHash.Sha256)]
    [InlineData(LockHash.Blake2b256)]
    public void Every_chunk_length_to_200_holds(LockHash lockHash)
    {
        for (int length = 1; length <= 200; length++)
        {
            using TestWindow window = TestWindow.Create(lockHash, length);
            Assert.Null(window.Fault());
        }
    }

    [Theory]
    [InlineData(8, 0, new[] { 255, 256, 257 })]
    [InlineData(8, 0, new[] { 511, 512, 513, 1 })]
    [InlineData(8, 1, new[] { 1023, 1024 })]
    [InlineData(9, 1, new[] { 1025, 2047, 2048, 2049, 64, 63, 65, 127 })]
    [InlineData(10, 2, new[] { 4095, 4096, 4097, 8191, 8192, 8193 })]
    [InlineData(12, 3, new[] { 65_535, 65_536, 65_537 })]
    [InlineData(8, 0, new[] { 1, 2, 3, 4, 5, 6, 7, 8 })]
    [InlineData(8, 0, new[] { 64 * 256 })]
    public void Windows_of_several_chunks_hold(int kappa, int topBits, int[] lengths)
    {
        foreach (LockHash lockHash in Enum.GetValues<LockHash>())
        {
            using TestWindow window = TestWindow.CreateShaped(lockHash, kappa, topBits, lengths);
            for (int i = 0; i < WindowLayout.MaskUnits; i++)
                window.Witness.MaskWords(i).Fill(0x01234567u * (uint)i);
            Assert.Null(window.Fault());
            Assert.Null(Explain.Window(window.Statement, window.Ciphertexts, window.Data, window.Keys));
        }
    }

    [Fact]
    public void The_witness_does_not_depend_on_the_number_of_workers()
    {
        using TestWindow window = TestWindow.CreateShaped(LockHash.Sha256, 9, 0, 3000, 64, 7777);
        using var other = Witness.Build(window.Statement, window.Layout, window.Data, window.Keys, workers: 3);
        Assert.True(window.Witness.Units.SequenceEqual(other.Units));
        Assert.True(window.Witness.Tails.SequenceEqual(other.Tails));
    }

    [Fact]
    public void Disposing_overwrites_the_slots()
    {
        TestWindow window = TestWindow.Create(LockHash.Sha256, 100);
        window.Dispose();
        Assert.True(window.Witness.Units.IndexOfAnyExcept(0u) < 0);
        Assert.True(window.Witness.Tails.IndexOfAnyExcept(0u) < 0);
    }

    // A slot is changed and, where a tie is meant and not a row, run honestly again: a forging prover's witness.
    [Theory]
    [InlineData(2, 48, 1u << 7, false, "unit 2 of chunk 0: AND word 48 (SHA-256 schedule 16 +s0) bit 7 is not the product of its two forms")]
    [InlineData(2, 312, 1u, false, "unit 2 of chunk 0: AND word 312 (SHA-256 round 13 +K) bit 0")]
    [InlineData(2, 812, 1u << 31, false, "unit 2 of chunk 0: AND word 812 (ChaCha20 round 2 column 1 a+b) bit 31")]
    [InlineData(2, 1150, 1u << 31, false, "unit 2 of chunk 0: word 1150 bit 31 must stay empty")]
    [InlineData(2, 5, 1u, true, "unit 2 of chunk 0: M xor key stream is not the public one (output word 5)")]
    [InlineData(2, UnitCircuit.HIn, 1u, true, "unit 2 of chunk 0: H_in is not the H_out of unit 1")]
    [InlineData(0, UnitCircuit.HIn + 7, 1u, true, "unit 0 of chunk 0: H_in is not SHA-256's initial state")]
    [InlineData(5, UnitCircuit.HIn + 7, 1u, true, "unit 5 of chunk 1: H_in is not SHA-256's initial state")]
    [InlineData(1, UnitCircuit.Counter, 1u, true, "unit 1 of chunk 0: M xor key stream")]
    [InlineData(1, UnitCircuit.One, 1u, true, "unit 1 of chunk 0: M xor key stream")]
    [InlineData(1, UnitCircuit.One, 2u, true, "unit 1 of chunk 0: the one word is not the public one (output word 20)")]
    [InlineData(9, UnitCircuit.One, 2u, true, "unused unit 9: the one word")]
    [InlineData(9, UnitCircuit.Message, 1u, true, "unused unit 9: M xor key stream")]
    [InlineData(9, UnitCircuit.HIn, 1u, true, "unused unit 9: H_in is not zero")]
    [InlineData(9, 1100, 1u, false, "unused unit 9: AND word 1100")]
    public void A_wrong_unit_is_named(int unit, int word, uint change, bool rerun, string expected)
    {
        using TestWindow window = TestWindow.Create(LockHash.Sha256, 335, 130);
        Span<uint> slot = window.Witness.UnitSlot(unit);
        slot[word] ^= change;
        if (rerun)
            UnitCircuit.Instance.Evaluate(slot);
        Assert.StartsWith(expected, window.Fault(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, TailCircuit.Message1, 1u, true, "tail 0: M1 xor the selected key stream is not the ciphertext and padding (output word 0)")]
    [InlineData(0, TailCircuit.Message1 + 15, 1u, true, "tail 0: M1 xor the selected key stream is not the ciphertext and padding (output word 15)")]
    [InlineData(0, TailCircuit.Message2, 1u, true, "tail 0: M2 is not the second padding block (output word 16)")]
    [InlineData(0, TailCircuit.HIn, 1u, true, "tail 0: the SHA-256 of the data is not the digest")]
    [InlineData(0, TailCircuit.SecondBlock, 1u, true, "tail 0: the SHA-256 of the data is not the digest")]
    [InlineData(0, TailCircuit.SecondBlock, 2u, true, "tail 0: sel2 is not the public one (output word 77)")]
    [InlineData(0, TailCircuit.One, 4u, true, "tail 0: the one word is not the public one (output word 76)")]
    [InlineData(0, 1900, 1u, false, "tail 0: AND word 1900 (SHA-256 of the key schedule 20 +s1) bit 0")]
    [InlineData(0, 2614, 1u, false, "tail 0: AND word 2614 (BLAKE2b round 0 column 0 a+b) bit 0")]
    [InlineData(0, 4000, 1u, false, "tail 0: word 4000 bit 0 must stay empty")]
    [InlineData(2, TailCircuit.One, 2u, true, "unused tail 2: the one word is not the public one")]
    [InlineData(2, TailCircuit.Nonce, 2u, true, "unused tail 2: the nonce is not the public one")]
    public void A_wrong_tail_is_named(int tail, int word, uint change, bool rerun, string expected)
    {
        using TestWindow window = TestWindow.Create(LockHash.Sha256, 15, 130);
        Span<uint> slot = window.Witness.TailSlot(tail);
        slot[word] ^= change;
        if (rerun)
            TailCircuit.Instance.Evaluate(slot);
        Assert.StartsWith(expected, window.Fault(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_differs_between_slots_is_named()
    {
        // The whole unit is consistent under another key: only the link can notice.
        using TestWindow window = TestWindow.Create(LockHash.Sha256, 128);
        window.Witness.TailSlot(0)[TailCircuit.Key + 3] ^= 1;
        TailCircuit.Instance.Evaluate(window.Witness.TailSlot(0));
        Assert.Equal("unit 0 of chunk 0: the key is not the key of tail 0", window.Fault());

        // Data of an unused unit hidden behind a key: the output is zero, the key is not.
        using TestWindow idle = TestWindow.Create(LockHash.Sha256, 128);
        idle.Witness.UnitSlot(9)[UnitCircuit.Key] = 1;
        UnitCircuit.Instance.Evaluate(idle.Witness.UnitSlot(9));
        Span<uint> outputs = stackalloc uint[UnitCircuit.OutputWords];
        UnitCircuit.Instance.Outputs(idle.Witness.UnitSlot(9), outputs);
        for (int i = 0; i < 16; i++)
            idle.Witness.UnitSlot(9)[i] = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(outputs[i]);
        UnitCircuit.Instance.Evaluate(idle.Witness.UnitSlot(9));
        Assert.Equal("unused unit 9: the key is not zero, as an unused unit's", idle.Fault());
    }

    [Fact]
    public void A_tail_that_does_not_follow_its_last_unit_is_named()
    {
        // A digest made for the wrong state: all of the tail holds, only its link does not.
        using TestWindow window = TestWindow.Create(LockHash.Sha256, 128);
        window.Witness.TailSlot(0)[TailCircuit.HIn] ^= 1;
        TailCircuit.Instance.Evaluate(window.Witness.TailSlot(0));
        Span<uint> outputs = stackalloc uint[TailCircuit.OutputWords];
        TailCircuit.Instance.Outputs(window.Witness.TailSlot(0), outputs);
        byte[] digest = Circuits.Textbook.Bytes(outputs.Slice(TailCircuit.OutputDigest, 8));
        WindowStatement forged = window.Statement with { Chunks = [window.Statement.Chunks[0] with { Digest = digest }] };
        PublicWords expected = PublicWords.TryCreate(forged, window.Layout, window.Ciphertexts, out _)!;
        Assert.Equal("tail 0: H_in is not the H_out of unit 1", Explain.FirstFault(LockHash.Sha256, window.Layout, expected, window.Witness));
    }

    [Theory]
    [InlineData(LockHash.Sha256, "SHA-256(k) is not the lock")]
    [InlineData(LockHash.Blake2b256, "BLAKE2b-256(k) is not the lock")]
    public void A_false_statement_is_named(LockHash lockHash, string lockFault)
    {
        using TestWindow window = TestWindow.Create(lockHash, 1, 200, 60);
        ChunkStatement chunk = window.Statement.Chunks[1];
        Assert.Null(Explained(chunk));
        Assert.StartsWith($"tail 1: {lockFault}", Explained(chunk with { Lock = Flip(chunk.Lock, 255) }), StringComparison.Ordinal);
        Assert.StartsWith("tail 1: the SHA-256 of the data is not the digest", Explained(chunk with { Digest = Flip(chunk.Digest, 0) }), StringComparison.Ordinal);
        Assert.StartsWith("unit 0 of chunk 1: M xor key stream", Explained(chunk with { Nonce = Flip(chunk.Nonce, 95) }), StringComparison.Ordinal);
        Assert.StartsWith("unit 0 of chunk 1: M xor key stream", Explained(chunk with { FirstCounter = chunk.FirstCounter + 1 }), StringComparison.Ordinal);
        Assert.StartsWith("The block of chunk 1 has 200 bytes", Explained(chunk with { Length = 199 }), StringComparison.Ordinal);
        Assert.StartsWith("unit 2 of chunk 1: M xor key stream", Explained(chunk, flipCiphertext: 8 * 130), StringComparison.Ordinal);
        Assert.StartsWith("tail 1: M1 xor the selected key stream", Explained(chunk, flipCiphertext: 8 * 199), StringComparison.Ordinal);

        string? Explained(ChunkStatement changed, int flipCiphertext = -1)
        {
            WindowStatement statement = window.Statement with { Chunks = [window.Statement.Chunks[0], changed, window.Statement.Chunks[2]] };
            ReadOnlyMemory<byte>[] ciphertexts = [.. window.Ciphertexts];
            if (flipCiphertext >= 0)
                ciphertexts[1] = Flip(ciphertexts[1], flipCiphertext);
            return Explain.Window(statement, ciphertexts, window.Data, window.Keys);
        }

        static byte[] Flip(ReadOnlyMemory<byte> bytes, int bit)
        {
            byte[] flipped = bytes.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            return flipped;
        }
    }

    [Fact]
    public void The_lock_of_the_other_kind_is_not_tied()
    {
        using TestWindow window = TestWindow.Create(LockHash.Sha256, 10);
        Span<uint> outputs = stackalloc uint[TailCircuit.OutputWords];
        window.Expected.TailOutputs(0, outputs);
        Assert.True(outputs.Slice(TailCircuit.UntiedLock(LockHash.Sha256), 8).IndexOfAnyExcept(0u) < 0);
        Assert.Equal(window.Statement.Chunks[0].Lock.ToArray(), Circuits.Textbook.Bytes(outputs.Slice(TailCircuit.TiedLock(LockHash.Sha256), 8)));
        // Both lock functions are computed whatever the statement names.
        TailCircuit.Instance.Outputs(window.Witness.TailSlot(0), outputs);
        Assert.Equal(Circuits.Textbook.Blake2b256(window.Keys[0].Span), Circuits.Textbook.Bytes(outputs.Slice(TailCircuit.OutputBlakeLock, 8)));
    }

    // Tails of docs/proof-system.md section 3, and the padding of FIPS 180-4 on both sides of 55 bytes.
    [Theory]
    [InlineData(64, 0u, 0u)]
    [InlineData(119, 1u, 0u)]
    [InlineData(120, 1u, 1u)]
    [InlineData(127, 1u, 1u)]
    [InlineData(128, 0u, 0u)]
    public void Tail_counters_and_second_blocks(int length, uint counts, uint second)
    {
        using TestWindow window = TestWindow.Create(LockHash.Sha256, length);
        Span<uint> outputs = stackalloc uint[TailCircuit.OutputWords];
        window.Expected.TailOutputs(0, outputs);
        ChunkStatement chunk = window.Statement.Chunks[0];
        Assert.Equal(counts * (chunk.FirstCounter + (uint)(length / 64)), outputs[TailCircuit.OutputCounter]);
        Assert.Equal(second, outputs[TailCircuit.OutputSecondBlock]);
        Assert.Equal(8 * (length % 64), outputs.Slice(TailCircuit.OutputSelectors, 16).ToArray().Sum(System.Numerics.BitOperations.PopCount));
        Assert.Equal(second == 0, outputs.Slice(TailCircuit.OutputMessage2, 16).IndexOfAnyExcept(0u) < 0);
    }

    [Fact]
    public void Public_words_refuse_what_does_not_match_the_layout()
    {
        using TestWindow window = TestWindow.Create(LockHash.Sha256, 100, 200);
        Assert.Null(PublicWords.TryCreate(window.Statement, window.Layout, [window.Ciphertexts[0]], out string? reason));
        Assert.Contains("1 ciphertexts", reason, StringComparison.Ordinal);
        Assert.Null(PublicWords.TryCreate(window.Statement, window.Layout, [window.Ciphertexts[0], window.Ciphertexts[0]], out reason));
        Assert.Contains("chunk 1 has 100 bytes; expected 200", reason, StringComparison.Ordinal);
    }
}
