using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Argument;

public sealed class ArgumentTests
{
    [Theory]
    [InlineData(new[] { 1 })]
    [InlineData(new[] { 0 })]
    [InlineData(new[] { 256 })]
    [InlineData(new[] { 0, 3, 0, 250, 1 })]
    [InlineData(new[] { 100, 56, 100 })]
    public void Honest_proofs_are_accepted(int[] chunks)
    {
        var toy = new ToyArgument(chunks);
        byte[] proof = toy.Prove();
        Assert.Null(toy.Verify(proof));
        Assert.Empty(toy.FailingEquations(proof));
    }

    public static TheoryData<string> FoldsOfLevels => ["", "1", "5", "2 3", "3 2 1"];

    [Theory]
    [MemberData(nameof(FoldsOfLevels))]
    public void Any_number_of_levels_is_accepted(string plan)
    {
        int[] folds = [.. plan.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
        var levels = new List<LevelShape>();
        for (int i = 0, length = 9; i < folds.Length; length -= folds[i++])
            levels.Add(new LevelShape(length, folds[i], 1 + i, 4 + i, 1 + i, 3 - i));
        var toy = new ToyArgument([5, 0, 30], shape: ToyArgument.DefaultShape with { Levels = levels });
        byte[] proof = toy.Prove();
        Assert.Null(toy.Verify(proof));
        Assert.Empty(toy.FailingEquations(proof));
    }

    [Fact]
    public void Proof_bytes_do_not_depend_on_the_number_of_workers() =>
        Assert.Equal(new ToyArgument([5, 0, 30]).Prove(workers: 1), new ToyArgument([5, 0, 30]).Prove(workers: 3));

    [Fact]
    public void A_wrong_and_bit_breaks_the_zerocheck()
    {
        var toy = new ToyArgument([5, 0, 30]);
        for (int word = ToyArgument.Ands; word < ToyArgument.Ands + 8; word++)
        {
            toy.Witness.Unit(7)[word] ^= 1u << word;
            byte[] proof = toy.Prove();
            Assert.Equal(RejectReason.Equations, toy.Verify(proof)?.Reason);
            Assert.Contains(PadEquation.Zerocheck, toy.FailingEquations(proof));
            toy.Witness.Unit(7)[word] ^= 1u << word;
        }
    }
}
