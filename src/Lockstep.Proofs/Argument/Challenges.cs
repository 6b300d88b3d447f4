using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Transcripts;

namespace Lockstep.Proofs.Argument;

/// <summary>The challenges of the tie sumcheck, drawn after the skip round.</summary>
internal readonly struct TieChallenges
{
    public readonly Gf128[] UnitPoint;
    public readonly Gf128[] TailPoint;
    public readonly Gf128[] StateWeights;
    public readonly Gf128[] KeyWeights;
    public readonly Gf128 Theta;

    public TieChallenges(ArgumentInstance instance, Transcript transcript)
    {
        ArgumentShape shape = instance.Shape;
        int stateBits = BitVariables(Circuit.LinkWords), keyBits = BitVariables(Circuit.LinkWords);
        Gf128[] drawn = transcript.Challenges(Labels.TiePoints, shape.Kappa + shape.TailBits + stateBits + keyBits + 1);
        ReadOnlySpan<Gf128> rest = drawn;
        UnitPoint = Take(ref rest, shape.Kappa);
        TailPoint = Take(ref rest, shape.TailBits);
        StateWeights = Multilinear.EqTable(Take(ref rest, stateBits));
        KeyWeights = Multilinear.EqTable(Take(ref rest, keyBits));
        Theta = rest[0];
    }

    private static int BitVariables(int words) => 5 + System.Numerics.BitOperations.Log2((uint)words);

    private static Gf128[] Take(ref ReadOnlySpan<Gf128> rest, int count)
    {
        Gf128[] taken = rest[..count].ToArray();
        rest = rest[count..];
        return taken;
    }
}

/// <summary>The challenges that combine the linear claims, drawn after the end values.</summary>
internal readonly struct OutputChallenges
{
    /// <summary>eq(rho_U, .), one weight per public-output bit of a unit.</summary>
    public readonly Gf128[] UnitWeights;

    /// <summary>eq(rho_T, .), one weight per public-output bit of a tail; zero for words that this statement does not tie.</summary>
    public readonly Gf128[] TailWeights;

    /// <summary>gamma^0..gamma^8: v_a, v_b, v_c, four tie values, units' outputs, tails' outputs.</summary>
    public readonly Gf128[] Gamma;

    public OutputChallenges(ArgumentInstance instance, Transcript transcript)
    {
        int unitBits = 5 + System.Numerics.BitOperations.Log2((uint)instance.Unit.OutputWords);
        int tailBits = 5 + System.Numerics.BitOperations.Log2((uint)instance.Tail.OutputWords);
        Gf128[] drawn = transcript.Challenges(Labels.OutputPoints, unitBits + tailBits + 1);
        UnitWeights = Multilinear.EqTable(drawn.AsSpan(0, unitBits));
        TailWeights = Multilinear.EqTable(drawn.AsSpan(unitBits, tailBits));
        for (int word = 0; word < instance.Tail.OutputWords; word++)
            if (!instance.Public.IsTailOutputTied(word))
                TailWeights.AsSpan(word * 32, 32).Clear();
        Gamma = new Gf128[9];
        Gamma[0] = Gf128.One;
        for (int i = 1; i < 9; i++)
            Gamma[i] = Gamma[i - 1] * drawn[^1];
    }
}
