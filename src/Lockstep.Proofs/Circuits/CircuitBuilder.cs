using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Lockstep.Proofs.Circuits;

/// <summary>The words of a slot that must equal words of another slot, eight 32-bit words each.</summary>
internal enum LinkKind
{
    /// <summary>The SHA-256 state that enters the slot.</summary>
    HIn = 0,

    /// <summary>The ChaCha20 key.</summary>
    Key = 1,

    /// <summary>The SHA-256 state that leaves the slot.</summary>
    HOut = 2,
}

/// <summary>A value of the program under construction.</summary>
internal readonly record struct Wire(int Node);

/// <summary>
/// Writes down a circuit as a straight-line program over the 32- and 64-bit words of one slot. Only input words and the
/// words of <see cref="And"/> and <see cref="Add"/> are committed; everything else is linear in them.
/// </summary>
internal sealed class CircuitBuilder
{
    private readonly List<CircuitNode> _nodes = [];
    private readonly string?[] _labels;
    private readonly bool[] _tied;
    private readonly int _oneWord;
    private int _cursor;

    /// <param name="slotWords">Size of the slot in 32-bit words.</param>
    /// <param name="outputWords">Number of public-output words, a power of two.</param>
    /// <param name="oneWord">Slot word whose bit 0 multiplies every constant.</param>
    public CircuitBuilder(int slotWords, int outputWords, int oneWord)
    {
        SlotWords = slotWords;
        OutputWords = outputWords;
        _oneWord = oneWord;
        _labels = new string?[slotWords];
        _tied = new bool[outputWords + Circuit.LinkCount * Circuit.LinkWords];
        One = Input(oneWord, "one");
    }

    public int SlotWords { get; }

    public int OutputWords { get; }

    /// <summary>The committed <em>one</em> word.</summary>
    public Wire One { get; }

    /// <summary>The committed input word at <paramref name="word"/>: a = b = z for each of its bits.</summary>
    public Wire Input(int word, string label)
    {
        Claim(word, 1, label);
        return Append(NodeKind.Input, 32, -1, -1, (ulong)word);
    }

    /// <summary><paramref name="count"/> consecutive input words.</summary>
    public Wire[] Inputs(int word, int count, string label)
    {
        var wires = new Wire[count];
        for (int i = 0; i < count; i++)
            wires[i] = Input(word + i, $"{label}[{i}]");
        return wires;
    }

    /// <summary>A constant, zero in a slot whose <em>one</em> bit is 0. Width in bits, 32 or 64.</summary>
    public Wire Constant(ulong value, int width = 32) => Append(NodeKind.Constant, width, -1, -1, value);

    public Wire Xor(Wire x, Wire y) => Append(NodeKind.Xor, SameWidth(x, y), x.Node, y.Node, 0);

    public Wire RotateRight(Wire x, int count) => Append(NodeKind.RotateRight, Width(x), x.Node, -1, (ulong)count);

    public Wire RotateLeft(Wire x, int count) => RotateRight(x, Width(x) - count);

    public Wire ShiftRight(Wire x, int count) => Append(NodeKind.ShiftRight, Width(x), x.Node, -1, (ulong)count);

    public Wire ByteSwap(Wire x) => Append(NodeKind.ByteSwap, Expect(x, 32), x.Node, -1, 0);

    public Wire[] ByteSwap(ReadOnlySpan<Wire> words)
    {
        var swapped = new Wire[words.Length];
        for (int i = 0; i < words.Length; i++)
            swapped[i] = ByteSwap(words[i]);
        return swapped;
    }

    public Wire Join(Wire low, Wire high)
    {
        Expect(low, 32);
        Expect(high, 32);
        return Append(NodeKind.Join, 64, low.Node, high.Node, 0);
    }

    public Wire Low(Wire x)
    {
        Expect(x, 64);
        return Append(NodeKind.Low, 32, x.Node, -1, 0);
    }

    public Wire High(Wire x)
    {
        Expect(x, 64);
        return Append(NodeKind.High, 32, x.Node, -1, 0);
    }

