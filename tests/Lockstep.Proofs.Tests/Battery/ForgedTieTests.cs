using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Layout;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// A forging prover that runs the honest code on a witness, or for a statement, with exactly one tie broken. Public outputs
/// fail at the lincheck, links at the ties' sumcheck; every other equation holds.
/// </summary>
public sealed class ForgedTieTests
{
    // Chunk 0: units 0..2 and 8 bytes; chunk 1: unit 3 and no byte; chunk 2: no unit, two padding blocks; chunk 3: units 4..7.
    private static readonly int[] Lengths = [200, 64, 60, 300];

    private static readonly Dictionary<string, Action<ForgedWindow>> OutputLies = new()
    {
        ["first ciphertext bit"] = w => w.UnitClaim(0)[0] ^= 1,
        ["ciphertext bit of a middle unit"] = w => w.UnitClaim(5)[9] ^= 1u << 17,
        ["last ciphertext bit of the units"] = w => w.UnitClaim(7)[15] ^= 1u << 31,
        ["last ciphertext bit of a tail"] = w => w.TailClaim(3)[TailCircuit.OutputMessage1 + 10] ^= 1u << 31,
        ["ciphertext of a chunk without units"] = w => w.TailClaim(2)[TailCircuit.OutputMessage1] ^= 1,
        ["ciphertexts of two units swapped"] = w => (w.UnitClaim(0)[0], w.UnitClaim(1)[0]) = (w.UnitClaim(1)[0], w.UnitClaim(0)[0]),
        ["counter off by one"] = w => Rebuilt(w, 2, UnitCircuit.Counter, UnitCircuit.OutputCounter, word => word + 1),
        ["nonce"] = w => Rebuilt(w, 6, UnitCircuit.Nonce + 1, UnitCircuit.OutputNonce + 1, word => word ^ 4),
        ["one is zero in a used unit"] = w => Rebuilt(w, 1, UnitCircuit.One, UnitCircuit.OutputOne, _ => 0),
        ["one has a second bit"] = w => Rebuilt(w, 1, UnitCircuit.One, UnitCircuit.OutputOne, _ => 3),
        ["tail counter off by one"] = w => RebuiltTail(w, 0, TailCircuit.Counter, TailCircuit.OutputCounter, word => word + 1),
        ["tail nonce"] = w => RebuiltTail(w, 3, TailCircuit.Nonce + 2, TailCircuit.OutputNonce + 2, word => word ^ 1),
        ["one is zero in a tail"] = w => RebuiltTail(w, 0, TailCircuit.One, TailCircuit.OutputOne, _ => 0),
        ["selector of one byte too many"] = w => RebuiltTail(w, 0, TailCircuit.Selectors + 2, TailCircuit.OutputSelectors + 2, _ => 0xff),
        ["selector of one byte too few"] = w => RebuiltTail(w, 3, TailCircuit.Selectors + 10, TailCircuit.OutputSelectors + 10, word => word >> 8),
        ["digest of the second block claimed for one block"] = w => RebuiltTail(w, 0, TailCircuit.SecondBlock, TailCircuit.OutputSecondBlock, _ => 1),
        ["digest of the first block claimed for two blocks"] = w => RebuiltTail(w, 2, TailCircuit.SecondBlock, TailCircuit.OutputSecondBlock, _ => 0),
        ["sel2 has a second bit"] = w => RebuiltTail(w, 2, TailCircuit.SecondBlock, TailCircuit.OutputSecondBlock, _ => 3),
        ["padding length wrong, one block"] = w => RebuiltTail(w, 0, TailCircuit.Message1 + 15, TailCircuit.OutputMessage1 + 15, word => word + 8),
        ["padding length wrong, two blocks"] = w => RebuiltTail(w, 2, TailCircuit.Message2 + 15, TailCircuit.OutputMessage2 + 15, word => word - 8),
        ["padding bit missing"] = w => RebuiltTail(w, 1, TailCircuit.Message1, TailCircuit.OutputMessage1, _ => 0),
        ["second block not zero where one suffices"] = w => RebuiltTail(w, 3, TailCircuit.Message2, TailCircuit.OutputMessage2, _ => 1),
        ["message in an unused unit"] = w => Input(w, 8, UnitCircuit.Message, 1),
        ["one in an unused unit"] = w =>
        {
            w.Bits.Unit(200)[UnitCircuit.One] = 1;
            w.RebuildFrom(200);
        },
    };

