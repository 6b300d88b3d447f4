using System.Runtime.InteropServices;
using CsCheck;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Tests.Kernels;

/// <summary>The walk over tiles against the walk over one slot, on the unit circuit and on circuits made at random.</summary>
public sealed unsafe class TiledWalkTests
{
    private static readonly int[] Widths = [1, 4, 8, 16];

    private static readonly TiledWalk Unit = TiledWalk.Unit;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(77)]
    public void Units_are_filled_as_by_the_circuit(int count) => Fills(UnitCircuit.Instance, Unit, count, count);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(69)]
    public void Forms_and_links_of_any_bits_are_those_of_the_circuit(int count) => FormsAndLinks(UnitCircuit.Instance, Unit, count, count);

    [Fact]
    public void Any_circuit_of_32_bit_words_is_walked_alike() =>
        Gen.Select(Gen.Int, Gen.Int[1, 60]).Sample((seed, nodes) =>
        {
            Circuit circuit = RandomCircuit(new Random(seed), nodes);
            var walk = new TiledWalk(circuit);
            Fills(circuit, walk, 33, seed);
            FormsAndLinks(circuit, walk, 33, seed);
        }, iter: 300);

    [Fact]
    public void Circuits_with_wider_words_are_walked_slot_by_slot()
    {
        Assert.False(TileProgram.IsSupported(TailCircuit.Instance));
        Assert.Throws<NotSupportedException>(() => TileProgram.Create(TailCircuit.Instance, TilePurpose.Fill));
        Fills(TailCircuit.Instance, TiledWalk.Tail, 34, 5);
        FormsAndLinks(TailCircuit.Instance, TiledWalk.Tail, 34, 5);
    }

    private static void Fills(Circuit circuit, TiledWalk walk, int count, int seed)
    {
        // Words of no node and words that will be overwritten hold anything at first.
        uint[] start = RandomSlots(circuit, count, seed), expected = [.. start];
        for (int i = 0; i < count; i++)
            circuit.Evaluate(expected.AsSpan(i * circuit.SlotWords, circuit.SlotWords));
        foreach (int lanes in Widths)
            foreach (bool bypass in new[] { false, true })
            {
                using NativeBlock block = Copy(start);
                walk.Fill(block.As<uint>(), count, bypass, lanes);
                Assert.Equal(expected, block.Span<uint>(0, start.Length));
            }
    }

    private static void FormsAndLinks(Circuit circuit, TiledWalk walk, int count, int seed)
    {
        uint[] slots = RandomSlots(circuit, count, seed);
        if (count > 0)
            slots.AsSpan((count - 1) * circuit.SlotWords).Clear();
        uint[] a = new uint[slots.Length], b = new uint[slots.Length], links = new uint[count * TiledWalk.LinkWords];
        for (int i = 0; i < count; i++)
        {
            Span<uint> slot = slots.AsSpan(i * circuit.SlotWords, circuit.SlotWords);
            circuit.Forms(slot, a.AsSpan(i * circuit.SlotWords, circuit.SlotWords), b.AsSpan(i * circuit.SlotWords, circuit.SlotWords));
            for (int kind = 0; kind < Circuit.LinkCount; kind++)
                circuit.Link((LinkKind)kind, slot, links.AsSpan(i * TiledWalk.LinkWords + kind * Circuit.LinkWords, Circuit.LinkWords));
        }

        foreach (int lanes in Widths)
            foreach (bool bypass in new[] { false, true })
            {
                using NativeBlock z = Copy(slots), formA = Noise(slots.Length), formB = Noise(slots.Length), linkWords = Noise(links.Length), linksAlone = Noise(links.Length);
                walk.Forms(z.As<uint>(), count, formA.As<uint>(), formB.As<uint>(), bypass ? null : linkWords.As<uint>(), bypass, lanes);
                walk.Links(z.As<uint>(), count, linksAlone.As<uint>(), lanes);
                Assert.Equal(a, formA.Span<uint>(0, a.Length));
                Assert.Equal(b, formB.Span<uint>(0, b.Length));
                Assert.Equal(links, linksAlone.Span<uint>(0, links.Length));
                if (!bypass)
                    Assert.Equal(links, linkWords.Span<uint>(0, links.Length));
                Assert.Equal(slots, z.Span<uint>(0, slots.Length));
            }
    }

    private static uint[] RandomSlots(Circuit circuit, int count, int seed)
    {
        var slots = new uint[count * circuit.SlotWords];
        new Random(seed).NextBytes(MemoryMarshal.AsBytes(slots.AsSpan()));
        return slots;
    }

    private static NativeBlock Copy(uint[] words)
    {
        NativeBlock block = NativePool.Shared.Rent(words.Length * sizeof(uint));
        words.CopyTo(block.Span<uint>(0, words.Length));
        return block;
    }

    private static NativeBlock Noise(int words)
    {
        NativeBlock block = NativePool.Shared.Rent(words * sizeof(uint));
        block.Span<uint>(0, words).Fill(0xDEADBEEF);
        return block;
    }

    // Every kind of node, with the shapes that the program joins (sigmas, selections, rotated sums) coming up often.
    private static Circuit RandomCircuit(Random random, int nodes)
    {
        int slotWords = 16 * random.Next(6, 9), inputs = random.Next(1, 20);
        var b = new CircuitBuilder(slotWords, 4, random.Next(0, 4));
        var wires = new List<Wire> { b.One };
        for (int i = 0; i < inputs; i++)
            wires.Add(b.Input(4 + i, $"in {i}"));
        b.CommitAt(random.Next(4 + inputs, 32));
        Wire Any() => wires[random.Next(Math.Max(0, wires.Count - 6), wires.Count)];
        int Count() => random.Next(1, 32);
        for (int i = 0; i < nodes; i++)
        {
            Wire x = Any(), y = Any();
            wires.Add(random.Next(14) switch
            {
                0 => b.Constant((uint)random.NextInt64()),
                1 => b.RotateRight(x, Count()),
                2 => b.ShiftRight(x, Count()),
                3 => b.ByteSwap(x),
                4 => b.Broadcast(x),
                5 => b.Xor(x, y),
                6 => b.RotateLeft(b.Xor(x, y), Count()),
                7 => b.Xor(b.Xor(b.RotateRight(x, Count()), b.RotateRight(x, Count())), b.RotateRight(random.Next(3) > 0 ? x : y, Count())),
                8 => b.Xor(b.Xor(b.RotateRight(x, Count()), b.RotateRight(x, Count())), b.ShiftRight(x, Count())),
                9 => b.Xor(b.And(x, b.Xor(y, Any()), $"select {i}"), Any()),
                10 => b.Xor(Any(), b.And(b.Xor(x, y), b.Xor(x, Any()), $"majority {i}")),
                11 => b.And(x, y, $"and {i}"),
                _ => b.Add(x, y, $"sum {i}"),
            });
        }

        b.Output(0, Any());
        if (wires.Count > 8 && random.Next(2) == 0)
            b.Link(LinkKind.HOut, [.. wires.TakeLast(8)]);
        if (inputs >= 8)
            b.Link(LinkKind.HIn, [.. wires.Skip(1).Take(8)]);
        return b.Build();
    }
}
