using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Layout;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// All slots of a window outside the managed heap, slot-major as in <see cref="Witness"/> and with the same bits. Holds keys
/// and data; disposing it overwrites them. Mask words are zero until the caller fills them.
/// </summary>
internal sealed unsafe class FastWitness : IDisposable
{
    /// <summary>Bytes of a unit's slot.</summary>
    public const int UnitSize = UnitCircuit.SlotWords * sizeof(uint);

    /// <summary>Bytes of a tail's slot.</summary>
    public const int TailSize = TailCircuit.SlotWords * sizeof(uint);

    // Inputs end in the third line of a slot; from this word on there are lines that no walk fills wholly.
    private const int InputWords = 48, LastLines = UnitCircuit.End / 16 * 16;

    private readonly NativeBlock _units, _tails;

    private FastWitness(WindowLayout layout, NativeBlock units, NativeBlock tails) => (Layout, _units, _tails) = (layout, units, tails);

    public WindowLayout Layout { get; }

    /// <summary>The slots of all present units, 1,152 words each, aligned to 64 bytes.</summary>
    public uint* Units => _units.As<uint>();

    /// <summary>The slots of all present tails, 4,096 words each.</summary>
    public uint* Tails => _tails.As<uint>();

    /// <summary>The slot of unit <paramref name="i"/>.</summary>
    public Span<uint> UnitSlot(int i) => _units.Span<uint>((long)i * UnitCircuit.SlotWords, UnitCircuit.SlotWords);

    /// <summary>The mask words of unit <paramref name="i"/>, 128 free bits.</summary>
    public Span<uint> MaskWords(int i) => UnitSlot(i).Slice(UnitCircuit.Mask, UnitCircuit.MaskWords);

    /// <summary>The slot of tail <paramref name="q"/>.</summary>
    public Span<uint> TailSlot(int q) => _tails.Span<uint>((long)q * TailCircuit.SlotWords, TailCircuit.SlotWords);

