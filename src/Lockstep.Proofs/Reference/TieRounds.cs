using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;

namespace Lockstep.Proofs.Reference;

/// <summary>
/// Step 4: the sumcheck of the ties, in the Kappa rounds that bind i and with the zerocheck's challenges. A round sends
/// g0, g2 of g(X) = g0 + g1 X + g2 X^2; g1 = claim + g2.
/// </summary>
internal sealed class TieRounds
{
    private readonly (Gf128[] Weights, Gf128[] Values)[] _products;
    private int _length;

    public TieRounds(ArgumentInstance instance, BitMatrices z, in TieChallenges challenges, TieWeights weights, SecretArrays secrets)
    {
        ArgumentShape shape = instance.Shape;
        Gf128[] unit = secrets.Take<Gf128>(1 << shape.Kappa);
        Gf128[] unitOut = secrets.Take<Gf128>(unit.Length);
        Gf128[] tailState = secrets.Take<Gf128>(unit.Length);
        Gf128[] tailKey = secrets.Take<Gf128>(unit.Length);
        var state = new BitFold(challenges.StateWeights);
        var key = new BitFold(challenges.KeyWeights);
        uint[] stateWords = secrets.Take<uint>(Circuit.LinkWords);
        uint[] keyWords = secrets.Take<uint>(Circuit.LinkWords);
        for (int i = 0; i < shape.PresentUnits; i++)
        {
            Span<uint> slot = z.Unit(i);
            instance.Unit.Link(LinkKind.HIn, slot, stateWords);
            instance.Unit.Link(LinkKind.Key, slot, keyWords);
            unit[i] = state.Apply(stateWords) + challenges.Theta * key.Apply(keyWords);
            instance.Unit.Link(LinkKind.HOut, slot, stateWords);
            unitOut[i] = state.Apply(stateWords);
        }

        for (int q = 0; q < shape.Tails; q++)
        {
            Span<uint> slot = z.Tail(q);
            instance.Tail.Link(LinkKind.HIn, slot, stateWords);
            instance.Tail.Link(LinkKind.Key, slot, keyWords);
            tailState[q << shape.TailInnerBits] = state.Apply(stateWords);
            tailKey[q << shape.TailInnerBits] = key.Apply(keyWords);
        }

        _products =
        [
            ((Gf128[])weights.Unit.Clone(), unit), ((Gf128[])weights.Out.Clone(), unitOut),
            ((Gf128[])weights.TailState.Clone(), tailState), ((Gf128[])weights.TailKey.Clone(), tailKey),
        ];
        _length = unit.Length;
    }

    /// <summary>The four tie values once every variable is bound: h_in + theta k, h_out, tails' h_in, tails' key.</summary>
    public Gf128[] End => [.. _products.Select(p => p.Values[0])];

    /// <summary>The next round's coefficients g0 and g2.</summary>
    public (Gf128 G0, Gf128 G2) Round()
    {
        Gf128 g0 = default, g2 = default;
        foreach ((Gf128[] w, Gf128[] x) in _products)
            for (int k = 0; k < _length; k += 2)
            {
                g0 += w[k] * x[k];
                g2 += (w[k] + w[k + 1]) * (x[k] + x[k + 1]);
            }

        return (g0, g2);
    }

    /// <summary>Binds the current variable at <paramref name="s"/>.</summary>
    public void Bind(Gf128 s)
    {
        _length /= 2;
        foreach ((Gf128[] w, Gf128[] x) in _products)
            for (int k = 0; k < _length; k++)
            {
                w[k] = w[2 * k] + s * (w[2 * k] + w[2 * k + 1]);
                x[k] = x[2 * k] + s * (x[2 * k] + x[2 * k + 1]);
            }
    }
}
