using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Lockstep.Proofs.Hashing;

/// <summary>
/// The search for a proof of work: the lowest nonce that, as the last eight bytes of a message, makes the unkeyed hash begin
/// with so many zero bits, from the top bit of byte 0 downward.
/// </summary>
internal static unsafe class Blake3Work
{
    // Nonces that a worker takes at a time: about a millisecond, so that little is searched beyond the first find.
    private const int Range = 1 << 14;

    /// <summary>Finds the lowest nonce.</summary>
    /// <param name="prefix">The message up to the nonce, at most 56 bytes: message and nonce are one block.</param>
    /// <param name="bits">Zero bits, 1 to 64.</param>
    /// <param name="workers">Threads, and how the search is cancelled.</param>
    public static ulong Search(ReadOnlySpan<byte> prefix, int bits, Workers workers) => Search(prefix, bits, workers, Blake3Batch.PreferredLanes);

    /// <summary>As above with the widest number of lanes allowed (16, 8, 4 or 1) given.</summary>
    internal static ulong Search(ReadOnlySpan<byte> prefix, int bits, Workers workers, int lanes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bits, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, 64);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(prefix.Length, Blake3Compression.BlockSize - sizeof(ulong));
        var block = new byte[Blake3Compression.BlockSize];
        prefix.CopyTo(block);
        int at = prefix.Length;
        long taken = -1, found = long.MaxValue;
        workers.For(Math.Max(workers.Count, 1), 1, (_, _) =>
        {
            // Ranges are taken in order and each is searched from below, so the least find is the lowest nonce of all.
            while (true)
            {
                workers.Cancellation.ThrowIfCancellationRequested();
                long first = Interlocked.Increment(ref taken) * Range;
                if (first >= Interlocked.Read(ref found))
                    return;
                long nonce = SearchRange(block, at, bits, first, lanes);
                for (long best = Interlocked.Read(ref found); nonce < best; best = Interlocked.Read(ref found))
                    Interlocked.CompareExchange(ref found, nonce, best);
            }
        });
        return (ulong)found;
    }

    private static long SearchRange(byte[] block, int at, int bits, long first, int lanes) => lanes switch
    {
        >= 16 => SearchRange<Lanes16>(block, at, bits, first),
        >= 8 => SearchRange<Lanes8>(block, at, bits, first),
        >= 4 => SearchRange<Lanes4>(block, at, bits, first),
        _ => SearchRange<Lanes1>(block, at, bits, first),
    };

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long SearchRange<T>(byte[] block, int at, int bits, long first)
        where T : unmanaged, ILanes<T>
    {
        byte* memory = stackalloc byte[33 * sizeof(T) + 64];
        T* message = (T*)(((nuint)memory + 63) & ~(nuint)63), key = message + 16, digest = key + 8, lane = digest + 8;
        for (int w = 0; w < 16; w++)
            message[w] = T.Broadcast(BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(4 * w)));
        for (int w = 0; w < 8; w++)
            key[w] = T.Broadcast(Blake3Compression.InitialValue[w]);

        // A range begins at a multiple of the lanes, so a lane's number only sets bits that the common nonce leaves clear,
        // and these stay inside one word: nonces begin at whole bytes.
        int word = at / 4, shift = at % 4 * 8;
        uint low = BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(4 * word));
        for (int i = 0; i < T.Count; i++)
            ((uint*)lane)[i] = (uint)i << shift;
        T zero = T.Broadcast(0), length = T.Broadcast((uint)(at + sizeof(ulong)));
        T flags = T.Broadcast(Blake3Compression.ChunkStart | Blake3Compression.ChunkEnd | Blake3Compression.Root);

        // The bits that must be zero, where the digest's little-endian words have them.
        ulong mask = BinaryPrimitives.ReverseEndianness(ulong.MaxValue << (64 - bits));
        T lowMask = T.Broadcast((uint)mask);
        for (long nonce = first; nonce < first + Range; nonce += T.Count)
        {
            UInt128 shifted = (UInt128)(ulong)nonce << shift;
            message[word] = T.Broadcast((uint)shifted | low) ^ lane[0];
            message[word + 1] = T.Broadcast((uint)(shifted >> 32));
            if (shift > 0)
                message[word + 2] = T.Broadcast((uint)(shifted >> 64));
            Blake3Compression.Compress(key, message, zero, zero, length, flags, digest, false);
            if (!T.AnyZero(digest[0] & lowMask))
                continue;
            for (int i = 0; i < T.Count; i++)
                if ((((uint*)digest)[i] & (uint)mask) == 0 && (((uint*)(digest + 1))[i] & (uint)(mask >> 32)) == 0)
                    return nonce + i;
        }

        return long.MaxValue;
    }
}
