using Lockstep.Proofs.Circuits;

namespace Lockstep.Proofs.Kernels;

/// <summary>What a walk over tiles is for: it decides which nodes are needed and what is read and written.</summary>
internal enum TilePurpose
{
    /// <summary>Honest values of the committed words, from the inputs.</summary>
    Fill,

    /// <summary>The forms a and b of every committed bit, and the links, from all committed words.</summary>
    Forms,

    /// <summary>The links alone.</summary>
    Links,
}

/// <summary>An operation on a tile. Several nodes of the circuit that always come together are one.</summary>
internal enum TileCode : ushort
{
    End,

    /// <summary>Reads the sixteen slot words from <c>Word</c> of every unit into buffer <c>Target</c>.</summary>
    LoadGroup,

    /// <summary>Writes buffer <c>Target</c> to the sixteen slot words from <c>Word</c>.</summary>
    StoreGroup,

    /// <summary>Empties the buffers of the forms.</summary>
    ClearForms,

    /// <summary>Writes the buffers of both forms.</summary>
    StoreForms,

    /// <summary>Target = slot word; its own forms.</summary>
    Input,

    /// <summary>Target = constant (Low, High halves) and A.</summary>
    Constant,

    /// <summary>A ^ B.</summary>
    Xor,

    /// <summary>A rotated right by Low.</summary>
    Rotate,

    /// <summary>A ^ B rotated right by Low.</summary>
    XorRotate,

    /// <summary>A rotated right by Low, by High and by C, all added.</summary>
    Sigma,

    /// <summary>The same, but shifted by C.</summary>
    SigmaShift,

    /// <summary>A shifted right by Low.</summary>
    Shift,

    ByteSwap,

    /// <summary>Bit 0 of A in all bits.</summary>
    Broadcast,

    /// <summary>Commits (A ^ B) &amp; (C ^ D); Target = the committed word ^ E.</summary>
    And,

    /// <summary>Commits the carries' sums of A + B; Target = the sum.</summary>
    Add,

    /// <summary>Word <c>Low</c> of the links is A.</summary>
    Link,
}

/// <summary>
/// One operation. Registers are numbers of tile words, register 0 is zero; <c>Word</c> is the number of a tile word among the
/// group buffers, or a slot word for the operations on groups.
/// </summary>
internal readonly record struct TileOperation(
    TileCode Code, ushort Target, ushort A, ushort B, ushort C, ushort D, ushort E, ushort Word, ushort Low, ushort High);

/// <summary>
/// A circuit of 32-bit words made ready for walks over tiles: only what the purpose needs, common groups of nodes as one
/// operation, registers and the buffers between slots and registers allocated once.
/// </summary>
internal sealed class TileProgram
{
    /// <summary>Slot words that are read and written at a time: one cache line of a slot.</summary>
    public const int GroupWords = 16;

    private readonly List<Node> _nodes = [];
    private readonly List<TileOperation> _operations = [];
    private readonly TilePurpose _purpose;
    private readonly int _slotWords;

    private TileProgram(Circuit circuit, TilePurpose purpose)
    {
        _purpose = purpose;
        _slotWords = circuit.SlotWords;
        ReadNodes(circuit);
        MarkNeeded();
        Fuse();
        Allocate();
    }

    /// <summary>The program; its last operation is <see cref="TileCode.End"/>.</summary>
    public TileOperation[] Operations => [.. _operations];

    /// <summary>Tile words of the register file, the zero register included.</summary>
    public int Registers { get; private set; }

    /// <summary>Group buffers that are in use at once.</summary>
    public int Buffers { get; private set; }

    /// <summary>The program for a purpose.</summary>
    /// <exception cref="NotSupportedException">The circuit has 64-bit words, or a slot that is not whole lines.</exception>
    public static TileProgram Create(Circuit circuit, TilePurpose purpose) => IsSupported(circuit)
        ? new TileProgram(circuit, purpose)
        : throw new NotSupportedException("Tiles are made of circuits of 32-bit words whose slots are whole cache lines.");

    /// <summary>Whether the circuit can be walked in tiles.</summary>
    public static bool IsSupported(Circuit circuit)
    {
        foreach (Operation operation in circuit.Operations)
            if (operation.Width != 32)
                return false;
        return circuit.SlotWords % GroupWords == 0;
    }

    private static int LinkOf(Circuit circuit, Operation operation) =>
        operation.Code == Opcode.Tie && operation.Immediate >= circuit.OutputWords ? operation.Immediate - circuit.OutputWords : -1;

