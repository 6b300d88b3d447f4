using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lockstep.Tests.Support;

/// <summary>
/// Runs the scripts in tests/oracles. Their packages are installed on first use, at the versions of the lock file.
/// Without node a test is skipped, with the reason, unless the environment variable CI is "true": then it fails.
/// </summary>
internal static class NodeOracle
{
    private static readonly Lazy<(string Folder, string? Missing)> Ready = new(Prepare);

    /// <summary>Where a program of the packages lies, such as <c>anvil</c>.</summary>
    public static string Program(string name)
    {
        string path = Path.Combine(Folder, "node_modules", ".bin", name);
        if (!File.Exists(path))
            Skip($"The packages of this kind of machine have no {name}.");
        return path;
    }

    /// <summary>Gives a script cases to check.</summary>
    public static JsonDocument Check(string script, JsonObject cases)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, cases.ToJsonString());
            return Run(script, "check", path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public static JsonDocument Run(string script, params string[] arguments)
    {
        string folder = Folder;
        var (exit, output, errors) = Start("node", folder, [script, .. arguments]);
        Assert.True(exit == 0, $"{script} failed on {string.Join(' ', arguments)}: {errors}");
        return JsonDocument.Parse(output);
    }

    private static string Folder
    {
        get
        {
            var (folder, missing) = Ready.Value;
            if (missing is not null)
                Skip(missing);
            return folder;
        }
    }

    private static void Skip(string missing)
    {
        Assert.False(Environment.GetEnvironmentVariable("CI") == "true", missing);
        Assert.Skip(missing);
    }

    private static (string Folder, string? Missing) Prepare()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Lockstep.slnx")))
            root = root.Parent;
        if (root is null)
            return (string.Empty, "The sources, and so tests/oracles, are not above the test's output folder.");
        string folder = Path.Combine(root.FullName, "tests", "oracles");
        try
        {
            Start("node", folder, ["--version"]);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (folder, "node is not installed, so the reference packages cannot be asked.");
        }

        // Test programs may run side by side; only one may install.
        using FileStream turn = WaitForTurn();
        var installed = new FileInfo(Path.Combine(folder, "node_modules", ".package-lock.json"));
        if (installed.Exists && installed.LastWriteTimeUtc >= File.GetLastWriteTimeUtc(Path.Combine(folder, "package-lock.json")))
            return (folder, null);
        var (exit, _, errors) = Start("npm", folder, ["ci", "--no-audit", "--no-fund"]);
        return (folder, exit == 0 ? null : $"npm could not install the reference packages: {errors}");
    }

    private static FileStream WaitForTurn()
    {
        string path = Path.Combine(Path.GetTempPath(), "lockstep-oracles.lock");
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (attempt < 600)
            {
                Thread.Sleep(200);
            }
        }
    }

    private static (int Exit, string Output, string Errors) Start(string program, string folder, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
