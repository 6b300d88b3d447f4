using System.Text.Json;
using Lockstep.Cli.Tests.Support;

namespace Lockstep.Cli.Tests.Commands;

/// <summary>The commands that show what is: shapes of their JSON, and the figures that follow from the input.</summary>
public class InformationTests
{
    [Fact]
    public async Task SuitesReachTheirTarget()
    {
        JsonElement suites = (await Support.Lockstep.RunAsync("suites", "--json")).Ok().Json;
        Assert.NotEqual(0, suites.GetArrayLength());
        foreach (JsonElement suite in suites.EnumerateArray())
        {
            Assert.NotEqual("", suite.GetProperty("id").GetString());
            Assert.StartsWith("ChaCha20", suite.GetProperty("cipher").GetString(), StringComparison.OrdinalIgnoreCase);
            Assert.True(suite.GetProperty("provableBits").GetDouble() >= 100);
            Assert.True(suite.GetProperty("zeroKnowledge").GetBoolean());
        }
    }

    [Theory]
    [InlineData("client", "DealStatusSendFunds")]
    [InlineData("provider", "DealStatusRevealKey")]
    public async Task AMachineIsDrawn(string side, string status)
    {
        string diagram = (await Support.Lockstep.RunAsync("fsm", side)).Ok().Output;
        Assert.StartsWith("stateDiagram", diagram.TrimStart(), StringComparison.Ordinal);
        Assert.Contains(status, diagram, StringComparison.Ordinal);
        Assert.Contains("DealStatusCompleted --> [*]", diagram, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ContentIsAddedAndListed()
    {
        using var folder = new TemporaryFolder();
        string home = folder.File("home");
        JsonElement added = (await Support.Lockstep.RunAsync("add", folder.Write("source", 200_000), "--chunk-size", "64KiB", "--json", "--home", home)).Ok().Json;
        Assert.Equal(200_000, added.GetProperty("size").GetInt64());
        Assert.Equal(4, added.GetProperty("chunks").GetInt32());
        Assert.StartsWith("bafybei", added.GetProperty("cid").GetString(), StringComparison.Ordinal);
        (await Support.Lockstep.RunAsync("add", folder.Write("frozen", 70_000), "--cold", "--home", home)).Ok();
        JsonElement listed = (await Support.Lockstep.RunAsync("ls", "--json", "--home", home)).Ok().Json;
        Assert.Equal([200_000L, 70_000L], listed.EnumerateArray().Select(entry => entry.GetProperty("size").GetInt64()).OrderDescending());
        Assert.Equal([true], listed.EnumerateArray().Where(entry => entry.GetProperty("size").GetInt64() == 70_000).Select(entry => entry.GetProperty("cold").GetBoolean()));
    }

    [Fact]
    public async Task MoneyIsExactAndGoesThroughAChannelAndBack()
    {
        using var folder = new TemporaryFolder();
        string[] payer = ["--home", folder.File("payer"), "--ledger", folder.File("ledger.db"), "--json"], payee = ["--home", folder.File("payee"), "--ledger", folder.File("ledger.db"), "--json"];
        JsonElement funded = (await Support.Lockstep.RunAsync(["wallet", "fund", "2.000000000000000001", "--epoch-seconds", "0.1", "--settle-delay", "2", .. payer])).Ok().Json;
        Assert.Equal("2000000000000000001", funded.GetProperty("balanceAtto").GetString());
        string account = (await Support.Lockstep.RunAsync(["wallet", "new", .. payee])).Ok().Json.GetProperty("address").GetString()!;
        string channel = (await Support.Lockstep.RunAsync(["channel", "open", account, "1.5", .. payer])).Ok().Json.GetProperty("channel").GetString()!;
        (await Support.Lockstep.RunAsync(["channel", "top-up", channel, "0.5", .. payer])).Ok();
        (await Support.Lockstep.RunAsync(["channel", "top-up", channel, "0.5", .. payer])).Failed(3, "");
        JsonElement listed = (await Support.Lockstep.RunAsync(["channel", "ls", .. payee])).Ok().Json;
        Assert.Equal("2000000000000000000", listed[0].GetProperty("balanceAtto").GetString());
        (await Support.Lockstep.RunAsync(["channel", "collect", channel, .. payer])).Failed(1, "");
        (await Support.Lockstep.RunAsync(["channel", "settle", channel, .. payer])).Ok();
        await Task.Delay(1000, TestContext.Current.CancellationToken);
        (await Support.Lockstep.RunAsync(["channel", "collect", "--all", .. payer])).Ok();
        Assert.Equal("2000000000000000001", (await Support.Lockstep.RunAsync(["wallet", .. payer])).Ok().Json.GetProperty("balanceAtto").GetString());
    }

    [Theory]
    [InlineData("seal")]
    [InlineData("prove")]
    [InlineData("verify")]
    [InlineData("open")]
    public async Task ABenchHasItsFields(string what)
    {
        JsonElement bench = (await Support.Lockstep.RunAsync("bench", what, "--size", "150", "--chunk-size", "100", "--threads", "1", "--json")).Ok().Json;
        Assert.Equal(200, bench.GetProperty("bytes").GetInt64());
        Assert.Equal(1, bench.GetProperty("threads").GetInt32());
        foreach (string figure in (string[])["mibPerSecond", "seconds", "wireBytesPerContentByte", "peakRssBytes", "proofBytes"])
            Assert.True(bench.GetProperty(figure).GetDouble() > 0, figure);
        Assert.Contains(bench.GetProperty("vectorPath").GetString(), new[] { "avx512", "avx2", "vector128", "portable" });
        Assert.NotEmpty(bench.GetProperty("stages").EnumerateObject());
        Assert.StartsWith("lockstep-", bench.GetProperty("suite").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABenchOfWholePurchasesHasItsFields()
    {
        JsonElement bench = (await Support.Lockstep.RunAsync("bench", "get", "--size", "65537", "--chunk-size", "64KiB", "--rtt", "0ms,20ms", "--runs", "1", "--json")).Ok().Json;
        Assert.Equal(65537, bench.GetProperty("bytes").GetInt64());
        foreach (string figure in (string[])["mibPerSecond", "seconds", "wireBytesPerContentByte", "peakRssBytes", "proofBytes"])
            Assert.True(bench.GetProperty(figure).GetDouble() > 0, figure);
        Assert.True(bench.GetProperty("proving").GetProperty("mibPerSecond").GetDouble() > 0);
        Assert.Equal([0.0, 20.0], bench.GetProperty("links").EnumerateArray().Select(link => link.GetProperty("rttMs").GetDouble()));
        Assert.All(bench.GetProperty("links").EnumerateArray(), link => Assert.True(link.GetProperty("ofProving").GetDouble() > 0));
        Assert.Equal(0, bench.GetProperty("links")[0].GetProperty("lost").GetDouble());
    }
}
