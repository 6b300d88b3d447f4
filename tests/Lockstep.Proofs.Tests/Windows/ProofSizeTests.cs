using System.Diagnostics;
using Lockstep.Proofs.Soundness;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Proofs.Tests.Windows;

/// <summary>Proofs have the bytes that the calculator counts, of one, two and three levels, and large windows stay within their share of the content.</summary>
public sealed class ProofSizeTests(ITestOutputHelper output)
{
    private static readonly int[] Mebibyte = [262_144, 262_144, 262_144, 262_144];

    public static TheoryData<string, LockHash, string, int[], int> Windows() => new()
    {
        { Suites.Default.Id, LockHash.Sha256, "one byte", [1], 1 },
        { Suites.Hundred.Id, LockHash.Blake2b256, "corruption", [64, 200, 63], 1 },
        { Suites.Hundred.Id, LockHash.Sha256, "two levels", [49_152, 49_152], 2 },
        { Suites.Default.Id, LockHash.Sha256, "mebibyte", Mebibyte, 2 },
        // More tails than kappa = 14 holds: a row code of rate 1/2, and three levels.
        { Suites.Default.Id, LockHash.Sha256, "many tails", [.. Enumerable.Repeat(1, 129)], 3 },
    };

    [Theory]
    [MemberData(nameof(Windows))]
    public void The_calculator_counts_every_byte(string suite, LockHash lockHash, string label, int[] lengths, int levels)
    {
        DeterministicWindow window = DeterministicWindow.Shared(Suites.Find(suite)!, lockHash, label, lengths);
        Assert.Null(window.Verify(policy: VerifierPolicy.Default with { MaxChunks = 1024 }));
        WindowShape shape = Suites.Choose(window.Suite, lengths.Sum(length => (long)length / 64), lengths.Length)!.Value;
        LayoutParameters layout = window.Suite.Layout(shape)!;
        Assert.Equal(levels, layout.Levels.Count);
        Assert.Equal(window.Proof.Length, ProofSize.Exact(shape, layout, Siblings(window)));
        Assert.InRange(window.Proof.Length, 1, ProofSize.UpperBound(shape, layout));
    }

    [Fact]
    public void A_proof_of_a_mebibyte_is_at_most_three_tenths_of_it() =>
        Assert.InRange(DeterministicWindow.Shared(Suites.Default, LockHash.Sha256, "mebibyte", Mebibyte).Proof.Length, 1, (1 << 20) * 3 / 10);

    /// <summary>
    /// 4 MiB in both suites: bytes, milliseconds and bytes allocated. It seals them first, which takes minutes:
    /// <code>dotnet run -c Release --project tests/Lockstep.Proofs.Tests -- -class "*ProofSizeTests" -explicit only</code>
    /// </summary>
    [Fact(Explicit = true)]
    public void Four_mebibytes_are_proven_and_verified_within_their_bounds()
    {
        const int Content = 4 << 20, Runs = 31;
        foreach (Suite suite in Suites.All)
        {
            DeterministicWindow window = DeterministicWindow.Seal(suite, LockHash.Sha256, "four mebibytes", [.. Enumerable.Repeat(262_144, 16)]);
            var times = new double[Runs];
            long allocated = 0;
            for (int run = 0; run < Runs; run++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                long start = Stopwatch.GetTimestamp();
                Assert.Null(window.Verify());
                times[run] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            }

            output.WriteLine(FormattableString.Invariant(
                $"{suite}: {window.Proof.Length} bytes, {(double)window.Proof.Length / Content:P2} of the content, verified in {times.Order().ElementAt(Runs / 2):F1} ms (median of {Runs}, least {times.Min():F1}), {allocated >> 10} KiB allocated"));
            Assert.True(window.Proof.Length <= Content * (suite.TargetBits == 100 ? 0.085 : 0.115));
            Assert.True(allocated < 10_000_000);
        }
    }

    private static int Siblings(DeterministicWindow window)
    {
        Assert.Null(WindowInstance.TryCreate(window.Suite, window.Statement, window.Ciphertexts, out WindowInstance? instance));
        var recorder = new PositionRecorder();
        instance!.Bind(recorder);
        Assert.Null(ArgumentVerifier.Verify(instance.Argument, window.Proof.AsSpan(16), recorder));
        return recorder.Siblings.Sum();
    }
}
