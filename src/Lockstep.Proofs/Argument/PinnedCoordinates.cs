using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Transcripts;

namespace Lockstep.Proofs.Argument;

/// <summary>
/// The zerocheck point r. Seven coordinates are pinned so that eq over them is C * X^j * gamma^k: 128 weights independent
/// over GF(2), which is enough because the checked polynomial takes values 0 and 1 only (Dao-Thaler, ePrint 2024/1210).
/// v6, p0, p1, i0 carry X, X^2, X^4, X^8; p2, p3, p4 carry gamma, gamma^2, gamma^4.
/// </summary>
internal static class PinnedCoordinates
{
    /// <summary>The ratio r/(1+r) at which coordinate <paramref name="index"/> (v6 | p | h | i) is pinned; zero for a free one.</summary>
    public static Gf128 Ratio(ArgumentShape shape, int index)
    {
        if (index == 1 + shape.PBits + shape.HBits)
            return Gf128.Monomial(8);
        return index > shape.PBits ? default : index switch
        {
            0 => Gf128.Monomial(1),
            1 => Gf128.Monomial(2),
            2 => Gf128.Monomial(4),
            3 => TowerBasis.Gamma,
            4 => TowerBasis.Gamma.Pow(2),
            _ => TowerBasis.Gamma.Pow(4),
        };
    }

    /// <summary>Draws the free coordinates and places them among the pinned ones.</summary>
    public static Gf128[] DrawPoint(ArgumentShape shape, Transcript transcript)
    {
        var r = new Gf128[shape.ZerocheckVariables];
        int free = 0;
        for (int i = 0; i < r.Length; i++)
        {
            Gf128 ratio = Ratio(shape, i);
            if (ratio.IsZero)
                free++;
            else
                r[i] = ratio * (Gf128.One + ratio).Inverse();
        }

        Gf128[] drawn = transcript.Challenges(Labels.ZerocheckPoint, free);
        for (int i = 0, next = 0; i < r.Length; i++)
            if (Ratio(shape, i).IsZero)
                r[i] = drawn[next++];
        return r;
    }
}
