using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Kernels;

/// <summary>Moves lines of 64 bytes.</summary>
internal static unsafe class CacheLines
{
    public const int Size = 64;

    /// <summary>Copies one line, both ends aligned, past the caches when <paramref name="stream"/> is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(byte* source, byte* target, bool stream)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<byte> line = Vector512.Load(source);
            if (stream)
                line.StoreAlignedNonTemporal(target);
            else
                line.Store(target);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Vector256<byte> low = Vector256.Load(source), high = Vector256.Load(source + 32);
            if (stream)
            {
                low.StoreAlignedNonTemporal(target);
                high.StoreAlignedNonTemporal(target + 32);
            }
            else
            {
                low.Store(target);
                high.Store(target + 32);
            }
        }
        else
        {
            Unsafe.CopyBlock(target, source, Size);
        }
    }

    /// <summary>Four rows' elements of four positions to four positions' elements of four rows.</summary>
    /// <param name="row0">Four elements of row 0; null for zeros.</param>
    /// <param name="row1">Of row 1.</param>
    /// <param name="row2">Of row 2.</param>
    /// <param name="row3">Of row 3.</param>
    /// <param name="target">Four lines.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(Gf128* row0, Gf128* row1, Gf128* row2, Gf128* row3, Gf128* target)
    {
        if (row0 == null | row1 == null | row2 == null | row3 == null)
        {
            for (int i = 0; i < 4; i++)
            {
                target[4 * i] = row0 == null ? default : row0[i];
                target[4 * i + 1] = row1 == null ? default : row1[i];
                target[4 * i + 2] = row2 == null ? default : row2[i];
                target[4 * i + 3] = row3 == null ? default : row3[i];
            }

            return;
        }

        if (Vector128.IsHardwareAccelerated)
        {
            byte* t = (byte*)target;
            for (int i = 0; i < 4; i++, t += Size)
            {
                Vector128.Load((byte*)(row0 + i)).Store(t);
                Vector128.Load((byte*)(row1 + i)).Store(t + 16);
                Vector128.Load((byte*)(row2 + i)).Store(t + 32);
                Vector128.Load((byte*)(row3 + i)).Store(t + 48);
            }
        }
        else
        {
            for (int i = 0; i < 4; i++)
            {
                target[4 * i] = row0[i];
                target[4 * i + 1] = row1[i];
                target[4 * i + 2] = row2[i];
                target[4 * i + 3] = row3[i];
            }
        }
    }

    /// <summary>sum ^= term.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(byte* sum, byte* term, nint bytes)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            for (nint i = 0; i < bytes; i += Size)
                (Vector512.Load(sum + i) ^ Vector512.Load(term + i)).Store(sum + i);
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            for (nint i = 0; i < bytes; i += 16)
                (Vector128.Load(sum + i) ^ Vector128.Load(term + i)).Store(sum + i);
        }
        else
        {
            for (nint i = 0; i < bytes; i += 8)
                *(ulong*)(sum + i) ^= *(ulong*)(term + i);
        }
    }

    /// <summary>Makes streamed lines visible to other threads.</summary>
    public static void Fence()
    {
        if (Sse.IsSupported)
            Sse.StoreFence();
    }
}
