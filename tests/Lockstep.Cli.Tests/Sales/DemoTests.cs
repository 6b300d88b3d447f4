using System.Text.Json;
using Lockstep.Cli.Tests.Support;
using Lockstep.Tests.Support;

namespace Lockstep.Cli.Tests.Sales;

/// <summary>The main job, small: two processes, one sale, settled.</summary>
public class DemoTests
{
    [Theory]
    [InlineData(65537, "sha256", 1)]
    [InlineData(65537, "blake2b", 4)]
    public async Task BytesAndBooksAgree(int size, string lockHash, int window)
    {
        JsonElement result = (await Support.Lockstep.RunAsync(
            "demo", "--size", $"{size}", "--chunk-size", "64KiB", "--lock", lockHash, "--window", $"{window}", "--json")).Ok().Json;
        Assert.Equal(size, result.GetProperty("bytes").GetInt64());
        Assert.Equal(2, result.GetProperty("chunks").GetInt32());
        Assert.True(result.GetProperty("seconds").GetDouble() > 0);
        Assert.Equal(result.GetProperty("sha256Source").GetString(), result.GetProperty("sha256Received").GetString());
        Assert.Equal(64, result.GetProperty("sha256Source").GetString()!.Length);
        Assert.Equal(JsonValueKind.String, result.GetProperty("paidAtto").ValueKind);
        Assert.Equal(result.GetProperty("paidAtto").GetString(), result.GetProperty("earnedAtto").GetString());
        Assert.InRange(result.GetProperty("redemptions").GetInt32(), 1, result.GetProperty("lanes").GetInt32());
        Assert.InRange(result.GetProperty("lanes").GetInt32(), 1, window);
        Assert.InRange(result.GetProperty("maxOpenLocks").GetInt32(), 1, window);
        Assert.True(result.GetProperty("wireBytes").GetInt64() > size + result.GetProperty("proofBytes").GetInt64());
        AssertWalked(result.GetProperty("clientStatuses"),
            "New", "WaitAcceptance", "Accepted", "PaymentChannelCreating", "ChannelAllocatingLane", "Ongoing", "WaitingBlock", "VerifyProofs", "SendFunds", "CheckFunds", "BlockComplete", "Completed");
        AssertWalked(result.GetProperty("providerStatuses"),
            "New", "Unsealing", "Unsealed", "Ongoing", "Encrypt", "GenerateProof", "FundsNeeded", "RevealKey", "BlockComplete", "Completed");
    }

    [Theory]
    [InlineData("sha256")]
    [InlineData("blake2b")]
    public async Task WindowsSealedBeforeTheSaleAreSold(string lockHash)
    {
        JsonElement result = (await Support.Lockstep.RunAsync("demo", "--size", "1KiB", "--chunk-size", "64KiB", "--lock", lockHash, "--keep-ahead", "--json")).Ok().Json;
        Assert.Equal(1, result.GetProperty("windowsReady").GetInt32());
        Assert.True(result.GetProperty("readySeconds").GetDouble() > 0);
        Assert.True(result.GetProperty("ok").GetBoolean());

        // Something small is sold before, to a process that has compiled its code by then; the books hold both.
        Assert.Equal(4 << 16, result.GetProperty("bytesBefore").GetInt64());
        Assert.True(result.GetProperty("secondsBefore").GetDouble() > 0);
        Assert.Equal((4 << 16) + 1024, result.GetProperty("bytesSold").GetInt64());
        Assert.Equal($"{2 * ((4 << 16) + 1024)}", result.GetProperty("paidAtto").GetString());
        Assert.Equal(result.GetProperty("paidAtto").GetString(), result.GetProperty("earnedAtto").GetString());
        Assert.Equal(result.GetProperty("sha256Source").GetString(), result.GetProperty("sha256Received").GetString());
    }

    // The same sale on an EVM: one transaction redeems every lane, and the books agree to the atto, gas apart.
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task AFileIsSoldOverAContract(int window)
    {
        JsonElement result = (await Support.Lockstep.RunWithAnvilAsync(NodeOracle.Program("anvil"), "demo", "--rail", "evm", "--size", "192KiB", "--chunk-size", "64KiB", "--window", $"{window}", "--json")).Ok().Json;
        Assert.True(result.GetProperty("ok").GetBoolean());
        Assert.Equal($"{2 * 192 << 10}", result.GetProperty("paidAtto").GetString());
        Assert.Equal(result.GetProperty("paidAtto").GetString(), result.GetProperty("earnedAtto").GetString());
        Assert.Equal(result.GetProperty("sha256Source").GetString(), result.GetProperty("sha256Received").GetString());
        Assert.Equal(window, result.GetProperty("lanes").GetInt32());
        Assert.Equal(1, result.GetProperty("redemptions").GetInt32());
        Assert.StartsWith("evm:31337:0x", result.GetProperty("rail").GetString(), StringComparison.Ordinal);
        Assert.Equal(["open", "redeem", "settle", "collect"], result.GetProperty("gas").EnumerateArray().Select(one => one.GetProperty("what").GetString()));
        Assert.All(result.GetProperty("gas").EnumerateArray(), one => Assert.True(one.GetProperty("gas").GetInt64() > 21_000));
    }

    // There is nothing to sell: no deal, no money, the file all the same.
    [Fact]
    public async Task AnEmptyFileCostsNothing()
    {
        JsonElement result = (await Support.Lockstep.RunAsync("demo", "--size", "0", "--json")).Ok().Json;
        Assert.Equal(0, result.GetProperty("bytes").GetInt64());
        Assert.Equal("0", result.GetProperty("paidAtto").GetString());
        Assert.Equal("0", result.GetProperty("earnedAtto").GetString());
        Assert.Equal(0, result.GetProperty("redemptions").GetInt32());
        Assert.Equal(result.GetProperty("sha256Source").GetString(), result.GetProperty("sha256Received").GetString());
    }

    [Fact]
    public async Task AFileThatIsNotThereIsSaidSo() =>
        (await Support.Lockstep.RunAsync("demo", "--file", "/nonexistent/file")).Failed(5, "/nonexistent/file");

    private static void AssertWalked(JsonElement statuses, params string[] given)
    {
        string?[] seen = [.. statuses.EnumerateArray().Select(status => status.GetString())];
        Assert.Equal("DealStatusNew", seen[0]);
        Assert.Equal("DealStatusCompleted", seen[^1]);
        foreach (string status in given)
            Assert.Contains("DealStatus" + status, seen);
    }
}
