namespace Lockstep.Cli.Tests.EndToEnd;

/// <summary>Bad input gets one clear sentence and an exit code, and leaves nothing behind.</summary>
public sealed class BadInputTests
{
    private const string Nobody = "lockstep://127.0.0.1:1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    public static TheoryData<int, string[]> Lines => new()
    {
        { 2, ["bogus"] },
        { 2, ["suites", "--bogus"] },
        { 5, ["add", "/nowhere/at/all"] },
        { 2, ["add", "x", "--chunk-size", "1KiB"] },
        { 2, ["wallet", "fund", "much"] },
        { 2, ["wallet", "fund", "0"] },
        { 5, ["wallet"] },
        { 2, ["get", "not-a-cid", "--from", Nobody, "-o", "out"] },
        { 2, ["get", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", "--from", "nobody", "-o", "out"] },
        { 4, ["ask", Nobody] },
        { 5, ["prove", "/nowhere/at/all", "--out", "sealed"] },
        { 5, ["verify", "/nowhere/at/all"] },
        { 2, ["channel", "settle"] },
        { 1, ["receipt", "abc"] },
    };

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task One_sentence_and_an_exit_code(int exitCode, string[] arguments)
    {
        using var cli = new Cli();
        if (arguments is ["channel", ..])
            Assert.Equal(0, (await cli.RunAsync("home", "wallet", "fund", "1")).ExitCode);
        Cli.Run run = await cli.RunAsync("home", arguments);
        Assert.True(exitCode == run.ExitCode, $"exit {run.ExitCode}: {run.Errors}{run.Output}");
        string line = Assert.Single(run.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_command_has_help_with_an_example()
    {
        using var cli = new Cli();
        foreach (string command in "demo add ls serve ask get deals wallet channel receipt prove verify open bench fsm suites".Split(' '))
        {
            Cli.Run help = await cli.RunAsync("home", command, "--help");
            Assert.Equal(0, help.ExitCode);
            Assert.Contains($"lockstep {command}", help.Output, StringComparison.Ordinal);
        }
    }
}
