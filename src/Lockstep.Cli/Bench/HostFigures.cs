using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lockstep.Cli.Bench;

/// <summary>What a figure depends on besides the code: the instructions in use, and the memory this process has taken.</summary>
internal static class HostFigures
{
    /// <summary>The widest instructions that the kernels use here.</summary>
    public static string VectorPath { get; } =
        Vector512.IsHardwareAccelerated && Avx512BW.IsSupported ? "avx512" : Avx2.IsSupported ? "avx2" : Vector128.IsHardwareAccelerated ? "vector128" : "portable";

    /// <summary>The operating system's own figure: the most bytes of memory that this process ever held.</summary>
    public static long PeakMemory()
    {
        if (File.Exists("/proc/self/status"))
            foreach (string line in File.ReadLines("/proc/self/status"))
                if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
                    return long.Parse(line.AsSpan(6).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture) * 1024;
        using Process self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }

    /// <summary>The middle value; of an even number of values the upper one of the two.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
