using System.Text.RegularExpressions;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Tests.Argument;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// A forging prover that runs the honest code on a witness with exactly one row a*b = z broken: everything after the lie is
/// re-evaluated, states are handed on and the public words are claimed to match. Refused at the zerocheck, with every other
/// equation holding.
/// </summary>
public sealed partial class ForgedRowTests(ITestOutputHelper output)
{
    private static readonly int[] Lengths = [200, 64, 60, 300];

    // Unit AND words broken by themselves, besides one of each kind of step; every one with LOCKSTEP_EXHAUSTIVE=1.
    private const int SampledUnitWords = 100, SampledTailWords = 30;

    [Fact]
    public void Every_kind_of_unit_row_and_a_sample_of_all()
    {
        int[] words = Words(UnitCircuit.Instance, UnitCircuit.Sha, UnitCircuit.End, SampledUnitWords);
        Run(words, (window, word, random) =>
        {
            int unit = random.Next(window.Layout.UnitCount);
            ForgedWindow.FlipRow(UnitCircuit.Instance, window.Bits.Unit(unit), word, 1u << random.Next(32));
            window.PassOn(unit);
        });
        output.WriteLine($"{words.Length} of {UnitCircuit.End - UnitCircuit.Sha} AND words of a unit refused at the zerocheck alone");
    }

    [Fact]
    public void Every_kind_of_tail_row_and_a_sample_of_all()
    {
        int[] words = Words(TailCircuit.Instance, TailCircuit.ChaCha, TailCircuit.End, SampledTailWords);
        Run(words, (window, word, random) =>
            ForgedWindow.FlipRow(TailCircuit.Instance, window.Bits.Tail(random.Next(window.Layout.ChunkCount)), word, 1u << random.Next(32)));
        output.WriteLine($"{words.Length} of {TailCircuit.End - TailCircuit.ChaCha} AND words of a tail refused at the zerocheck alone");
    }

    [Fact]
    public void Every_row_of_the_toy()
    {
        int refused = 0;
        foreach (int unit in new[] { 0, 6, 35, 36, 255 })
            for (int word = ToyArgument.Ands; word < ToyArgument.Ands + 11; word++)
            {
                var toy = new ToyArgument([5, 0, 30]);
                toy.Witness.Unit(unit)[word] ^= 1u << (unit + word) % 32;
                byte[] proof = toy.Prove();
                Assert.Equal(RejectReason.Equations, toy.Verify(proof)?.Reason);
                Assert.Contains(PadEquation.Zerocheck, toy.FailingEquations(proof));
                refused++;
            }

        output.WriteLine($"{refused} toy rows refused");
    }

    [Theory]
    [InlineData(0, 37, 0)]
    [InlineData(3, 44, 31)]
    [InlineData(7, 1112, 5)]
    [InlineData(8, 1151, 17)]
    [InlineData(255, 47, 1)]
    public void A_nonzero_empty_word_of_a_unit(int unit, int word, int bit)
    {
        using var window = new ForgedWindow(LockHash.Sha256, 8, Lengths);
        window.Bits.Unit(unit)[word] ^= 1u << bit;
        Bench.AssertRefused(window.Instance, window.Bits, $"unit {unit} word {word}", PadEquation.Zerocheck);
    }

    [Theory]
    [InlineData(0, 3478)]
    [InlineData(1, 4095)]
    [InlineData(3, 3600)]
    public void A_nonzero_empty_word_of_a_tail_used_or_not(int tail, int word)
    {
        using var window = new ForgedWindow(LockHash.Blake2b256, 8, [200, 64, 60]);
        window.Bits.Tail(tail)[word] ^= 0x100;
        Bench.AssertRefused(window.Instance, window.Bits, $"tail {tail} word {word}", PadEquation.Zerocheck);
    }

    private static void Run(int[] words, Action<ForgedWindow, int, Random> lie)
    {
        foreach (int word in words)
        {
            var random = new Random(word);
            using var window = new ForgedWindow(word % 2 == 0 ? LockHash.Sha256 : LockHash.Blake2b256, 8, Lengths);
            lie(window, word, random);
            window.Claim();
            Bench.AssertRefused(window.Instance, window.Bits, $"word {word}", PadEquation.Zerocheck);
        }
    }

    // One word of every kind of step (its label without numbers), and a seeded sample of the others.
    private static int[] Words(Circuit circuit, int first, int end, int sample)
    {
        int[] all = [.. Enumerable.Range(first, end - first)];
        if (Bench.Exhaustive)
            return all;
        var random = new Random(20);
        random.Shuffle(all);
        int[] kinds = [.. all.DistinctBy(word => Numbers().Replace(circuit.Label(word)!, "#"))];
        return [.. kinds.Union(all.Take(sample))];
    }

    [GeneratedRegex("(?<![A-Za-z0-9-])[0-9]+")]
    private static partial Regex Numbers();
}
