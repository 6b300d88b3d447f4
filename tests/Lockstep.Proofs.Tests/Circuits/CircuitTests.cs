using System.Numerics;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Layout;
using Lockstep.Proofs.Tests.Layout;

namespace Lockstep.Proofs.Tests.Circuits;

/// <summary>What makes the two region circuits sound: rows, adjointness, and no committed bit without a check.</summary>
public sealed class CircuitTests
{
    public static TheoryData<string> Regions => ["U", "T"];

    [Fact]
    public void Slots_have_the_documented_words()
    {
        Circuit unit = UnitCircuit.Instance, tail = TailCircuit.Instance;
        Assert.Equal((36_864, 1064, 33_112), (unit.SlotBits, unit.CommittedAndWords, unit.AndGates));
        Assert.Equal(47, Enumerable.Range(0, 1152).Count(w => unit.Label(w) is null));
        Assert.Equal((131_072, 3408), (tail.SlotBits, tail.CommittedAndWords));
        Assert.Equal(3 * 22_696 + 10_416 + 27_216 + 16 * 32 + 8 * 32, tail.AndGates);
        Assert.All(Enumerable.Range(0, 3478), w => Assert.NotNull(tail.Label(w)));
        Assert.All(Enumerable.Range(3478, 4096 - 3478), w => Assert.Null(tail.Label(w)));

        // Each part begins where the layout says.
        Assert.Equal("SHA-256 schedule 16 +s0", unit.Label(UnitCircuit.Sha));
        Assert.Equal("ChaCha20 round 0 column 0 a+b", unit.Label(UnitCircuit.ChaCha));
        Assert.Equal("ChaCha20 output 15", unit.Label(UnitCircuit.End - 1));
        Assert.Equal("ChaCha20 round 0 column 0 a+b", tail.Label(TailCircuit.ChaCha));
        Assert.Equal("selected key stream 0", tail.Label(TailCircuit.Selected));
        Assert.Equal("SHA-256 of M1 schedule 16 +s0", tail.Label(TailCircuit.Sha1));
        Assert.Equal("SHA-256 of M2 schedule 16 +s0", tail.Label(TailCircuit.Sha2));
        Assert.Equal("digest select 0", tail.Label(TailCircuit.DigestSelect));
        Assert.Equal("SHA-256 of the key schedule 16 +s0", tail.Label(TailCircuit.ShaLock));
        Assert.Equal("BLAKE2b round 0 column 0 a+b", tail.Label(TailCircuit.BlakeLock));
    }

    [Theory]
    [MemberData(nameof(Regions))]
    public void Every_committed_bit_is_the_product_of_its_forms(string region)
    {
        (Circuit circuit, uint[] slot) = Honest(region);
        (uint[] a, uint[] b) = Forms(circuit, slot);
        for (int word = 0; word < slot.Length; word++)
            Assert.Equal(slot[word], a[word] & b[word]);

        // The empty slot, which unused units and tails are, satisfies every row and has no output.
        var empty = new uint[circuit.SlotWords];
        circuit.Evaluate(empty);
        Assert.True(empty.AsSpan().IndexOfAnyExcept(0u) < 0);
        var ties = new uint[circuit.OutputWords + 24];
        circuit.Ties(empty, ties);
        Assert.True(ties.AsSpan().IndexOfAnyExcept(0u) < 0);
    }

    [Theory]
    [MemberData(nameof(Regions))]
    public void Forms_and_ties_are_linear_in_the_committed_bits(string region)
    {
        Circuit circuit = Circuit(region);
        var random = new Random(11);
        for (int repeat = 0; repeat < 20; repeat++)
        {
            uint[] x = Words(random, circuit.SlotWords), y = Words(random, circuit.SlotWords);
            uint[] sum = Xor(x, y);
            (uint[] ax, uint[] bx) = Forms(circuit, x);
            (uint[] ay, uint[] by) = Forms(circuit, y);
            (uint[] a, uint[] b) = Forms(circuit, sum);
            Assert.Equal(Xor(ax, ay), a);
            Assert.Equal(Xor(bx, by), b);
            Assert.Equal(Xor(Ties(circuit, x), Ties(circuit, y)), Ties(circuit, sum));
        }
    }

