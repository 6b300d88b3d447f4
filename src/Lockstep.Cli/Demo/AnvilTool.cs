using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Lockstep.Cli.Common;

namespace Lockstep.Cli.Demo;

/// <summary>Finds Foundry's <c>anvil</c> on this machine, or has npm fetch it once.</summary>
internal static class AnvilTool
{
    /// <summary>The environment variable that says where it lies.</summary>
    public const string Variable = "LOCKSTEP_ANVIL";

    private const string Version = "1.7.1";

    /// <summary>Where the program lies.</summary>
    /// <exception cref="CliException">It is not here, and cannot be fetched.</exception>
    public static async Task<string> FindAsync(Output output, CancellationToken cancellation)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return File.Exists(named) ? named : throw new CliException(ExitCodes.Local, "anvil", $"${Variable} names {named}, and there is no such file.");
        string userFolder = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        string name = OperatingSystem.IsWindows() ? "anvil.exe" : "anvil";
        IEnumerable<string> folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append(Path.Combine(userFolder, ".foundry", "bin"));
        if (folders.Where(folder => folder.Length > 0).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is { } found)
            return found;

        string cache = Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } chosen ? chosen : Path.Combine(userFolder, ".cache"), "lockstep", $"anvil-{Version}");
        string package = $"@foundry-rs/anvil-{System}-{Architecture}";
        string fetched = Path.Combine(cache, "node_modules", package, "bin", name);
        if (File.Exists(fetched))
            return fetched;
        output.Note($"fetching anvil {Version}, a development chain, by npm into {cache}; once");
        string failure = await InstallAsync(cache, $"{package}@{Version}", cancellation).ConfigureAwait(false);
        return File.Exists(fetched)
            ? fetched
            : throw new CliException(
                ExitCodes.Local, "anvil", $"The EVM rail's demo needs a development chain, and anvil is neither on the PATH nor could npm fetch it ({failure}); install Foundry, or name the program in ${Variable}.");
    }

    private static string System => OperatingSystem.IsMacOS() ? "darwin" : OperatingSystem.IsWindows() ? "win32" : "linux";

    private static string Architecture => RuntimeInformation.OSArchitecture == global::System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";

    private static async Task<string> InstallAsync(string folder, string package, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var start = new ProcessStartInfo(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--silent", package])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        try
        {
            using Process npm = Process.Start(start)!;
            Task<string> errors = npm.StandardError.ReadToEndAsync(cancellation), text = npm.StandardOutput.ReadToEndAsync(cancellation);
            await npm.WaitForExitAsync(cancellation).ConfigureAwait(false);
            await text.ConfigureAwait(false);
            string said = (await errors.ConfigureAwait(false)).Trim().ReplaceLineEndings(" ");
            return npm.ExitCode == 0 ? "the package holds no such program" : said.Length > 0 ? said : $"npm ended with exit code {npm.ExitCode}";
        }
        catch (Win32Exception)
        {
            return "npm is not installed";
        }
    }
}