    // One node for each operation but the public outputs, its operands as numbers of nodes.
    private void ReadNodes(Circuit circuit)
    {
        var inRegister = new Dictionary<ushort, int>();
        int one = -1;
        foreach (Operation operation in circuit.Operations)
        {
            if (operation.Code == Opcode.Tie && LinkOf(circuit, operation) < 0)
                continue;
            var node = new Node();
            int X() => inRegister[operation.X];
            int Y() => inRegister[operation.Y];
            switch (operation.Code)
            {
                case Opcode.Input:
                    (node.Code, node.Word) = (TileCode.Input, operation.Immediate);
                    break;
                case Opcode.Constant:
                    uint value = (uint)circuit.Constants[operation.Immediate];
                    (node.Code, node.Low, node.High) = (TileCode.Constant, (ushort)value, (ushort)(value >> 16));
                    node.Operands[0] = one;
                    break;
                case Opcode.Xor:
                    node.Code = TileCode.Xor;
                    (node.Operands[0], node.Operands[1]) = (X(), Y());
                    break;
                case Opcode.RotateRight32:
                    (node.Code, node.Low, node.Operands[0]) = (TileCode.Rotate, (ushort)operation.Immediate, X());
                    break;
                case Opcode.ShiftRight:
                    (node.Code, node.Low, node.Operands[0]) = (TileCode.Shift, (ushort)operation.Immediate, X());
                    break;
                case Opcode.ByteSwap:
                    (node.Code, node.Operands[0]) = (TileCode.ByteSwap, X());
                    break;
                case Opcode.Broadcast:
                    (node.Code, node.Operands[0]) = (TileCode.Broadcast, X());
                    break;
                case Opcode.And32:
                    (node.Code, node.Word) = (TileCode.And, operation.Immediate);
                    (node.Operands[0], node.Operands[2]) = (X(), Y());
                    break;
                case Opcode.Add32:
                    (node.Code, node.Word) = (TileCode.Add, operation.Immediate);
                    (node.Operands[0], node.Operands[1]) = (X(), Y());
                    break;
                case Opcode.Tie:
                    (node.Code, node.Low, node.Operands[0]) = (TileCode.Link, (ushort)LinkOf(circuit, operation), X());
                    break;
                default:
                    throw new NotSupportedException($"{operation.Code} is not an operation on 32-bit words.");
            }

            _nodes.Add(node);
            if (operation.Code != Opcode.Tie)
                inRegister[operation.Target] = _nodes.Count - 1;
            if (operation.Code == Opcode.Input && operation.Immediate == circuit.OneWord)
            {
                var broadcast = new Node { Code = TileCode.Broadcast };
                broadcast.Operands[0] = _nodes.Count - 1;
                _nodes.Add(broadcast);
                one = _nodes.Count - 1;
            }
        }
    }

    private void MarkNeeded()
    {
        for (int i = _nodes.Count - 1; i >= 0; i--)
        {
            Node node = _nodes[i];
            node.Needed |= _purpose switch
            {
                TilePurpose.Fill => node.Code is TileCode.And or TileCode.Add,
                TilePurpose.Forms => node.Code is TileCode.And or TileCode.Add or TileCode.Input or TileCode.Link,
                _ => node.Code is TileCode.Link,
            };

            // An AND word as it stands does not depend on what it should be.
            if (node.Code == TileCode.And && _purpose == TilePurpose.Links)
                node.Operands.AsSpan().Fill(-1);
            if (!node.Needed)
                continue;
            foreach (int operand in node.Operands)
            {
                if (operand < 0)
                    continue;
                _nodes[operand].Needed = true;
                _nodes[operand].Uses++;
            }
        }
    }

    private void Fuse()
    {
        foreach (Node node in _nodes.Where(node => node.Needed))
        {
            switch (node.Code)
            {
                case TileCode.Xor:
                    if (!FuseSigma(node))
                        FuseSelect(node);
                    break;
                case TileCode.Rotate when Single(node.Operands[0], TileCode.Xor) is { } xor:
                    (xor.Needed, node.Code) = (false, TileCode.XorRotate);
                    (node.Operands[0], node.Operands[1]) = (xor.Operands[0], xor.Operands[1]);
                    break;
                case TileCode.And:
                    for (int side = 0; side <= 2; side += 2)
                    {
                        if (Single(node.Operands[side], TileCode.Xor) is not { } sum)
                            continue;
                        sum.Needed = false;
                        (node.Operands[side], node.Operands[side + 1]) = (sum.Operands[0], sum.Operands[1]);
                    }

                    break;
            }
        }
    }

    // (v>>>a ^ v>>>b) ^ v>>>c, the last one a rotation or a shift.
    private bool FuseSigma(Node node)
    {
        if (Single(node.Operands[0], TileCode.Xor) is not { } inner
            || Single(inner.Operands[0], TileCode.Rotate) is not { } first || Single(inner.Operands[1], TileCode.Rotate) is not { } second
            || (Single(node.Operands[1], TileCode.Rotate) ?? Single(node.Operands[1], TileCode.Shift)) is not { } third
            || first.Operands[0] != second.Operands[0] || first.Operands[0] != third.Operands[0])
            return false;
        inner.Needed = first.Needed = second.Needed = third.Needed = false;
        node.Code = third.Code == TileCode.Rotate ? TileCode.Sigma : TileCode.SigmaShift;
        (node.Low, node.High, node.Third) = (first.Low, second.Low, third.Low);
        (node.Operands[0], node.Operands[1]) = (first.Operands[0], -1);
        return true;
    }

