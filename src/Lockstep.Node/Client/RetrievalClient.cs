using System.Security.Cryptography;
using Grpc.Core;
using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.Car;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;
using Lockstep.Content.UnixFs;
using Lockstep.Node.Hosting;
using Lockstep.Node.Identity;
using Lockstep.Node.Proving;
using Lockstep.Node.Runtime;
using Lockstep.Node.Storage;
using Lockstep.Node.Transport;
using Lockstep.Payments;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Terms;
using Service = Lockstep.Retrieval.Protocol.Wire.Retrieval;
using Wire = Lockstep.Retrieval.Protocol.Wire;

namespace Lockstep.Node.Client;

/// <summary>What a buyer is started with.</summary>
public sealed record ClientOptions(HomeFolder Home, IRail Rail, SecpKey Wallet)
{
    public IProofSystem? Proofs { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How long deals wait, where it should differ from the defaults.</summary>
    public ClientPolicy Policy { get; init; } = new();
}

/// <summary>A buyer at work on one home: asks, buys, goes on with what was begun, and writes files out. One per home at a time.</summary>
public sealed class RetrievalClient : IAsyncDisposable
{
    // A proposal is answered in seconds; this allows for clocks and queues.
    private const double ProposalSeconds = 600;

    private readonly ClientOptions _options;
    private readonly IDisposable _lock;
    private readonly NodeIdentity _identity;
    private readonly ContentHome _content;
    private readonly ClientStore _store;
    private readonly RailClock _clock;
    private readonly IProofSystem _proofs;

    private RetrievalClient(
        ClientOptions options, IDisposable homeLock, NodeIdentity identity, ContentHome content, ClientStore store, RailClock clock)
    {
        (_options, _lock, _identity, _content, _store, _clock) = (options, homeLock, identity, content, store, clock);
        _proofs = options.Proofs ?? new LockstepProofs();
    }

    private IRail Rail => _options.Rail;

    /// <summary>Opens a home for buying.</summary>
    /// <exception cref="NodeException">The home is in use, or a store cannot be opened.</exception>
    /// <exception cref="RailException">The rail cannot be asked.</exception>
    public static async Task<RetrievalClient> OpenAsync(ClientOptions options, CancellationToken cancellation)
    {
        IDisposable homeLock = options.Home.Acquire(HomeRole.Get);
        NodeIdentity? identity = null;
        ContentHome? content = null;
        ClientStore? store = null;
        try
        {
            identity = options.Home.LoadClientIdentity();
            content = options.Home.OpenContent();
            store = ClientStore.Open(options.Home.ClientStorePath, content.Blocks, options.Time);
            store.SweepFiles();
            RailClock clock = await RailClock.StartAsync(options.Rail, options.Time, cancellation).ConfigureAwait(false);
            return new RetrievalClient(options, homeLock, identity, content, store, clock);
        }
        catch
        {
            store?.Dispose();
            content?.Dispose();
            identity?.Dispose();
            homeLock.Dispose();
            throw;
        }
    }

