using System.Buffers.Binary;
using System.Text;

namespace Lockstep.Proofs.Hashing;

/// <summary>BLAKE3 in its three modes, with outputs of any length.</summary>
internal static class Blake3
{
    /// <summary>Default output length in bytes.</summary>
    public const int DigestSize = 32;

    /// <summary>Key length in bytes.</summary>
    public const int KeySize = 32;

    /// <summary>The hash of <paramref name="input"/>, as many bytes as <paramref name="output"/> holds.</summary>
    public static void Hash(ReadOnlySpan<byte> input, Span<byte> output)
    {
        var hasher = new Blake3Hasher();
        hasher.Update(input);
        hasher.Finish(output);
    }

    /// <summary>The 32-byte hash of <paramref name="input"/>.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> input)
    {
        var digest = new byte[DigestSize];
        Hash(input, digest);
        return digest;
    }

    /// <summary>keyed_hash under a key of 32 bytes.</summary>
    public static void KeyedHash(ReadOnlySpan<byte> key, ReadOnlySpan<byte> input, Span<byte> output)
    {
        var hasher = Blake3Hasher.Keyed(key);
        hasher.Update(input);
        hasher.Finish(output);
    }

    /// <summary>derive_key: key material bound to a context string that is hard-coded, unique to one use.</summary>
    public static void DeriveKey(string context, ReadOnlySpan<byte> material, Span<byte> output)
    {
        var hasher = Blake3Hasher.DeriveKey(Encoding.UTF8.GetBytes(context));
        hasher.Update(material);
        hasher.Finish(output);
    }

    internal static void ReadWords(ReadOnlySpan<byte> bytes, Span<uint> words)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, 4 * words.Length);
        for (int i = 0; i < words.Length; i++)
            words[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 * i)..]);
    }
}
