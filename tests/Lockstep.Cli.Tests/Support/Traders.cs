using System.Numerics;
using System.Text.Json;

namespace Lockstep.Cli.Tests.Support;

/// <summary>A seller's and a buyer's home on one ledger, used through the program only.</summary>
internal sealed class Traders : IDisposable
{
    public const int PricePerByte = 3;
    public static readonly BigInteger Funds = BigInteger.Pow(10, 18);

    public TemporaryFolder Folder { get; } = new();

    public string SellerHome => Folder.File("seller");

    public string BuyerHome => Folder.File("buyer");

    public string LedgerPath => Folder.File("ledger.db");

    /// <summary>Makes the ledger, with epochs of a second, and gives the buyer 1 tFIL.</summary>
    public static async Task<Traders> OpenAsync()
    {
        var traders = new Traders();
        (await traders.BuyerAsync("wallet", "fund", "1", "--epoch-seconds", "1", "--settle-delay", "2", "--json")).Ok();
        return traders;
    }

    public Task<RunResult> BuyerAsync(params IEnumerable<string> arguments) => Lockstep.RunAsync([.. arguments, .. HomeOf(BuyerHome)]);

    public Task<RunResult> SellerAsync(params IEnumerable<string> arguments) => Lockstep.RunAsync([.. arguments, .. HomeOf(SellerHome)]);

    /// <summary>Adds a path to the seller's home and returns its CID.</summary>
    public async Task<string> AddAsync(string path, params string[] options) =>
        (await SellerAsync(["add", path, "--json", .. options])).Ok().Json.GetProperty("cid").GetString()!;

    /// <summary>Starts the seller; returns the process and the address it printed.</summary>
    public async Task<(Lockstep Process, string Address)> ServeAsync(int port = 0)
    {
        Lockstep serve = Lockstep.Start(["serve", "--listen", $"127.0.0.1:{port}", "--price-per-byte", $"{PricePerByte}", "--proof-window", "65536", "--json", .. HomeOf(SellerHome)]);
        JsonElement first = await serve.ReadJsonAsync();
        Assert.True(first.TryGetProperty("address", out JsonElement address), first.ToString());
        return (serve, address.GetString()!);
    }

    /// <summary>Starts the seller with a standard output that nobody reads and that has no room left.</summary>
    public Lockstep StartServeUnread(int port) =>
        Lockstep.StartUnread(Folder.File("full-pipe"), ["serve", "--listen", $"127.0.0.1:{port}", "--price-per-byte", $"{PricePerByte}", "--proof-window", "65536", "--json", .. HomeOf(SellerHome)]);

    public Lockstep StartGet(string cid, string address, string target, params string[] options) =>
        Lockstep.Start(["get", cid, "--from", address, "-o", target, "--json", .. options, .. HomeOf(BuyerHome)]);

    public async Task<RunResult> GetAsync(string cid, string address, string target, params string[] options)
    {
        using Lockstep get = StartGet(cid, address, target, options);
        return await get.EndAsync();
    }

    /// <summary>What a home's wallet holds.</summary>
    public async Task<BigInteger> BalanceAsync(string home) =>
        BigInteger.Parse((await Lockstep.RunAsync(["wallet", "--json", .. HomeOf(home)])).Ok().Json.GetProperty("balanceAtto").GetString()!, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The seller settles every channel and collects it; then both wallets hold what they are owed.</summary>
    public async Task SettleAndCollectAsync()
    {
        (await SellerAsync("channel", "settle", "--all", "--json")).Ok();
        while ((await SellerAsync("channel", "ls", "--json")).Ok().Json.GetArrayLength() > 0)
        {
            await Task.Delay(500, TestContext.Current.CancellationToken);
            (await SellerAsync("channel", "collect", "--all", "--json")).Ok();
        }
    }

    public void Dispose() => Folder.Dispose();

    private string[] HomeOf(string home) => ["--home", home, "--ledger", LedgerPath];
}
