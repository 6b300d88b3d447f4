using System.Text;
using CsCheck;
using Lockstep.Proofs.Ciphers;
using Lockstep.Proofs.Tests.Circuits;

namespace Lockstep.Proofs.Tests.Ciphers;

public sealed class ChaCha20Tests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    // The paths of this processor and these settings; the test command runs with others switched off.
    public static TheoryData<string> Paths => [.. Enum.GetValues<ChaCha20Path>().Where(ChaCha20.IsSupported).Select(path => path.ToString())];

    private static ChaCha20Path Parse(string name) => Enum.Parse<ChaCha20Path>(name);

    private static byte[] Crypt(string path, byte[] key, uint counter, byte[] nonce, byte[] data)
    {
        var output = new byte[data.Length];
        ChaCha20.Transform(Parse(path), key, counter, nonce, data, output);
        return output;
    }

    // RFC 8439 section 2.4.2.
    [Theory]
    [MemberData(nameof(Paths))]
    public void Encryption_known_answer(string path)
    {
        byte[] text = Encoding.ASCII.GetBytes("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.");
        byte[] output = Crypt(path, Key, 1, Convert.FromHexString("000000000000004a00000000"), text);
        Assert.Equal(
            "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8"
            + "07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab77937365af90bbf74a35be6b40b8eedf2785e42874d",
            Convert.ToHexStringLower(output));
    }

    // RFC 8439 appendix A.1, test vectors 1, 2 and 4: the key streams of two zero-key blocks and of a key 00 ff 00 ...
    [Theory]
    [MemberData(nameof(Paths))]
    public void Keystream_known_answers(string path)
    {
        byte[] zero = Crypt(path, new byte[32], 0, new byte[12], new byte[128]);
        Assert.Equal(
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
            + "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
            Convert.ToHexStringLower(zero));
        var key = new byte[32];
        key[1] = 0xff;
        Assert.Equal(
            "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096",
            Convert.ToHexStringLower(Crypt(path, key, 2, new byte[12], new byte[64])));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_length_equals_the_reference(string path)
    {
        var random = new Random(3);
        var nonce = new byte[12];
        random.NextBytes(nonce);
        // All lengths past the largest group of blocks and its remainder, then some long ones.
        int[] lengths = [.. Enumerable.Range(0, 1400), 4096, 65_537, 262_144];
        foreach (int length in lengths)
        {
            var data = new byte[length];
            random.NextBytes(data);
            uint counter = (uint)random.Next();
            Assert.Equal(Textbook.Crypt(Key, counter, nonce, data), Crypt(path, Key, counter, nonce, data));
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Works_in_place(string path)
    {
        // Outside the sample, which would take a skip for a failure.
        ChaCha20Path parsed = Parse(path);
        Gen.Select(Gen.Byte.Array[0, 3000], Gen.UInt[0, 1 << 30]).Sample((data, counter) =>
        {
            byte[] apart = Crypt(path, Key, counter, new byte[12], data);
            ChaCha20.Transform(parsed, Key, counter, new byte[12], data, data);
            return data.AsSpan().SequenceEqual(apart);
        }, iter: 50);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void The_last_counter_is_used_and_not_passed(string path)
    {
        var two = new byte[128];
        Assert.Equal(Textbook.Keystream(Key, uint.MaxValue - 1, new byte[12], 128), Crypt(path, Key, uint.MaxValue - 1, new byte[12], two));
        Assert.Throws<ArgumentOutOfRangeException>(() => Crypt(path, Key, uint.MaxValue, new byte[12], new byte[65]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Crypt(path, Key, uint.MaxValue - 15, new byte[12], new byte[1025]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ChaCha20.Transform(Parse(path), Key, 0, new byte[11], two, two));
        Assert.Throws<ArgumentOutOfRangeException>(() => ChaCha20.Transform(Parse(path), Key.AsSpan(1), 0, new byte[12], two, two));
    }
}
