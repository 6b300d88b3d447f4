namespace Lockstep.Proofs;

/// <summary>How far the sealing of a window is.</summary>
/// <param name="Stage">The stage that begins, one of <see cref="WindowSealer.Stages"/>; the last one again at the end.</param>
/// <param name="Done">The share of the work that is done, 0 to 1: each stage's usual share, since none is known beforehand.</param>
public readonly record struct SealProgress(string Stage, double Done);
