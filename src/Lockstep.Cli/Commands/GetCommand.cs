using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Lockstep.Cli.Common;
using Lockstep.Cli.Proofs;
using Lockstep.Content.Cids;
using Lockstep.Node.Client;
using Lockstep.Node.Hosting;
using Lockstep.Node.Identity;
using Lockstep.Payments;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Proofs;
using Lockstep.Proofs.Soundness;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Cli.Commands;

/// <summary><c>get</c>: buys a content and writes it out; run again after an interruption, it goes on.</summary>
internal static class GetCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("get", "Buy a content by its CID, chunk by chunk, and write it out. Run it again to go on after an interruption.", "lockstep get bafy... --from lockstep://127.0.0.1:4070/... -o photos --max-price 0.5");
        var cid = new Argument<string>("CID") { Description = "What to buy." };
        var from = new Option<string>("--from") { Description = "The provider's address.", Required = true, HelpName = "ADDRESS" };
        var target = new Option<string>("--out", "-o") { Description = "The file or folder to write.", Required = true, HelpName = "OUT" };
        var most = new Option<string?>("--max-price") { Description = "The most the whole deal may cost; without it, what the provider asks now.", HelpName = "AMOUNT" };
        var topUp = new Option<string?>("--top-up") { Description = "The most that this run may pay into the channel, opening it included; without it, what the deal may cost. 0: nothing.", HelpName = "AMOUNT" };
        Option<int> window = ProofOptions.Window();
        var force = new Option<bool>("--force") { Description = "Replace what is at OUT." };
        var car = new Option<bool>("--car") { Description = "Write a CAR with every block instead of files." };
        var wait = new Option<bool>("--wait") { Description = "When money runs out, wait for it instead of stopping." };
        Option<LockHash> lockHash = ProofOptions.Lock();
        Option<Suite> suite = ProofOptions.Suite();
        foreach (Symbol symbol in (Symbol[])[cid, from, target, most, topUp, window, car, force, wait, lockHash, suite])
            ProofOptions.Add(command, symbol);
        command.SetBody(async (result, output, cancellation) =>
        {
            Cid root = Parsing.Cid(result.GetValue(cid)!);
            ProviderAddress provider = Parsing.Provider(result.GetValue(from)!);
            HomeFolder home = CommandKit.OpenHome(result);
            using SecpKey key = Wallets.OpenOrCreate(home);
            using IRail ledger = await Wallets.OpenRailAsync(result, home, cancellation).ConfigureAwait(false);
            Currency currency = ledger.Description.Currency;
            var request = new RetrievalRequest(root, provider)
            {
                MostToPay = result.GetValue(most) is { } limit ? Wallets.ParseAmount(limit, currency) : null,
                LockHash = (LockHashKind)(byte)result.GetValue(lockHash),
                SuiteId = result.GetValue(suite)!.Id,
                OpenLocks = result.GetValue(window),
                Output = result.GetValue(target),
                AsCar = result.GetValue(car),
                Overwrite = result.GetValue(force),
                WaitForFunds = result.GetValue(wait),
            };
            var policy = new ClientPolicy { MostToPayIn = result.GetValue(topUp) is { } payIn ? Wallets.ParseAmount(payIn, currency) : null };
            var watch = Stopwatch.StartNew();
            await using RetrievalClient client = await RetrievalClient.OpenAsync(new ClientOptions(home, ledger, key) { Policy = policy }, cancellation).ConfigureAwait(false);
            RetrievalResult bought;
            using (var line = new PurchaseLine(output, currency))
                bought = await client.GetAsync(request, line, cancellation).ConfigureAwait(false);
            double seconds = watch.Elapsed.TotalSeconds;
            if (bought.Deal is not { } deal)
            {
                output.Result(
                    Describe(request, bought, seconds),
                    bought.OutputWasThere
                        ? $"{root} is at {request.Output} already: nothing was paid or written"
                        : $"{root} was held already or has nothing to buy: nothing was paid; written to {request.Output}");
                return ExitCodes.Ok;
            }

            output.Result(
                Describe(request, bought, seconds),
                string.Create(CultureInfo.InvariantCulture, $"bought {Sizes.Format(deal.BytesReceived)} in {deal.ChunksReceived} chunks for {currency.Format(deal.Paid)} in {seconds:0.0} s; written to {request.Output}"),
                $"deal {deal.DealId}; 'lockstep receipt {deal.DealId}' shows it again");
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>A purchase for machines.</summary>
    /// <param name="request">What was asked for.</param>
    /// <param name="bought">What came of it.</param>
    /// <param name="seconds">How long it took.</param>
    public static object Describe(RetrievalRequest request, RetrievalResult bought, double seconds)
    {
        string cid = request.Root.ToString();
        return bought.Deal is not { } deal
            ? new { cid, deal = (string?)null, bytes = 0, chunks = 0, paidAtto = "0", seconds, path = request.Output }
            : (object)new
            {
                cid,
                deal = deal.DealId.ToString(),
                status = deal.Status.FullName(),
                bytes = deal.BytesReceived,
                chunks = deal.ChunksReceived,
                paidAtto = deal.Paid.ToString(),
                seconds,
                lanes = deal.Lanes.Count,
                maxOpenLocks = deal.MaxOpenLocks,
                channel = deal.Channel?.Text,
                wireBytes = bought.Traffic.WireBytes,
                proofBytes = bought.Traffic.ProofBytes,
                statuses = bought.History.Select(entry => entry.Status.FullName()),
                path = request.Output,
            };
    }

    /// <summary>One line on the terminal: bytes, speed, money, time left.</summary>
    private sealed class PurchaseLine(Output output, Currency currency) : IProgress<RetrievalProgress>, IDisposable
    {
        private readonly bool _shown = !output.IsJson && !Console.IsErrorRedirected;
        private string? _sentence;
        private bool _written;

        public void Report(RetrievalProgress value)
        {
            if (value.Sentence is { } sentence && sentence != _sentence)
            {
                _sentence = sentence;
                output.Note((_written ? "\n" : "") + sentence);
            }

            if (!_shown)
                return;
            _written = true;
            string left = value.Remaining is { } remaining ? string.Create(CultureInfo.InvariantCulture, $"  {remaining:hh\\:mm\\:ss} left") : "";
            string unsealing = value.Unsealed is { } unsealed && value.BytesReceived == 0 ? $"  unsealed {Sizes.Format(unsealed.Done)} of {Sizes.Format(unsealed.Total)}" : "";
            Console.Error.Write($"\r{value.Status?.FullName(),-30} {Sizes.Format(value.BytesReceived)} of {Sizes.Format(value.BytesTotal)}  {Sizes.Format((long)value.BytesPerSecond)}/s  paid {currency.Format(value.Paid)}{left}{unsealing}    ");
        }

        public void Dispose()
        {
            if (_written)
                Console.Error.WriteLine();
        }
    }
}
