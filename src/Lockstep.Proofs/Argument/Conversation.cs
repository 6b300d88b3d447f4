using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Argument;

/// <summary>
/// Everything that was said up to the combination of the equations: the messages, masked ones as sent, and the challenges.
/// Either end fills it as the conversation goes; <see cref="Verifier.PadEquations"/> reads it.
/// </summary>
internal sealed class Conversation(ArgumentShape shape)
{
    /// <summary>r: v6 | p | h | i.</summary>
    public Gf128[] ZerocheckPoint { get; set; } = [];

    /// <summary>The 64 masked skip values.</summary>
    public Gf128[] Skip { get; set; } = [];

    /// <summary>zeta.</summary>
    public Gf128 SkipPoint { get; set; }

    /// <summary>Challenges of the ties.</summary>
    public TieChallenges Ties { get; set; }

    /// <summary>Masked g1, g2 of each zerocheck round.</summary>
    public Gf128[][] Zerocheck { get; } = new Gf128[shape.ZerocheckVariables][];

    /// <summary>Masked g0, g2 of each tie round.</summary>
    public Gf128[][] Tie { get; } = new Gf128[shape.Kappa][];

    /// <summary>s, the end point of zerocheck and ties: v6 | p | h | i.</summary>
    public Gf128[] S { get; } = new Gf128[shape.ZerocheckVariables];

    /// <summary>s_out: the part of s that addresses units.</summary>
    public ReadOnlySpan<Gf128> UnitPoint => S.AsSpan(shape.InnerVariables);

    /// <summary>Masked v_a, v_b, v_c and the four tie values.</summary>
    public Gf128[] End { get; set; } = [];

    /// <summary>Challenges that combine the linear claims.</summary>
    public OutputChallenges Outputs { get; set; }

    /// <summary>Masked g0, g2 of each lincheck round.</summary>
    public Gf128[][] Lincheck { get; } = new Gf128[shape.LincheckVariables][];

    /// <summary>t: v (7) | p | high. The highest variable is bound first.</summary>
    public Gf128[] T { get; } = new Gf128[shape.LincheckVariables];

    /// <summary>Masked Z_U, Z_T.</summary>
    public Gf128[] Opened { get; set; } = [];

    /// <summary>The circuits' weights at t when the prover, who bound them in its own rounds, knows them; a verifier walks the circuits.</summary>
    public (Gf128 Unit, Gf128 Tail)? WeightsAtEnd { get; set; }

    /// <summary>gamma'.</summary>
    public Gf128 RegionWeight { get; set; }

    /// <summary>The 128 values s_v, in clear.</summary>
    public Gf128[] RingValues { get; set; } = [];

    /// <summary>r'''.</summary>
    public Gf128[] RingPoint { get; set; } = [];

    /// <summary>Masked g0, g2 of each row fold.</summary>
    public Gf128[][] Fold { get; } = new Gf128[shape.RowVariables][];

    /// <summary>r_f: h | top.</summary>
    public Gf128[] FoldPoint { get; } = new Gf128[shape.RowVariables];

    /// <summary>Masked sigma.</summary>
    public Gf128[] Sigma { get; set; } = [];

    /// <summary>xi, not zero.</summary>
    public Gf128 MaskWeight { get; set; }

    /// <summary>The q upper coefficients of u, in clear.</summary>
    public Gf128[] FoldedHigh { get; set; } = [];

    /// <summary>V = &lt;w', u_0..u_{n-1}&gt;, one element in clear; the levels check it.</summary>
    public Gf128[] FoldedValue { get; set; } = [];

    /// <summary>epsilon, not zero.</summary>
    public Gf128 TriplePoint { get; set; }

    /// <summary>alpha and beta, in clear.</summary>
    public Gf128[] TripleOpening { get; set; } = [];
}