    [Theory]
    [MemberData(nameof(Regions))]
    public void The_backward_pass_is_the_adjoint_of_forms_and_ties(string region)
    {
        Circuit circuit = Circuit(region);
        var random = new Random(13);
        for (int repeat = 0; repeat < 4; repeat++)
        {
            Gf128[] weightA = Elements(random, circuit.SlotBits), weightB = Elements(random, circuit.SlotBits);
            Gf128[] outputs = Elements(random, 32 * circuit.OutputWords);
            Gf128[] hIn = Elements(random, 256), key = Elements(random, 256), hOut = Elements(random, 256);
            // The last repeat leaves two links out.
            bool all = repeat < 3;
            var m = new Gf128[circuit.SlotBits];
            circuit.Adjoint(weightA, weightB, outputs, new LinkWeights { HIn = hIn, Key = all ? key : [], HOut = all ? hOut : [] }, m);

            // Arbitrary bits, not a witness: the identity is one of linear maps.
            for (int k = 0; k < 3; k++)
            {
                uint[] z = k == 0 ? Honest(region).Slot : Words(random, circuit.SlotWords);
                (uint[] a, uint[] b) = Forms(circuit, z);
                uint[] ties = Ties(circuit, z);
                Gf128 direct = Dot(weightA, a) + Dot(weightB, b) + Dot(outputs, ties.AsSpan(0, circuit.OutputWords))
                    + Dot(hIn, ties.AsSpan(circuit.OutputWords, 8));
                if (all)
                    direct += Dot(key, ties.AsSpan(circuit.OutputWords + 8, 8)) + Dot(hOut, ties.AsSpan(circuit.OutputWords + 16, 8));
                Assert.Equal(direct, Dot(m, z));
            }
        }
    }

    [Fact]
    public void The_backward_pass_adds_to_what_is_there_and_checks_sizes()
    {
        Circuit circuit = UnitCircuit.Instance;
        var random = new Random(17);
        Gf128[] weights = Elements(random, circuit.SlotBits), outputs = Elements(random, 32 * circuit.OutputWords);
        Gf128[] before = Elements(random, circuit.SlotBits);
        var m = new Gf128[circuit.SlotBits];
        var onTop = (Gf128[])before.Clone();
        circuit.Adjoint(weights, weights, outputs, default, m);
        circuit.Adjoint(weights, weights, outputs, default, onTop);
        for (int j = 0; j < m.Length; j++)
            Assert.Equal(before[j] + m[j], onTop[j]);
        Assert.Throws<ArgumentException>(() => circuit.Adjoint(weights, weights, outputs, new LinkWeights { Key = new Gf128[8] }, m));
        Assert.Throws<ArgumentOutOfRangeException>(() => circuit.Adjoint(weights.AsSpan(1), weights, outputs, default, m));
    }

    [Fact]
    public void Links_of_a_unit_are_its_words_and_the_next_state()
    {
        (Circuit circuit, uint[] slot) = Honest("U");
        var link = new uint[8];
        circuit.Link(LinkKind.HIn, slot, link);
        Assert.Equal(slot[UnitCircuit.HIn..(UnitCircuit.HIn + 8)], link);
        circuit.Link(LinkKind.Key, slot, link);
        Assert.Equal(slot[UnitCircuit.Key..(UnitCircuit.Key + 8)], link);
        uint[] state = slot[UnitCircuit.HIn..(UnitCircuit.HIn + 8)];
        var block = new byte[64];
        for (int i = 0; i < 16; i++)
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(block.AsSpan(4 * i), slot[i]);
        Sha256State.Compress(state, block);
        circuit.Link(LinkKind.HOut, slot, link);
        Assert.Equal(state, link);
    }

    [Fact]
    public void Any_single_flipped_bit_of_a_unit_is_noticed_but_for_the_mask()
    {
        (Circuit circuit, uint[] slot) = Honest("U");
        uint[] ties = Ties(circuit, slot);
        int free = 0;
        for (int bit = 0; bit < circuit.SlotBits; bit++)
        {
            if (Breaks(circuit, slot, ties, bit))
                continue;
            Assert.InRange(bit / 32, UnitCircuit.Mask, UnitCircuit.Mask + UnitCircuit.MaskWords - 1);
            free++;
        }

        Assert.Equal(128, free);
    }

