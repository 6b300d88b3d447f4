using System.Net;
using System.Net.Sockets;
using Lockstep.Content;
using Lockstep.Node.Hosting;
using Lockstep.Node.Identity;
using Lockstep.Node.Proving;
using Lockstep.Node.Runtime;
using Lockstep.Node.Storage;
using Lockstep.Node.Transport;
using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Lockstep.Node.Provider;

/// <summary>What a provider is started with.</summary>
public sealed record ProviderOptions(HomeFolder Home, IRail Rail, SecpKey Wallet)
{
    public NodeSettings Settings { get; init; } = new();

    /// <summary>Where to listen; null for what the settings say.</summary>
    public ListenAddress? Listen { get; init; }

    /// <summary>The host that the printed address names; null for the one listened on.</summary>
    public string? AdvertisedHost { get; init; }

    public IProofSystem? Proofs { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How long deals wait, where it should differ from the defaults.</summary>
    public ProviderPolicy Policy { get; init; } = new();

    /// <summary>Told of every change of a deal's status. Called on the deals' loop: it must return at once.</summary>
    public Action<ProviderNotice>? DealChanged { get; init; }

    /// <summary>Told of every redemption, perhaps by several threads at one time.</summary>
    public Action<RedeemResult>? Redeemed { get; init; }

    /// <summary>Which windows are sealed before anybody asks for them.</summary>
    public KeepAhead KeepAhead { get; init; } = KeepAhead.None;

    /// <summary>Told of every window that was sealed ahead, and of what hinders it.</summary>
    public Action<ReadyNotice>? WindowReady { get; init; }

    /// <summary>Told when the prover has got going and would seal the next window at its full speed; deals are taken before.</summary>
    public Action? ProverReady { get; init; }
}

/// <summary>
/// A provider at work on one home: it sells what was added there, resumes its deals, and redeems in time by itself. One per
/// home at a time.
/// </summary>
public sealed class ProviderNode : IAsyncDisposable
{
    internal const string CancelSentence = "The provider cancelled the deal.";

    // A proof takes all processors for seconds; messages and watchers need threads that do not wait for it.
    private const int MinThreads = 16;

    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(3);

    private readonly Stack<object> _parts = new();
    private readonly TaskCompletionSource _stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RpcHost? _host;
    private ProviderLoop _loop = null!;

    private ProviderNode()
    {
    }

    /// <summary>What clients are told: where it is, and its key.</summary>
    public ProviderAddress Address { get; private set; } = null!;

    /// <summary>The account that it is paid on.</summary>
    public AccountId Account { get; private set; }

