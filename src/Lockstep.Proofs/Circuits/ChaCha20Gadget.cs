namespace Lockstep.Proofs.Circuits;

/// <summary>
/// The ChaCha20 block function (RFC 8439 section 2.3) as a circuit: 336 committed words, 10,416 AND gates. Committed
/// words are the additions in order: four per quarter round, then the sixteen of the final sum.
/// </summary>
internal static class ChaCha20Gadget
{
    /// <summary>Committed 32-bit words of one block.</summary>
    public const int CommittedWords = 336;

    /// <summary>The constant words of the state, "expand 32-byte k".</summary>
    public static ReadOnlySpan<uint> Constants => [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];

    /// <summary>The sixteen words of the key stream; written little-endian they are its 64 bytes.</summary>
    /// <param name="b">Receives the nodes.</param>
    /// <param name="key">Eight little-endian words.</param>
    /// <param name="counterAndNonce">The counter, then three little-endian nonce words.</param>
    public static Wire[] Block(CircuitBuilder b, ReadOnlySpan<Wire> key, ReadOnlySpan<Wire> counterAndNonce)
    {
        var initial = new Wire[16];
        for (int i = 0; i < 4; i++)
            initial[i] = b.Constant(Constants[i]);
        key.CopyTo(initial.AsSpan(4));
        counterAndNonce.CopyTo(initial.AsSpan(12));

        var s = (Wire[])initial.Clone();
        for (int round = 0; round < 20; round += 2)
        {
            for (int i = 0; i < 4; i++)
                QuarterRound(b, s, i, 4 + i, 8 + i, 12 + i, $"ChaCha20 round {round} column {i}");
            for (int i = 0; i < 4; i++)
                QuarterRound(b, s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, $"ChaCha20 round {round + 1} diagonal {i}");
        }

        for (int i = 0; i < 16; i++)
            s[i] = b.Add(s[i], initial[i], $"ChaCha20 output {i}");
        return s;
    }

    private static void QuarterRound(CircuitBuilder b, Wire[] s, int i, int j, int k, int l, string name)
    {
        Step(i, j, l, 16, "a+b");
        Step(k, l, j, 12, "c+d");
        Step(i, j, l, 8, "a+b again");
        Step(k, l, j, 7, "c+d again");

        void Step(int target, int addend, int mixed, int rotation, string step)
        {
            s[target] = b.Add(s[target], s[addend], $"{name} {step}");
            s[mixed] = b.RotateLeft(b.Xor(s[mixed], s[target]), rotation);
        }
    }
}
