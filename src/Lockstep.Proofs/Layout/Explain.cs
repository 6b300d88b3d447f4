using System.Numerics;
using Lockstep.Proofs.Circuits;

namespace Lockstep.Proofs.Layout;

/// <summary>Names the first row or tie that a witness breaks, in words a person can act on.</summary>
public static class Explain
{
    /// <summary>
    /// Says why these keys and blocks do not prove the statement for these ciphertexts, or null when they do. For people
    /// and tests; it needs the secrets and proves nothing to anyone else.
    /// </summary>
    /// <param name="statement">The window's statement.</param>
    /// <param name="ciphertexts">One for each chunk.</param>
    /// <param name="data">The block of each chunk.</param>
    /// <param name="keys">32 bytes for each chunk.</param>
    public static string? Window(
        WindowStatement statement,
        IReadOnlyList<ReadOnlyMemory<byte>> ciphertexts,
        IReadOnlyList<ReadOnlyMemory<byte>> data,
        IReadOnlyList<ReadOnlyMemory<byte>> keys)
    {
        if (statement.Validate() is { } fault)
            return fault.Message;
        if (data.Count != statement.Chunks.Count || keys.Count != statement.Chunks.Count)
            return $"The statement has {statement.Chunks.Count} chunks, but {data.Count} blocks and {keys.Count} keys were given.";
        for (int chunk = 0; chunk < data.Count; chunk++)
        {
            if (data[chunk].Length != statement.Chunks[chunk].Length)
                return $"The block of chunk {chunk} has {data[chunk].Length} bytes; the statement says {statement.Chunks[chunk].Length}.";
            if (keys[chunk].Length != ChunkStatement.KeySize)
                return $"The key of chunk {chunk} has {keys[chunk].Length} bytes; expected {ChunkStatement.KeySize}.";
        }

        WindowLayout? layout = null;
        string? reason = null;
        int[] lengths = [.. statement.Chunks.Select(chunk => chunk.Length)];
        for (int kappa = WindowLayout.MinKappa; layout is null && kappa <= WindowLayout.MaxKappa; kappa++)
            layout = WindowLayout.TryCreate(lengths, kappa, 0, out reason);
        if (layout is null || PublicWords.TryCreate(statement, layout, ciphertexts, out reason) is not { } expected)
            return reason;
        using var witness = Witness.Build(statement, layout, data, keys);
        return FirstFault(statement.LockHash, layout, expected, witness);
    }

    /// <summary>The first row, public output or link that the witness breaks, or null: exactly what the proof enforces.</summary>
    internal static string? FirstFault(LockHash lockHash, WindowLayout layout, PublicWords expected, Witness witness)
    {
        for (int i = 0; i < layout.PresentUnits; i++)
        {
            if (UnitFault(layout, expected, witness, i) is { } fault)
                return $"{UnitName(layout, i)}: {fault}";
        }

        for (int q = 0; q < layout.PresentTails; q++)
        {
            if (TailFault(lockHash, layout, expected, witness, q) is { } fault)
                return $"{(q < layout.ChunkCount ? "tail" : "unused tail")} {q}: {fault}";
        }

        return null;
    }

    private static string? UnitFault(WindowLayout layout, PublicWords expected, Witness witness, int i)
    {
        Circuit circuit = UnitCircuit.Instance;
        ReadOnlySpan<uint> slot = witness.UnitSlot(i);
        if (RowFault(circuit, slot) is { } row)
            return row;

        Span<uint> ties = stackalloc uint[UnitCircuit.OutputWords + Circuit.LinkCount * Circuit.LinkWords];
        Span<uint> outputs = stackalloc uint[UnitCircuit.OutputWords];
        circuit.Ties(slot, ties);
        expected.UnitOutputs(i, outputs);
        int wrong = ties[..UnitCircuit.OutputWords].CommonPrefixLength(outputs);
        if (wrong < outputs.Length)
            return $"{UnitOutputName(wrong)} is not the public one (output word {wrong})";

        int chunk = layout.ChunkOfUnit(i);
        Span<uint> required = stackalloc uint[Circuit.LinkWords];
        string source = "zero, as an unused unit's";
        if (chunk >= 0 && layout.FirstUnit(chunk) == i)
        {
            Sha256Gadget.InitialState.CopyTo(required);
            source = "SHA-256's initial state";
        }
        else if (chunk >= 0)
        {
            circuit.Link(LinkKind.HOut, witness.UnitSlot(i - 1), required);
            source = $"the H_out of unit {i - 1}";
        }

        if (!slot.Slice(UnitCircuit.HIn, Circuit.LinkWords).SequenceEqual(required))
            return $"H_in is not {source}";
        required.Clear();
        if (chunk >= 0)
            witness.TailSlot(chunk).Slice(TailCircuit.Key, Circuit.LinkWords).CopyTo(required);
        if (!slot.Slice(UnitCircuit.Key, Circuit.LinkWords).SequenceEqual(required))
            return chunk >= 0 ? $"the key is not the key of tail {chunk}" : "the key is not zero, as an unused unit's";
        return null;
    }

