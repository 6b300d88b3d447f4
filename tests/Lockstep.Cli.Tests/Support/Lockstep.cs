using System.Diagnostics;
using System.Text.Json;

namespace Lockstep.Cli.Tests.Support;

/// <summary>What a run of the program said and how it ended.</summary>
internal sealed record RunResult(int Code, string Output, string Errors)
{
    /// <summary>Standard output as the one JSON value that it must be.</summary>
    public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(Output);

    /// <summary>The run ended well.</summary>
    public RunResult Ok()
    {
        Assert.True(Code == 0, $"exit code {Code}\n{Errors}\n{Output}");
        return this;
    }

    /// <summary>The run failed as failures must: this code, one sentence on standard error, no trace of the program's insides.</summary>
    public RunResult Failed(int code, string contains)
    {
        Assert.True(Code == code, $"exit code {Code} instead of {code}\n{Errors}\n{Output}");
        string sentence = Assert.Single(Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => line.StartsWith("error: ", StringComparison.Ordinal));
        Assert.Contains(contains, sentence, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", Errors, StringComparison.Ordinal);
        return this;
    }
}

/// <summary>Runs the real program as a process of its own.</summary>
internal sealed class Lockstep : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private readonly Process _process;
    private readonly Task<string> _errors;

    private Lockstep(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Runs to the end.</summary>
    public static async Task<RunResult> RunAsync(params IEnumerable<string> arguments)
    {
        using Lockstep run = Start(arguments);
        return await run.EndAsync();
    }

    /// <summary>Runs to the end in a shell that lets no file grow beyond a limit.</summary>
    public static async Task<RunResult> RunUnderFileLimitAsync(int kibibytes, params IEnumerable<string> arguments)
    {
        // The signal is ignored, so that the write fails instead of the process.
        using Lockstep run = Start("bash", ["-c", $"trap '' XFSZ; ulimit -f {kibibytes}; export DOTNET_EnableWriteXorExecute=0; exec dotnet \"$@\"", "bash", Program, .. arguments]);
        return await run.EndAsync();
    }

    /// <summary>Runs to the end as on a processor without vector instructions.</summary>
    public static async Task<RunResult> RunOnASlowProcessorAsync(params IEnumerable<string> arguments)
    {
        using Lockstep run = Start("env", ["DOTNET_EnableHWIntrinsic=0", "dotnet", Program, .. arguments]);
        return await run.EndAsync();
    }

    /// <summary>Runs to the end with a development chain's program at hand.</summary>
    public static async Task<RunResult> RunWithAnvilAsync(string anvil, params IEnumerable<string> arguments)
    {
        using Lockstep run = Start("env", [$"LOCKSTEP_ANVIL={anvil}", "dotnet", Program, .. arguments]);
        return await run.EndAsync();
    }

    /// <summary>Starts and goes on.</summary>
    public static Lockstep Start(params IEnumerable<string> arguments) => Start("dotnet", [Program, .. arguments]);

    /// <summary>Starts with a standard output that is a full pipe, held open by the process itself, so that it never breaks.</summary>
    /// <param name="pipe">Where to make the pipe.</param>
    /// <param name="arguments">Of the program.</param>
    public static Lockstep StartUnread(string pipe, IEnumerable<string> arguments)
    {
        const string Script = """
            mkfifo "$1" && exec 3<>"$1" && shift || exit 99
            while timeout 0.2 head -c 4096 /dev/zero >&3; do :; done
            exec dotnet "$@" >&3
            """;
        return Start("bash", ["-c", Script, "bash", pipe, Program, .. arguments]);
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "lockstep.dll");

    private static Lockstep Start(string file, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(file) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);

        // A developer's own home must neither help nor suffer.
        foreach (string variable in (string[])["LOCKSTEP_HOME", "LOCKSTEP_LEDGER", "LOCKSTEP_PASSPHRASE"])
            start.Environment.Remove(variable);
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return new Lockstep(process);
    }

    /// <summary>The next line of standard output.</summary>
    public async Task<JsonElement> ReadJsonAsync()
    {
        string? line = await _process.StandardOutput.ReadLineAsync(Cancellation).AsTask().WaitAsync(Limit, Cancellation);
        if (line is null)
            Assert.Fail($"the program ended early: {await _errors}");
        return JsonSerializer.Deserialize<JsonElement>(line);
    }

    /// <summary>Waits for the end; a program that never ends is killed and fails the test.</summary>
    public async Task<RunResult> EndAsync()
    {
        Task<string> output = _process.StandardOutput.ReadToEndAsync(Cancellation);
        try
        {
            await _process.WaitForExitAsync(Cancellation).WaitAsync(Limit, Cancellation);
        }
        catch (TimeoutException)
        {
            Kill();
            Assert.Fail($"the program did not end in {Limit}: {await _errors}");
        }

        return new RunResult(_process.ExitCode, await output, await _errors);
    }

    /// <summary>Ends it without warning, as a power cut would.</summary>
    public void Kill()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    /// <summary>Sends a signal, such as <c>TERM</c> or <c>INT</c>.</summary>
    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;
}
