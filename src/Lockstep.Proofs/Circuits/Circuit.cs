using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lockstep.Proofs.Circuits;

/// <summary>
/// A circuit over one slot: every committed bit z has two linear forms a, b in the slot's bits with a*b = z. Input bits
/// have a = b = z; positions that no node claims have empty forms, hence z = 0. Bit j of a slot is bit j mod 32 of its
/// word j / 32. One program drives the honest evaluation, the forms, the ties and the backward pass.
/// </summary>
internal sealed partial class Circuit
{
    /// <summary>Number of <see cref="LinkKind"/> values.</summary>
    public const int LinkCount = 3;

    /// <summary>32-bit words of a link.</summary>
    public const int LinkWords = 8;

    private readonly Operation[] _operations;
    private readonly ulong[] _constants;
    private readonly string?[] _labels;
    private readonly byte[] _digest;
    private readonly int _registers;
    private readonly int _oneWord;

    // First slot word of a link whose words are inputs in order, or -1.
    private readonly int[] _linkInputs = new int[LinkCount];

    internal Circuit(int slotWords, int outputWords, int oneWord, CircuitNode[] nodes, string?[] labels, byte[] digest)
    {
        SlotWords = slotWords;
        OutputWords = outputWords;
        _oneWord = oneWord;
        _labels = labels;
        _digest = digest;
        (_operations, _constants, _registers) = RegisterAllocation.Allocate(nodes);
        foreach (CircuitNode node in nodes)
        {
            // Bit width-1 of an addition's word feeds no carry: it is committed, but is no gate of the count.
            AndGates += node.Kind switch { NodeKind.And => node.Width, NodeKind.Add => node.Width - 1, _ => 0 };
            InputWords += node.Kind == NodeKind.Input ? 1 : 0;
            CommittedAndWords += node.Kind is NodeKind.And or NodeKind.Add ? node.Width / 32 : 0;
        }

        for (int link = 0; link < LinkCount; link++)
            _linkInputs[link] = InputsOfLink(nodes, outputWords + link * LinkWords);
    }

    /// <summary>32-bit words of a slot.</summary>
    public int SlotWords { get; }

    /// <summary>Bits of a slot.</summary>
    public int SlotBits => 32 * SlotWords;

    /// <summary>32-bit words of public output, the empty ones included.</summary>
    public int OutputWords { get; }

    /// <summary>AND gates that carry information: an n-bit addition counts n - 1.</summary>
    public int AndGates { get; }

    /// <summary>Input words of the slot.</summary>
    public int InputWords { get; }

    /// <summary>Committed 32-bit AND words of the slot.</summary>
    public int CommittedAndWords { get; }

    /// <summary>The program, for the kernels that run it over many slots at once.</summary>
    internal ReadOnlySpan<Operation> Operations => _operations;

    /// <summary>The constants that <see cref="Opcode.Constant"/> names.</summary>
    internal ReadOnlySpan<ulong> Constants => _constants;

    /// <summary>Slot word whose bit 0 multiplies every constant.</summary>
    internal int OneWord => _oneWord;

    /// <summary>SHA-256 of the canonical encoding of the program (32 bytes).</summary>
    public ReadOnlySpan<byte> Digest => _digest;

    /// <summary>What the committed word is, or null where the slot is empty.</summary>
    public string? Label(int word) => _labels[word];

