using System.Security.Cryptography;
using CsCheck;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Hashing;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Layout;
using Lockstep.Proofs.Memory;
using Lockstep.Proofs.Tests.Layout;

namespace Lockstep.Proofs.Tests.Kernels;

public sealed unsafe class FastWitnessTests
{
    [Theory]
    [InlineData(8, 0, new[] { 1 })]
    [InlineData(8, 0, new[] { 64 })]
    [InlineData(8, 1, new[] { 2048, 63, 64, 3001 })]
    [InlineData(8, 0, new[] { 100, 200, 300, 400, 0x1000, 5, 6, 7 })]
    [InlineData(9, 3, new[] { 32768 })]
    [InlineData(10, 2, new[] { 5000, 4000, 4000, 4000, 4000, 4032, 4000, 4000 })]
    [InlineData(9, 0, new[] { 700, 701, 702, 703, 704, 705, 706, 707, 64, 63, 1, 640 })]
    public void Slots_are_those_of_the_plain_witness(int kappa, int topBits, int[] lengths)
    {
        using TestWindow window = TestWindow.CreateShaped(LockHash.Blake2b256, kappa, topBits, lengths);
        using var pool = new NativePool();
        foreach (int threads in new[] { 1, 2, 5 })
        {
            // The memory that a window gets may hold anything: it is the block just given back.
            NativeBlock noise = pool.Rent((long)window.Layout.PresentUnits * FastWitness.UnitSize);
            noise.Dispose();
            new Span<byte>(noise.Memory, (int)noise.Length).Fill(0xA5);
            using FastWitness fast = FastWitness.Build(window.Statement, window.Layout, window.Data, window.Keys, pool, new Workers(threads));
            for (int i = 0; i < window.Layout.PresentUnits; i++)
                Assert.Equal(window.Witness.UnitSlot(i), fast.UnitSlot(i));
            for (int q = 0; q < window.Layout.PresentTails; q++)
                Assert.Equal(window.Witness.TailSlot(q), fast.TailSlot(q));
            fast.MaskWords(3).Fill(1);
            Assert.Equal(new uint[] { 1, 1, 1, 1 }, fast.UnitSlot(3)[UnitCircuit.Mask..(UnitCircuit.Mask + 4)]);
        }
    }

    [Fact]
    public void Chains_are_those_of_the_plain_compression_at_every_width() =>
        Gen.Select(Gen.Int[1, 1500].Array[1, 20], Gen.Int[0, 3].Select(i => new[] { 1, 4, 8, 16 }[i]), Gen.Int[1, 4]).Sample((lengths, lanes, threads) =>
        {
            WindowLayout layout = WindowLayout.TryCreate(lengths, 10, 0, out _)!;
            var random = new Random(lengths[0]);
            var data = new ReadOnlyMemory<byte>[lengths.Length];
            for (int chunk = 0; chunk < lengths.Length; chunk++)
            {
                var bytes = new byte[lengths[chunk]];
                random.NextBytes(bytes);
                data[chunk] = bytes;
            }

            byte[] units = new byte[layout.UnitCount * 32 + 1], ends = new byte[lengths.Length * 32];
            fixed (byte* u = units, e = ends)
                ShaChains.Compute(layout, data, u, e, new Workers(threads), lanes);
            Span<uint> state = stackalloc uint[8];
            for (int chunk = 0; chunk < lengths.Length; chunk++)
            {
                Sha256Gadget.InitialState.CopyTo(state);
                for (int position = 0; position < layout.UnitsOf(chunk); position++)
                {
                    if (!Words(units, layout.FirstUnit(chunk) + position).SequenceEqual(state))
                        return false;
                    Sha256State.Compress(state, data[chunk].Span.Slice(64 * position, 64));
                }

                if (!Words(ends, chunk).SequenceEqual(state))
                    return false;
            }

            return true;
        }, iter: 200);

    [Fact]
    public void A_lane_is_sha_256()
    {
        // "abc" padded to one block.
        byte[] block = [.. "abc"u8, 0x80, .. new byte[59], 24], digest = new byte[32];
        Lanes1* state = stackalloc Lanes1[8], schedule = stackalloc Lanes1[Sha256Lanes.ScheduleWords];
        for (int w = 0; w < 8; w++)
            state[w] = Lanes1.Broadcast(Sha256Gadget.InitialState[w]);
        fixed (byte* from = block, to = digest)
        {
            Lanes1.LoadBlocks(from, 64, schedule);
            for (int w = 0; w < 16; w++)
                schedule[w] = Lanes1.ReverseBytes(schedule[w]);
            Sha256Lanes.Compress(state, schedule);
            for (int w = 0; w < 8; w++)
                state[w] = Lanes1.ReverseBytes(state[w]);
            Lanes1.StoreDigests(state, to);
        }

        Assert.Equal(SHA256.HashData("abc"u8), digest);
    }

    private static ReadOnlySpan<uint> Words(byte[] states, int index) =>
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(states.AsSpan(32 * index, 32));
}
