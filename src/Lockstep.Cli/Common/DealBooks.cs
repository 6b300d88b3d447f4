using System.Text.Json.Serialization;
using Lockstep.Node.Hosting;
using Lockstep.Node.Storage;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;

namespace Lockstep.Cli.Common;

/// <summary>A status of a deal and when it was stored.</summary>
internal sealed record StatusView(string Status, DateTimeOffset At);

/// <summary>A deal as commands show it, from either side.</summary>
internal sealed record DealView(
    string Deal, string Side, string Cid, string Status, long Bytes, long Size, int Chunks, string AmountAtto, string PricePerByteAtto,
    string? Channel, int Lanes, string? Sentence, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, IReadOnlyList<StatusView>? Statuses = null)
{
    [JsonIgnore]
    public DealId Id { get; init; }
}

/// <summary>Reads both stores of a home, as far as it has them.</summary>
internal sealed class DealBooks : IDisposable
{
    private readonly ClientStore? _client;
    private readonly ProviderStore? _provider;

    private DealBooks(ClientStore? client, ProviderStore? provider) => (_client, _provider) = (client, provider);

    public static DealBooks Open(HomeFolder home) => new(
        File.Exists(home.ClientStorePath) ? ClientStore.Open(home.ClientStorePath, null, TimeProvider.System) : null,
        File.Exists(home.ProviderStorePath) ? ProviderStore.Open(home.ProviderStorePath, TimeProvider.System) : null);

    /// <summary>All deals, newest first.</summary>
    public IReadOnlyList<DealView> List() =>
        [.. (_client?.ListDeals() ?? []).Select(View).Concat((_provider?.ListDeals() ?? []).Select(View)).OrderByDescending(deal => deal.CreatedAt)];

    /// <summary>The deal whose id begins with <paramref name="prefix"/>, or the newest.</summary>
    public DealView Find(string? prefix, string? side = null)
    {
        DealView[] found = [.. List().Where(deal => deal.Deal.StartsWith(prefix ?? "", StringComparison.OrdinalIgnoreCase) && (side is null || deal.Side == side))];
        if (found.Length == 0)
            throw new CliException(ExitCodes.Refused, "not-found", prefix is null ? "This home has no deals yet." : $"This home has no deal that begins with {prefix}; 'lockstep deals' lists them.");
        if (prefix is not null && found.Select(deal => deal.Deal).Distinct().Count() > 1)
            throw new CliException(ExitCodes.Usage, "ambiguous", $"{found.Length} deals begin with {prefix}; write more of the id.");
        return found[0];
    }

    /// <summary>Every status that a deal passed through.</summary>
    public IReadOnlyList<StatusView> History(DealView deal) =>
        [.. (deal.Side == "client" ? _client!.History(deal.Id) : _provider!.History(deal.Id)).Select(entry => new StatusView(entry.Status.FullName(), entry.At))];

    public void Dispose()
    {
        _client?.Dispose();
        _provider?.Dispose();
    }

    private static DealView View(StoredDeal<ClientDealRow> deal) => new(
        deal.Row.DealId.ToString(), "client", deal.Row.Proposal.PayloadCid.ToString(), deal.Row.Status.FullName(), deal.Row.BytesReceived, deal.Row.Content?.Size ?? 0,
        deal.Row.ChunksReceived, deal.Row.Paid.ToString(), deal.Row.Proposal.Terms.PricePerByte.ToString(), deal.Row.Channel?.Text, deal.Row.Lanes.Count, deal.Row.Sentence,
        deal.CreatedAt, deal.UpdatedAt)
    { Id = deal.Row.DealId };

    private static DealView View(StoredDeal<ProviderDealRow> deal) => new(
        deal.Row.DealId.ToString(), "provider", deal.Row.Proposal.PayloadCid.ToString(), deal.Row.Status.FullName(), deal.Row.BytesSold, deal.Row.Content.Size,
        deal.Row.ChunksSold, deal.Row.Earned.ToString(), deal.Row.Proposal.Terms.PricePerByte.ToString(), deal.Row.Channel?.Text, deal.Row.Lanes.Count, deal.Row.Sentence,
        deal.CreatedAt, deal.UpdatedAt)
    { Id = deal.Row.DealId };
}
