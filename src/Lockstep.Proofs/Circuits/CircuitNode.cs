namespace Lockstep.Proofs.Circuits;

/// <summary>What a node of the straight-line program computes. The byte values are part of the canonical encoding.</summary>
internal enum NodeKind : byte
{
    /// <summary>The committed input word at slot word <c>Immediate</c>.</summary>
    Input = 1,

    /// <summary>The constant <c>Immediate</c> times bit 0 of the committed <em>one</em> word.</summary>
    Constant = 2,

    /// <summary>X xor Y.</summary>
    Xor = 3,

    /// <summary>X rotated right by <c>Immediate</c> bits within its width.</summary>
    RotateRight = 4,

    /// <summary>X shifted right by <c>Immediate</c> bits, zeros coming in.</summary>
    ShiftRight = 5,

    /// <summary>The four bytes of X reversed (32-bit words only).</summary>
    ByteSwap = 6,

    /// <summary>The 64-bit word with low half X and high half Y.</summary>
    Join = 7,

    /// <summary>The low half of a 64-bit word.</summary>
    Low = 8,

    /// <summary>The high half of a 64-bit word.</summary>
    High = 9,

    /// <summary>Bit 0 of X in all 32 bits.</summary>
    Broadcast = 10,

    /// <summary>X and Y; the result is committed at slot word <c>Immediate</c>.</summary>
    And = 11,

    /// <summary>X + Y modulo 2^width; commits u = (X^c)&amp;(Y^c) at slot word <c>Immediate</c>, c being the carries in.</summary>
    Add = 12,

    /// <summary>X is tied: it is word <c>Immediate</c> of the public outputs followed by the links. Defines no value.</summary>
    Tie = 13,
}

/// <summary>A node before register allocation: operands are indices of earlier nodes, -1 where there is none.</summary>
internal readonly record struct CircuitNode(NodeKind Kind, byte Width, int X, int Y, ulong Immediate);

/// <summary>The interpreter's operation: a kind split by width, with registers for operands.</summary>
internal enum Opcode : byte
{
    Input,
    Constant,
    Xor,
    RotateRight32,
    RotateRight64,
    ShiftRight,
    ByteSwap,
    Join,
    Low,
    High,
    Broadcast,
    And32,
    And64,
    Add32,
    Add64,
    Tie,
}

/// <summary>One operation: <c>Target</c>, <c>X</c>, <c>Y</c> are registers; <c>Immediate</c> is a slot word, a shift, a tie word or an index of the constant table.</summary>
internal readonly record struct Operation(Opcode Code, byte Width, ushort Target, ushort X, ushort Y, int Immediate);