    /// <summary>Bit 0 of <paramref name="x"/> in every bit of the result.</summary>
    public Wire Broadcast(Wire x) => Append(NodeKind.Broadcast, Expect(x, 32), x.Node, -1, 0);

    /// <summary>The committed word x &amp; y.</summary>
    public Wire And(Wire x, Wire y, string label) => Commit(NodeKind.And, x, y, label);

    /// <summary>The sum modulo 2^width; commits the word (x^c)&amp;(y^c).</summary>
    public Wire Add(Wire x, Wire y, string label) => Commit(NodeKind.Add, x, y, label);

    /// <summary>The next committed AND word goes to <paramref name="word"/>.</summary>
    public void CommitAt(int word) => _cursor = word;

    /// <summary>Where the next committed AND word goes.</summary>
    public int NextCommitted => _cursor;

    /// <summary>Makes <paramref name="x"/> word <paramref name="word"/> of the public outputs.</summary>
    public void Output(int word, Wire x)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(word);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(word, OutputWords);
        Tie(word, x);
    }

    /// <summary>Makes consecutive public-output words.</summary>
    public void Outputs(int word, ReadOnlySpan<Wire> wires)
    {
        for (int i = 0; i < wires.Length; i++)
            Output(word + i, wires[i]);
    }

    /// <summary>Declares the eight words of a link.</summary>
    public void Link(LinkKind kind, ReadOnlySpan<Wire> wires)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(wires.Length, Circuit.LinkWords);
        for (int i = 0; i < wires.Length; i++)
            Tie(OutputWords + (int)kind * Circuit.LinkWords + i, wires[i]);
    }

    public Circuit Build() => new(SlotWords, OutputWords, _oneWord, [.. _nodes], _labels, Digest());

    private Wire Commit(NodeKind kind, Wire x, Wire y, string label)
    {
        int width = SameWidth(x, y), word = _cursor;
        Claim(word, width / 32, label);
        _cursor += width / 32;
        return Append(kind, width, x.Node, y.Node, (ulong)word);
    }

    private void Claim(int word, int count, string label)
    {
        for (int i = word; i < word + count; i++)
        {
            if (_labels[i] is not null)
                throw new InvalidOperationException($"Slot word {i} is both {_labels[i]} and {label}.");
            _labels[i] = label;
        }
    }

    private void Tie(int word, Wire x)
    {
        if (_tied[word])
            throw new InvalidOperationException($"Tie word {word} is declared twice.");
        _tied[word] = true;
        Append(NodeKind.Tie, Expect(x, 32), x.Node, -1, (ulong)word);
    }

    private Wire Append(NodeKind kind, int width, int x, int y, ulong immediate)
    {
        _nodes.Add(new CircuitNode(kind, (byte)width, x, y, immediate));
        return new Wire(_nodes.Count - 1);
    }

    private int Width(Wire x) => _nodes[x.Node].Width;

    private int SameWidth(Wire x, Wire y) => Expect(y, Width(x));

    private int Expect(Wire x, int width) =>
        Width(x) == width ? width : throw new InvalidOperationException($"Expected a {width}-bit word, got {Width(x)} bits.");

    // Canonical encoding: header, sizes, then one fixed-size record per node. Little-endian throughout.
    private byte[] Digest()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.ASCII.GetBytes("lockstep-circuit/1"));
        Span<byte> header = stackalloc byte[16];
        BinaryPrimitives.WriteInt32LittleEndian(header, SlotWords);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], OutputWords);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], _oneWord);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], _nodes.Count);
        hash.AppendData(header);
        Span<byte> record = stackalloc byte[18];
        foreach (CircuitNode node in _nodes)
        {
            record[0] = (byte)node.Kind;
            record[1] = node.Width;
            BinaryPrimitives.WriteInt32LittleEndian(record[2..], node.X);
            BinaryPrimitives.WriteInt32LittleEndian(record[6..], node.Y);
            BinaryPrimitives.WriteUInt64LittleEndian(record[10..], node.Immediate);
            hash.AppendData(record);
        }

        return hash.GetHashAndReset();
    }
}
