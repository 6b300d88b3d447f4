using System.Numerics;
using System.Runtime.InteropServices;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Circuits;

/// <summary>Weights of the link bits in the backward pass: 256 elements each, or empty for weight zero.</summary>
internal readonly ref struct LinkWeights
{
    public ReadOnlySpan<Gf128> HIn { get; init; }

    public ReadOnlySpan<Gf128> Key { get; init; }

    public ReadOnlySpan<Gf128> HOut { get; init; }

    internal ReadOnlySpan<Gf128> Of(LinkKind kind) => kind switch
    {
        LinkKind.HIn => HIn,
        LinkKind.Key => Key,
        _ => HOut,
    };
}

internal sealed partial class Circuit
{
    private const int RegisterBits = 64;

    /// <summary>
    /// The circuit walk (docs/proof-system.md section 7, equation 3). Adds to <paramref name="m"/>[j] the coefficient of committed bit j in
    /// sum_j weightA[j] a_j + weightB[j] b_j + sum of output weights times outputs + the same for links.
    /// </summary>
    /// <param name="weightA"><see cref="SlotBits"/> elements.</param>
    /// <param name="weightB"><see cref="SlotBits"/> elements.</param>
    /// <param name="outputWeights">32 * <see cref="OutputWords"/> elements.</param>
    /// <param name="links">Weights of the links.</param>
    /// <param name="m"><see cref="SlotBits"/> elements, added to.</param>
    public void Adjoint(ReadOnlySpan<Gf128> weightA, ReadOnlySpan<Gf128> weightB, ReadOnlySpan<Gf128> outputWeights, LinkWeights links, Span<Gf128> m)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(weightA.Length, SlotBits);
        ArgumentOutOfRangeException.ThrowIfNotEqual(weightB.Length, SlotBits);
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputWeights.Length, 32 * OutputWords);
        ArgumentOutOfRangeException.ThrowIfNotEqual(m.Length, SlotBits);
        CheckLength(links.HIn);
        CheckLength(links.Key);
        CheckLength(links.HOut);

        using var rented = new RentedElements(_registers * RegisterBits);
        Gf128[] adjoints = rented.Array;
        for (int i = _operations.Length - 1; i >= 0; i--)
        {
            ref readonly Operation op = ref _operations[i];
            Span<Gf128> x = adjoints.AsSpan(op.X * RegisterBits, op.Width);
            if (op.Code == Opcode.Tie)
            {
                Add(x, TieWeights(op.Immediate, outputWeights, links));
                continue;
            }

            Span<Gf128> g = adjoints.AsSpan(op.Target * RegisterBits, op.Width);
            Span<Gf128> y = adjoints.AsSpan(op.Y * RegisterBits, op.Width);
            switch (op.Code)
            {
                case Opcode.Input:
                    Add(m.Slice(32 * op.Immediate, 32), g);
                    Add(m.Slice(32 * op.Immediate, 32), weightA.Slice(32 * op.Immediate, 32));
                    Add(m.Slice(32 * op.Immediate, 32), weightB.Slice(32 * op.Immediate, 32));
                    break;
                case Opcode.Constant:
                    for (ulong rest = _constants[op.Immediate]; rest != 0; rest &= rest - 1)
                        m[32 * _oneWord] += g[BitOperations.TrailingZeroCount(rest)];
                    break;
                case Opcode.Xor:
                    Add(x, g);
                    Add(y, g);
                    break;
                case Opcode.RotateRight32:
                case Opcode.RotateRight64:
                    Add(x[op.Immediate..], g[..(op.Width - op.Immediate)]);
                    Add(x[..op.Immediate], g[(op.Width - op.Immediate)..]);
                    break;
                case Opcode.ShiftRight:
                    Add(x[op.Immediate..], g[..(op.Width - op.Immediate)]);
                    break;
                case Opcode.ByteSwap:
                    for (int octet = 0; octet < 32; octet += 8)
                        Add(x.Slice(24 - octet, 8), g.Slice(octet, 8));
                    break;
                case Opcode.Join:
                    Add(x[..32], g[..32]);
                    Add(y[..32], g[32..]);
                    break;
                case Opcode.Low:
                    Add(x, g);
                    break;
                case Opcode.High:
                    Add(adjoints.AsSpan(op.X * RegisterBits + 32, 32), g);
                    break;
                case Opcode.Broadcast:
                    foreach (Gf128 bit in g)
                        x[0] += bit;
                    break;
                case Opcode.And32:
                case Opcode.And64:
                    Add(m.Slice(32 * op.Immediate, op.Width), g);
                    Add(x, weightA.Slice(32 * op.Immediate, op.Width));
                    Add(y, weightB.Slice(32 * op.Immediate, op.Width));
                    break;
                case Opcode.Add32:
                case Opcode.Add64:
                    AddAdjoint(g, x, y, weightA.Slice(32 * op.Immediate, op.Width), weightB.Slice(32 * op.Immediate, op.Width),
                        m.Slice(32 * op.Immediate, op.Width));
                    break;
            }

            g.Clear();
        }
    }

    // With a = x + c, b = y + c, s = x + y + c: G_x += G_s + E_a, G_y += G_s + E_b, G_c = G_s + E_a + E_b, and since
    // c_i is the sum of the u_j below i, M(u_i) is the sum of the G_c above i.
    private static void AddAdjoint(ReadOnlySpan<Gf128> g, Span<Gf128> x, Span<Gf128> y, ReadOnlySpan<Gf128> weightA, ReadOnlySpan<Gf128> weightB, Span<Gf128> m)
    {
        Gf128 above = default;
        for (int bit = g.Length - 1; bit >= 0; bit--)
        {
            Gf128 toX = g[bit] + weightA[bit];
            m[bit] += above;
            above += toX + weightB[bit];
            x[bit] += toX;
            y[bit] += g[bit] + weightB[bit];
        }
    }

    private ReadOnlySpan<Gf128> TieWeights(int word, ReadOnlySpan<Gf128> outputWeights, LinkWeights links)
    {
        if (word < OutputWords)
            return outputWeights.Slice(32 * word, 32);
        (int link, int part) = Math.DivRem(word - OutputWords, LinkWords);
        ReadOnlySpan<Gf128> weights = links.Of((LinkKind)link);
        return weights.IsEmpty ? weights : weights.Slice(32 * part, 32);
    }

    private static void Add(Span<Gf128> target, ReadOnlySpan<Gf128> source)
    {
        // Addition is xor; an empty source is the zero weight of an undeclared link.
        Span<ulong> t = MemoryMarshal.Cast<Gf128, ulong>(target);
        ReadOnlySpan<ulong> s = MemoryMarshal.Cast<Gf128, ulong>(source);
        int i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            for (; i <= s.Length - Vector<ulong>.Count; i += Vector<ulong>.Count)
                (new Vector<ulong>(t[i..]) ^ new Vector<ulong>(s[i..])).CopyTo(t[i..]);
        }

        for (; i < s.Length; i++)
            t[i] ^= s[i];
    }

    private static void CheckLength(ReadOnlySpan<Gf128> weights)
    {
        if (weights.Length is not 0 and not (32 * LinkWords))
            throw new ArgumentException($"A link has {32 * LinkWords} weights or none, not {weights.Length}.", nameof(weights));
    }
}
