namespace Lockstep.Proofs.Circuits;

/// <summary>
/// BLAKE2b with a 32-byte digest, unkeyed, of one 32-byte message (RFC 7693) as a circuit: 432 committed 64-bit words,
/// 27,216 AND gates. Message words 4..15 are zero and their additions are left out. Committed words are the additions in
/// order of evaluation.
/// </summary>
internal static class Blake2bGadget
{
    /// <summary>Committed 32-bit words (two for each 64-bit word, low half first).</summary>
    public const int CommittedWords = 864;

    private const int MessageBytes = 32;

    // Parameter block of RFC 7693 section 2.5: digest length 32, no key, fanout 1, depth 1.
    private const ulong Parameters = 0x01010020;

    private static ReadOnlySpan<ulong> InitialState =>
    [
        0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
        0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
    ];

    private static ReadOnlySpan<byte> Permutation =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
        11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4,
        7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8,
        9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13,
        2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9,
        12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11,
        13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10,
        6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5,
        10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0,
    ];

    /// <summary>The digest as eight 32-bit words; written little-endian they are its 32 bytes.</summary>
    /// <param name="b">Receives the nodes.</param>
    /// <param name="message">Eight little-endian 32-bit words.</param>
    public static Wire[] Hash32(CircuitBuilder b, ReadOnlySpan<Wire> message)
    {
        var m = new Wire[4];
        for (int i = 0; i < 4; i++)
            m[i] = b.Join(message[2 * i], message[2 * i + 1]);

        var h = new Wire[4];
        var v = new Wire[16];
        for (int i = 0; i < 8; i++)
        {
            v[i] = b.Constant(InitialState[i] ^ (i == 0 ? Parameters : 0), 64);
            if (i < 4)
                h[i] = v[i];
            // v[12] carries the byte count, v[14] is inverted in the last block; this is the only block.
            v[8 + i] = b.Constant(InitialState[i] ^ (i switch { 4 => MessageBytes, 6 => ulong.MaxValue, _ => 0 }), 64);
        }

        for (int round = 0; round < 12; round++)
        {
            ReadOnlySpan<byte> p = Permutation.Slice(16 * (round % 10), 16);
            for (int i = 0; i < 4; i++)
                Mix(b, v, m, i, 4 + i, 8 + i, 12 + i, p[2 * i], p[2 * i + 1], $"BLAKE2b round {round} column {i}");
            for (int i = 0; i < 4; i++)
                Mix(b, v, m, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, p[8 + 2 * i], p[9 + 2 * i], $"BLAKE2b round {round} diagonal {i}");
        }

        var digest = new Wire[8];
        for (int i = 0; i < 4; i++)
        {
            Wire word = b.Xor(h[i], b.Xor(v[i], v[8 + i]));
            digest[2 * i] = b.Low(word);
            digest[2 * i + 1] = b.High(word);
        }

        return digest;
    }

    private static void Mix(CircuitBuilder b, Wire[] v, Wire[] m, int i, int j, int k, int l, int x, int y, string name)
    {
        Half(x, 32, 24, string.Empty);
        Half(y, 16, 63, " again");

        void Half(int word, int rotateD, int rotateB, string suffix)
        {
            v[i] = b.Add(v[i], v[j], $"{name} a+b{suffix}");
            if (word < m.Length)
                v[i] = b.Add(v[i], m[word], $"{name} +m[{word}]{suffix}");
            v[l] = b.RotateRight(b.Xor(v[l], v[i]), rotateD);
            v[k] = b.Add(v[k], v[l], $"{name} c+d{suffix}");
            v[j] = b.RotateRight(b.Xor(v[j], v[k]), rotateB);
        }
    }
}
