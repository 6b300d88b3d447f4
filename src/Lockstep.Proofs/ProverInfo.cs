using Lockstep.Proofs.Kernels;

namespace Lockstep.Proofs;

/// <summary>What this processor offers to the prover. Proofs have the same bytes on every path; only their speed differs.</summary>
public static class ProverInfo
{
    /// <summary>The instructions that the kernels use here, for people: for example <c>AVX-512 + GFNI</c>, <c>AVX2</c>, <c>portable</c>.</summary>
    public static string InstructionPath { get; } = KernelPaths.Best switch
    {
        KernelPath.Gfni512 => "AVX-512 + GFNI",
        KernelPath.Gfni256 => "AVX2 + GFNI",
        KernelPath.Gfni128 => "SSSE3 + GFNI",
        KernelPath.Shuffle256 => "AVX2",
        KernelPath.Shuffle128 => "SSSE3",
        _ => "portable",
    };

    /// <summary>Whether the fast instructions (GFNI on vectors) are there.</summary>
    public static bool IsFast { get; } = KernelPaths.Best <= KernelPath.Gfni128;

    /// <summary>One line for people when the fast instructions are missing; null when they are there.</summary>
    public static string? SlowProcessorNotice { get; } = IsFast
        ? null
        : $"this processor lacks GFNI (in use: {InstructionPath}); proofs have the same bytes but take several times longer, see docs/benchmarks.md";
}
