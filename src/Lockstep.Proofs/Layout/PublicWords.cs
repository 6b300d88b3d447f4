using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Lockstep.Proofs.Circuits;

namespace Lockstep.Proofs.Layout;

/// <summary>
/// The public outputs that a statement and its ciphertexts demand of every slot, made on demand. Unused units and tails
/// have all outputs zero (docs/proof-system.md section 3).
/// </summary>
internal sealed class PublicWords
{
    private readonly WindowStatement _statement;
    private readonly WindowLayout _layout;
    private readonly ReadOnlyMemory<byte>[] _ciphertexts;

    private PublicWords(WindowStatement statement, WindowLayout layout, ReadOnlyMemory<byte>[] ciphertexts)
    {
        _statement = statement;
        _layout = layout;
        _ciphertexts = ciphertexts;
    }

    /// <summary>Null with a reason when ciphertexts, statement and layout do not have the same lengths.</summary>
    public static PublicWords? TryCreate(WindowStatement statement, WindowLayout layout, IReadOnlyList<ReadOnlyMemory<byte>> ciphertexts, out string? reason)
    {
        if (statement.Chunks.Count != layout.ChunkCount || ciphertexts.Count != layout.ChunkCount)
        {
            reason = $"The window has {layout.ChunkCount} chunks, the statement {statement.Chunks.Count}, and {ciphertexts.Count} ciphertexts came with it.";
            return null;
        }

        for (int chunk = 0; chunk < ciphertexts.Count; chunk++)
        {
            if (ciphertexts[chunk].Length != layout.Length(chunk) || statement.Chunks[chunk].Length != layout.Length(chunk))
            {
                reason = $"The ciphertext of chunk {chunk} has {ciphertexts[chunk].Length} bytes; expected {layout.Length(chunk)}, as many as the block.";
                return null;
            }
        }

        reason = null;
        return new PublicWords(statement, layout, [.. ciphertexts]);
    }

    /// <summary>The outputs of unit <paramref name="i"/>, <see cref="UnitCircuit.OutputWords"/> words.</summary>
    public void UnitOutputs(int i, Span<uint> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, UnitCircuit.OutputWords);
        outputs.Clear();
        int chunk = _layout.ChunkOfUnit(i);
        if (chunk < 0)
            return;
        int position = i - _layout.FirstUnit(chunk);
        ReadWords(_ciphertexts[chunk].Span.Slice(WindowLayout.UnitBytes * position, WindowLayout.UnitBytes), outputs[UnitCircuit.OutputCiphertext..]);
        outputs[UnitCircuit.OutputCounter] = Counter(_statement.Chunks[chunk], position);
        ReadWords(_statement.Chunks[chunk].Nonce.Span, outputs[UnitCircuit.OutputNonce..]);
        outputs[UnitCircuit.OutputOne] = 1;
    }

    /// <summary>
    /// The outputs of tail <paramref name="q"/>, <see cref="TailCircuit.OutputWords"/> words. The words of the lock kind
    /// that the statement does not name are 0 and must be given weight 0 (<see cref="TailCircuit.UntiedLock"/>).
    /// </summary>
    public void TailOutputs(int q, Span<uint> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, TailCircuit.OutputWords);
        outputs.Clear();
        if (q >= _layout.ChunkCount)
            return;
        ChunkStatement chunk = _statement.Chunks[q];
        int rest = _layout.TailBytes(q);
        Span<byte> blocks = stackalloc byte[128];
        bool second = Padding.Fill(_ciphertexts[q].Span[^rest..], chunk.Length, blocks);
        ReadWords(blocks[..64], outputs[TailCircuit.OutputMessage1..]);
        ReadWords(blocks[64..], outputs[TailCircuit.OutputMessage2..]);
        Padding.FillSelectors(rest, outputs.Slice(TailCircuit.OutputSelectors, 16));
        ReadWords(chunk.Digest.Span, outputs[TailCircuit.OutputDigest..]);
        ReadWords(chunk.Lock.Span, outputs[TailCircuit.TiedLock(_statement.LockHash)..]);
        outputs[TailCircuit.OutputCounter] = TailCounter(chunk);
        ReadWords(chunk.Nonce.Span, outputs[TailCircuit.OutputNonce..]);
        outputs[TailCircuit.OutputOne] = 1;
        outputs[TailCircuit.OutputSecondBlock] = second ? 1u : 0u;
    }

    /// <summary>Block counter of the unit at <paramref name="position"/> in its chunk.</summary>
    public static uint Counter(ChunkStatement chunk, int position) => chunk.FirstCounter + (uint)position;

    /// <summary>Block counter of a chunk's tail; 0 when the tail holds no data, so that it cannot pass 2^32.</summary>
    public static uint TailCounter(ChunkStatement chunk) =>
        chunk.Length % WindowLayout.UnitBytes == 0 ? 0 : Counter(chunk, chunk.Length / WindowLayout.UnitBytes);

    /// <summary>Little-endian words of a byte string whose length is a multiple of four.</summary>
    public static void ReadWords(ReadOnlySpan<byte> bytes, Span<uint> words)
    {
        if (BitConverter.IsLittleEndian)
        {
            bytes.CopyTo(MemoryMarshal.AsBytes(words));
            return;
        }

        for (int i = 0; i < bytes.Length / 4; i++)
            words[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 * i)..]);
    }
}
