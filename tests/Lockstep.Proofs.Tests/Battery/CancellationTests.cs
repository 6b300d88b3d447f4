using Lockstep.Proofs.Memory;
using Lockstep.Proofs.Randomness;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>What a prover leaves in the pools of the process when it is cancelled. Alone, since it counts all blocks.</summary>
[Collection(nameof(WholeProcess))]
public sealed class CancellationTests
{
    public static TheoryData<string> Stages => [.. WindowSealer.Stages];

    [Theory]
    [MemberData(nameof(Stages))]
    public void A_seal_cancelled_as_a_stage_begins_gives_all_memory_back(string last) => Check((source, stage) =>
    {
        if (stage == last)
            source.Cancel();
    });

    // Cancelled at odd moments, the kernels notice between pieces of their work.
    [Theory]
    [MemberData(nameof(Stages))]
    public void A_seal_cancelled_inside_a_stage_gives_all_memory_back(string last)
    {
        for (int milliseconds = 1; milliseconds <= 16; milliseconds *= 4)
            Check((source, stage) =>
            {
                if (stage == last)
                    source.CancelAfter(milliseconds);
            }, mayFinish: true);
    }

    private static void Check(Action<CancellationTokenSource, string> atStage, bool mayFinish = false)
    {
        NativePool.Shared.Trim();
        long before = NativePool.Shared.BytesHeld;
        using var source = new CancellationTokenSource();
        var chunk = new byte[100_000];
        new Random(1).NextBytes(chunk);
        bool cancelled = false;
        try
        {
            WindowSealer.Seal(Suites.Hundred, LockHash.Sha256, new byte[] { 1 }, [chunk], new SystemRandom(), new Workers(2, source.Token), stage => atStage(source, stage)).Dispose();
        }
        catch (OperationCanceledException)
        {
            cancelled = true;
        }

        Assert.True(cancelled || mayFinish);
        Assert.True(NativePool.Shared.IsFreeClear());
        Assert.True(ElementPool.IsKeptClear());

        // Blocks that were not given back cannot be freed.
        NativePool.Shared.Trim();
        Assert.Equal(before, NativePool.Shared.BytesHeld);
    }
}

/// <summary>Tests that measure the whole process: no other test runs beside them.</summary>
[CollectionDefinition(nameof(WholeProcess), DisableParallelization = true)]
public sealed class WholeProcess;
