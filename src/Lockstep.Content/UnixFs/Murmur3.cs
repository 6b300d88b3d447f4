using System.Buffers.Binary;
using System.Numerics;

namespace Lockstep.Content.UnixFs;

/// <summary>murmur3-x64-64: the first 64 bits of MurmurHash3 x64 128 with seed 0, the hash of sharded UnixFS folders. Not for security.</summary>
internal static class Murmur3
{
    private const ulong C1 = 0x87c37b91114253d5;
    private const ulong C2 = 0x4cf5ad432745937f;

    /// <summary>The hash as 8 bytes, most significant first, in the order in which a shard consumes them.</summary>
    public static byte[] Hash64(ReadOnlySpan<byte> data)
    {
        ulong h1 = 0, h2 = 0;
        ReadOnlySpan<byte> rest = data;
        for (; rest.Length >= 16; rest = rest[16..])
        {
            h1 ^= MixFirst(BinaryPrimitives.ReadUInt64LittleEndian(rest));
            h1 = ((BitOperations.RotateLeft(h1, 27) + h2) * 5) + 0x52dce729;
            h2 ^= MixSecond(BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]));
            h2 = ((BitOperations.RotateLeft(h2, 31) + h1) * 5) + 0x38495ab5;
        }

        Span<byte> tail = stackalloc byte[16];
        tail.Clear();
        rest.CopyTo(tail);
        h2 ^= MixSecond(BinaryPrimitives.ReadUInt64LittleEndian(tail[8..]));
        h1 ^= MixFirst(BinaryPrimitives.ReadUInt64LittleEndian(tail));

        h1 ^= (ulong)data.Length;
        h2 ^= (ulong)data.Length;
        h1 += h2;
        h2 += h1;
        h1 = Finish(h1);
        h2 = Finish(h2);
        h1 += h2;

        var hash = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(hash, h1);
        return hash;
    }

    private static ulong MixFirst(ulong k) => BitOperations.RotateLeft(k * C1, 31) * C2;

    private static ulong MixSecond(ulong k) => BitOperations.RotateLeft(k * C2, 33) * C1;

    private static ulong Finish(ulong k)
    {
        k = (k ^ (k >> 33)) * 0xff51afd7ed558ccd;
        k = (k ^ (k >> 33)) * 0xc4ceb9fe1a85ec53;
        return k ^ (k >> 33);
    }
}
