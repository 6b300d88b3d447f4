using System.Runtime.CompilerServices;

namespace Lockstep.Proofs.Kernels;

/// <summary>Consecutive layers of the additive transform over units of any number of lines.</summary>
internal static unsafe class Transform
{
    /// <summary>
    /// The layers of <see cref="Codes.AdditiveNtt.Forward(Span{Fields.Gf128})"/> that stay within one block, depth first, so
    /// that smaller blocks are done while they are in the smaller cache.
    /// </summary>
    /// <param name="data">2^layers units.</param>
    /// <param name="unit">Bytes of a unit, a multiple of 64.</param>
    /// <param name="layers">How many.</param>
    /// <param name="depth">log N minus the index of the upper one.</param>
    /// <param name="block">The block's number in the upper layer.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward<K>(byte* data, nint unit, int layers, int depth, int block)
        where K : struct, IButterflies
    {
        if (layers == 0)
            return;
        if ((layers & 1) != 0)
        {
            nint half = unit << (layers - 1);
            K.Forward(data, data + half, half, Twiddle.Of(depth, block), Twiddle.Products(depth));
            Forward<K>(data, unit, layers - 1, depth + 1, 2 * block);
            Forward<K>(data + half, unit, layers - 1, depth + 1, 2 * block + 1);
            return;
        }

        nint quarter = unit << (layers - 2);
        Twiddle lower = Twiddle.Of(depth + 1, 2 * block);
        K.Forward4(data, quarter, Twiddle.Of(depth, block), lower, lower ^ Twiddle.Odd, Twiddle.Products(depth + 1));
        if (layers > 2)
            for (int i = 0; i < 4; i++)
                Forward<K>(data + i * quarter, unit, layers - 2, depth + 2, 4 * block + i);
    }
}
