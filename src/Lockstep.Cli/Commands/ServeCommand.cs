using System.CommandLine;
using System.Globalization;
using Lockstep.Cli.Common;
using Lockstep.Cli.Proofs;
using Lockstep.Node.Hosting;
using Lockstep.Node.Provider;
using Lockstep.Node.Transport;
using Lockstep.Payments;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Proofs;
using Lockstep.Proofs.Soundness;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Cli.Commands;

/// <summary><c>serve</c>: sells the home's content until it is told to stop.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("serve", "Sell the home's content. Prints the address that buyers need as its first line.", "lockstep serve --listen 127.0.0.1:4070 --price-per-byte 2");
        var listen = new Option<string?>("--listen") { Description = "HOST:PORT to listen on; port 0 takes any free one.", HelpName = "ADDR" };
        var host = new Option<string?>("--advertise") { Description = "The host that the printed address names, when it is not the one listened on.", HelpName = "HOST" };
        var price = new Option<string?>("--price-per-byte") { Description = "The price in atto-units per byte (settings.json otherwise, 2 by default).", HelpName = "ATTO" };
        var unseal = new Option<string?>("--unseal-price") { Description = "The price in atto-units for bringing cold content back.", HelpName = "ATTO" };
        Option<long?> window = Sizes.Optional("--proof-window", "Bytes of content under one proof (settings.json otherwise, 4 MiB by default).", 1, NodeSettings.MaxProofWindowBytes);
        Option<long?> memory = Sizes.Optional("--prover-memory", "Memory that proving one window may take; larger windows are split (settings.json otherwise, 3 GiB by default).", NodeSettings.MinProverMemoryBytes, 1L << 40);
        var threads = new Option<int?>("--threads") { Description = "Threads of the prover (settings.json otherwise, all processors by default).", HelpName = "N" };
        Option<int?> keepAhead = KeepAheadOptions.Windows("Seal this many windows before anybody asks for them, of what sold or was added last (settings.json otherwise, 0 by default).");
        Option<string[]> keepAheadFor = KeepAheadOptions.Contents();
        Option<Suite?> keepAheadSuite = ProofOptions.OptionalSuite("--keep-ahead-suite", "The suite of windows sealed ahead of a first sale (the default suite otherwise).");
        Option<LockHash?> keepAheadLock = ProofOptions.OptionalLock("--keep-ahead-lock", "The lock hash of windows sealed ahead of a first sale (the rail's first otherwise).");
        foreach (Option option in (Option[])[listen, host, price, unseal, window, memory, threads, keepAhead, keepAheadFor, keepAheadSuite, keepAheadLock])
            command.Add(option);
        command.SetBody(async (result, output, cancellation) =>
        {
            CommandKit.NoteSlowProcessor(output);
            HomeFolder home = CommandKit.OpenHome(result);
            NodeSettings settings = home.LoadSettings();
            settings = settings with
            {
                PricePerByteAtto = Price("--price-per-byte", result.GetValue(price)) ?? settings.PricePerByteAtto,
                UnsealPriceAtto = Price("--unseal-price", result.GetValue(unseal)) ?? settings.UnsealPriceAtto,
                ProofWindowBytes = result.GetValue(window) ?? settings.ProofWindowBytes,
                ProverMemoryBytes = result.GetValue(memory) ?? settings.ProverMemoryBytes,
                ProverThreads = result.GetValue(threads) ?? settings.ProverThreads,
                KeepAheadWindows = result.GetValue(keepAhead) ?? settings.KeepAheadWindows,
            };
            KeepAhead ahead = KeepAheadOptions.Read(settings.KeepAheadWindows, result.GetValue(keepAheadFor)) with
            {
                SuiteId = result.GetValue(keepAheadSuite)?.Id,
                LockHash = (LockHashKind?)(byte?)result.GetValue(keepAheadLock),
            };
            ListenAddress? address = null;
            if (result.GetValue(listen) is { } text && !ListenAddress.TryParse(text, out address, out string? error))
                throw new CliException(ExitCodes.Usage, "listen", error);

            using SecpKey key = Wallets.OpenOrCreate(home);
            using IRail ledger = await Wallets.OpenRailAsync(result, home, cancellation).ConfigureAwait(false);
            Currency currency = ledger.Description.Currency;
            await Settlement.WarnAsync(home, ledger, key, output, cancellation).ConfigureAwait(false);

            // The deals step on one loop: whoever stops reading these lines must not stop it.
            await using EventLines events = output.BeginEvents();
            var seen = new Dictionary<DealId, DealStatus>();
            var options = new ProviderOptions(home, ledger, key)
            {
                Settings = settings,
                Listen = address,
                AdvertisedHost = result.GetValue(host),
                KeepAhead = ahead,
                ProverReady = () => events.Post(output.Lines(new { proverReady = true }, "the prover is ready")),
                WindowReady = notice => events.Post(output.Lines(
                    new { windowsReady = notice.Ready, windowsWanted = notice.Wanted, sentence = notice.Sentence },
                    $"sealed ahead: {notice.Ready} of {notice.Wanted} windows{(notice.Sentence is { } sentence ? "  " + sentence : "")}")),
                DealChanged = notice =>
                {
                    // One line per change of status; chunk by chunk would drown the rest.
                    lock (seen)
                    {
                        if (seen.TryGetValue(notice.Deal, out DealStatus last) && last == notice.Row.Status)
                            return;
                        seen[notice.Deal] = notice.Row.Status;
                    }

                    events.Post(output.Lines(
                        new { deal = notice.Deal.ToString(), status = notice.Row.Status.FullName(), bytesSold = notice.Row.BytesSold, earnedAtto = notice.Row.Earned.ToString(), sentence = notice.Row.Sentence },
                        $"{notice.Deal.ToString()[..12]}  {notice.Row.Status.FullName()}  sold {Sizes.Format(notice.Row.BytesSold)} for {currency.Format(notice.Row.Earned)}{(notice.Row.Sentence is { } sentence ? "  " + sentence : "")}"));
                },
                Redeemed = redeemed => events.Post(output.Lines(
                    new { channel = redeemed.Channel.Text, redeemed = redeemed.Receipts.Count, reason = redeemed.Reason?.ToString(), receipts = redeemed.Receipts.Select(r => r.Sentence) },
                    $"redeemed {redeemed.Receipts.Count} vouchers on {redeemed.Channel} ({redeemed.Reason})")),
            };
            await using ProviderNode node = await ProviderNode.StartAsync(options, cancellation).ConfigureAwait(false);
            var perByte = TokenAmount.ParseAtto(settings.PricePerByteAtto);
            events.Start(output.Lines(
                new { address = node.Address.ToString(), account = node.Account.Text, pricePerByteAtto = perByte.ToString(), rail = ledger.Description.Id },
                node.Address.ToString(),
                string.Create(CultureInfo.InvariantCulture, $"paid on {node.Account}, {currency.Format(perByte * (1L << 30))} per GiB; stop with Ctrl-C")));
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using (cancellation.Register(() => stopped.TrySetResult()))
                await (await Task.WhenAny(node.Completion, stopped.Task).ConfigureAwait(false)).ConfigureAwait(false);
            output.Note("stopping; deals go on at the next start");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static string? Price(string option, string? text) => text is null || (TokenAmount.TryParseAtto(text, out TokenAmount price) && !price.IsNegative)
        ? text
        : throw new CliException(ExitCodes.Usage, "price", $"'{text}' is not a price for {option}; write a whole number of atto-units, for example 2.");
}