    private static string? TailFault(LockHash lockHash, WindowLayout layout, PublicWords expected, Witness witness, int q)
    {
        Circuit circuit = TailCircuit.Instance;
        ReadOnlySpan<uint> slot = witness.TailSlot(q);
        if (RowFault(circuit, slot) is { } row)
            return row;

        Span<uint> ties = stackalloc uint[TailCircuit.OutputWords + Circuit.LinkCount * Circuit.LinkWords];
        Span<uint> outputs = stackalloc uint[TailCircuit.OutputWords];
        circuit.Ties(slot, ties);
        expected.TailOutputs(q, outputs);
        ties.Slice(TailCircuit.UntiedLock(lockHash), TailCircuit.LockWords).Clear();
        int wrong = ties[..TailCircuit.OutputWords].CommonPrefixLength(outputs);
        if (wrong < outputs.Length)
            return $"{TailOutputName(wrong)} (output word {wrong})";

        Span<uint> required = stackalloc uint[Circuit.LinkWords];
        string source = "zero, as an unused tail's";
        if (q < layout.ChunkCount && layout.UnitsOf(q) == 0)
        {
            Sha256Gadget.InitialState.CopyTo(required);
            source = "SHA-256's initial state";
        }
        else if (q < layout.ChunkCount)
        {
            int last = layout.FirstUnit(q) + layout.UnitsOf(q) - 1;
            UnitCircuit.Instance.Link(LinkKind.HOut, witness.UnitSlot(last), required);
            source = $"the H_out of unit {last}";
        }

        return slot.Slice(TailCircuit.HIn, Circuit.LinkWords).SequenceEqual(required) ? null : $"H_in is not {source}";
    }

    private static string? RowFault(Circuit circuit, ReadOnlySpan<uint> slot)
    {
        var a = new uint[circuit.SlotWords];
        var b = new uint[circuit.SlotWords];
        circuit.Forms(slot, a, b);
        for (int word = 0; word < slot.Length; word++)
        {
            uint wrong = (a[word] & b[word]) ^ slot[word];
            if (wrong != 0)
            {
                int bit = BitOperations.TrailingZeroCount(wrong);
                return circuit.Label(word) is { } label
                    ? $"AND word {word} ({label}) bit {bit} is not the product of its two forms"
                    : $"word {word} bit {bit} must stay empty";
            }
        }

        return null;
    }

    private static string UnitName(WindowLayout layout, int i) =>
        layout.ChunkOfUnit(i) is >= 0 and var chunk ? $"unit {i} of chunk {chunk}" : $"unused unit {i}";

    private static string UnitOutputName(int word) => word switch
    {
        < UnitCircuit.OutputCounter => "M xor key stream",
        UnitCircuit.OutputCounter => "the counter",
        < UnitCircuit.OutputOne => "the nonce",
        UnitCircuit.OutputOne => "the one word",
        _ => "an empty output",
    };

    private static string TailOutputName(int word) => word switch
    {
        < TailCircuit.OutputMessage2 => "M1 xor the selected key stream is not the ciphertext and padding",
        < TailCircuit.OutputSelectors => "M2 is not the second padding block",
        < TailCircuit.OutputDigest => "the selectors are not those of the data bytes",
        < TailCircuit.OutputShaLock => "the SHA-256 of the data is not the digest",
        < TailCircuit.OutputBlakeLock => "SHA-256(k) is not the lock",
        < TailCircuit.OutputCounter => "BLAKE2b-256(k) is not the lock",
        TailCircuit.OutputCounter => "the counter is not the public one",
        < TailCircuit.OutputOne => "the nonce is not the public one",
        TailCircuit.OutputOne => "the one word is not the public one",
        TailCircuit.OutputSecondBlock => "sel2 is not the public one",
        _ => "an empty output is not zero",
    };
}
