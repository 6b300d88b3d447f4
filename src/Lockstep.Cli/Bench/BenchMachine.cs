using System.Runtime.InteropServices;

namespace Lockstep.Cli.Bench;

/// <summary>What a document says about where its figures come from.</summary>
internal sealed record BenchMachine(string Processor, int Cores, string VectorPath, string Runtime, string System)
{
    public static BenchMachine Here() =>
        new(ProcessorName(), Environment.ProcessorCount, HostFigures.VectorPath, RuntimeInformation.FrameworkDescription, OsName());

    // Nothing more: kernel builds name machines.
    private static string OsName() => OperatingSystem.IsLinux() ? "Linux" : OperatingSystem.IsMacOS() ? "macOS" : OperatingSystem.IsWindows() ? "Windows" : "another system";

    private static string ProcessorName()
    {
        const string Cpus = "/proc/cpuinfo";
        if (File.Exists(Cpus))
            foreach (string line in File.ReadLines(Cpus))
                if (line.StartsWith("model name", StringComparison.Ordinal) && line.Split(':') is [_, var name])
                    return name.Trim();
        return RuntimeInformation.ProcessArchitecture.ToString();
    }
}