    private static readonly Dictionary<string, Action<ForgedWindow>> LinkLies = new()
    {
        ["H_in is not the previous H_out"] = w => Input(w, 1, UnitCircuit.HIn + 3, 1u << 9),
        ["H_in of the last unit"] = w => Input(w, 7, UnitCircuit.HIn + 7, 1u << 31),
        ["first chunk does not start at the initial state"] = w => Input(w, 0, UnitCircuit.HIn, 1),
        ["last chunk does not start at the initial state"] = w => Input(w, 4, UnitCircuit.HIn + 4, 0x80),
        ["a chunk goes on from the state of the one before"] = w =>
        {
            UnitCircuit.Instance.Link(LinkKind.HOut, w.Bits.Unit(2), w.Bits.Unit(3).Slice(UnitCircuit.HIn, 8));
            w.RebuildFrom(3);
        },
        ["a chunk starts at zero"] = w =>
        {
            w.Bits.Unit(4).Slice(UnitCircuit.HIn, 8).Clear();
            w.RebuildFrom(4);
        },
        ["tail H_in is not the last H_out"] = w => TailInput(w, 0, TailCircuit.HIn + 2, 1u << 20),
        ["tail H_in of a chunk of whole units"] = w => TailInput(w, 1, TailCircuit.HIn, 1),
        ["tail of a chunk without units does not start at the initial state"] = w => TailInput(w, 2, TailCircuit.HIn + 5, 2),
        ["tails' states swapped"] = w =>
        {
            for (int word = TailCircuit.HIn; word < TailCircuit.HIn + 8; word++)
                (w.Bits.Tail(0)[word], w.Bits.Tail(3)[word]) = (w.Bits.Tail(3)[word], w.Bits.Tail(0)[word]);
            w.RebuildTail(0);
            w.RebuildTail(3);
        },
        ["key differs in the first unit"] = w => Input(w, 0, UnitCircuit.Key, 1),
        ["key differs in a middle unit"] = w => Input(w, 5, UnitCircuit.Key + 6, 1u << 30),
        ["key differs in a chunk's only unit"] = w => Input(w, 3, UnitCircuit.Key + 1, 8),
        ["key of the tail differs"] = w => TailInput(w, 0, TailCircuit.Key + 7, 1u << 31),
        ["key of a chunk is that of another"] = w =>
        {
            w.Bits.Tail(0)[..8].CopyTo(w.Bits.Unit(3)[UnitCircuit.Key..]);
            w.RebuildFrom(3);
        },
        ["H_in in an unused unit"] = w => Input(w, 255, UnitCircuit.HIn + 1, 1),
        ["key in an unused unit, hidden by its message"] = w =>
        {
            Span<uint> slot = w.Bits.Unit(9);
            slot[UnitCircuit.Key] = 77;
            w.RebuildFrom(9);
            Span<uint> outputs = stackalloc uint[UnitCircuit.OutputWords];
            UnitCircuit.Instance.Outputs(slot, outputs);
            for (int i = 0; i < 16; i++)
                slot[UnitCircuit.Message + i] = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(outputs[i]);
            w.RebuildFrom(9);
        },
    };

    public static TheoryData<string> Outputs => [.. OutputLies.Keys];

    public static TheoryData<string> Links => [.. LinkLies.Keys];

    [Theory]
    [MemberData(nameof(Outputs))]
    public void A_public_output(string lie)
    {
        using var window = new ForgedWindow(LockHash.Sha256, 8, Lengths);
        OutputLies[lie](window);
        Bench.AssertRefused(window.Instance, window.Bits, lie, PadEquation.Lincheck);
    }

    [Theory]
    [MemberData(nameof(Links))]
    public void A_link(string lie)
    {
        using var window = new ForgedWindow(LockHash.Sha256, 8, Lengths);
        LinkLies[lie](window);
        window.Claim();
        Bench.AssertRefused(window.Instance, window.Bits, lie, PadEquation.Ties);
    }

    [Theory]
    [InlineData(LockHash.Sha256)]
    [InlineData(LockHash.Blake2b256)]
    public void A_statement_with_one_field_changed(LockHash lockHash)
    {
        Refused("digest", chunk => chunk with { Digest = Flip(chunk.Digest) });
        Refused("lock", chunk => chunk with { Lock = Flip(chunk.Lock) });
        Refused("nonce", chunk => chunk with { Nonce = Flip(chunk.Nonce) });
        Refused("counter", chunk => chunk with { FirstCounter = chunk.FirstCounter + 1 });

        void Refused(string field, Func<ChunkStatement, ChunkStatement> change)
        {
            foreach (int q in new[] { 0, 3 })
            {
                using var window = new ForgedWindow(lockHash, 8, Lengths, statement => statement with
                {
                    Chunks = [.. statement.Chunks.Select((chunk, i) => i == q ? change(chunk) : chunk)],
                });
                Bench.AssertRefused(window.Instance, window.Bits, $"{field} of chunk {q}", PadEquation.Lincheck);
            }
        }
    }