    [Fact]
    public void Any_single_flipped_bit_of_a_tail_is_noticed()
    {
        (Circuit circuit, uint[] slot) = Honest("T");
        uint[] ties = Ties(circuit, slot);
        // All inputs, then a sample of one bit in seven that meets every word and every bit position.
        for (int bit = 0; bit < 32 * TailCircuit.ChaCha; bit++)
            Assert.True(Breaks(circuit, slot, ties, bit), $"bit {bit}");
        for (int bit = 32 * TailCircuit.ChaCha; bit < circuit.SlotBits; bit += 7)
            Assert.True(Breaks(circuit, slot, ties, bit), $"bit {bit}");
    }

    [Fact]
    public void A_false_sum_with_consistent_later_rows_reaches_an_output()
    {
        // Change the data and run everything honestly: rows hold, so only the outputs and H_out can notice.
        (Circuit circuit, uint[] slot) = Honest("U");
        uint[] before = Ties(circuit, slot);
        slot[UnitCircuit.Message + 3] ^= 1;
        circuit.Evaluate(slot);
        (uint[] a, uint[] b) = Forms(circuit, slot);
        for (int word = 0; word < slot.Length; word++)
            Assert.Equal(slot[word], a[word] & b[word]);
        uint[] after = Ties(circuit, slot);
        Assert.NotEqual(before[..16], after[..16]);
        Assert.NotEqual(before[^8..], after[^8..]);
    }

    private static bool Breaks(Circuit circuit, uint[] slot, uint[] ties, int bit)
    {
        slot[bit / 32] ^= 1u << (bit % 32);
        (uint[] a, uint[] b) = Forms(circuit, slot);
        bool broken = !Ties(circuit, slot).AsSpan().SequenceEqual(ties);
        for (int word = 0; word < slot.Length && !broken; word++)
            broken = (a[word] & b[word]) != slot[word];
        slot[bit / 32] ^= 1u << (bit % 32);
        return broken;
    }

    private static Circuit Circuit(string region) => region == "U" ? UnitCircuit.Instance : TailCircuit.Instance;

    // A slot out of a real window, its mask filled as the prover would.
    private static (Circuit Circuit, uint[] Slot) Honest(string region)
    {
        using TestWindow window = TestWindow.Create(LockHash.Sha256, 300);
        if (region == "T")
            return (TailCircuit.Instance, window.Witness.TailSlot(0).ToArray());
        window.Witness.MaskWords(2).Fill(0xdeadbeef);
        return (UnitCircuit.Instance, window.Witness.UnitSlot(2).ToArray());
    }

    private static (uint[] A, uint[] B) Forms(Circuit circuit, uint[] slot)
    {
        var a = new uint[circuit.SlotWords];
        var b = new uint[circuit.SlotWords];
        circuit.Forms(slot, a, b);
        return (a, b);
    }

    private static uint[] Ties(Circuit circuit, uint[] slot)
    {
        var ties = new uint[circuit.OutputWords + 24];
        circuit.Ties(slot, ties);
        return ties;
    }

    private static Gf128 Dot(ReadOnlySpan<Gf128> weights, ReadOnlySpan<uint> bits)
    {
        Gf128 sum = default;
        for (int word = 0; word < bits.Length; word++)
        {
            for (uint rest = bits[word]; rest != 0; rest &= rest - 1)
                sum += weights[32 * word + BitOperations.TrailingZeroCount(rest)];
        }

        return sum;
    }

    private static uint[] Xor(uint[] x, uint[] y) => [.. x.Zip(y, (p, q) => p ^ q)];

    private static uint[] Words(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (uint)random.NextInt64(1L << 32))];

    private static Gf128[] Elements(Random random, int count)
    {
        var elements = new Gf128[count];
        random.NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(elements.AsSpan()));
        return elements;
    }
}
