using System.CommandLine;
using Lockstep.Cli.Common;
using Lockstep.Node.Client;
using Lockstep.Node.Hosting;
using Lockstep.Node.Provider;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Cli.Commands;

/// <summary><c>deals</c> and <c>receipt</c>: what was bought and sold from this home.</summary>
internal static class DealsCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("deals", "List the deals of this home, bought and sold.", "lockstep deals --json");
        command.SetBody((result, output, _) =>
        {
            using var books = DealBooks.Open(CommandKit.OpenHome(result));
            IReadOnlyList<DealView> deals = books.List();
            output.Result(deals, deals.Count == 0 ? ["no deals yet"] : deals.Select(Line));
            return ExitCodes.Ok;
        });
        command.Add(Cancel());
        return command;
    }

    public static Command CreateReceipt()
    {
        Command command = CommandKit.Create("receipt", "Show what a deal cost and every status it passed through.", "lockstep receipt 4f1c...");
        var id = new Argument<string?>("DEAL") { Description = "The deal, or the beginning of its id; the newest one when left out.", Arity = ArgumentArity.ZeroOrOne };
        command.Add(id);
        command.SetBody((result, output, _) =>
        {
            using var books = DealBooks.Open(CommandKit.OpenHome(result));
            DealView deal = books.Find(result.GetValue(id));
            output.Result(deal with { Statuses = books.History(deal) },
            [
                Line(deal), $"  content   {deal.Cid}", $"  price     {deal.PricePerByteAtto} atto per byte", $"  channel   {deal.Channel ?? "none"}, {deal.Lanes} lanes",
                .. deal.Sentence is { } sentence ? [$"  note      {sentence}"] : Array.Empty<string>(),
                .. books.History(deal).Select(status => $"  {status.At:yyyy-MM-dd HH:mm:ss.fff}  {status.Status}"),
            ]);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Cancel()
    {
        Command command = CommandKit.Create("cancel", "End a deal. A bought one ends as soon as no lock is open; a sold one at once, while no 'serve' works on the home, and what is paid for stays the buyer's.", "lockstep deals cancel 4f1c...");
        var id = new Argument<string>("DEAL") { Description = "The deal, or the beginning of its id." };
        command.Add(id);
        command.SetBody(async (result, output, cancellation) =>
        {
            HomeFolder home = CommandKit.OpenHome(result);
            DealView deal;
            using (var books = DealBooks.Open(home))
                deal = books.Find(result.GetValue(id));
            using SecpKey key = Wallets.Open(home);
            using IRail ledger = await Wallets.OpenRailAsync(result, home, cancellation).ConfigureAwait(false);
            DealStatus status = deal.Side == "client"
                ? await CancelBoughtAsync(new ClientOptions(home, ledger, key), deal.Id, cancellation).ConfigureAwait(false)
                : (await SoldDeals.CancelAsync(new ProviderOptions(home, ledger, key) { Settings = home.LoadSettings() }, deal.Id, cancellation).ConfigureAwait(false)).Status;
            output.Result(new { deal = deal.Deal, status = status.FullName() }, $"{deal.Deal} ended as {status.FullName()}");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task<DealStatus> CancelBoughtAsync(ClientOptions options, DealId deal, CancellationToken cancellation)
    {
        await using RetrievalClient client = await RetrievalClient.OpenAsync(options, cancellation).ConfigureAwait(false);
        return (await client.CancelAsync(deal, cancellation).ConfigureAwait(false)).Status;
    }

    private static string Line(DealView deal) =>
        $"{deal.Deal[..12]}  {(deal.Side == "client" ? "bought" : "sold  ")}  {deal.Status,-34} {Sizes.Format(deal.Bytes)} of {Sizes.Format(deal.Size)} in {deal.Chunks} chunks  {Payments.Currency.LocalTest.Format(Payments.TokenAmount.ParseAtto(deal.AmountAtto))}";
}
