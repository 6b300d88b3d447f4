using Lockstep.Proofs.Kernels;

namespace Lockstep.Proofs.Tests.Kernels;

/// <summary>Run on every path by the test script.</summary>
public sealed class ProverInfoTests
{
    [Fact]
    public void The_path_in_use_is_named_and_a_slow_one_noticed()
    {
        bool gfni = KernelPaths.Best is KernelPath.Gfni512 or KernelPath.Gfni256 or KernelPath.Gfni128;
        Assert.Equal(gfni, ProverInfo.IsFast);
        Assert.Equal(gfni, ProverInfo.InstructionPath.EndsWith("GFNI", StringComparison.Ordinal));
        Assert.Equal(KernelPaths.Best == KernelPath.Portable, ProverInfo.InstructionPath == "portable");
        Assert.Equal(gfni, ProverInfo.SlowProcessorNotice is null);
        if (!gfni)
            Assert.Contains(ProverInfo.InstructionPath, ProverInfo.SlowProcessorNotice, StringComparison.Ordinal);
    }
}
