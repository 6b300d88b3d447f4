using System.Buffers.Binary;

namespace Lockstep.Proofs.Layout;

/// <summary>The SHA-256 padding of a chunk's last block (FIPS 180-4 section 5.1.1) and the selectors of its data bytes.</summary>
internal static class Padding
{
    // With more than 55 data bytes, 0x80 and the eight bytes of length do not fit and a second block follows.
    private const int MostInOneBlock = 55;

    /// <summary>Writes both padding blocks, the second one zero when it is not needed.</summary>
    /// <param name="tail">The 0 to 63 bytes after the last full block.</param>
    /// <param name="length">Bytes of the whole chunk.</param>
    /// <param name="blocks">128 bytes.</param>
    /// <returns>True when the second block is needed.</returns>
    public static bool Fill(ReadOnlySpan<byte> tail, int length, Span<byte> blocks)
    {
        blocks.Clear();
        tail.CopyTo(blocks);
        blocks[tail.Length] = 0x80;
        bool second = tail.Length > MostInOneBlock;
        BinaryPrimitives.WriteUInt64BigEndian(blocks[(second ? 120 : 56)..], 8 * (ulong)length);
        return second;
    }

    /// <summary>Ones over the bits of the first <paramref name="tailBytes"/> bytes of sixteen little-endian words.</summary>
    public static void FillSelectors(int tailBytes, Span<uint> words)
    {
        for (int i = 0; i < 16; i++)
        {
            int bytes = Math.Clamp(tailBytes - 4 * i, 0, 4);
            words[i] = (uint)((1UL << (8 * bytes)) - 1);
        }
    }
}
