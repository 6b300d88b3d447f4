using System.CommandLine;
using Lockstep.Cli.Common;
using Lockstep.Content.Cids;
using Lockstep.Node.Client;
using Lockstep.Node.Identity;
using Lockstep.Payments;

namespace Lockstep.Cli.Commands;

/// <summary><c>ask</c>: a provider's terms, without a deal and without money.</summary>
internal static class AskCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("ask", "Ask a provider what it sells and for how much. Costs nothing.", "lockstep ask lockstep://127.0.0.1:4070/... bafy...");
        var address = new Argument<string>("ADDRESS") { Description = "The provider's address, as 'serve' printed it." };
        var cid = new Argument<string?>("CID") { Description = "The content asked about.", Arity = ArgumentArity.ZeroOrOne };
        command.Add(address);
        command.Add(cid);
        command.SetBody(async (result, output, cancellation) =>
        {
            ProviderAddress provider = Parsing.Provider(result.GetValue(address)!);
            Cid? root = result.GetValue(cid) is { } text ? Parsing.Cid(text) : null;
            AskResult asked = await RetrievalClient.AskAsync(provider, root, cancellation).ConfigureAwait(false);
            Currency currency = Currency.LocalTest;
            if (root is not null && asked.Content is null)
                throw new CliException(ExitCodes.Refused, "not-found", $"The provider does not sell {root}; check the CID or ask another provider.");
            output.Result(
                new
                {
                    available = asked.Content is not null,
                    size = asked.Content?.Size,
                    chunks = asked.Content?.ChunkCount,
                    cold = asked.Content?.Cold,
                    totalAtto = asked.Total?.ToString(),
                    pricePerByteAtto = asked.Ask.PricePerByte.ToString(),
                    unsealPriceAtto = asked.Ask.UnsealPrice.ToString(),
                    suites = asked.Ask.Suites,
                    locks = asked.Ask.LockHashes.Select(hash => hash.Word()),
                    rails = asked.Ask.Rails.Select(rail => new { id = rail.RailId, account = rail.Account.Text }),
                    maxOpenLocks = asked.Ask.MaxOpenLocks,
                    maxChunksPerWindow = asked.Ask.MaxChunksPerWindow,
                    message = asked.Message,
                },
                Lines(asked, currency));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static IEnumerable<string> Lines(AskResult asked, Currency currency)
    {
        yield return $"price     {currency.Format(asked.Ask.PricePerByte * (1L << 30))} per GiB";
        if (asked.Content is { } content)
        {
            yield return $"content   {Sizes.Format(content.Size)} in {content.ChunkCount} chunks{(content.Cold ? ", cold" : "")}";
            if (content.Cold)
                yield return $"unsealing {currency.Format(asked.Ask.UnsealPrice)}";
            yield return $"total     {currency.Format(asked.Total ?? TokenAmount.Zero)}";
        }

        yield return $"suites    {string.Join(", ", asked.Ask.Suites)}";
        foreach (Retrieval.Terms.RailAccount rail in asked.Ask.Rails)
            yield return $"paid on   {rail.RailId}, {rail.Account}";
    }
}
