using System.Runtime.Intrinsics.X86;

namespace Lockstep.Proofs.Kernels;

/// <summary>The instruction sets a kernel of this folder is written for; all give the same bytes.</summary>
internal enum KernelPath
{
    /// <summary>512-bit vectors, GFNI.</summary>
    Gfni512,

    /// <summary>256-bit vectors, GFNI.</summary>
    Gfni256,

    /// <summary>128-bit vectors, GFNI.</summary>
    Gfni128,

    /// <summary>256-bit vectors, products by byte shuffles.</summary>
    Shuffle256,

    /// <summary>128-bit vectors, products by byte shuffles.</summary>
    Shuffle128,

    /// <summary>No intrinsics.</summary>
    Portable,
}

/// <summary>Which paths this processor has.</summary>
internal static class KernelPaths
{
    /// <summary>The fastest path of this processor.</summary>
    public static KernelPath Best =>
        IsSupported(KernelPath.Gfni512) ? KernelPath.Gfni512
        : IsSupported(KernelPath.Gfni256) ? KernelPath.Gfni256
        : IsSupported(KernelPath.Gfni128) ? KernelPath.Gfni128
        : IsSupported(KernelPath.Shuffle256) ? KernelPath.Shuffle256
        : IsSupported(KernelPath.Shuffle128) ? KernelPath.Shuffle128
        : KernelPath.Portable;

    /// <summary>Whether this processor can take <paramref name="path"/>.</summary>
    public static bool IsSupported(KernelPath path) => path switch
    {
        KernelPath.Gfni512 => Gfni.V512.IsSupported && Avx512BW.IsSupported,
        KernelPath.Gfni256 => Gfni.V256.IsSupported && Avx2.IsSupported,
        KernelPath.Gfni128 => Gfni.IsSupported && Ssse3.IsSupported,
        KernelPath.Shuffle256 => Avx2.IsSupported,
        KernelPath.Shuffle128 => Ssse3.IsSupported,
        _ => true,
    };
}
