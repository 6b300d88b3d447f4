using System.Diagnostics;
using Lockstep.Proofs;

namespace Lockstep.Cli.Bench;

/// <summary>What one run took, stage by stage, and what it made.</summary>
internal sealed class Sample
{
    private readonly Stopwatch _watch = new();
    private string? _stage;

    public double Seconds { get; set; }

    /// <summary>Proving is all of sealing but its first stage, which encrypts.</summary>
    public double Proving => Stages.Values.Sum() - Stages[WindowSealer.Stages[0]];

    public long ProofBytes { get; set; }

    public long StatementBytes { get; set; }

    public Dictionary<string, double> Stages { get; } = [];

    public void Enter(string stage)
    {
        Leave();
        _stage = stage;
        _watch.Restart();
    }

    public void Leave()
    {
        if (_stage != null)
            Stages[_stage] = Stages.GetValueOrDefault(_stage) + _watch.Elapsed.TotalSeconds;
        _stage = null;
    }

    public void Count(SealedWindow window)
    {
        ProofBytes += window.Proof.Length;
        StatementBytes += window.Statement.Encode().Length;
    }
}
