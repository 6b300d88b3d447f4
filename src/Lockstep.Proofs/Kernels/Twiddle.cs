using System.Runtime.CompilerServices;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// An element of GF(2^32) as a factor of elements in tower coordinates. With x read as 16 bytes over the AES field, byte o
/// of the product is the sum over d &lt; 4 of x[o xor d] * C_d[o mod 4]; the sixteen bytes C_d[o] are linear in the factor.
/// Factors of GF(2^16) have C_2 = C_3 = 0, those of the AES field C_1 = 0 too and all bytes of C_0 equal.
/// </summary>
/// <param name="Low">C_0, then C_1: byte 4d + o is C_d[o].</param>
/// <param name="High">C_2, then C_3.</param>
internal readonly record struct Twiddle(ulong Low, ulong High)
{
    private const int Digit = 8;

    // Of Cantor basis element b: its constants.
    private static readonly Twiddle[] Betas = BuildBetas();

    // Sums of beta_{b+1} over the set bits of one base-256 digit of a block number.
    private static readonly Twiddle[] Spans = BuildSpans();

    /// <summary>C_d, byte o at bits 8o.</summary>
    public uint this[int d] => (uint)((d < 2 ? Low : High) >> (32 * (d & 1)));

    /// <summary>The factor 1.</summary>
    public static Twiddle One => Betas[0];

    /// <summary>beta_1: what the factor of an odd block has more than that of the even one before it.</summary>
    public static Twiddle Odd => Spans[1];

    /// <summary>Builds the tables, so that methods compiled from then on need not ask whether they exist.</summary>
    public static void Initialize() => RuntimeHelpers.RunClassConstructor(typeof(Twiddle).TypeHandle);

    /// <summary>
    /// The factor of block <paramref name="block"/> in the layer with 2^depth halves: beta_depth plus the sum of
    /// beta_{b+1} over the set bits b of the block number, which is below 2^(depth-1).
    /// </summary>
    /// <param name="depth">log N minus the layer's index, 1..31.</param>
    /// <param name="block">From 0, in order of position.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Twiddle Of(int depth, int block)
    {
        Twiddle sum = Betas[depth] ^ Spans[block & 255];
        if (block >> Digit != 0)
            sum = sum ^ Spans[256 | (block >> 8 & 255)] ^ Spans[512 | (block >> 16 & 255)] ^ Spans[768 | block >> 24];
        return sum;
    }

    /// <summary>The number of C_d that the factors of a layer may have nonzero: 1, 2 or 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Products(int depth) => depth < 8 ? 1 : depth < 16 ? 2 : 4;

    /// <summary>The sum of two factors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Twiddle operator ^(Twiddle a, Twiddle b) => new(a.Low ^ b.Low, a.High ^ b.High);

    /// <summary>The constants of any factor in GF(2^32), from its products with e_0..e_3.</summary>
    internal static Twiddle FromElement(Gf128 factor)
    {
        Span<ulong> constants = stackalloc ulong[2];
        for (int j = 0; j < 4; j++)
        {
            Gf128 product = TowerBasis.FromPolynomial(factor * TowerBasis.Element(8 * j));
            for (int o = 0; o < 4; o++)
            {
                int d = o ^ j;
                constants[d >> 1] |= (ulong)(byte)(product.Lo >> (8 * o)) << (32 * (d & 1) + 8 * o);
            }
        }

        return new Twiddle(constants[0], constants[1]);
    }

    private static Twiddle[] BuildBetas()
    {
        var betas = new Twiddle[32];
        for (int b = 0; b < betas.Length; b++)
            betas[b] = FromElement(CantorBasis.Beta(b));
        return betas;
    }

    private static Twiddle[] BuildSpans()
    {
        var spans = new Twiddle[4 << Digit];
        for (int digit = 0; digit < 4; digit++)
            for (int bit = 0; bit < 8 && 8 * digit + bit + 1 < 32; bit++)
                for (int k = 0; k < 1 << bit; k++)
                    spans[digit << Digit | 1 << bit | k] = spans[digit << Digit | k] ^ Betas[8 * digit + bit + 1];
        return spans;
    }
}
