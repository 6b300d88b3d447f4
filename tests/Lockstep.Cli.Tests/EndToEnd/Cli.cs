using System.Diagnostics;
using System.Text.Json;

namespace Lockstep.Cli.Tests.EndToEnd;

/// <summary>Runs the real program, as a process of its own, in a folder of its own.</summary>
internal sealed class Cli : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lockstep-cli-tests-");

    public sealed record Run(int ExitCode, string Output, string Errors)
    {
        public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);
    }

    public string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    public string Write(string name, int size, int seed = 1)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        File.WriteAllBytes(Path(name), bytes);
        return Path(name);
    }

    /// <summary>Starts the program with a home of the given name and the folder's ledger.</summary>
    public Process Start(string home, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add(System.IO.Path.Combine(AppContext.BaseDirectory, "lockstep.dll"));
        foreach (string argument in (string[])[.. arguments, "--home", Path(home), "--ledger", Path("ledger.db")])
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    public async Task<Run> RunAsync(string home, params IEnumerable<string> arguments)
    {
        using Process process = Start(home, arguments);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new Run(process.ExitCode, await output, await errors);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
