using System.Security.Cryptography;
using System.Text;
using CsCheck;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Layout;
using Org.BouncyCastle.Crypto.Digests;

namespace Lockstep.Proofs.Tests.Circuits;

/// <summary>Each gadget alone in a small slot, against the standards' known answers and another implementation.</summary>
public sealed class GadgetTests
{
    private static readonly Circuit Sha = BuildSha();
    private static readonly Circuit ChaCha = BuildChaCha();
    private static readonly Circuit Blake = BuildBlake();

    [Fact]
    public void Committed_words_and_gates_are_counted_as_expected()
    {
        Assert.Equal((728, 22_696), (Sha.CommittedAndWords, Sha.AndGates));
        Assert.Equal((336, 10_416), (ChaCha.CommittedAndWords, ChaCha.AndGates));
        Assert.Equal((864, 27_216), (Blake.CommittedAndWords, Blake.AndGates));
        Assert.Equal((728, 336, 864), (Sha256Gadget.CommittedWords, ChaCha20Gadget.CommittedWords, Blake2bGadget.CommittedWords));
    }

    // FIPS 180-4 examples: one and two blocks, and the million-letter message.
    [Theory]
    [InlineData("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    [InlineData("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")]
    public void Sha256_known_answers(string text, int times, string digest)
    {
        byte[] message = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(text, times)));
        Assert.Equal(digest, Convert.ToHexStringLower(HashByCircuit(message)));
    }

    [Fact]
    public void Sha256_equals_the_library_at_every_length_to_200()
    {
        var random = new Random(7);
        for (int length = 0; length <= 200; length++)
        {
            var message = new byte[length];
            random.NextBytes(message);
            Assert.Equal(SHA256.HashData(message), HashByCircuit(message));
        }
    }

    // RFC 8439 section 2.3.2.
    [Fact]
    public void ChaCha20_known_answer()
    {
        byte[] key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        byte[] nonce = Convert.FromHexString("000000090000004a00000000");
        Assert.Equal(
            "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e",
            Convert.ToHexStringLower(BlockByCircuit(key, 1, nonce)));
    }

    [Fact]
    public void The_reference_cipher_is_BouncyCastles() =>
        Gen.Select(Gen.Byte.Array[32], Gen.Byte.Array[12], Gen.Int[1, 300]).Sample((key, nonce, length) =>
        {
            var engine = new Org.BouncyCastle.Crypto.Engines.ChaCha7539Engine();
            engine.Init(true, new Org.BouncyCastle.Crypto.Parameters.ParametersWithIV(new Org.BouncyCastle.Crypto.Parameters.KeyParameter(key), nonce));
            var output = new byte[length];
            engine.ProcessBytes(new byte[length], 0, length, output, 0);
            return output.AsSpan().SequenceEqual(Textbook.Keystream(key, 0, nonce, length));
        }, iter: 100);

    [Fact]
    public void ChaCha20_equals_another_implementation() =>
        Gen.Select(Gen.Byte.Array[32], Gen.UInt, Gen.Byte.Array[12]).Sample(
            (key, counter, nonce) => BlockByCircuit(key, counter, nonce).AsSpan().SequenceEqual(Textbook.Keystream(key, counter, nonce, 64)), iter: 200);

    // RFC 7693 appendix A gives BLAKE2b-512 of "abc"; the circuit computes another length, so the oracle is held to the
    // appendix and the circuit to the oracle.
    [Fact]
    public void Blake2b_equals_another_implementation()
    {
        var abc = new Blake2bDigest(512);
        abc.BlockUpdate("abc"u8.ToArray(), 0, 3);
        var digest = new byte[64];
        abc.DoFinal(digest, 0);
        Assert.Equal(
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
            Convert.ToHexStringLower(digest));

        Gen.Byte.Array[32].Sample(message => BlakeByCircuit(message).AsSpan().SequenceEqual(Textbook.Blake2b256(message)), iter: 200);
        Assert.Equal(Textbook.Blake2b256(new byte[32]), BlakeByCircuit(new byte[32]));
    }

