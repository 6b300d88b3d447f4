namespace Lockstep.Proofs.Circuits;

/// <summary>
/// Region T: one tail per chunk proves its last (length mod 64) bytes, the SHA-256 padding, the digest and both locks in
/// a slot of 4,096 words, 3,478 of them used.
/// <code>
/// word    0  key: little-endian words            8  H_in: SHA-256 state after the chunk's last unit (or the initial state)
///        16  counter; 17..19 nonce              20  one
///        21  sel2: 1 when the padding needs a second block, else 0 (bit 0 is used, the whole word is public)
///        22  selectors: 16 little-endian words, ones over the data bytes of the block
///        38  M1, 54 M2: padding blocks as SHA-256 reads them (big-endian words)
///        70  ChaCha20 (336)                    406  selectors and key stream (16)
///       422  SHA-256 of M1 (728)              1150  SHA-256 of M2 from the state after M1 (728)
///      1878  sel2 and (H1 xor H2) (8)         1886  SHA-256 of the key (728)
///      2614  BLAKE2b-256 of the key (864)     3478  end; all other words are empty
/// public outputs, 128 words, byte strings as little-endian words in memory order:
///   0..15 M1 xor (selectors and key stream): ciphertext bytes, then padding bytes; 16..31 M2; 32..47 selectors;
///   48..55 digest; 56..63 SHA-256(key); 64..71 BLAKE2b-256(key); 72 counter; 73..75 nonce; 76 one; 77 sel2
/// </code>
/// </summary>
internal static class TailCircuit
{
    public const int SlotWords = 4096;
    public const int Key = 0;
    public const int HIn = 8;
    public const int Counter = 16;
    public const int Nonce = 17;
    public const int One = 20;
    public const int SecondBlock = 21;
    public const int Selectors = 22;
    public const int Message1 = 38;
    public const int Message2 = 54;
    public const int ChaCha = 70;
    public const int Selected = 406;
    public const int Sha1 = 422;
    public const int Sha2 = 1150;
    public const int DigestSelect = 1878;
    public const int ShaLock = 1886;
    public const int BlakeLock = 2614;
    public const int End = 3478;

    public const int OutputWords = 128;
    public const int OutputMessage1 = 0;
    public const int OutputMessage2 = 16;
    public const int OutputSelectors = 32;
    public const int OutputDigest = 48;
    public const int OutputShaLock = 56;
    public const int OutputBlakeLock = 64;
    public const int OutputCounter = 72;
    public const int OutputNonce = 73;
    public const int OutputOne = 76;
    public const int OutputSecondBlock = 77;

    /// <summary>Output words of each lock.</summary>
    public const int LockWords = 8;

    /// <summary>The circuit, built once.</summary>
    public static Circuit Instance { get; } = Build();

    /// <summary>First output word of the lock that a statement of this kind ties; eight words.</summary>
    public static int TiedLock(LockHash kind) => kind == LockHash.Sha256 ? OutputShaLock : OutputBlakeLock;

    /// <summary>First output word of the other lock, which carries weight 0; eight words.</summary>
    public static int UntiedLock(LockHash kind) => kind == LockHash.Sha256 ? OutputBlakeLock : OutputShaLock;

    private static Circuit Build()
    {
        var b = new CircuitBuilder(SlotWords, OutputWords, One);
        Wire[] key = b.Inputs(Key, 8, "key");
        Wire[] hIn = b.Inputs(HIn, 8, "H_in");
        Wire[] counterAndNonce = [b.Input(Counter, "counter"), .. b.Inputs(Nonce, 3, "nonce")];
        Wire secondBlock = b.Input(SecondBlock, "sel2");
        Wire[] selectors = b.Inputs(Selectors, 16, "selectors");
        Wire[] message1 = b.Inputs(Message1, 16, "M1");
        Wire[] message2 = b.Inputs(Message2, 16, "M2");
        b.Link(LinkKind.HIn, hIn);
        b.Link(LinkKind.Key, key);
        b.Outputs(OutputCounter, counterAndNonce);
        b.Output(OutputOne, b.One);
        b.Output(OutputSecondBlock, secondBlock);
        b.Outputs(OutputSelectors, selectors);
        b.Outputs(OutputMessage2, b.ByteSwap(message2));

        b.CommitAt(ChaCha);
        Wire[] keystream = ChaCha20Gadget.Block(b, key, counterAndNonce);
        for (int i = 0; i < 16; i++)
        {
            Wire selected = b.And(selectors[i], keystream[i], $"selected key stream {i}");
            b.Output(OutputMessage1 + i, b.Xor(b.ByteSwap(message1[i]), selected));
        }

        // digest = H1 ^ sel2 & (H1 ^ H2): the state after the block that holds the message length.
        Wire[] h1 = Sha256Gadget.Compress(b, hIn, message1, "SHA-256 of M1");
        Wire[] h2 = Sha256Gadget.Compress(b, h1, message2, "SHA-256 of M2");
        Wire select = b.Broadcast(secondBlock);
        for (int i = 0; i < 8; i++)
        {
            Wire change = b.And(select, b.Xor(h1[i], h2[i]), $"digest select {i}");
            b.Output(OutputDigest + i, b.ByteSwap(b.Xor(h1[i], change)));
        }

        b.Outputs(OutputShaLock, b.ByteSwap(Sha256Gadget.Compress(b, Sha256Gadget.InitialStateConstants(b), KeyBlock(b, key), "SHA-256 of the key")));
        b.Outputs(OutputBlakeLock, Blake2bGadget.Hash32(b, key));
        return b.Build();
    }

    // The key padded to one SHA-256 block: 32 bytes, 0x80, zeros, the length 256 in bits.
    private static Wire[] KeyBlock(CircuitBuilder b, ReadOnlySpan<Wire> key)
    {
        var block = new Wire[16];
        b.ByteSwap(key).CopyTo(block, 0);
        for (int i = 8; i < 16; i++)
            block[i] = b.Constant(i switch { 8 => 0x80000000u, 15 => 256u, _ => 0u });
        return block;
    }
}