    /// <summary>Asks a provider for its terms. Costs nothing and needs no wallet; the key shown is a new one.</summary>
    /// <param name="provider">Whom.</param>
    /// <param name="root">About which content; null for the terms in general.</param>
    /// <param name="cancellation">Ends the call.</param>
    /// <exception cref="NodeException">Nobody answers, or not the provider that the address names.</exception>
    public static async Task<AskResult> AskAsync(ProviderAddress provider, Cid? root, CancellationToken cancellation)
    {
        using var stranger = NodeIdentity.Generate();
        using var peer = new PeerChannel(provider, stranger);
        return await AskAsync(peer, root, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Buys a content and writes it out. What is held already is not bought; a deal for it that was cut short is gone on with.
    /// </summary>
    /// <exception cref="NodeException">It could not be bought; what was paid for is held and not bought again.</exception>
    /// <exception cref="OperationCanceledException">The caller stopped; asking again goes on with the deal.</exception>
    public async Task<RetrievalResult> GetAsync(RetrievalRequest request, IProgress<RetrievalProgress>? progress, CancellationToken cancellation)
    {
        DealId? begun = FindUnfinished(request);
        bool isHeld = begun is null && IsHeld(request.Root);
        bool isThere = request.Output is { } output && !request.Overwrite && Path.Exists(output);
        if (isThere && !(isHeld && IsExported(request, cancellation)))
            throw new NodeException(NodeFault.Content, $"There is something at {request.Output} already; name another place or allow it to be replaced.");
        if (begun is not { } unfinished)
        {
            if (isHeld)
            {
                // The run that bought it may have been stopped before the end: what it left out is done now.
                Note(request.Root);
                if (!isThere)
                    Export(request, cancellation);
                return new RetrievalResult(null, [], default) { OutputWasThere = isThere };
            }

            using var peer = new PeerChannel(request.Provider, _identity, request.Through);
            SignedProposal proposal = await ProposeAsync(peer, request, cancellation).ConfigureAwait(false);
            return await RunAsync(peer, context => ClientDeal.Begin(context, proposal, request.Provider.ToString()), request, progress, cancellation)
                .ConfigureAwait(false);
        }

        ClientDealSnapshot stored = _store.Load(unfinished, Rail.Vouchers)!;
        RequireItsLedger(stored.Deal);
        using var known = new PeerChannel(request.Provider, _identity, request.Through);
        return await RunAsync(known, context => ClientDeal.Restore(context, stored), request, progress, cancellation)
            .ConfigureAwait(false);
    }

    /// <summary>Cancels a deal that is not over: it ends as soon as no lock is open.</summary>
    /// <returns>The deal as it ended.</returns>
    /// <exception cref="NodeException">There is no such deal, it is over, or it was made on another ledger.</exception>
    public async Task<ClientDealRow> CancelAsync(DealId deal, CancellationToken cancellation)
    {
        if (_store.Load(deal, Rail.Vouchers) is not { } stored)
            throw new NodeException(NodeFault.NotFound, $"There is no deal {deal} in this home.");
        if (ClientTable.Table.IsTerminal(stored.Deal.Status))
            throw new NodeException(NodeFault.NotFound, $"The deal {deal} is over already ({stored.Deal.Status.FullName()}).");
        RequireItsLedger(stored.Deal);
        if (!ProviderAddress.TryParse(stored.Deal.ProviderAddress, out ProviderAddress? address, out string? error))
            throw new NodeException(NodeFault.Damaged, error);
        using var peer = new PeerChannel(address, _identity);
        await using ClientDealRunner runner = NewRunner(peer, context => ClientDeal.Restore(context, stored));
        runner.Cancel();
        return await runner.RunAsync(cancellation).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _clock.DisposeAsync().ConfigureAwait(false);
        _store.Dispose();
        _content.Dispose();
        _identity.Dispose();
        _lock.Dispose();
    }

    private static async Task<AskResult> AskAsync(PeerChannel peer, Cid? root, CancellationToken cancellation)
    {
        try
        {
            Wire.QueryResponse response = await new Service.RetrievalClient(peer.Calls)
                .QueryAsync(WireWriter.Write(new QueryAbout(root)), deadline: DateTime.UtcNow + TransportLimits.CallTimeout, cancellationToken: cancellation)
                .ConfigureAwait(false);
            if (!WireReader.Read(response).Try(out AskAnswer? answer, out Refusal? refusal))
                throw new NodeException(NodeFault.PeerMisbehaved, $"The provider's answer breaks the protocol: {refusal.Sentence}");
            TokenAmount? total = answer.Content is { } content
                ? (answer.Ask.PricePerByte * content.Size) + (content.Cold ? answer.Ask.UnsealPrice : TokenAmount.Zero)
                : null;
            return new AskResult(answer.Content, answer.Ask, total, answer.Message);
        }
        catch (RpcException fault)
        {
            throw peer.Explain(fault);
        }
    }

    // On another ledger its channel would look as if it had been settled, and the deal would end for nothing.
    private void RequireItsLedger(ClientDealRow deal)
    {
        string made = deal.Proposal.Terms.RailId, here = Rail.Description.Id;
        if (made == here)
            return;
        string what = deal.Channel is { } channel ? $"the channel {channel} that the deal {deal.DealId} is paid from" : $"the deal {deal.DealId}";
        throw new NodeException(
            NodeFault.WrongLedger,
            $"The ledger {_options.Home.LedgerPath} does not know {what}: expected the ledger {made} that the deal was made on, and this is {here}; name the right file with --ledger.");
    }

    private bool IsHeld(Cid root) => DagWalker.Walk(_content.Blocks, root).IsOk;

    // Only the provider that was paid can hand out what was paid for, so a deal goes on with its own provider.
    private DealId? FindUnfinished(RetrievalRequest request) => _store.ListDeals()
        .FirstOrDefault(deal => !ClientTable.Table.IsTerminal(deal.Row.Status)
            && deal.Row.Proposal.PayloadCid == request.Root
            && deal.Row.Proposal.ProviderKey.Span.SequenceEqual(request.Provider.Provider.Bytes.Span))
        ?.Row.DealId;

    private async Task<SignedProposal> ProposeAsync(PeerChannel peer, RetrievalRequest request, CancellationToken cancellation)
    {
        AskResult asked = await AskAsync(peer, request.Root, cancellation).ConfigureAwait(false);
        if (asked.Content is null || asked.Total is not { } total)
            throw new NodeException(NodeFault.NotFound, $"The provider does not sell {request.Root}; check the CID or ask another provider.");
        TokenAmount most = request.MostToPay ?? total;
        if (total > most)
        {
            throw new NodeException(
                NodeFault.OverLimit,
                $"The content costs {Rail.Description.Currency.Format(total)}; the most you will pay is {Rail.Description.Currency.Format(most)}. Raise the limit to buy it.");
        }

        ProviderAsk ask = asked.Ask;
        RailAccount rail = ask.Rails.FirstOrDefault(offered => offered.RailId == Rail.Description.Id) ?? throw new NodeException(
            NodeFault.PeerRefused, $"The provider is not paid on the rail {Rail.Description.Id}; use a ledger that both of you share.");
        LockHashKind lockHash = request.LockHash ?? Rail.Description.LockHashes.FirstOrDefault(ask.LockHashes.Contains, Rail.Description.LockHashes[0]);
        string suite = request.SuiteId ?? _proofs.Suites.FirstOrDefault(ask.Suites.Contains) ?? throw new NodeException(
            NodeFault.PeerRefused, $"The provider's suites ({string.Join(", ", ask.Suites)}) are not known here; use the same version.");
        await RequireFundsAsync(request, rail.Account, lockHash, total, cancellation).ConfigureAwait(false);

        var terms = new DealTerms(
            ask.PricePerByte, asked.Content.Cold ? ask.UnsealPrice : TokenAmount.Zero, most, suite, lockHash,
            request.ChunksPerWindow ?? Math.Max(1, ask.MaxChunksPerWindow), request.OpenLocks,
            request.LockExpiryEpochs ?? Math.Clamp(DealTerms.DefaultLockExpiryEpochs, ask.MinLockExpiryEpochs, ask.MaxLockExpiryEpochs), rail.RailId);
        Epoch head = await Rail.GetHeadAsync(cancellation).ConfigureAwait(false);
        var wallet = new Wallet(_options.Wallet, Rail.Vouchers);
        var proposal = new DealProposal(
            new DealId(new Bytes32(RandomNumberGenerator.GetBytes(Bytes32.Length))), request.Root, peer.Provider.Fingerprint,
            new Bytes32(_identity.Fingerprint.Bytes.Span), terms, wallet.Account, rail.Account,
            head + (long)Math.Max(10, Math.Ceiling(ProposalSeconds / Rail.Description.EpochSeconds)));
        return ClientDeal.SignProposal(proposal, wallet);
    }

    // Said before a deal is made; a deal that runs dry later is parked instead.
    private async Task RequireFundsAsync(RetrievalRequest request, AccountId payee, LockHashKind lockHash, TokenAmount total, CancellationToken cancellation)
    {
        // With part of the content held already the rest costs less than the whole: the deal itself finds out how much.
        if (request.WaitForFunds || _content.Blocks.Has(request.Root))
            return;
        AccountId self = Rail.Vouchers.AccountOf(_options.Wallet);
        TokenAmount balance = await Rail.GetBalanceAsync(self, cancellation).ConfigureAwait(false);
        var books = new PayerChannels(_store);
        TokenAmount free = (await Rail.FindChannelsAsync(self, cancellation).ConfigureAwait(false))
            .Where(channel => channel.Payer == self && channel.Payee == payee && channel.LockHash == lockHash && channel is { PartiesAreAccounts: true, IsSettling: false })
            .Select(channel => books.Get(channel.Id).Book.FreeFunds(channel))
            .DefaultIfEmpty(TokenAmount.Zero)
            .Max();
        if (balance + free >= total)
            return;
        Currency currency = Rail.Description.Currency;
        throw new NodeException(
            NodeFault.InsufficientFunds,
            $"The content costs {currency.Format(total)}; the wallet {self} and its channel to the provider hold {currency.Format(balance + free)}. Add {currency.Format(total - balance - free)} and try again.");
    }

    private ClientDealRunner NewRunner(
        PeerChannel peer, Func<ClientContext, ClientDeal> make, IProgress<RetrievalProgress>? progress = null, bool waitForFunds = false, ArrivingBlocks? arriving = null)
    {
        var context = new ClientContext(
            new Wallet(_options.Wallet, Rail.Vouchers), peer.Provider, Rail.Description, new PayerChannels(_store), _store, _content.Blocks, _options.Policy);
        return new ClientDealRunner(
            make(context), _store, peer, Rail, _options.Wallet, _proofs, _clock, _options.Time, new ProgressMeter(progress, _options.Time), waitForFunds, arriving);
    }

    private async Task<RetrievalResult> RunAsync(
        PeerChannel peer, Func<ClientContext, ClientDeal> make, RetrievalRequest request, IProgress<RetrievalProgress>? progress, CancellationToken cancellation)
    {
        ClientDealRow row;
        Traffic traffic;
        OutputWriter? writer = request is { Output: { } output, AsCar: false } ? new OutputWriter(_content.Blocks, request.Root, output, request.Overwrite) : null;
        await using (writer)
        {
            await using (ClientDealRunner runner = NewRunner(peer, make, progress, request.WaitForFunds, writer?.Blocks))
            {
                row = await runner.RunAsync(cancellation).ConfigureAwait(false);
                traffic = runner.Traffic.Total;
            }

            if (row.Status != DealStatus.Completed)
                throw Explain(row);
            Note(request.Root);
            ContentError? error = writer is null ? null : await writer.FinishAsync(cancellation).ConfigureAwait(false);

            // What was in the way while blocks came, a damaged one or a full disk, need not be so now that all are here.
            if (writer is null || error?.Kind is not (null or ContentErrorKind.NotUnixFs or ContentErrorKind.DestinationExists))
                Export(request, cancellation);
            else
                Finish(request, error, cancellation);
        }

        return new RetrievalResult(row, _store.History(row.DealId), traffic);
    }

    private static NodeException Explain(ClientDealRow row)
    {
        NodeFault fault = row.Status switch
        {
            DealStatus.InsufficientFunds => NodeFault.InsufficientFunds,
            DealStatus.Rejected or DealStatus.ProviderCancelled => NodeFault.PeerRefused,
            DealStatus.DealNotFound => NodeFault.NotFound,
            DealStatus.Errored => NodeFault.PeerMisbehaved,
            _ => NodeFault.Unusable,
        };
        return new NodeException(fault, row.Sentence ?? $"The deal ended as {row.Status.FullName()}.");
    }

    // Bought content is content like any other: it is listed, and may be sold on.
    private void Note(Cid root)
    {
        if (_content.AddHeld(root, _options.Time.GetUtcNow()).Error is { } error)
            throw new NodeException(error.Kind == ContentErrorKind.Io ? NodeFault.HomeUnusable : NodeFault.Content, error.Message);
    }

    // What stands at the output already, byte for byte, needs no second writing.
    private bool IsExported(RetrievalRequest request, CancellationToken cancellation)
    {
        ContentError? error = request.AsCar ? null : new UnixFsExporter(_content.Blocks).Compare(request.Root, request.Output!, cancellation).Error;
        if (request.AsCar || error?.Kind == ContentErrorKind.NotUnixFs)
            error = CarExporter.Compare(_content.Blocks, request.Root, request.Output!, cancellation: cancellation).Error;
        return error is null;
    }

    private void Export(RetrievalRequest request, CancellationToken cancellation)
    {
        if (request.Output is not { } output)
            return;
        var exporter = new UnixFsExporter(_content.Blocks, new ExportOptions { Overwrite = request.Overwrite });
        Finish(request, request.AsCar ? null : exporter.Export(request.Root, output, cancellation).Error, cancellation);
    }

    // What is no file and no folder leaves as it came: as a CAR.
    private void Finish(RetrievalRequest request, ContentError? error, CancellationToken cancellation)
    {
        if (request.AsCar || error?.Kind == ContentErrorKind.NotUnixFs)
            error = CarExporter.Export(_content.Blocks, request.Root, request.Output!, request.Overwrite, cancellation: cancellation).Error;
        if (error is not null)
            throw new NodeException(NodeFault.Content, $"The content is bought and held, but could not be written out: {error.Message}");
    }
}