    [Fact]
    public void Two_chunks_with_their_digests_and_locks_exchanged()
    {
        using var window = new ForgedWindow(LockHash.Sha256, 8, [100, 100], statement => statement with
        {
            Chunks =
            [
                statement.Chunks[0] with { Digest = statement.Chunks[1].Digest, Lock = statement.Chunks[1].Lock },
                statement.Chunks[1] with { Digest = statement.Chunks[0].Digest, Lock = statement.Chunks[0].Lock },
            ],
        });
        Bench.AssertRefused(window.Instance, window.Bits, "exchanged", PadEquation.Lincheck);
    }

    [Fact]
    public void The_other_lock_of_a_window_is_not_tied_and_its_own_is()
    {
        foreach (LockHash lockHash in new[] { LockHash.Sha256, LockHash.Blake2b256 })
        {
            using var window = new ForgedWindow(lockHash, 8, Lengths);
            window.TailClaim(1)[TailCircuit.UntiedLock(lockHash)] ^= 1;
            Assert.Null(Bench.Verify(window.Instance, Bench.Prove(window.Instance, window.Bits)));
            window.TailClaim(1)[TailCircuit.TiedLock(lockHash) + 7] ^= 1u << 31;
            Bench.AssertRefused(window.Instance, window.Bits, $"{lockHash}", PadEquation.Lincheck);
        }
    }

    [Fact]
    public void An_unused_tail_with_content()
    {
        using var window = new ForgedWindow(LockHash.Sha256, 8, [200, 64]);
        window.Bits.Tail(3)[TailCircuit.Selectors] = 1;
        window.RebuildTail(3);
        Bench.AssertRefused(window.Instance, window.Bits, "selectors", PadEquation.Lincheck);
        window.Bits.Tail(3)[TailCircuit.Selectors] = 0;
        window.Bits.Tail(3)[TailCircuit.HIn] = 1;
        window.RebuildTail(3);
        Bench.AssertRefused(window.Instance, window.Bits, "H_in, and the digest it leads to", PadEquation.Ties, PadEquation.Lincheck);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(10)]
    public void The_same_window_without_a_lie_is_accepted(int kappa)
    {
        using var window = new ForgedWindow(LockHash.Blake2b256, kappa, Lengths);
        byte[] proof = Bench.Prove(window.Instance, window.Bits);
        Assert.Null(Bench.Verify(window.Instance, proof));
        Assert.Empty(Bench.FailingEquations(window.Instance, proof));
    }

    [Fact]
    public void Lies_at_kappa_10_fail_as_at_8()
    {
        using (var window = new ForgedWindow(LockHash.Sha256, 10, [20000, 64, 17001]))
        {
            window.UnitClaim(400)[3] ^= 1;
            Bench.AssertRefused(window.Instance, window.Bits, "ciphertext", PadEquation.Lincheck);
        }

        using (var window = new ForgedWindow(LockHash.Sha256, 10, [20000, 64, 17001]))
        {
            Input(window, 312, UnitCircuit.HIn, 1);
            window.Claim();
            Bench.AssertRefused(window.Instance, window.Bits, "chain", PadEquation.Ties);
        }

        using (var window = new ForgedWindow(LockHash.Sha256, 10, [20000, 64, 17001]))
        {
            ForgedWindow.FlipRow(UnitCircuit.Instance, window.Bits.Unit(313), UnitCircuit.ChaCha + 100, 4);
            window.PassOn(313);
            window.Claim();
            Bench.AssertRefused(window.Instance, window.Bits, "row", PadEquation.Zerocheck);
        }
    }

    // Changes an input of a unit, re-evaluates, claims the outputs that follow, then restores the claim of that one word.
    private static void Rebuilt(ForgedWindow w, int unit, int word, int output, Func<uint, uint> change)
    {
        uint demanded = w.UnitClaim(unit)[output];
        w.Bits.Unit(unit)[word] = change(w.Bits.Unit(unit)[word]);
        w.RebuildFrom(unit);
        w.Claim();
        Assert.NotEqual(demanded, w.UnitClaim(unit)[output]);
        w.UnitClaim(unit)[output] = demanded;
    }

    private static void RebuiltTail(ForgedWindow w, int tail, int word, int output, Func<uint, uint> change)
    {
        uint demanded = w.TailClaim(tail)[output];
        w.Bits.Tail(tail)[word] = change(w.Bits.Tail(tail)[word]);
        w.RebuildTail(tail);
        w.Claim();
        Assert.NotEqual(demanded, w.TailClaim(tail)[output]);
        w.TailClaim(tail)[output] = demanded;
    }

    private static void Input(ForgedWindow w, int unit, int word, uint flip)
    {
        w.Bits.Unit(unit)[word] ^= flip;
        w.RebuildFrom(unit);
    }

    private static void TailInput(ForgedWindow w, int tail, int word, uint flip)
    {
        w.Bits.Tail(tail)[word] ^= flip;
        w.RebuildTail(tail);
    }

    private static byte[] Flip(ReadOnlyMemory<byte> bytes)
    {
        byte[] flipped = bytes.ToArray();
        flipped[^1] ^= 0x10;
        return flipped;
    }
}
