using System.Buffers.Binary;
using System.Numerics;
using Org.BouncyCastle.Crypto.Digests;

namespace Lockstep.Proofs.Tests.Circuits;

/// <summary>The primitives once more, plain and independent of the code under test.</summary>
internal static class Textbook
{
    public static byte[] Keystream(byte[] key, uint counter, byte[] nonce, int length) => Crypt(key, counter, nonce, new byte[length]);

    public static byte[] Crypt(byte[] key, uint counter, byte[] nonce, ReadOnlySpan<byte> data)
    {
        byte[] output = data.ToArray();
        for (int at = 0; at < output.Length; at += 64)
        {
            byte[] block = Block(key, counter++, nonce);
            for (int i = at; i < Math.Min(at + 64, output.Length); i++)
                output[i] ^= block[i - at];
        }

        return output;
    }

    public static byte[] Blake2b256(ReadOnlySpan<byte> message)
    {
        var digest = new Blake2bDigest(256);
        digest.BlockUpdate(message);
        var output = new byte[32];
        digest.DoFinal(output, 0);
        return output;
    }

    public static byte[] Bytes(ReadOnlySpan<uint> words)
    {
        var bytes = new byte[4 * words.Length];
        for (int i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4 * i), words[i]);
        return bytes;
    }

    private static byte[] Block(byte[] key, uint counter, byte[] nonce)
    {
        byte[] header = [.. "expand 32-byte k"u8, .. key, .. BitConverter.GetBytes(counter), .. nonce];
        var start = new uint[16];
        for (int i = 0; i < 16; i++)
            start[i] = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4 * i));
        var s = (uint[])start.Clone();
        for (int i = 0; i < 10; i++)
        {
            Quarter(0, 4, 8, 12);
            Quarter(1, 5, 9, 13);
            Quarter(2, 6, 10, 14);
            Quarter(3, 7, 11, 15);
            Quarter(0, 5, 10, 15);
            Quarter(1, 6, 11, 12);
            Quarter(2, 7, 8, 13);
            Quarter(3, 4, 9, 14);
        }

        return Bytes([.. s.Zip(start, (x, y) => x + y)]);

        void Quarter(int a, int b, int c, int d)
        {
            s[a] += s[b];
            s[d] = BitOperations.RotateLeft(s[d] ^ s[a], 16);
            s[c] += s[d];
            s[b] = BitOperations.RotateLeft(s[b] ^ s[c], 12);
            s[a] += s[b];
            s[d] = BitOperations.RotateLeft(s[d] ^ s[a], 8);
            s[c] += s[d];
            s[b] = BitOperations.RotateLeft(s[b] ^ s[c], 7);
        }
    }
}
