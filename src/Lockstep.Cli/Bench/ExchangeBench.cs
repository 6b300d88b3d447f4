using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Lockstep.Cli.Commands;
using Lockstep.Cli.Common;
using Lockstep.Cli.Demo;
using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.UnixFs;
using Lockstep.Node.Bench;
using Lockstep.Node.Client;
using Lockstep.Node.Hosting;
using Lockstep.Node.Identity;
using Lockstep.Node.Ledger;
using Lockstep.Payments;
using Lockstep.Payments.Keys;

namespace Lockstep.Cli.Bench;

/// <summary>What is sold, and how.</summary>
/// <param name="Bytes">Random bytes of content, at most 1 GiB.</param>
/// <param name="ChunkSize">Bytes per leaf.</param>
/// <param name="LockHash">The hash of the locks.</param>
/// <param name="SuiteId">The proof suite.</param>
/// <param name="OpenLocks">Locks that may be open at once.</param>
/// <param name="ProofWindowBytes">Content under one proof.</param>
/// <param name="Threads">Threads of the prover.</param>
internal sealed record ExchangePlan(long Bytes, int ChunkSize, LockHashKind LockHash, string SuiteId, int OpenLocks, long ProofWindowBytes, int Threads);

/// <summary>One purchase, from the first question to the file on disk.</summary>
internal sealed record ExchangeSample(double Seconds, long WireBytes, long ProofBytes);

/// <summary>
/// A provider in a process of its own that sells one content over real sockets, TLS and stores, to buyers in this process
/// that reach it through a link of a chosen length. Everything lies in one temporary folder.
/// </summary>
internal sealed class ExchangeBench : IAsyncDisposable
{
    private const long PricePerByteAtto = 2;

    private readonly string _folder;
    private readonly ExchangePlan _plan;
    private readonly LocalLedger _ledger;
    private readonly ChildProcess _seller;
    private readonly ProviderAddress _address;
    private readonly Task _drained;
    private readonly RootRecord _sample;
    private readonly RootRecord _sold;
    private int _buyers;

    private ExchangeBench(string folder, ExchangePlan plan, LocalLedger ledger, ChildProcess seller, ProviderAddress address, RootRecord sample, RootRecord sold)
    {
        (_folder, _plan, _ledger, _seller, _address, _sample, _sold) = (folder, plan, ledger, seller, address, sample, sold);
        _drained = seller.Output.ReadToEndAsync();
    }

    /// <summary>Makes the content and starts its provider.</summary>
    public static async Task<ExchangeBench> StartAsync(ExchangePlan plan, CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("lockstep-bench-").FullName;
        LocalLedger? ledger = null;
        ChildProcess? seller = null;
        try
        {
            HomeFolder home = HomeFolder.Open(Path.Combine(folder, "provider"), LedgerPath(folder));
            RootRecord sample, sold;
            using (ContentHome content = home.OpenContent())
            {
                sample = Add(content, folder, (int)Math.Min(plan.Bytes, plan.ProofWindowBytes), plan.ChunkSize, cancellation);
                sold = Add(content, folder, (int)plan.Bytes, plan.ChunkSize, cancellation);
            }

            ledger = Wallets.OpenLedger(home);
            seller = ChildProcess.Start(
                "serve", "--json", "--home", home.Folder, "--ledger", home.LedgerPath, "--listen", "127.0.0.1:0", "--price-per-byte", PricePerByteAtto.ToString(CultureInfo.InvariantCulture),
                "--proof-window", plan.ProofWindowBytes.ToString(CultureInfo.InvariantCulture), "--threads", plan.Threads.ToString(CultureInfo.InvariantCulture));
            string address = (await seller.ReadJsonAsync(cancellation).ConfigureAwait(false)).GetProperty("address").GetString()!;
            return new ExchangeBench(folder, plan, ledger, seller, Parsing.Provider(address), sample, sold);
        }
        catch
        {
            if (seller is not null)
                await seller.DisposeAsync().ConfigureAwait(false);
            ledger?.Dispose();
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Buys one window, so that what a process does only once is not counted.</summary>
    public Task WarmUpAsync(CancellationToken cancellation) => BuyAsync(_sample, TimeSpan.Zero, cancellation);

    /// <summary>Buys the content once, with a home and a wallet of its own, over a link of this length.</summary>
    public Task<ExchangeSample> BuyAsync(TimeSpan roundTrip, CancellationToken cancellation) => BuyAsync(_sold, roundTrip, cancellation);

    public async ValueTask DisposeAsync()
    {
        await _seller.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _drained.ConfigureAwait(false);
        await _seller.DisposeAsync().ConfigureAwait(false);
        _ledger.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<ExchangeSample> BuyAsync(RootRecord what, TimeSpan roundTrip, CancellationToken cancellation)
    {
        HomeFolder home = HomeFolder.Open(Path.Combine(_folder, $"client-{_buyers++}"), LedgerPath(_folder));
        using SecpKey key = Wallets.OpenOrCreate(home);
        await _ledger.FundAsync(_ledger.Vouchers.AccountOf(key), new TokenAmount(PricePerByteAtto) * what.Size, cancellation).ConfigureAwait(false);
        await using DelayProxy link = DelayProxy.Start(_address.Host, _address.Port, roundTrip);
        RetrievalResult bought;
        var watch = Stopwatch.StartNew();
        await using (RetrievalClient client = await RetrievalClient.OpenAsync(new ClientOptions(home, _ledger, key), cancellation).ConfigureAwait(false))
        {
            bought = await client.GetAsync(
                new RetrievalRequest(what.Root, _address)
                {
                    LockHash = _plan.LockHash,
                    SuiteId = _plan.SuiteId,
                    OpenLocks = _plan.OpenLocks,
                    Output = Path.Combine(home.Folder, "received"),
                    Through = link.EndPoint,
                },
                null, cancellation).ConfigureAwait(false);
        }

        watch.Stop();
        Directory.Delete(home.Folder, recursive: true);
        return new ExchangeSample(watch.Elapsed.TotalSeconds, bought.Traffic.WireBytes, bought.Traffic.ProofBytes);
    }

    private static string LedgerPath(string folder) => Path.Combine(folder, "ledger.db");

    private static RootRecord Add(ContentHome content, string folder, int bytes, int chunkSize, CancellationToken cancellation)
    {
        string source = Path.Combine(folder, "source");
        File.WriteAllBytes(source, RandomNumberGenerator.GetBytes(bytes));
        return AddCommand.Unwrap(content.AddPath(source, new ImportOptions { ChunkSize = chunkSize }, DateTimeOffset.UtcNow, null, cancellation)).Record;
    }
}
