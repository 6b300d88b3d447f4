using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Lockstep.Proofs.Circuits;

namespace Lockstep.Proofs.Layout;

/// <summary>
/// All slots of a window, slot-major: unit i at words [1152 i, 1152 (i+1)), tail q at [4096 q, 4096 (q+1)). Holds keys and
/// data; disposing it overwrites them. Mask words are zero until the caller fills them.
/// </summary>
internal sealed class Witness : IDisposable
{
    // Pinned, so that the collector leaves no copies behind that Dispose could not reach.
    private readonly uint[] _units;
    private readonly uint[] _tails;

    private Witness(WindowLayout layout)
    {
        Layout = layout;
        _units = GC.AllocateArray<uint>(layout.PresentUnits * UnitCircuit.SlotWords, pinned: true);
        _tails = GC.AllocateArray<uint>(layout.PresentTails * TailCircuit.SlotWords, pinned: true);
    }

    public WindowLayout Layout { get; }

    /// <summary>The slots of all present units.</summary>
    public ReadOnlySpan<uint> Units => _units;

    /// <summary>The slots of all present tails.</summary>
    public ReadOnlySpan<uint> Tails => _tails;

    /// <summary>The slot of unit <paramref name="i"/>, 1,152 words.</summary>
    public Span<uint> UnitSlot(int i) => _units.AsSpan(i * UnitCircuit.SlotWords, UnitCircuit.SlotWords);

    /// <summary>The mask words of unit <paramref name="i"/>, 128 free bits.</summary>
    public Span<uint> MaskWords(int i) => UnitSlot(i).Slice(UnitCircuit.Mask, UnitCircuit.MaskWords);

    /// <summary>The slot of tail <paramref name="q"/>, 4,096 words.</summary>
    public Span<uint> TailSlot(int q) => _tails.AsSpan(q * TailCircuit.SlotWords, TailCircuit.SlotWords);

    /// <summary>
    /// Runs the circuits honestly on data and keys. Whether they satisfy the statement is not checked here; a false
    /// statement gives a witness that <see cref="Explain"/> refuses.
    /// </summary>
    /// <param name="statement">A well-formed statement with the layout's chunk lengths.</param>
    /// <param name="layout">The window's layout.</param>
    /// <param name="data">The block of each chunk.</param>
    /// <param name="keys">32 bytes for each chunk.</param>
    /// <param name="workers">Threads to use; the result does not depend on it.</param>
    public static Witness Build(
        WindowStatement statement,
        WindowLayout layout,
        IReadOnlyList<ReadOnlyMemory<byte>> data,
        IReadOnlyList<ReadOnlyMemory<byte>> keys,
        int workers = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(statement.Chunks.Count, layout.ChunkCount);
        ArgumentOutOfRangeException.ThrowIfNotEqual(data.Count, layout.ChunkCount);
        ArgumentOutOfRangeException.ThrowIfNotEqual(keys.Count, layout.ChunkCount);
        for (int chunk = 0; chunk < layout.ChunkCount; chunk++)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(data[chunk].Length, layout.Length(chunk));
            ArgumentOutOfRangeException.ThrowIfNotEqual(statement.Chunks[chunk].Length, layout.Length(chunk));
            ArgumentOutOfRangeException.ThrowIfNotEqual(keys[chunk].Length, ChunkStatement.KeySize);
        }

        var witness = new Witness(layout);
        for (int chunk = 0; chunk < layout.ChunkCount; chunk++)
            witness.FillInputs(statement.Chunks[chunk], chunk, data[chunk].Span, keys[chunk].Span);

        // The inputs hold the whole chain of states, so that slots are independent from here on.
        if (workers == 1)
        {
            for (int i = 0; i < layout.UnitCount; i++)
                UnitCircuit.Instance.Evaluate(witness.UnitSlot(i));
            for (int q = 0; q < layout.ChunkCount; q++)
                TailCircuit.Instance.Evaluate(witness.TailSlot(q));
        }
        else
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = workers };
            Parallel.For(0, layout.UnitCount, options, i => UnitCircuit.Instance.Evaluate(witness.UnitSlot(i)));
            Parallel.For(0, layout.ChunkCount, options, q => TailCircuit.Instance.Evaluate(witness.TailSlot(q)));
        }

        return witness;
    }

    /// <summary>The slots as the prover's bits, without a copy: whoever is disposed first overwrites both.</summary>
    public Prover.BitMatrices ToBits(Argument.ArgumentShape shape) => new(shape, _units, _tails);

    /// <summary>Overwrites all slots.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_units.AsSpan()));
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_tails.AsSpan()));
    }

    private void FillInputs(ChunkStatement statement, int chunk, ReadOnlySpan<byte> data, ReadOnlySpan<byte> key)
    {
        Span<uint> state = stackalloc uint[8];
        Sha256Gadget.InitialState.CopyTo(state);
        for (int position = 0; position < Layout.UnitsOf(chunk); position++)
        {
            Span<uint> slot = UnitSlot(Layout.FirstUnit(chunk) + position);
            ReadOnlySpan<byte> block = data.Slice(WindowLayout.UnitBytes * position, WindowLayout.UnitBytes);
            ReadMessage(block, slot[UnitCircuit.Message..]);
            state.CopyTo(slot[UnitCircuit.HIn..]);
            PublicWords.ReadWords(key, slot[UnitCircuit.Key..]);
            slot[UnitCircuit.Counter] = PublicWords.Counter(statement, position);
            PublicWords.ReadWords(statement.Nonce.Span, slot[UnitCircuit.Nonce..]);
            slot[UnitCircuit.One] = 1;
            Sha256State.Compress(state, block);
        }

        FillTail(statement, data, key, state, TailSlot(chunk));
        state.Clear();
    }

    /// <summary>Writes the inputs of a chunk's tail.</summary>
    /// <param name="statement">The chunk's statement.</param>
    /// <param name="data">Its block.</param>
    /// <param name="key">Its key, 32 bytes.</param>
    /// <param name="state">The SHA-256 state after its last unit, eight words.</param>
    /// <param name="tail">The slot, 4,096 words.</param>
    internal static void FillTail(ChunkStatement statement, ReadOnlySpan<byte> data, ReadOnlySpan<byte> key, ReadOnlySpan<uint> state, Span<uint> tail)
    {
        int rest = data.Length % WindowLayout.UnitBytes;
        Span<byte> blocks = stackalloc byte[128];
        bool second = Padding.Fill(data[^rest..], data.Length, blocks);
        PublicWords.ReadWords(key, tail[TailCircuit.Key..]);
        state.CopyTo(tail[TailCircuit.HIn..]);
        tail[TailCircuit.Counter] = PublicWords.TailCounter(statement);
        PublicWords.ReadWords(statement.Nonce.Span, tail[TailCircuit.Nonce..]);
        tail[TailCircuit.One] = 1;
        tail[TailCircuit.SecondBlock] = second ? 1u : 0u;
        Padding.FillSelectors(rest, tail.Slice(TailCircuit.Selectors, 16));
        ReadMessage(blocks[..64], tail[TailCircuit.Message1..]);
        ReadMessage(blocks[64..], tail[TailCircuit.Message2..]);
        blocks.Clear();
    }

    private static void ReadMessage(ReadOnlySpan<byte> block, Span<uint> words)
    {
        for (int i = 0; i < 16; i++)
            words[i] = BinaryPrimitives.ReadUInt32BigEndian(block[(4 * i)..]);
    }
}
