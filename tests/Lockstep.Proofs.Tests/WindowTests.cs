using System.Diagnostics;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Proofs.Tests;

public sealed class WindowTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(LockHash.Sha256, new[] { 1 })]
    [InlineData(LockHash.Blake2b256, new[] { 64 })]
    [InlineData(LockHash.Sha256, new[] { 200, 1, 55, 56, 63, 64, 65 })]
    [InlineData(LockHash.Blake2b256, new[] { 4096, 100 })]
    [InlineData(LockHash.Sha256, new[] { 262144, 262144, 262144, 262144 })]
    public void Sealed_windows_verify(LockHash lockHash, int[] lengths)
    {
        var random = new Random(5);
        ReadOnlyMemory<byte>[] chunks = [.. lengths.Select(length =>
        {
            var data = new byte[length];
            random.NextBytes(data);
            return (ReadOnlyMemory<byte>)data;
        })];
        var watch = Stopwatch.StartNew();
        string stage = "";
        var at = TimeSpan.Zero;
        using SealedWindow window = WindowSealer.Seal(Suites.Default, lockHash, new byte[] { 1, 2, 3 }, chunks, new SystemRandom(), Workers.All, next =>
        {
            output.WriteLine($"{stage} {(watch.Elapsed - at).TotalSeconds:F2} s");
            (stage, at) = (next, watch.Elapsed);
        });
        output.WriteLine($"{stage} {(watch.Elapsed - at).TotalSeconds:F2} s; total {watch.Elapsed.TotalSeconds:F2}; proof {window.Proof.Length}");
        watch.Restart();
        Assert.Null(WindowVerifier.Verify(window.Statement, window.Ciphertexts, window.Proof.Span, VerifierPolicy.Default));
        output.WriteLine($"verify {watch.Elapsed.TotalSeconds:F3} s");
    }
}
