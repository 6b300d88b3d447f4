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
    private static int Blocks(Span<uint> state, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<uint> s = stackalloc uint[16];
        int done = 0;
        for (; source.Length - done >= BlockSize; done += BlockSize)
        {
            state.CopyTo(s);
            for (int i = 0; i < 10; i++)
            {
                QuarterRound(s, 0, 4, 8, 12);
                QuarterRound(s, 1, 5, 9, 13);
                QuarterRound(s, 2, 6, 10, 14);
                QuarterRound(s, 3, 7, 11, 15);
                QuarterRound(s, 0, 5, 10, 15);
                QuarterRound(s, 1, 6, 11, 12);
                QuarterRound(s, 2, 7, 8, 13);
                QuarterRound(s, 3, 4, 9, 14);
            }

            for (int i = 0; i < 16; i++)
            {
                uint word = BinaryPrimitives.ReadUInt32LittleEndian(source[(done + 4 * i)..]);
                BinaryPrimitives.WriteUInt32LittleEndian(destination[(done + 4 * i)..], word ^ (s[i] + state[i]));
            }

            state[12]++;
        }

        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(s));
        return done;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void QuarterRound(Span<uint> s, int a, int b, int c, int d)
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
