using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;

namespace Lockstep.Proofs.Ciphers;

/// <summary>How the key stream is computed; every path gives the same bytes.</summary>
internal enum ChaCha20Path
{
    /// <summary>One block at a time in words.</summary>
    Scalar,

    /// <summary>One block in four 128-bit rows.</summary>
    Vector128,

    /// <summary>Four blocks in 256-bit rows (AVX2).</summary>
    Vector256,

    /// <summary>Sixteen blocks in 512-bit rows (AVX-512).</summary>
    Vector512,
}

/// <summary>The ChaCha20 stream cipher of RFC 8439: 32-byte key, 32-bit block counter, 12-byte nonce.</summary>
internal static partial class ChaCha20
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockSize = 64;

    /// <summary>The fastest path of this machine.</summary>
    public static ChaCha20Path BestPath { get; } =
        IsSupported(ChaCha20Path.Vector512) ? ChaCha20Path.Vector512
        : IsSupported(ChaCha20Path.Vector256) ? ChaCha20Path.Vector256
        : IsSupported(ChaCha20Path.Vector128) ? ChaCha20Path.Vector128
        : ChaCha20Path.Scalar;

    /// <summary>True when this machine can run the path.</summary>
    public static bool IsSupported(ChaCha20Path path) => path switch
    {
        ChaCha20Path.Vector512 => Avx512F.IsSupported,
        ChaCha20Path.Vector256 => Avx2.IsSupported,
        ChaCha20Path.Vector128 => Vector128.IsHardwareAccelerated && BitConverter.IsLittleEndian,
        _ => true,
    };

    /// <summary>Adds the key stream to <paramref name="source"/>; encryption and decryption are the same.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="counter">Counter of the first block.</param>
    /// <param name="nonce">12 bytes.</param>
    /// <param name="source">Any length.</param>
    /// <param name="destination">As long as the source; the same memory or memory apart from it.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is wrong or the counter would pass 2^32.</exception>
    public static void Transform(ReadOnlySpan<byte> key, uint counter, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> source, Span<byte> destination) =>
        Transform(BestPath, key, counter, nonce, source, destination);

    /// <summary>As above on a chosen path, which the machine must support.</summary>
    public static void Transform(ChaCha20Path path, ReadOnlySpan<byte> key, uint counter, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, 32);
        ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, 12);
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, source.Length);
        // A counter that wrapped would repeat key stream under the same nonce.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(counter + ((long)source.Length + BlockSize - 1) / BlockSize, 1L << 32, nameof(counter));

        Span<uint> state = stackalloc uint[16];
        Circuits.ChaCha20Gadget.Constants.CopyTo(state);
        for (int i = 0; i < 8; i++)
            state[4 + i] = BinaryPrimitives.ReadUInt32LittleEndian(key[(4 * i)..]);
        state[12] = counter;
        for (int i = 0; i < 3; i++)
            state[13 + i] = BinaryPrimitives.ReadUInt32LittleEndian(nonce[(4 * i)..]);

        int done = 0;
        if (path >= ChaCha20Path.Vector512)
            done += Rows512(state, source[done..], destination[done..]);
        if (path >= ChaCha20Path.Vector256)
            done += Rows256(state, source[done..], destination[done..]);
        if (path >= ChaCha20Path.Vector128)
            done += Rows128(state, source[done..], destination[done..]);
        else
            done += Blocks(state, source[done..], destination[done..]);

        if (done < source.Length)
        {
            // The last, partial block goes through a whole one.
            Span<byte> block = stackalloc byte[BlockSize];
            block.Clear();
            source[done..].CopyTo(block);
            Blocks(state, block, block);
            block[..(source.Length - done)].CopyTo(destination[done..]);
            CryptographicOperations.ZeroMemory(block);
        }

        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(state));
    }

    // Each kernel handles as many whole groups of blocks as there are, advances the counter and returns the bytes done.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Blocks(Span<uint> state, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        int done = 0;
        for (; source.Length - done >= BlockSize; done += BlockSize)
        {
            // Sixteen locals, not an array: this is also the path of machines without vectors.
            uint s0 = state[0], s1 = state[1], s2 = state[2], s3 = state[3], s4 = state[4], s5 = state[5], s6 = state[6], s7 = state[7];
            uint s8 = state[8], s9 = state[9], s10 = state[10], s11 = state[11], s12 = state[12], s13 = state[13], s14 = state[14], s15 = state[15];
            for (int i = 0; i < 10; i++)
            {
                QuarterRound(ref s0, ref s4, ref s8, ref s12);
                QuarterRound(ref s1, ref s5, ref s9, ref s13);
                QuarterRound(ref s2, ref s6, ref s10, ref s14);
                QuarterRound(ref s3, ref s7, ref s11, ref s15);
                QuarterRound(ref s0, ref s5, ref s10, ref s15);
                QuarterRound(ref s1, ref s6, ref s11, ref s12);
                QuarterRound(ref s2, ref s7, ref s8, ref s13);
                QuarterRound(ref s3, ref s4, ref s9, ref s14);
            }

            ReadOnlySpan<byte> from = source.Slice(done, BlockSize);
            Span<byte> to = destination.Slice(done, BlockSize);
            Put(from, to, 0, s0 + state[0]);
            Put(from, to, 4, s1 + state[1]);
            Put(from, to, 8, s2 + state[2]);
            Put(from, to, 12, s3 + state[3]);
            Put(from, to, 16, s4 + state[4]);
            Put(from, to, 20, s5 + state[5]);
            Put(from, to, 24, s6 + state[6]);
            Put(from, to, 28, s7 + state[7]);
            Put(from, to, 32, s8 + state[8]);
            Put(from, to, 36, s9 + state[9]);
            Put(from, to, 40, s10 + state[10]);
            Put(from, to, 44, s11 + state[11]);
            Put(from, to, 48, s12 + state[12]);
            Put(from, to, 52, s13 + state[13]);
            Put(from, to, 56, s14 + state[14]);
            Put(from, to, 60, s15 + state[15]);
            state[12]++;
        }

        return done;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(ReadOnlySpan<byte> source, Span<byte> destination, int at, uint keystream) =>
        BinaryPrimitives.WriteUInt32LittleEndian(destination[at..], BinaryPrimitives.ReadUInt32LittleEndian(source[at..]) ^ keystream);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void QuarterRound(ref uint a, ref uint b, ref uint c, ref uint d)
    {
        a += b;
        d = BitOperations.RotateLeft(d ^ a, 16);
        c += d;
        b = BitOperations.RotateLeft(b ^ c, 12);
        a += b;
        d = BitOperations.RotateLeft(d ^ a, 8);
        c += d;
        b = BitOperations.RotateLeft(b ^ c, 7);
    }
}