    /// <summary>Runs the circuits honestly on data and keys, as <see cref="Witness.Build"/> does.</summary>
    /// <param name="statement">A well-formed statement with the layout's chunk lengths.</param>
    /// <param name="layout">The window's layout.</param>
    /// <param name="data">The block of each chunk.</param>
    /// <param name="keys">32 bytes for each chunk.</param>
    /// <param name="pool">Where the memory comes from.</param>
    /// <param name="workers">Threads and cancellation; the result does not depend on the threads.</param>
    public static FastWitness Build(WindowStatement statement, WindowLayout layout, IReadOnlyList<ReadOnlyMemory<byte>> data,
        IReadOnlyList<ReadOnlyMemory<byte>> keys, NativePool pool, Workers workers)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(statement.Chunks.Count, layout.ChunkCount);
        ArgumentOutOfRangeException.ThrowIfNotEqual(data.Count, layout.ChunkCount);
        ArgumentOutOfRangeException.ThrowIfNotEqual(keys.Count, layout.ChunkCount);
        for (int chunk = 0; chunk < layout.ChunkCount; chunk++)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(data[chunk].Length, layout.Length(chunk));
            ArgumentOutOfRangeException.ThrowIfNotEqual(statement.Chunks[chunk].Length, layout.Length(chunk));
            ArgumentOutOfRangeException.ThrowIfNotEqual(keys[chunk].Length, ChunkStatement.KeySize);
        }

        var witness = new FastWitness(layout, pool.Rent((long)layout.PresentUnits * UnitSize), pool.Rent((long)layout.PresentTails * TailSize));
        try
        {
            using NativeBlock unitStates = pool.Rent((long)layout.UnitCount * ShaChains.StateSize);
            using NativeBlock endStates = pool.Rent((long)layout.ChunkCount * ShaChains.StateSize);
            ShaChains.Compute(layout, data, unitStates.Memory, endStates.Memory, workers);

            // Slots are independent from here on. A tile is walked while its inputs are still in the cache.
            const int Tile = TiledWalk.TileSlots;
            workers.For((layout.PresentUnits + Tile - 1) / Tile, 8, (start, end) =>
            {
                for (int tile = start; tile < end; tile++)
                    witness.FillTile(statement, data, keys, unitStates.Memory, tile * Tile, Math.Min((tile + 1) * Tile, layout.PresentUnits));
            });
            workers.For(layout.PresentTails, 1, (start, end) =>
            {
                for (int q = start; q < end; q++)
                    witness.FillTail(statement, data, keys, endStates.Memory, q);
            });
            return witness;
        }
        catch
        {
            witness.Dispose();
            throw;
        }
    }

    /// <summary>The slots as the prover reads them, without a copy; they end with this object.</summary>
    public Prover.WitnessBits ToBits(Argument.ArgumentShape shape) => new(shape, _units, _tails);

    /// <summary>Overwrites all slots and gives their memory back.</summary>
    public void Dispose()
    {
        _units.Dispose();
        _tails.Dispose();
    }

    private void FillTile(WindowStatement statement, IReadOnlyList<ReadOnlyMemory<byte>> data, IReadOnlyList<ReadOnlyMemory<byte>> keys,
        byte* states, int first, int end)
    {
        uint* slots = Units + (nint)first * UnitCircuit.SlotWords;
        if (first >= Layout.UnitCount)
        {
            NativeMemory.Clear(slots, (nuint)(end - first) * UnitSize);
            return;
        }

        int chunk = Layout.ChunkOfUnit(first);
        for (int i = first; i < end; i++)
        {
            Span<uint> slot = UnitSlot(i);
            slot[..InputWords].Clear();
            slot[LastLines..].Clear();
            if (i >= Layout.UnitCount)
                continue;
            while (i >= Layout.FirstUnit(chunk) + Layout.UnitsOf(chunk))
                chunk++;
            FillInputs(slot, statement.Chunks[chunk], i - Layout.FirstUnit(chunk), data[chunk].Span, keys[chunk].Span,
                new ReadOnlySpan<byte>(states + (nint)i * ShaChains.StateSize, ShaChains.StateSize));
        }

        TiledWalk.Unit.Fill(slots, end - first, bypassCache: true);
    }

    private static void FillInputs(Span<uint> slot, ChunkStatement statement, int position, ReadOnlySpan<byte> data, ReadOnlySpan<byte> key, ReadOnlySpan<byte> state)
    {
        Span<uint> message = slot.Slice(UnitCircuit.Message, 16);
        PublicWords.ReadWords(data.Slice(WindowLayout.UnitBytes * position, WindowLayout.UnitBytes), message);
        BinaryPrimitives.ReverseEndianness(message, message);
        PublicWords.ReadWords(state, slot.Slice(UnitCircuit.HIn, 8));
        PublicWords.ReadWords(key, slot.Slice(UnitCircuit.Key, 8));
        slot[UnitCircuit.Counter] = PublicWords.Counter(statement, position);
        PublicWords.ReadWords(statement.Nonce.Span, slot.Slice(UnitCircuit.Nonce, 3));
        slot[UnitCircuit.One] = 1;
    }

    [SkipLocalsInit]
    private void FillTail(WindowStatement statement, IReadOnlyList<ReadOnlyMemory<byte>> data, IReadOnlyList<ReadOnlyMemory<byte>> keys, byte* states, int q)
    {
        Span<uint> tail = TailSlot(q);
        tail.Clear();
        if (q >= Layout.ChunkCount)
            return;
        Span<uint> state = stackalloc uint[8];
        PublicWords.ReadWords(new ReadOnlySpan<byte>(states + (nint)q * ShaChains.StateSize, ShaChains.StateSize), state);
        Witness.FillTail(statement.Chunks[q], data[q].Span, keys[q].Span, state, tail);
        state.Clear();
        TailCircuit.Instance.Evaluate(tail);
    }
}