    /// <summary>Fills all AND words with their honest values; the input words must be there.</summary>
    public void Evaluate(Span<uint> slot)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(slot.Length, SlotWords);
        Run<FillWalk>(slot, [], [], []);
    }

    /// <summary>The values of the forms a and b of every committed bit, linear in the committed bits as they stand.</summary>
    public void Forms(ReadOnlySpan<uint> slot, Span<uint> a, Span<uint> b)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(slot.Length, SlotWords);
        ArgumentOutOfRangeException.ThrowIfNotEqual(a.Length, SlotWords);
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, SlotWords);
        a.Clear();
        b.Clear();
        Run<FormsWalk>(ReadOnly(slot), a, b, []);
    }

    /// <summary>The public-output words; positions that no form claims are 0.</summary>
    public void Outputs(ReadOnlySpan<uint> slot, Span<uint> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, OutputWords);
        Span<uint> ties = stackalloc uint[OutputWords + LinkCount * LinkWords];
        Ties(slot, ties);
        ties[..OutputWords].CopyTo(outputs);
        ties.Clear();
    }

    /// <summary>The eight words of a link; zero where the circuit does not declare it.</summary>
    public void Link(LinkKind kind, ReadOnlySpan<uint> slot, Span<uint> words)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(words.Length, LinkWords);
        if (_linkInputs[(int)kind] is >= 0 and int first)
        {
            slot.Slice(first, LinkWords).CopyTo(words);
            return;
        }

        Span<uint> ties = stackalloc uint[OutputWords + LinkCount * LinkWords];
        Ties(slot, ties);
        ties.Slice(OutputWords + (int)kind * LinkWords, LinkWords).CopyTo(words);
        ties.Clear();
    }

    /// <summary>Public outputs and links in one walk: <see cref="OutputWords"/> words, then eight for each link kind in order.</summary>
    public void Ties(ReadOnlySpan<uint> slot, Span<uint> ties)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(slot.Length, SlotWords);
        ArgumentOutOfRangeException.ThrowIfNotEqual(ties.Length, OutputWords + LinkCount * LinkWords);
        ties.Clear();
        Run<TieWalk>(ReadOnly(slot), [], [], ties);
    }

    private static int InputsOfLink(CircuitNode[] nodes, int firstTie)
    {
        int first = -1;
        for (int i = 0; i < LinkWords; i++)
        {
            int tie = Array.FindIndex(nodes, node => node.Kind == NodeKind.Tie && node.Immediate == (ulong)(firstTie + i));
            if (tie < 0 || nodes[nodes[tie].X].Kind != NodeKind.Input)
                return -1;
            int word = (int)nodes[nodes[tie].X].Immediate;
            if (i == 0)
                first = word;
            else if (word != first + i)
                return -1;
        }

        return first;
    }

    // Only FillWalk writes to the slot, and only Evaluate, which holds it writable, starts that walk.
    private static Span<uint> ReadOnly(ReadOnlySpan<uint> slot) =>
        MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(slot), slot.Length);

    [SkipLocalsInit]
    private void Run<TWalk>(Span<uint> slot, Span<uint> a, Span<uint> b, Span<uint> ties)
        where TWalk : struct, IWalk
    {
        Span<ulong> r = stackalloc ulong[_registers];
        ulong one = 0UL - (slot[_oneWord] & 1);
        foreach (ref readonly Operation op in _operations.AsSpan())
        {
            switch (op.Code)
            {
                case Opcode.Input:
                    uint input = slot[op.Immediate];
                    r[op.Target] = input;
                    if (TWalk.WantsForms)
                        a[op.Immediate] = b[op.Immediate] = input;
                    break;
                case Opcode.Constant:
                    r[op.Target] = _constants[op.Immediate] & one;
                    break;
                case Opcode.Xor:
                    r[op.Target] = r[op.X] ^ r[op.Y];
                    break;
                case Opcode.RotateRight32:
                    r[op.Target] = BitOperations.RotateRight((uint)r[op.X], op.Immediate);
                    break;
                case Opcode.RotateRight64:
                    r[op.Target] = BitOperations.RotateRight(r[op.X], op.Immediate);
                    break;
                case Opcode.ShiftRight:
                    r[op.Target] = r[op.X] >> op.Immediate;
                    break;
                case Opcode.ByteSwap:
                    r[op.Target] = BinaryPrimitives.ReverseEndianness((uint)r[op.X]);
                    break;
                case Opcode.Join:
                    r[op.Target] = r[op.X] | (r[op.Y] << 32);
                    break;
                case Opcode.Low:
                    r[op.Target] = (uint)r[op.X];
                    break;
                case Opcode.High:
                    r[op.Target] = r[op.X] >> 32;
                    break;
                case Opcode.Broadcast:
                    r[op.Target] = (uint)(0UL - (r[op.X] & 1));
                    break;
                case Opcode.And32:
                    {
                        uint x = (uint)r[op.X], y = (uint)r[op.Y];
                        if (TWalk.FillsSlot)
                            slot[op.Immediate] = x & y;
                        r[op.Target] = slot[op.Immediate];
                        if (TWalk.WantsForms)
                            (a[op.Immediate], b[op.Immediate]) = (x, y);
                        break;
                    }

                case Opcode.And64:
                    {
                        ulong x = r[op.X], y = r[op.Y];
                        if (TWalk.FillsSlot)
                            Write64(slot, op.Immediate, x & y);
                        r[op.Target] = Read64(slot, op.Immediate);
                        if (TWalk.WantsForms)
                        {
                            Write64(a, op.Immediate, x);
                            Write64(b, op.Immediate, y);
                        }

                        break;
                    }

                case Opcode.Add32:
                    {
                        uint x = (uint)r[op.X], y = (uint)r[op.Y], carry;
                        if (TWalk.FillsSlot)
                        {
                            carry = x ^ y ^ (x + y);
                            slot[op.Immediate] = (x ^ carry) & (y ^ carry);
                        }
                        else
                        {
                            carry = CarriesIn(slot[op.Immediate]);
                        }

                        r[op.Target] = x ^ y ^ carry;
                        if (TWalk.WantsForms)
                            (a[op.Immediate], b[op.Immediate]) = (x ^ carry, y ^ carry);
                        break;
                    }

                case Opcode.Add64:
                    {
                        ulong x = r[op.X], y = r[op.Y], carry;
                        if (TWalk.FillsSlot)
                        {
                            carry = x ^ y ^ (x + y);
                            Write64(slot, op.Immediate, (x ^ carry) & (y ^ carry));
                        }
                        else
                        {
                            carry = CarriesIn(Read64(slot, op.Immediate));
                        }

                        r[op.Target] = x ^ y ^ carry;
                        if (TWalk.WantsForms)
                        {
                            Write64(a, op.Immediate, x ^ carry);
                            Write64(b, op.Immediate, y ^ carry);
                        }

                        break;
                    }

                case Opcode.Tie:
                    if (TWalk.WantsTies)
                        ties[op.Immediate] = (uint)r[op.X];
                    break;
            }
        }

        r.Clear();
    }

    // c_i = sum of u_j for j < i: the carries are linear in the committed word (docs/proof-system.md section 3).
    private static uint CarriesIn(uint u)
    {
        uint c = u << 1;
        c ^= c << 1;
        c ^= c << 2;
        c ^= c << 4;
        c ^= c << 8;
        return c ^ (c << 16);
    }

    private static ulong CarriesIn(ulong u)
    {
        ulong c = u << 1;
        c ^= c << 1;
        c ^= c << 2;
        c ^= c << 4;
        c ^= c << 8;
        c ^= c << 16;
        return c ^ (c << 32);
    }

    private static ulong Read64(ReadOnlySpan<uint> words, int word) => words[word] | ((ulong)words[word + 1] << 32);

    private static void Write64(Span<uint> words, int word, ulong value) =>
        (words[word], words[word + 1]) = ((uint)value, (uint)(value >> 32));

    // The walk is chosen by type, so that each instance of Run is compiled without the others' branches.
    private interface IWalk
    {
        static abstract bool FillsSlot { get; }

        static abstract bool WantsForms { get; }

        static abstract bool WantsTies { get; }
    }

    private readonly struct FillWalk : IWalk
    {
        public static bool FillsSlot => true;

        public static bool WantsForms => false;

        public static bool WantsTies => false;
    }

    private readonly struct FormsWalk : IWalk
    {
        public static bool FillsSlot => false;

        public static bool WantsForms => true;

        public static bool WantsTies => false;
    }

    private readonly struct TieWalk : IWalk
    {
        public static bool FillsSlot => false;

        public static bool WantsForms => false;

        public static bool WantsTies => true;
    }
}
