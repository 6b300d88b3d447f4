using System.Diagnostics;
using System.Text.Json;

namespace Lockstep.Cli.Tests.EndToEnd;

/// <summary>Whole sales between real processes with real proofs.</summary>
public sealed class SaleTests
{
    [Theory]
    [InlineData("sha256", 1)]
    [InlineData("blake2b", 4)]
    public async Task The_demo_sells_a_file_and_the_books_agree(string lockHash, int window)
    {
        using var cli = new Cli();
        Cli.Run demo = await cli.RunAsync("home", "demo", "--size", "256KiB", "--chunk-size", "64KiB", "--lock", lockHash, "--window", $"{window}", "--json");
        Assert.True(demo.ExitCode == 0, demo.Errors);
        JsonElement result = demo.Json;
        Assert.Equal(result.GetProperty("sha256Source").GetString(), result.GetProperty("sha256Received").GetString());
        Assert.Equal("524288", result.GetProperty("paidAtto").GetString());
        Assert.Equal("524288", result.GetProperty("earnedAtto").GetString());
        Assert.InRange(result.GetProperty("redemptions").GetInt32(), 1, window);
        Assert.Equal(window, result.GetProperty("maxOpenLocks").GetInt32());
        Assert.Equal(4, result.GetProperty("chunks").GetInt32());
        Assert.Equal("DealStatusCompleted", result.GetProperty("clientStatuses").EnumerateArray().Last().GetString());
        Assert.Equal("DealStatusCompleted", result.GetProperty("providerStatuses").EnumerateArray().Last().GetString());
    }

    [Fact]
    public async Task A_killed_client_and_a_killed_provider_go_on_and_nothing_is_paid_twice()
    {
        using var cli = new Cli();
        string source = cli.Write("source", 1_500_001);
        JsonElement added = (await cli.RunAsync("seller", "add", source, "--chunk-size", "64KiB", "--json")).Json;
        string cid = added.GetProperty("cid").GetString()!;
        Assert.Equal(0, (await cli.RunAsync("buyer", "wallet", "fund", "3000002 atto")).ExitCode);

        (Process seller, string address) = await ServeAsync(cli, "127.0.0.1:0");
        string port = new Uri(address.Replace("lockstep:", "http:", StringComparison.Ordinal)).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        using (Process buyer = cli.Start("buyer", "get", cid, "--from", address, "-o", cli.Path("received"), "--json"))
        {
            await Task.Delay(4000, TestContext.Current.CancellationToken);
            buyer.Kill();
            await buyer.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        Assert.False(File.Exists(cli.Path("received")));
        Task<Cli.Run> again = cli.RunAsync("buyer", "get", cid, "--from", address, "-o", cli.Path("received"), "--json");
        await Task.Delay(3000, TestContext.Current.CancellationToken);
        seller.Kill();
        await seller.WaitForExitAsync(TestContext.Current.CancellationToken);
        seller.Dispose();
        (seller, string same) = await ServeAsync(cli, $"127.0.0.1:{port}");
        Assert.Equal(address, same);
        Cli.Run bought = await again;
        Assert.True(bought.ExitCode == 0, bought.Errors);
        Assert.Equal(await File.ReadAllBytesAsync(source, TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(cli.Path("received"), TestContext.Current.CancellationToken));
        Assert.Equal("3000002", bought.Json.GetProperty("paidAtto").GetString());

        // Bought once more it costs nothing, and a second serve on one home is told so.
        Cli.Run free = await cli.RunAsync("buyer", "get", cid, "--from", address, "-o", cli.Path("copy"), "--json");
        Assert.Equal("0", free.Json.GetProperty("paidAtto").GetString());
        Cli.Run second = await cli.RunAsync("seller", "serve", "--listen", "127.0.0.1:0", "--json");
        Assert.Equal(5, second.ExitCode);
        Assert.Contains("serve", second.Errors, StringComparison.Ordinal);
        seller.Kill();
        seller.Dispose();
    }

    private static async Task<(Process Process, string Address)> ServeAsync(Cli cli, string listen)
    {
        Process process = cli.Start("seller", "serve", "--listen", listen, "--json");
        string? line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.NotNull(line);
        _ = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        return (process, JsonSerializer.Deserialize<JsonElement>(line).GetProperty("address").GetString()!);
    }
}