    // and ^ x becomes one operation in the place of the sum.
    private void FuseSelect(Node node)
    {
        for (int side = 0; side < 2; side++)
        {
            if (Single(node.Operands[side], TileCode.And) is not { } and || and.Operands[4] >= 0)
                continue;
            int other = node.Operands[1 - side];
            and.Needed = false;
            (node.Code, node.Word) = (TileCode.And, and.Word);
            and.Operands.CopyTo(node.Operands, 0);
            node.Operands[4] = other;
            return;
        }
    }

    private Node? Single(int operand, TileCode code) =>
        operand >= 0 && _nodes[operand] is { Needed: true, Uses: 1 } node && node.Code == code ? node : null;

    private void Allocate()
    {
        int groups = _slotWords / GroupWords;
        var lastUse = new int[_nodes.Count];
        var firstAccess = new int[groups];
        var lastAccess = new int[groups];
        var written = new int[groups];
        firstAccess.AsSpan().Fill(-1);
        for (int i = 0; i < _nodes.Count; i++)
        {
            Node node = _nodes[i];
            lastUse[i] = i;
            if (!node.Needed)
                continue;
            foreach (int operand in node.Operands)
                if (operand >= 0)
                    lastUse[operand] = i;
            if (node.Word < 0)
                continue;
            int group = node.Word / GroupWords;
            if (firstAccess[group] < 0)
                firstAccess[group] = i;
            lastAccess[group] = i;
            if (Writes(node))
                written[group]++;
        }

        var freeRegisters = new Stack<ushort>();
        var freeBuffers = new Stack<ushort>();
        var register = new ushort[_nodes.Count];
        var buffer = new ushort[groups];
        Registers = 1;
        for (int i = 0; i < _nodes.Count; i++)
        {
            Node node = _nodes[i];
            if (!node.Needed)
                continue;
            int group = node.Word >= 0 ? node.Word / GroupWords : -1;
            if (group >= 0 && firstAccess[group] == i)
            {
                buffer[group] = freeBuffers.TryPop(out ushort reused) ? reused : (ushort)Buffers++;
                if (_purpose != TilePurpose.Fill || written[group] < GroupWords)
                    Group(TileCode.LoadGroup, buffer[group], group);
                if (_purpose == TilePurpose.Forms && written[group] < GroupWords)
                    Group(TileCode.ClearForms, buffer[group], group);
            }

            // Tile words are worked on lane by lane, so a target may take the place of an operand that ends here.
            ushort Register(int operand) => operand < 0 ? (ushort)0 : register[operand];
            (ushort a, ushort b, ushort c, ushort d, ushort e) =
                (Register(node.Operands[0]), Register(node.Operands[1]), Register(node.Operands[2]), Register(node.Operands[3]), Register(node.Operands[4]));
            foreach (int operand in node.Operands.Distinct())
                if (operand >= 0 && lastUse[operand] == i)
                    freeRegisters.Push(register[operand]);
            if (node.Code != TileCode.Link)
                register[i] = freeRegisters.TryPop(out ushort free) ? free : (ushort)Registers++;
            if (node.Code is TileCode.Sigma or TileCode.SigmaShift)
                c = node.Third;
            _operations.Add(new TileOperation(
                node.Code, register[i], a, b, c, d, e,
                group < 0 ? (ushort)0 : (ushort)(buffer[group] * GroupWords + node.Word % GroupWords), node.Low, node.High));
            if (node.Code != TileCode.Link && lastUse[i] == i)
                freeRegisters.Push(register[i]);
            if (group < 0 || lastAccess[group] != i)
                continue;
            if (_purpose == TilePurpose.Fill && written[group] > 0)
                Group(TileCode.StoreGroup, buffer[group], group);
            if (_purpose == TilePurpose.Forms)
                Group(TileCode.StoreForms, buffer[group], group);
            freeBuffers.Push(buffer[group]);
        }

        if (_purpose == TilePurpose.Forms && firstAccess.Contains(-1))
        {
            // Words of no node have empty forms.
            ushort empty = freeBuffers.TryPop(out ushort reused) ? reused : (ushort)Buffers++;
            Group(TileCode.ClearForms, empty, 0);
            for (int group = 0; group < groups; group++)
                if (firstAccess[group] < 0)
                    Group(TileCode.StoreForms, empty, group);
        }

        _operations.Add(default);
    }

    private bool Writes(Node node) => node.Code is TileCode.And or TileCode.Add || (node.Code == TileCode.Input && _purpose == TilePurpose.Forms);

    private void Group(TileCode code, ushort buffer, int group) =>
        _operations.Add(new TileOperation(code, buffer, 0, 0, 0, 0, 0, (ushort)(group * GroupWords), 0, 0));

    private sealed class Node
    {
        public TileCode Code { get; set; }

        // A to E; -1 where there is none.
        public int[] Operands { get; } = [-1, -1, -1, -1, -1];

        public int Word { get; set; } = -1;

        public ushort Low { get; set; }

        public ushort High { get; set; }

        public ushort Third { get; set; }

        public bool Needed { get; set; }

        public int Uses { get; set; }
    }
}
