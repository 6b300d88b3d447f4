using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Lockstep.Cli.Common;
using Lockstep.Cli.Demo;
using Lockstep.Cli.Proofs;
using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.UnixFs;
using Lockstep.Node.Evm;
using Lockstep.Node.Hosting;
using Lockstep.Node.Ledger;
using Lockstep.Payments;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Proofs;
using Lockstep.Proofs.Soundness;

namespace Lockstep.Cli.Commands;

/// <summary><c>demo</c>: a provider and a client as two real processes sell a file over loopback on a throw-away ledger.</summary>
internal static class DemoCommand
{
    private const long PricePerByteAtto = 2;

    // Of the sale that goes before one of windows in store.
    private const int SmallChunks = 4;

    // Nothing waits for a prover then, so what a chunk costs in messages and writes, and each round trip, sets the pace.
    private const int ChunkSizeInStore = 1 << 20;
    private const int OpenLocksInStore = 8;

    public static Command Create()
    {
        Command command = CommandKit.Create("demo", "Sell a file between two processes on this machine, settle, and check that bytes and books agree.", "lockstep demo --size 1MiB --window 4");
        var file = new Option<string?>("--file") { Description = "The file to sell; random bytes otherwise.", HelpName = "F" };
        Option<long> size = Sizes.Option("--size", 1 << 20, "Random bytes to sell.", 0, 1L << 40);
        Option<long?> chunkSize = Sizes.Optional("--chunk-size", "Bytes per leaf: 256 KiB unless said otherwise, with --keep-ahead 1 MiB.", ImportOptions.MinChunkSize, ImportOptions.MaxChunkSize);
        Option<int?> window = ProofOptions.OptionalWindow("1 unless said otherwise, with --keep-ahead 8.");
        Option<LockHash> lockHash = ProofOptions.Lock();
        Option<Suite> suite = ProofOptions.Suite();
        Option<int?> keepAhead = KeepAheadOptions.Windows("Seal windows before the sale begins, all of them or N, and time the sale alone, after a small one: nothing is proven or compiled in that time.", isNumberOptional: true);
        foreach (Option option in (Option[])[file, size, chunkSize, window, lockHash, suite, keepAhead])
            command.Add(option);
        command.SetBody(async (result, output, cancellation) =>
        {
            CommandKit.NoteSlowProcessor(output);
            string folder = Directory.CreateTempSubdirectory("lockstep-demo-").FullName;
            try
            {
                int ahead = result.GetResult(keepAhead) is null ? 0 : result.GetValue(keepAhead) ?? NodeSettings.MaxKeepAheadWindows;
                long chunkBytes = result.GetValue(chunkSize) ?? (ahead > 0 ? ChunkSizeInStore : ImportOptions.DefaultChunkSize);
                int openLocks = result.GetValue(window) ?? (ahead > 0 ? OpenLocksInStore : 1);
                string rail = result.GetValue(CommandKit.Rail) ?? RailNames.Local;
                if (rail == RailNames.Evm && result.GetValue(lockHash) != LockHash.Sha256)
                    throw new CliException(ExitCodes.Usage, "lock", "The locks of the EVM rail are SHA-256; leave --lock out.");
                return await RunAsync(
                    folder, rail, result.GetValue(file), result.GetValue(size), chunkBytes, openLocks, result.GetValue(lockHash), result.GetValue(suite)!,
                    ahead, output, cancellation).ConfigureAwait(false);
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(
        string folder, string railName, string? file, long size, long chunkSize, int window, LockHash lockHash, Suite suite, int keepAhead, Output output, CancellationToken cancellation)
    {
        // ---- Two homes, one ledger, one file. -----------------------------------------------------------------------------
        string ledgerPath = Path.Combine(folder, "ledger.db");
        HomeFolder seller = HomeFolder.Open(Path.Combine(folder, "provider"), ledgerPath), buyer = HomeFolder.Open(Path.Combine(folder, "client"), ledgerPath);
        string source = file ?? WriteRandom(Path.Combine(folder, "source"), size);
        var import = new ImportOptions { ChunkSize = (int)chunkSize };
        RootRecord? small = null;
        RootRecord record;
        using (ContentHome content = seller.OpenContent())
        {
            if (keepAhead > 0)
                small = Add(content, WriteRandom(Path.Combine(folder, "small"), SmallChunks * chunkSize));
            record = Add(content, source);
        }

        using SecpKey sellerKey = Wallets.OpenOrCreate(seller), buyerKey = Wallets.OpenOrCreate(buyer);
        await using IDemoRail rails = railName == RailNames.Evm
            ? await EvmDemoRail.StartAsync(await AnvilTool.FindAsync(output, cancellation).ConfigureAwait(false), folder, (seller, sellerKey), (buyer, buyerKey), cancellation).ConfigureAwait(false)
            : LocalDemoRail.Open(seller, sellerKey, buyerKey);
        await rails.FundAsync(new TokenAmount(PricePerByteAtto) * (record.Size + (small?.Size ?? 0) + 1), cancellation).ConfigureAwait(false);

        // ---- The sale: two processes that share nothing but the ledger's file and a socket. -----------------------------
        var started = Stopwatch.StartNew();
        string received = Path.Combine(folder, "received");
        JsonElement bought;
        await using (ChildProcess serving = ChildProcess.Start(
            [
                "serve", "--json", "--home", seller.Folder, "--ledger", ledgerPath, "--listen", "127.0.0.1:0",
                "--price-per-byte", PricePerByteAtto.ToString(CultureInfo.InvariantCulture), "--keep-ahead", keepAhead.ToString(CultureInfo.InvariantCulture),
                "--keep-ahead-suite", suite.Id, "--keep-ahead-lock", ProofFolder.Name(lockHash), "--rail", railName,
                .. keepAhead > 0 ? ["--keep-ahead-for", record.Root.ToString()] : Array.Empty<string>(),
            ]))
        {
            string address = (await serving.ReadJsonAsync(cancellation).ConfigureAwait(false)).GetProperty("address").GetString()!;
            int windowsReady = await GetReadyAsync(serving, keepAhead > 0, output, cancellation).ConfigureAwait(false);
            double readySeconds = started.Elapsed.TotalSeconds;
            Task drained = DrainAsync(serving, output, cancellation);
            output.Note($"selling {Sizes.Format(record.Size)} in {record.ChunkCount} chunks from {address}");
            var terms = new DemoBuyer(buyer, railName, rails.Buyer, buyerKey, window, lockHash, suite);
            double seconds;
            JsonElement? before = null;
            if (small is null)
            {
                (bought, seconds) = await terms.BuyByGetAsync(record.Root, address, received, cancellation).ConfigureAwait(false);
            }
            else
            {
                (before, bought) = await terms.BuyHereAsync(small.Root, record.Root, address, received, cancellation).ConfigureAwait(false);
                seconds = bought.GetProperty("seconds").GetDouble();
            }

            await serving.StopAsync(cancellation).ConfigureAwait(false);
            await drained.ConfigureAwait(false);
            return await SettleAsync(before, seconds, windowsReady, readySeconds).ConfigureAwait(false);
        }

        RootRecord Add(ContentHome content, string path) => AddCommand.Unwrap(content.AddPath(path, import, DateTimeOffset.UtcNow, null, cancellation)).Record;

        async Task<int> SettleAsync(JsonElement? before, double seconds, int windowsReady, double readySeconds)
        {
            // ---- Redeem one voucher per lane, settle, collect. ----------------------------------------------------------
            IReadOnlyList<RailReceipt> redeemed = await Settlement.RedeemAsync(seller, rails.Seller, sellerKey, null, cancellation).ConfigureAwait(false);
            IRail ledger = rails.Seller;
            foreach (ChannelSnapshot channel in await ledger.FindChannelsAsync(ledger.Vouchers.AccountOf(sellerKey), cancellation).ConfigureAwait(false))
            {
                await ledger.SettleAsync(sellerKey, channel.Id, cancellation).ConfigureAwait(false);
                if ((await ledger.GetChannelAsync(channel.Id, cancellation).ConfigureAwait(false))?.SettlingAt is { } at)
                    await rails.PassAsync(at, cancellation).ConfigureAwait(false);
                await ledger.CollectAsync(sellerKey, channel.Id, cancellation).ConfigureAwait(false);
            }

            // ---- The books: what left one wallet arrived in the other, to the atto. --------------------------------------
            (TokenAmount earned, TokenAmount spent) = await rails.CountAsync(cancellation).ConfigureAwait(false);
            IReadOnlyList<GasSpent> gas = rails.Spent();
            JsonElement[] sales = before is { } earlier ? [earlier, bought] : [bought];
            TokenAmount paid = sales.Aggregate(TokenAmount.Zero, (sum, sale) => sum + TokenAmount.ParseAtto(sale.GetProperty("paidAtto").GetString()!));
            string shaSource = await HashAsync(source, cancellation).ConfigureAwait(false), shaReceived = await HashAsync(received, cancellation).ConfigureAwait(false);
            long soldBytes = sales.Sum(sale => sale.GetProperty("bytes").GetInt64());
            bool isDeal = bought.TryGetProperty("deal", out _);
            IReadOnlyList<string> providerStatuses = [];
            if (isDeal)
            {
                using var books = DealBooks.Open(seller);
                providerStatuses = [.. books.History(books.Find(bought.GetProperty("deal").GetString(), "provider")).Select(entry => entry.Status)];
            }

            int lanes = sales.Sum(sale => sale.TryGetProperty("lanes", out JsonElement used) ? used.GetInt32() : 0);
            bool agrees = shaSource == shaReceived && paid == earned && paid == spent && paid == new TokenAmount(PricePerByteAtto) * soldBytes && redeemed.Count <= lanes;
            Currency currency = ledger.Description.Currency;
            output.Result(
                new
                {
                    ok = agrees,
                    cid = record.Root.ToString(),
                    bytes = record.Size,
                    chunks = record.ChunkCount,
                    bytesSold = soldBytes,
                    bytesBefore = before?.GetProperty("bytes").GetInt64(),
                    secondsBefore = before?.GetProperty("seconds").GetDouble(),
                    seconds,
                    mibPerSecond = record.Size / (double)(1 << 20) / seconds,
                    windowsReady,
                    readySeconds,
                    paidAtto = paid.ToString(),
                    earnedAtto = earned.ToString(),
                    pricePerByteAtto = PricePerByteAtto.ToString(CultureInfo.InvariantCulture),
                    sha256Source = shaSource,
                    sha256Received = shaReceived,
                    redemptions = redeemed.Count,
                    rail = ledger.Description.Id,
                    gas = gas.Select(one => new { what = one.What, gas = one.Gas, costAtto = one.Cost.ToString() }),
                    gasTotal = gas.Sum(one => one.Gas),
                    lanes,
                    maxOpenLocks = isDeal ? bought.GetProperty("maxOpenLocks").GetInt32() : 0,
                    wireBytes = isDeal ? bought.GetProperty("wireBytes").GetInt64() : 0,
                    proofBytes = isDeal ? bought.GetProperty("proofBytes").GetInt64() : 0,
                    suite = suite.Id,
                    @lock = ProofFolder.Name(lockHash),
                    clientStatuses = isDeal ? bought.GetProperty("statuses").EnumerateArray().Select(status => status.GetString()!).ToArray() : [],
                    providerStatuses,
                },
                [
                    $"receipt   {record.Root}",
                    string.Create(CultureInfo.InvariantCulture, $"sold      {Sizes.Format(record.Size)} in {record.ChunkCount} chunks, {seconds:0.0} s"),
                    $"paid      {currency.Format(paid)}",
                    $"earned    {currency.Format(earned)}, {redeemed.Count} redemptions on {lanes} lanes",
                    .. gas.Count == 0 ? Array.Empty<string>() : [string.Create(CultureInfo.InvariantCulture, $"gas       {gas.Sum(one => one.Gas)}: {string.Join(", ", gas.Select(one => $"{one.What} {one.Gas}"))}")],
                    $"sha-256   {shaSource} sent",
                    $"          {shaReceived} received",
                    agrees ? "bytes and books agree" : "BYTES OR BOOKS DO NOT AGREE",
                ]);
            return agrees ? ExitCodes.Ok : ExitCodes.Refused;
        }
    }

    // A provider that is up: its prover has got going, and with windows to be sealed ahead, they are.
    private static async Task<int> GetReadyAsync(ChildProcess serving, bool isKeepingAhead, Output output, CancellationToken cancellation)
    {
        while (true)
        {
            JsonElement notice = await serving.ReadJsonAsync(cancellation).ConfigureAwait(false);
            if (notice.TryGetProperty("proverReady", out _) && !isKeepingAhead)
                return 0;
            if (!notice.TryGetProperty("windowsReady", out JsonElement ready))
                continue;
            if (notice.TryGetProperty("sentence", out JsonElement sentence))
                throw new CliException(ExitCodes.Refused, "keep-ahead", $"A window could not be sealed ahead: {sentence.GetString()}");
            int wanted = notice.GetProperty("windowsWanted").GetInt32();
            output.Note($"sealed ahead: {ready.GetInt32()} of {wanted} windows");
            if (ready.GetInt32() >= wanted)
                return wanted;
        }
    }

    // The provider's lines after its address: shown to people, so that they see the deal move; read in any case.
    private static async Task DrainAsync(ChildProcess process, Output output, CancellationToken cancellation)
    {
        while (await process.Output.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
        {
            JsonElement notice = JsonSerializer.Deserialize<JsonElement>(line);
            if (notice.TryGetProperty("status", out JsonElement status))
                output.Note($"provider: {status.GetString()}, sold {Sizes.Format(notice.GetProperty("bytesSold").GetInt64())}");
        }
    }

    private static string WriteRandom(string path, long size)
    {
        using FileStream target = File.Create(path);
        var buffer = new byte[1 << 16];
        for (long left = size; left > 0; left -= buffer.Length)
        {
            RandomNumberGenerator.Fill(buffer);
            target.Write(buffer, 0, (int)Math.Min(left, buffer.Length));
        }

        return path;
    }

    private static async Task<string> HashAsync(string path, CancellationToken cancellation)
    {
        await using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false));
    }
}
