using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Reference;

namespace Lockstep.Proofs.Tests.Argument;

/// <summary>The one-time pads that the prover draws from a generator: what only the prover knows.</summary>
internal sealed class Gf128Pads(ArgumentShape shape, ProofRandom random)
{
    public Gf128[] Values { get; } = Draw(shape, random);

    private static Gf128[] Draw(ArgumentShape shape, ProofRandom random)
    {
        var schedule = new PadSchedule(shape);
        var row = new Gf128[shape.PadRowLength];
        ReferenceProver.DrawPads(shape, schedule, random, row);
        return row[..schedule.Count];
    }
}
