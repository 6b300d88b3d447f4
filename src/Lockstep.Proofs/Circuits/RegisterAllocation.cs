namespace Lockstep.Proofs.Circuits;

/// <summary>
/// Turns nodes into operations over a small register file by linear scan. A target never shares a register with its own
/// operands, so that the backward pass may empty the target's adjoint before it adds to those of the operands.
/// </summary>
internal static class RegisterAllocation
{
    public static (Operation[] Operations, ulong[] Constants, int Registers) Allocate(ReadOnlySpan<CircuitNode> nodes)
    {
        var lastUse = new int[nodes.Length];
        for (int i = 0; i < nodes.Length; i++)
        {
            lastUse[i] = i;
            if (nodes[i].X >= 0)
                lastUse[nodes[i].X] = i;
            if (nodes[i].Y >= 0)
                lastUse[nodes[i].Y] = i;
        }

        var operations = new Operation[nodes.Length];
        var register = new ushort[nodes.Length];
        var constants = new List<ulong>();
        var free = new Stack<ushort>();
        int registers = 0;
        for (int i = 0; i < nodes.Length; i++)
        {
            CircuitNode node = nodes[i];
            if (node.Kind != NodeKind.Tie)
                register[i] = free.TryPop(out ushort reused) ? reused : checked((ushort)registers++);
            int immediate;
            if (node.Kind == NodeKind.Constant)
            {
                immediate = constants.Count;
                constants.Add(node.Immediate);
            }
            else
            {
                immediate = checked((int)node.Immediate);
            }

            operations[i] = new Operation(CodeOf(node), node.Width, register[i],
                node.X >= 0 ? register[node.X] : (ushort)0, node.Y >= 0 ? register[node.Y] : (ushort)0, immediate);

            if (node.X >= 0 && lastUse[node.X] == i)
                free.Push(register[node.X]);
            if (node.Y >= 0 && node.Y != node.X && lastUse[node.Y] == i)
                free.Push(register[node.Y]);
            if (node.Kind != NodeKind.Tie && lastUse[i] == i)
                free.Push(register[i]);
        }

        return (operations, [.. constants], registers);
    }

    private static Opcode CodeOf(CircuitNode node) => node.Kind switch
    {
        NodeKind.Input => Opcode.Input,
        NodeKind.Constant => Opcode.Constant,
        NodeKind.Xor => Opcode.Xor,
        NodeKind.RotateRight => node.Width == 32 ? Opcode.RotateRight32 : Opcode.RotateRight64,
        NodeKind.ShiftRight => Opcode.ShiftRight,
        NodeKind.ByteSwap => Opcode.ByteSwap,
        NodeKind.Join => Opcode.Join,
        NodeKind.Low => Opcode.Low,
        NodeKind.High => Opcode.High,
        NodeKind.Broadcast => Opcode.Broadcast,
        NodeKind.And => node.Width == 32 ? Opcode.And32 : Opcode.And64,
        NodeKind.Add => node.Width == 32 ? Opcode.Add32 : Opcode.Add64,
        NodeKind.Tie => Opcode.Tie,
        _ => throw new InvalidOperationException($"Unknown node kind {node.Kind}."),
    };
}
