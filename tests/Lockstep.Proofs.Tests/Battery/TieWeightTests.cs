using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Transcripts;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// sum_i eq(r', i) = sum_q eq(r'', q) = 1, so with one weight for the units' states and the tails' states a defect on every
/// H_in cancels, and every chunk could start from a state of the forger's choice. theta^2 prevents it
/// (docs/proof-system.md section 7, equation 2, and section 10).
/// </summary>
public sealed class TieWeightTests
{
    [Fact]
    public void One_defect_on_every_state_is_refused_at_the_ties()
    {
        using ForgedWindow window = Forged();
        Bench.AssertRefused(window.Instance, window.Bits, "defect on every H_in", PadEquation.Ties);
    }

    [Fact]
    public void The_same_defect_is_accepted_when_the_tails_weigh_as_the_units()
    {
        using ForgedWindow window = Forged();
        var weakened = window.Instance with { TailStateWeight = _ => Gf128.One };
        Assert.Null(Bench.Verify(weakened, Bench.Prove(weakened, window.Bits)));

        // It is the defect's being everywhere that hides it.
        window.Bits.Unit(255)[UnitCircuit.HIn + 2] ^= 0x400;
        window.RebuildFrom(255);
        Bench.AssertRefused(weakened, window.Bits, "defect on all but one H_in", PadEquation.Ties);
    }

    [Theory]
    [InlineData(200, 64, 60, 300)]
    [InlineData(1, 1, 1, 1)]
    [InlineData(64, 16_000, 63, 64)]
    [InlineData(130)]
    public void The_weights_at_the_end_point_are_the_extensions_of_the_vectors(params int[] lengths)
    {
        using var window = new ForgedWindow(LockHash.Sha256, 8, lengths);
        ArgumentShape shape = window.Instance.Shape;
        var transcript = new Transcript();
        var ties = new TieChallenges(window.Instance, transcript);
        Gf128[] endEq = Multilinear.EqTable(transcript.Challenges("s_out", shape.Kappa));
        var vectors = new TieWeights(window.Instance, ties.UnitPoint, ties.TailPoint, ties.StateWeights, ties.Theta);
        var end = new TieEvaluation(window.Instance, ties, endEq);
        Assert.Equal(vectors.RightSide, end.RightSide);
        Assert.Equal(Multilinear.InnerProduct(vectors.Out, endEq), end.Out);
        Assert.Equal(Multilinear.InnerProduct(vectors.TailState, endEq), end.TailState);
        Assert.Equal(Multilinear.InnerProduct(vectors.TailKey, endEq), end.TailKey);
    }

    // The defect on all 256 units, used or not, and on all four tails, which are all used.
    private static ForgedWindow Forged()
    {
        var window = new ForgedWindow(LockHash.Sha256, 8, [200, 64, 60, 300]);
        Assert.Equal(window.Shape.Tails, window.Layout.ChunkCount);
        Assert.Equal(1 << window.Shape.Kappa, window.Layout.PresentUnits);
        const int Word = 2;
        const uint Defect = 0x400;
        Span<uint> state = stackalloc uint[8];
        for (int q = 0; q < window.Layout.ChunkCount; q++)
        {
            Sha256Gadget.InitialState.CopyTo(state);
            for (int i = window.Layout.FirstUnit(q); i < window.Layout.FirstUnit(q) + window.Layout.UnitsOf(q); i++)
            {
                state[Word] ^= Defect;
                state.CopyTo(window.Bits.Unit(i)[UnitCircuit.HIn..]);
                UnitCircuit.Instance.Evaluate(window.Bits.Unit(i));
                UnitCircuit.Instance.Link(LinkKind.HOut, window.Bits.Unit(i), state);
            }

            state[Word] ^= Defect;
            state.CopyTo(window.Bits.Tail(q)[TailCircuit.HIn..]);
            window.RebuildTail(q);
        }

        for (int i = window.Layout.UnitCount; i < window.Layout.PresentUnits; i++)
        {
            window.Bits.Unit(i)[UnitCircuit.HIn + Word] ^= Defect;
            UnitCircuit.Instance.Evaluate(window.Bits.Unit(i));
        }

        window.Claim();
        return window;
    }
}
