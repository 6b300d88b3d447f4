namespace Lockstep.Proofs.Circuits;

/// <summary>
/// Region U: one unit proves 64 data bytes, one SHA-256 compression and one ChaCha20 block in a slot of 1,152 words.
/// <code>
/// word    0  M: the 16 message words as SHA-256 reads them (big-endian)
///        16  H_in: SHA-256 state before the block
///        24  key: little-endian words
///        32  counter; 33..35 nonce: little-endian words
///        36  one: the public value used(i), 0 or 1; bit 0 multiplies every constant
///        40  mask: four free words, the masks of the ring values (docs/proof-system.md section 11)
///        48  SHA-256 AND words (728)
///       776  ChaCha20 AND words (336); 1112 end; all other words are empty
/// public outputs, 32 words: 0..15 ciphertext as little-endian words, 16 counter, 17..19 nonce, 20 one
/// </code>
/// </summary>
internal static class UnitCircuit
{
    public const int SlotWords = 1152;
    public const int Message = 0;
    public const int HIn = 16;
    public const int Key = 24;
    public const int Counter = 32;
    public const int Nonce = 33;
    public const int One = 36;
    public const int Mask = 40;
    public const int MaskWords = 4;
    public const int Sha = 48;
    public const int ChaCha = 776;
    public const int End = 1112;

    public const int OutputWords = 32;
    public const int OutputCiphertext = 0;
    public const int OutputCounter = 16;
    public const int OutputNonce = 17;
    public const int OutputOne = 20;

    /// <summary>The circuit, built once.</summary>
    public static Circuit Instance { get; } = Build();

    private static Circuit Build()
    {
        var b = new CircuitBuilder(SlotWords, OutputWords, One);
        Wire[] message = b.Inputs(Message, 16, "M");
        Wire[] hIn = b.Inputs(HIn, 8, "H_in");
        Wire[] key = b.Inputs(Key, 8, "key");
        Wire[] counterAndNonce = [b.Input(Counter, "counter"), .. b.Inputs(Nonce, 3, "nonce")];
        b.Inputs(Mask, MaskWords, "mask");
        b.Link(LinkKind.HIn, hIn);
        b.Link(LinkKind.Key, key);
        b.Outputs(OutputCounter, counterAndNonce);
        b.Output(OutputOne, b.One);

        b.CommitAt(Sha);
        b.Link(LinkKind.HOut, Sha256Gadget.Compress(b, hIn, message, "SHA-256"));
        Wire[] keystream = ChaCha20Gadget.Block(b, key, counterAndNonce);
        for (int i = 0; i < 16; i++)
            b.Output(OutputCiphertext + i, b.Xor(b.ByteSwap(message[i]), keystream[i]));
        return b.Build();
    }
}
