using System.Buffers;
using System.Runtime.CompilerServices;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Hashing;
using Lockstep.Proofs.Layout;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// The SHA-256 states that enter the units of a window and leave its last ones. A chain is sequential, so the lanes are
/// chunks: as many at once as there are, spread over the workers.
/// </summary>
internal static unsafe class ShaChains
{
    /// <summary>Bytes of a state: eight little-endian words.</summary>
    public const int StateSize = 8 * sizeof(uint);

    /// <summary>Walks all chains.</summary>
    /// <param name="layout">Where the chunks' units are.</param>
    /// <param name="data">The block of each chunk.</param>
    /// <param name="unitStates">Receives the state before each used unit, 32 bytes each.</param>
    /// <param name="endStates">Receives the state after each chunk's last unit, 32 bytes each.</param>
    /// <param name="workers">Threads to use; the result does not depend on it.</param>
    public static void Compute(WindowLayout layout, IReadOnlyList<ReadOnlyMemory<byte>> data, byte* unitStates, byte* endStates, Workers workers) =>
        Compute(layout, data, unitStates, endStates, workers, Blake3Batch.PreferredLanes);

    /// <summary>As above with the widest number of lanes allowed (16, 8, 4 or 1) given.</summary>
    internal static void Compute(
        WindowLayout layout, IReadOnlyList<ReadOnlyMemory<byte>> data, byte* unitStates, byte* endStates, Workers workers, int mostLanes)
    {
        // Lanes of one group go on until the longest chain ends: chains of about one length belong together.
        int[] order = [.. Enumerable.Range(0, layout.ChunkCount).OrderByDescending(layout.UnitsOf)];
        int share = (order.Length + Math.Max(workers.Count, 1) - 1) / Math.Max(workers.Count, 1);
        int lanes = share switch { 1 => 1, <= 4 => 4, <= 8 => 8, _ => 16 };
        lanes = Math.Min(lanes, mostLanes);
        workers.For((order.Length + lanes - 1) / lanes, 1, (start, end) =>
        {
            for (int group = start; group < end; group++)
            {
                ReadOnlySpan<int> chunks = order.AsSpan(group * lanes, Math.Min(lanes, order.Length - group * lanes));
                switch (lanes)
                {
                    case 16: Group<Lanes16>(layout, data, chunks, unitStates, endStates); break;
                    case 8: Group<Lanes8>(layout, data, chunks, unitStates, endStates); break;
                    case 4: Group<Lanes4>(layout, data, chunks, unitStates, endStates); break;
                    default: Group<Lanes1>(layout, data, chunks, unitStates, endStates); break;
                }
            }
        });
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Group<T>(
        WindowLayout layout, IReadOnlyList<ReadOnlyMemory<byte>> data, ReadOnlySpan<int> chunks, byte* unitStates, byte* endStates)
        where T : unmanaged, ILanes<T>
    {
        const int Block = WindowLayout.UnitBytes;
        int size = (8 + Sha256Lanes.ScheduleWords) * sizeof(T) + T.Count * (Block + StateSize);
        byte* memory = stackalloc byte[size + 64];
        T* state = (T*)(((nuint)memory + 63) & ~(nuint)63), schedule = state + 8;
        byte* blocks = (byte*)(schedule + Sha256Lanes.ScheduleWords), states = blocks + T.Count * Block;
        byte** sources = stackalloc byte*[T.Count];
        int* units = stackalloc int[T.Count];
        var pins = new MemoryHandle[chunks.Length];
        int longest = 0;
        for (int lane = 0; lane < T.Count; lane++)
        {
            sources[lane] = null;
            units[lane] = -1;
            if (lane >= chunks.Length)
                continue;
            pins[lane] = data[chunks[lane]].Pin();
            sources[lane] = (byte*)pins[lane].Pointer;
            units[lane] = layout.UnitsOf(chunks[lane]);
            longest = Math.Max(longest, units[lane]);
        }

        Unsafe.InitBlock(blocks, 0, (uint)(T.Count * Block));
        for (int w = 0; w < 8; w++)
            state[w] = T.Broadcast(Sha256Gadget.InitialState[w]);
        for (int position = 0; position <= longest; position++)
        {
            T.StoreDigests(state, states);
            for (int lane = 0; lane < chunks.Length; lane++)
            {
                byte* own = states + lane * StateSize;
                if (position < units[lane])
                {
                    Unsafe.CopyBlockUnaligned(unitStates + (nint)(layout.FirstUnit(chunks[lane]) + position) * StateSize, own, StateSize);
                    Unsafe.CopyBlockUnaligned(blocks + lane * Block, sources[lane] + (nint)position * Block, Block);
                }
                else if (position == units[lane])
                {
                    Unsafe.CopyBlockUnaligned(endStates + (nint)chunks[lane] * StateSize, own, StateSize);
                }
            }

            T.LoadBlocks(blocks, Block, schedule);
            for (int w = 0; w < 16; w++)
                schedule[w] = T.ReverseBytes(schedule[w]);
            Sha256Lanes.Compress(state, schedule);
        }

        foreach (MemoryHandle pin in pins)
            pin.Dispose();
        new Span<byte>(state, size).Clear();
    }
}
