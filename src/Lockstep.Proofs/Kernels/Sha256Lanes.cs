using System.Runtime.CompilerServices;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Hashing;

namespace Lockstep.Proofs.Kernels;

/// <summary>The SHA-256 compression function (FIPS 180-4 section 6.2.2) of one block in each lane.</summary>
internal static unsafe class Sha256Lanes
{
    /// <summary>Words of the message schedule.</summary>
    public const int ScheduleWords = 64;

    /// <summary>Advances every lane's state by one block.</summary>
    /// <param name="state">8 entries.</param>
    /// <param name="schedule">64 entries, of which the first 16 hold the blocks' words as SHA-256 reads them; the others are overwritten.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compress<T>(T* state, T* schedule)
        where T : unmanaged, ILanes<T>
    {
        for (T* w = schedule + 16; w < schedule + ScheduleWords; w++)
        {
            T x = w[-15], y = w[-2];
            T s0 = T.RotateRight(x, 7) ^ T.RotateRight(x, 18) ^ (x >> 3);
            T s1 = T.RotateRight(y, 17) ^ T.RotateRight(y, 19) ^ (y >> 10);
            *w = w[-16] + s0 + (w[-7] + s1);
        }

        T a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
        for (int t = 0; t < ScheduleWords; t += 8, schedule += 8)
        {
            // After eight rounds every name is back in its place, so that none has to move.
            ReadOnlySpan<uint> k = Sha256Gadget.RoundConstants.Slice(t, 8);
            Round(a, b, c, ref d, e, f, g, ref h, schedule[0] + T.Broadcast(k[0]));
            Round(h, a, b, ref c, d, e, f, ref g, schedule[1] + T.Broadcast(k[1]));
            Round(g, h, a, ref b, c, d, e, ref f, schedule[2] + T.Broadcast(k[2]));
            Round(f, g, h, ref a, b, c, d, ref e, schedule[3] + T.Broadcast(k[3]));
            Round(e, f, g, ref h, a, b, c, ref d, schedule[4] + T.Broadcast(k[4]));
            Round(d, e, f, ref g, h, a, b, ref c, schedule[5] + T.Broadcast(k[5]));
            Round(c, d, e, ref f, g, h, a, ref b, schedule[6] + T.Broadcast(k[6]));
            Round(b, c, d, ref e, f, g, h, ref a, schedule[7] + T.Broadcast(k[7]));
        }

        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round<T>(T a, T b, T c, ref T d, T e, T f, T g, ref T h, T w)
        where T : unmanaged, ILanes<T>
    {
        h += w + (T.RotateRight(e, 6) ^ T.RotateRight(e, 11) ^ T.RotateRight(e, 25)) + ((e & (f ^ g)) ^ g);
        d += h;
        h += (T.RotateRight(a, 2) ^ T.RotateRight(a, 13) ^ T.RotateRight(a, 22)) + (((a ^ b) & (a ^ c)) ^ a);
    }
}
