using System.Numerics;
using System.Text.Json;
using Lockstep.Cli.Tests.Support;

namespace Lockstep.Cli.Tests.Sales;

/// <summary>Sales between two homes, each side the real program in a process of its own, with the real prover.</summary>
public class SaleTests
{
    [Fact]
    public async Task SmallFilesAreSoldAndTheBooksAgree()
    {
        using Traders traders = await Traders.OpenAsync();
        int[] sizes = [0, 1, 64, 300];
        var cids = new List<string>();
        foreach (int size in sizes)
            cids.Add(await traders.AddAsync(traders.Folder.Write($"source-{size}", size)));
        (Support.Lockstep serve, string address) = await traders.ServeAsync();
        using (serve)
        {
            for (int i = 0; i < sizes.Length; i++)
            {
                string target = traders.Folder.File($"received-{sizes[i]}");
                JsonElement bought = (await traders.GetAsync(cids[i], address, target)).Ok().Json;
                Assert.Equal(File.ReadAllBytes(traders.Folder.File($"source-{sizes[i]}")), File.ReadAllBytes(target));
                Assert.Equal($"{sizes[i] * Traders.PricePerByte}", bought.GetProperty("paidAtto").GetString());
            }

            serve.Signal("TERM");
            Assert.Equal(0, (await serve.EndAsync()).Code);
        }

        await traders.SettleAndCollectAsync();
        BigInteger price = sizes.Sum() * Traders.PricePerByte;
        Assert.Equal(price, await traders.BalanceAsync(traders.SellerHome));
        Assert.Equal(Traders.Funds - price, await traders.BalanceAsync(traders.BuyerHome));
    }

    [Fact]
    public async Task AFolderIsSoldWholeAndNotBoughtTwice()
    {
        using Traders traders = await Traders.OpenAsync();
        string source = traders.Folder.File("folder");
        Directory.CreateDirectory(Path.Combine(source, "inner"));
        await File.WriteAllTextAsync(Path.Combine(source, "a.txt"), "one", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(source, "inner", "b.txt"), "two", TestContext.Current.CancellationToken);
        string cid = await traders.AddAsync(source);
        (Support.Lockstep serve, string address) = await traders.ServeAsync();
        using (serve)
        {
            JsonElement bought = (await traders.GetAsync(cid, address, traders.Folder.File("out"))).Ok().Json;
            Assert.Equal(6, bought.GetProperty("bytes").GetInt64());
            Assert.Equal("two", await File.ReadAllTextAsync(Path.Combine(traders.Folder.File("out"), "inner", "b.txt"), TestContext.Current.CancellationToken));

            JsonElement again = (await traders.GetAsync(cid, address, traders.Folder.File("again"))).Ok().Json;
            Assert.Equal("0", again.GetProperty("paidAtto").GetString());
            Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(traders.Folder.File("again"), "a.txt"), TestContext.Current.CancellationToken));

            // A CAR carries all of it on, the folder's own block too.
            (await traders.GetAsync(cid, address, traders.Folder.File("whole.car"), "--car")).Ok();
            JsonElement carried = (await Support.Lockstep.RunAsync("add", traders.Folder.File("whole.car"), "--home", traders.Folder.File("third"), "--json")).Ok().Json;
            Assert.Equal(cid, carried.GetProperty("cid").GetString());
        }
    }

    [Fact]
    public async Task WhatCannotBeBoughtIsSaidInOneSentenceAndLeavesNothing()
    {
        using Traders traders = await Traders.OpenAsync();
        string cid = await traders.AddAsync(traders.Folder.Write("source", 100));
        (Support.Lockstep serve, string address) = await traders.ServeAsync();
        string target = traders.Folder.File("received");
        using (serve)
        {
            (await traders.GetAsync(cid, address, target, "--max-price", "299 atto")).Failed(3, "most you will pay");
            (await traders.GetAsync("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", address, target)).Failed(1, "does not sell");
            (await traders.SellerAsync("serve", "--listen", "127.0.0.1:0")).Failed(5, "Another `serve` works on the home");

            // The same place, another key: whoever answers is not the provider that the address names.
            string other = address[..^4] + (address.EndsWith("aaaa", StringComparison.Ordinal) ? "baaa" : "aaaa");
            (await traders.GetAsync(cid, other, target)).Failed(4, "");

            string poor = traders.Folder.File("poor");
            using Support.Lockstep get = Support.Lockstep.Start("get", cid, "--from", address, "-o", target, "--home", poor, "--ledger", traders.LedgerPath);
            (await get.EndAsync()).Failed(3, "The content costs");
        }

        (await traders.GetAsync(cid, address, target)).Failed(4, "");
        Assert.False(File.Exists(target));
        Assert.Equal(Traders.Funds, await traders.BalanceAsync(traders.BuyerHome));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AKilledSideGoesOnAndNothingIsPaidTwice(bool killClient)
    {
        const int Size = (3 * 65536) + 1;
        using Traders traders = await Traders.OpenAsync();
        string source = traders.Folder.Write("source", Size), target = traders.Folder.File("received");
        string cid = await traders.AddAsync(source, "--chunk-size", "64KiB");
        (Support.Lockstep serve, string address) = await traders.ServeAsync();
        Support.Lockstep get = traders.StartGet(cid, address, target);
        await WaitUntilSoldAsync(serve, 1);
        Assert.False(get.HasExited);
        RunResult result;
        if (killClient)
        {
            get.Kill();
            result = await traders.GetAsync(cid, address, target);
        }
        else
        {
            int port = new Uri(address).Port;
            serve.Kill();
            serve.Dispose();
            (serve, string moved) = await traders.ServeAsync(port);
            Assert.Equal(address, moved);
            result = await get.EndAsync();
        }

        using (get)
        using (serve)
        {
            result.Ok();
            Assert.Equal(File.ReadAllBytes(source), File.ReadAllBytes(target));
        }

        await traders.SettleAndCollectAsync();
        Assert.Equal(Size * Traders.PricePerByte, await traders.BalanceAsync(traders.SellerHome));
        Assert.Equal(Traders.Funds - (Size * Traders.PricePerByte), await traders.BalanceAsync(traders.BuyerHome));
    }

    // The moment of the kill: some of it sold, some of it not.
    private static async Task WaitUntilSoldAsync(Support.Lockstep serve, long bytes)
    {
        JsonElement notice;
        do
            notice = await serve.ReadJsonAsync();
        while (!notice.TryGetProperty("bytesSold", out JsonElement sold) || sold.GetInt64() < bytes);
    }
}
