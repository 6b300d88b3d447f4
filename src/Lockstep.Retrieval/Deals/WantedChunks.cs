using System.Numerics;

namespace Lockstep.Retrieval.Deals;

/// <summary>Which chunks of a content a deal sells. Immutable; the order of selling is that of the numbers.</summary>
public sealed class WantedChunks
{
    private readonly byte[] _bitmap;

    private WantedChunks(int chunkCount, byte[] bitmap)
    {
        ChunkCount = chunkCount;
        _bitmap = bitmap;
        Count = bitmap.Sum(part => BitOperations.PopCount(part));
        Last = LastOf(bitmap);
    }

    /// <summary>Chunks in the content.</summary>
    public int ChunkCount { get; }

    /// <summary>Chunks that are wanted.</summary>
    public int Count { get; }

    /// <summary>The final chunk of the deal; -1 when none is wanted.</summary>
    public int Last { get; }

    /// <summary>The wire form: bit i%8 of byte i/8 stands for chunk i.</summary>
    public ReadOnlyMemory<byte> Bitmap => _bitmap;

    public static WantedChunks Where(int chunkCount, Func<int, bool> wanted)
    {
        var bitmap = new byte[(chunkCount + 7) / 8];
        for (int i = 0; i < chunkCount; i++)
        {
            if (wanted(i))
                bitmap[i / 8] |= (byte)(1 << (i % 8));
        }
        return new WantedChunks(chunkCount, bitmap);
    }

    /// <summary>Reads the wire form; null when its length does not fit or a bit beyond the count is set.</summary>
    public static WantedChunks? FromBitmap(int chunkCount, ReadOnlySpan<byte> bitmap)
    {
        if (chunkCount < 0 || bitmap.Length != (chunkCount + 7) / 8)
            return null;
        bool strayBits = chunkCount % 8 != 0 && bitmap[^1] >> (chunkCount % 8) != 0;
        return strayBits ? null : new WantedChunks(chunkCount, bitmap.ToArray());
    }

    public bool Contains(int chunk) => (uint)chunk < (uint)ChunkCount && (_bitmap[chunk / 8] >> (chunk % 8) & 1) != 0;

    /// <summary>The first wanted chunk from <paramref name="chunk"/> on, or -1.</summary>
    public int FirstFrom(int chunk)
    {
        for (int i = Math.Max(chunk, 0); i < ChunkCount; i++)
        {
            if (Contains(i))
                return i;
        }
        return -1;
    }

    public bool SameAs(WantedChunks other) => ChunkCount == other.ChunkCount && _bitmap.AsSpan().SequenceEqual(other._bitmap);

    private static int LastOf(byte[] bitmap)
    {
        int part = Array.FindLastIndex(bitmap, bits => bits != 0);
        return part < 0 ? -1 : (8 * part) + BitOperations.Log2(bitmap[part]);
    }
}