    [Fact]
    public void A_builder_refuses_overlapping_words_and_mixed_widths()
    {
        var b = new CircuitBuilder(32, 8, 0);
        Wire x = b.Input(1, "x");
        Assert.Throws<InvalidOperationException>(() => b.Input(1, "again"));
        b.CommitAt(1);
        Assert.Throws<InvalidOperationException>(() => b.And(x, x, "on an input"));
        Assert.Throws<InvalidOperationException>(() => b.Xor(x, b.Constant(1, 64)));
        b.Output(0, x);
        Assert.Throws<InvalidOperationException>(() => b.Output(0, x));
    }

    [Fact]
    public void The_digest_names_the_program()
    {
        Assert.Equal(Sha.Digest.ToArray(), BuildSha().Digest.ToArray());
        Assert.Equal(4, new[] { Sha, ChaCha, Blake, Variant() }.Select(c => Convert.ToHexString(c.Digest)).Distinct().Count());

        static Circuit Variant() => BuildSha(firstCommitted: 26);
    }

    private static Circuit BuildSha(int firstCommitted = 25)
    {
        var b = new CircuitBuilder(1024, 8, 24);
        Wire[] message = b.Inputs(0, 16, "M"), state = b.Inputs(16, 8, "H");
        b.CommitAt(firstCommitted);
        b.Outputs(0, Sha256Gadget.Compress(b, state, message, "SHA-256"));
        return b.Build();
    }

    private static Circuit BuildChaCha()
    {
        var b = new CircuitBuilder(512, 16, 12);
        Wire[] key = b.Inputs(0, 8, "key"), counterAndNonce = b.Inputs(8, 4, "counter and nonce");
        b.CommitAt(16);
        b.Outputs(0, ChaCha20Gadget.Block(b, key, counterAndNonce));
        return b.Build();
    }

    private static Circuit BuildBlake()
    {
        var b = new CircuitBuilder(1024, 8, 8);
        Wire[] message = b.Inputs(0, 8, "m");
        b.CommitAt(16);
        b.Outputs(0, Blake2bGadget.Hash32(b, message));
        return b.Build();
    }

    private static uint[] Run(Circuit circuit, uint[] slot)
    {
        circuit.Evaluate(slot);
        var outputs = new uint[circuit.OutputWords];
        circuit.Outputs(slot, outputs);
        return outputs;
    }

    private static byte[] HashByCircuit(byte[] message)
    {
        int full = message.Length / 64 * 64;
        var padding = new byte[128];
        bool second = Padding.Fill(message.AsSpan(full), message.Length, padding);
        byte[] padded = [.. message.AsSpan(0, full), .. padding.AsSpan(0, second ? 128 : 64)];
        uint[] state = Sha256Gadget.InitialState.ToArray();
        for (int at = 0; at < padded.Length; at += 64)
        {
            var slot = new uint[1024];
            for (int i = 0; i < 16; i++)
                slot[i] = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(padded.AsSpan(at + 4 * i));
            state.CopyTo(slot, 16);
            slot[24] = 1;
            state = Run(Sha, slot);
        }

        var digest = new byte[32];
        for (int i = 0; i < 8; i++)
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(digest.AsSpan(4 * i), state[i]);
        return digest;
    }

    private static byte[] BlockByCircuit(byte[] key, uint counter, byte[] nonce)
    {
        var slot = new uint[512];
        PublicWords.ReadWords(key, slot);
        slot[8] = counter;
        PublicWords.ReadWords(nonce, slot.AsSpan(9));
        slot[12] = 1;
        return Textbook.Bytes(Run(ChaCha, slot));
    }

    private static byte[] BlakeByCircuit(byte[] message)
    {
        var slot = new uint[1024];
        PublicWords.ReadWords(message, slot);
        slot[8] = 1;
        return Textbook.Bytes(Run(Blake, slot));
    }
}
