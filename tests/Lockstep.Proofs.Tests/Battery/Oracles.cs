using System.Text;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Hashing;
using Lockstep.Proofs.Transcripts;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// A transcript in which some challenges depend on nothing that was said: as if they had been drawn before everything.
/// All others are the real ones.
/// </summary>
/// <param name="seed">Decides the early challenges.</param>
/// <param name="early">Labels drawn early; null for all of them, positions too.</param>
internal sealed class EarlyOracle(int seed, params string[]? early) : Transcript
{
    private readonly Dictionary<string, int> _drawn = [];

    public override Gf128[] Challenges(string label, int count)
    {
        Gf128[] real = base.Challenges(label, count);
        if (!IsEarly(label))
            return real;
        int from = _drawn.GetValueOrDefault(label);
        _drawn[label] = from + count;
        return [.. Enumerable.Range(from, count).Select(i => At(label, i))];
    }

    public override int[] DistinctPositions(string label, int count, int size)
    {
        int[] real = base.DistinctPositions(label, count, size);
        if (!IsEarly(label))
            return real;
        int[] all = [.. Enumerable.Range(0, size)];
        new Random(seed).Shuffle(all);
        return [.. all.Take(count).Order()];
    }

    /// <summary>The early challenge number <paramref name="index"/> of this label, which an attacker knows from the start.</summary>
    public Gf128 At(string label, int index) =>
        Gf128.Read(Blake3.Hash(Encoding.ASCII.GetBytes($"{seed} {label} {index}")));

    private bool IsEarly(string label) => early is null || Array.IndexOf(early, label) >= 0;
}
