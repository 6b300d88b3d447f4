using System.Diagnostics;
using System.Text.Json;
using Lockstep.Cli.Common;

namespace Lockstep.Cli.Demo;

/// <summary>This same program, run again as a process of its own.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private ChildProcess(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Its standard output.</summary>
    public StreamReader Output => _process.StandardOutput;

    public static ChildProcess Start(params IEnumerable<string> arguments) => Start(new Dictionary<string, string>(), arguments);

    /// <summary>The same with variables of its own in the environment.</summary>
    public static ChildProcess Start(IReadOnlyDictionary<string, string> environment, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };

        // Under "dotnet lockstep.dll" the program to run is dotnet, and the assembly its first argument.
        if (Path.GetFileNameWithoutExtension(start.FileName).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "lockstep.dll"));
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return new ChildProcess(Process.Start(start) ?? throw new CliException(ExitCodes.Local, "start", "This program could not be started a second time."));
    }

    /// <summary>The next line of output as JSON.</summary>
    public async Task<JsonElement> ReadJsonAsync(CancellationToken cancellation)
    {
        string? line = await Output.ReadLineAsync(cancellation).ConfigureAwait(false);
        if (line is null)
            throw new CliException(ExitCodes.Refused, "child", $"A process that this command started ended early: {(await _errors.ConfigureAwait(false)).Trim()}");
        return JsonSerializer.Deserialize<JsonElement>(line);
    }

    /// <summary>Waits for its end and returns its exit code and what it said on standard error.</summary>
    public async Task<(int Code, string Errors)> WaitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation).ConfigureAwait(false);
        return (_process.ExitCode, (await _errors.ConfigureAwait(false)).Trim());
    }

    /// <summary>Asks it to stop in order, as a service manager would.</summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        if (_process.HasExited)
            return;
        using (Process? kill = OperatingSystem.IsWindows() ? null : Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            if (kill is null)
                _process.Kill();
            else
                await kill.WaitForExitAsync(cancellation).ConfigureAwait(false);
        }

        await _process.WaitForExitAsync(cancellation).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
        return ValueTask.CompletedTask;
    }
}