    /// <summary>Ends when the node is disposed; faults when it cannot go on, as when the disk is full.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Starts a provider.</summary>
    /// <exception cref="NodeException">The home is in use, a store cannot be opened, the address cannot be listened on.</exception>
    /// <exception cref="RailException">The rail cannot be asked.</exception>
    public static async Task<ProviderNode> StartAsync(ProviderOptions options, CancellationToken cancellation)
    {
        var node = new ProviderNode();
        try
        {
            await node.OpenAsync(options, cancellation).ConfigureAwait(false);
            return node;
        }
        catch
        {
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Cancels a deal; false when there is no such deal.</summary>
    public Task<bool> CancelDealAsync(DealId deal) => _loop.CancelAsync(deal, CancelSentence);

    /// <summary>
    /// Stops in order: no new calls, streams closed, the proof at work ended, stores closed. Nothing is lost: deals go on at the next start.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _stopping.TrySetResult();
        if (_host is not null)
        {
            // Keys on their way are let out; whatever takes longer is taken up again by the clients themselves.
            using var limit = new CancellationTokenSource(DrainTime);
            await _loop.DrainAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _host.StopAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        while (_parts.TryPop(out object? part))
        {
            if (part is IAsyncDisposable later)
                await later.DisposeAsync().ConfigureAwait(false);
            else
                ((IDisposable)part).Dispose();
        }
    }

    private async Task OpenAsync(ProviderOptions options, CancellationToken cancellation)
    {
        NodeSettings settings = options.Settings;
        if (settings.Validate() is { } wrong)
            throw new NodeException(NodeFault.BadSetting, $"The settings cannot be used: {wrong}");
        ThreadPool.GetMinThreads(out int workers, out int ports);
        ThreadPool.SetMinThreads(Math.Max(workers, MinThreads), ports);

        Keep(options.Home.Acquire(HomeRole.Serve));
        NodeIdentity identity = Keep(options.Home.LoadProviderIdentity());
        ContentHome content = Keep(options.Home.OpenContent());
        ProviderStore store = Keep(ProviderStore.Open(options.Home.ProviderStorePath, options.Time));
        store.SweepFiles();
        RailClock clock = Keep(await RailClock.StartAsync(options.Rail, options.Time, cancellation).ConfigureAwait(false));
        Unsealer unsealer = Keep(new Unsealer(content, settings, options.Time, options.Home.WorkFolder));
        IProofSystem proofs = options.Proofs ?? new LockstepProofs(settings.ProverThreads);
        ProvingScheduler<DealId> prover = Keep(new ProvingScheduler<DealId>(settings.MaxDeals));

        Account = options.Rail.Vouchers.AccountOf(options.Wallet);
        var payee = new PayeePolicy(settings.ExpiryMarginEpochs, TokenAmount.Zero);
        ProviderAsk ask = AskOf(settings, options.Rail, Account, proofs);
        var catalog = new Catalog(content, settings, ask);
        var channels = new PayeeChannels(store, options.Rail.Vouchers, Account, payee);
        ProviderPolicy policy = options.Policy with { WindowsAhead = settings.WindowsAhead, PrepareTimeout = TimeSpan.FromSeconds(settings.UnsealLimitSeconds + 60) };
        var context = new ProviderContext(new ProviderIdentity(identity), channels, options.Rail.Vouchers, store, store, policy);
        var windows = new WindowSource(store, content.Blocks, proofs, context.Identity.Fingerprint);
        ReadyKeeper keeper = Keep(new ReadyKeeper(options.KeepAhead, store, catalog, content.Roots, windows, prover, options.Time, options.WindowReady, options.ProverReady));
        _loop = Keep(new ProviderLoop(new ProviderLoopParts(
            store, content, catalog, unsealer, prover, windows, keeper.Taken, options.Rail, clock, options.Time, context, settings.MaxDeals, options.DealChanged)));
        var redeemer = new Redeemer(store, options.Rail, options.Wallet, payee, new RedeemPolicy(settings.RedeemMarginEpochs));
        RedeemWatcher watcher = Keep(new RedeemWatcher(store, redeemer, new KeyPruner(store, options.Rail), options.Time, clock.Interval, result => options.Redeemed?.Invoke(result)));

        ListenAddress listen = options.Listen ?? ParseListen(settings.Listen);
        _host = Keep(await RpcHost.StartAsync(
            listen, identity,
            services => services.AddSingleton(new ProviderService(_loop, catalog)),
            routes => routes.MapGrpcService<ProviderService>(),
            cancellation).ConfigureAwait(false));
        Address = new ProviderAddress(options.AdvertisedHost ?? HostOf(_host.EndPoint.Address), _host.EndPoint.Port, identity.Fingerprint);
        Completion = WatchAsync(_loop.Completion, watcher.Completion, keeper.Completion);
    }

    // What ends a part ends the node, unless it was told to stop.
    private async Task WatchAsync(params Task[] parts)
    {
        Task first = await Task.WhenAny([.. parts, _stopping.Task]).ConfigureAwait(false);
        if (!_stopping.Task.IsCompleted)
            await first.ConfigureAwait(false);
    }

    private static ProviderAsk AskOf(NodeSettings settings, IRail rail, AccountId account, IProofSystem proofs) => new()
    {
        PricePerByte = TokenAmount.ParseAtto(settings.PricePerByteAtto),
        UnsealPrice = TokenAmount.ParseAtto(settings.UnsealPriceAtto),
        Suites = proofs.Suites,
        LockHashes = rail.Description.LockHashes,
        Rails = [new RailAccount(rail.Description.Id, account)],
        MaxOpenLocks = settings.MaxOpenLocks,
        MinLockExpiryEpochs = settings.MinLockExpiryEpochs,
    };

    private static ListenAddress ParseListen(string text) => ListenAddress.TryParse(text, out ListenAddress? listen, out string? error)
        ? listen
        : throw new NodeException(NodeFault.BadSetting, error);

    // An address that stands for all of a machine's cannot be connected to; loopback is the one that is always right here.
    private static string HostOf(IPAddress address) =>
        address.Equals(IPAddress.Any) ? "127.0.0.1"
        : address.Equals(IPAddress.IPv6Any) ? "::1"
        : address.ToString();

    private T Keep<T>(T part)
        where T : notnull
    {
        _parts.Push(part);
        return part;
    }
}
