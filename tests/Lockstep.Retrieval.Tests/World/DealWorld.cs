using System.Security.Cryptography;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;
using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Provider;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Retrieval.Tests.World;

internal sealed record WorldOptions
{
    public byte[][] Leaves { get; init; } = TestContent.Leaves(3);

    public TokenAmount Price { get; init; } = new(3);

    public TokenAmount UnsealPrice { get; init; }

    public bool Cold { get; init; }

    public int Window { get; init; } = 1;

    public int OpenLocks { get; init; } = 1;

    public long LockExpiry { get; init; } = 600;

    public TokenAmount? MostToPay { get; init; }

    public TokenAmount Wallet { get; init; } = new(1_000_000);

    public TokenAmount AskPrice { get; init; } = new(3);

    public long Finality { get; init; } = 5;

    public ClientPolicy ClientPolicy { get; init; } = new();

    public ProviderPolicy ProviderPolicy { get; init; } = new();

    public LockHashKind LockHash { get; init; } = LockHashKind.Sha256;

    public ulong Seed { get; init; } = 1;
}

/// <summary>
/// Client, provider, ledger and the wire in one deterministic place with a virtual clock. Proofs are stand-ins: the verifier is
/// shown the truth. Every message crosses the wire as bytes; every invariant is checked after every step.
/// </summary>
internal sealed partial class DealWorld
{
    public static readonly AccountId Payer = new("payer");
    public static readonly AccountId Payee = new("payee");
    public static readonly TimeSpan EpochLength = TimeSpan.FromSeconds(30);
    private static readonly byte[] IdentityName = "identity of the provider"u8.ToArray();

    private readonly Queue<Action> _clientQueue = [];
    private readonly Queue<Action> _providerQueue = [];
    private readonly Dictionary<Bytes32, (byte[] Key, byte[] Data)> _truth = [];
    private readonly StandInScheme _scheme = new();
    private readonly Random _random;
    private ClientDeal? _client;
    private ProviderDeal? _provider;
    private Dictionary<ChannelId, PayerChannel> _payerChannels = [];
    private Dictionary<ChannelId, PayeeChannel> _payeeChannels = [];
    private bool _connected;
    private int _connection;
    private int _attachedTo = -1;
    private TimeSpan _time;
    private int _actions;

    public DealWorld(WorldOptions options)
    {
        Options = options;
        _random = new Random((int)options.Seed);
        Root = TestContent.Make(ProviderStore.Blocks, options.Leaves);
        Ledger = new TestLedger(Payer, Payee, options.Wallet);
        DagManifest manifest = DagWalker.Walk(ProviderStore.Blocks, Root).Value;
        Manifest = manifest;
        Summary = new ContentSummary(manifest.ChunkBytes, manifest.Chunks.Count, manifest.LinkBlocks.Count, options.Cold);
        var terms = new DealTerms(
            options.Price, options.UnsealPrice, options.MostToPay ?? new TokenAmount(1_000_000_000), "stand-in", options.LockHash,
            options.Window, options.OpenLocks, options.LockExpiry, "test");
        Proposal = new DealProposal(
            new DealId(new Bytes32(SHA256.HashData(BitConverter.GetBytes(options.Seed)))), Root, Fingerprint(IdentityName), ClientKey, terms, Payer, Payee, new Epoch(1_000_000));
    }

    public WorldOptions Options { get; }

    public static Bytes32 ClientKey { get; } = Fingerprint("client tls"u8.ToArray());

    public Cid Root { get; }

    public DagManifest Manifest { get; }

    public ContentSummary Summary { get; }

    public DealProposal Proposal { get; }

    public TestLedger Ledger { get; }

    public TestStore ClientStore { get; } = new(DealSide.Client);

    public TestStore ProviderStore { get; } = new(DealSide.Provider);

    public Epoch Epoch => new(100 + (long)(_time / EpochLength));

    public Moment Now => new(_time, Epoch);

    public (DealStatus Status, string? Sentence)? ClientEnd { get; private set; }

    public (DealStatus Status, string? Sentence)? ProviderEnd { get; private set; }

    /// <summary>Set to crash a side: counts the places where it could, and crashes at the given one.</summary>
    public CrashPlan ClientCrash { get; } = new();

    public CrashPlan ProviderCrash { get; } = new();

    /// <summary>Changes or swallows what one side sends.</summary>
    public Func<ProviderMessage, ProviderMessage?> FromProvider { get; set; } = message => message;

    public Func<ClientMessage, ClientMessage?> FromClient { get; set; } = message => message;

    /// <summary>Like <see cref="FromClient"/>, for a client that breaks the rules: what it changes is not held to them.</summary>
    public Func<ClientMessage, ClientMessage?> FromClientRaw { get; set; } = message => message;

    /// <summary>What the prover makes of a window, for dishonest provers.</summary>
    public Func<SealedWindow, SealedWindow> Prover { get; set; } = made => made;

    public bool ProviderUp { get; set; } = true;

    /// <summary>False for a provider that never redeems.</summary>
    public bool ProviderRedeems { get; set; } = true;

    /// <summary>Effects of the client that nobody carries out: things that never answer.</summary>
    public Func<ClientEffect, bool> ClientIgnores { get; set; } = _ => false;

    public Func<ProviderEffect, bool> ProviderIgnores { get; set; } = _ => false;

    public List<ClientMessage> ClientSent { get; } = [];

    public List<ProviderMessage> ProviderSent { get; } = [];

    public ClientDeal Client => _client!;

    public ProviderDeal Provider => _provider!;

    public string ClientSentence => ClientEnd?.Sentence ?? "";

    public void Start()
    {
        StartClient(() => ClientDeal.Begin(ClientContext(), new SignedProposal(Proposal, StandInScheme.SignStatement(Payer, Proposal.ToSignedBytes())), "provider"));
    }

    /// <summary>Runs until both sides are quiet and over, or until the virtual time is spent.</summary>
    public DealWorld Run(TimeSpan? most = null)
    {
        TimeSpan end = _time + (most ?? TimeSpan.FromDays(3));
        while (_time <= end)
        {
            RunQueues();
            if (ClientEnd is not null && ProviderQuiet())
                return this;
            if (!AdvanceTo(end))
                return this;
        }
        return this;
    }

    /// <summary>Lets time pass, redemption watch included, whatever the deals want.</summary>
    public void Pass(TimeSpan span)
    {
        TimeSpan end = _time + span;
        while (_time < end && AdvanceTo(end))
            RunQueues();
    }

    public static byte[] SignAsProvider(SealedOffer offer) => new Identity().Sign(offer.ToSignedBytes());

    /// <summary>Does something once the current step is over.</summary>
    public void Later(Action action) => _clientQueue.Enqueue(action);

    public void Cancel() => ClientStep(new ClientEvent.CancelRequested());

    public void CancelByProvider() => ProviderStep(new ProviderEvent.CancelRequested("The shop is closed."));

    public void StepClient(ClientEvent happened) => ClientStep(happened);

    public void Disconnect()
    {
        if (!_connected)
            return;
        _connected = false;
        _clientQueue.Enqueue(() => ClientStep(new ClientEvent.Disconnected("The stream ended.")));
        Detach();
    }

    public void RunQueues()
    {
        while (_clientQueue.Count + _providerQueue.Count > 0)
        {
            Assert.True(++_actions < 200_000, $"livelock: client {_client?.Status}, provider {_provider?.Status}");
            // Alternating by turns keeps the order fixed and both sides moving.
            Queue<Action> queue = _clientQueue.Count > 0 && (_providerQueue.Count == 0 || _actions % 2 == 0) ? _clientQueue : _providerQueue;
            queue.Dequeue()();
        }
    }

    /// <summary>Settles and collects everything; then what the provider got is final.</summary>
    public void SettleAll()
    {
        foreach (ChannelId channel in Ledger.All(Epoch).Select(snapshot => snapshot.Id))
            Ledger.Settle(channel, Epoch);
        WatchChannels();
        _time += EpochLength * (TestLedger.SettleDelay + 1);
        Ledger.CollectAll();
    }

    /// <summary>The payee's duty, once: redeems what must be redeemed now.</summary>
    public void WatchChannels(bool commanded = false)
    {
        if (!ProviderRedeems || !ProviderUp)
            return;
        foreach (PayeeChannel channel in _payeeChannels.Values)
        {
            if (Ledger.Read(channel.Id, Epoch) is not { } snapshot)
                continue;
            channel.Observe(snapshot);
            (IReadOnlyList<RedemptionClaim> claims, _) = RedeemDuty.Decide(channel, Epoch, new RedeemPolicy(), commanded, keyLock => ProviderStore.Find(new Bytes32(keyLock.Hash.Span)));
            foreach (RedemptionClaim claim in claims)
                Assert.True(Ledger.Redeem(claim, Epoch), "a claim of the duty was refused by the ledger");
        }
    }

    private static Bytes32 Fingerprint(byte[] key) => new(SHA256.HashData(key));

    private bool ProviderQuiet() => _clientQueue.Count + _providerQueue.Count == 0 && (_provider is null || _provider.IsOver || !_connected);

    private bool AdvanceTo(TimeSpan end)
    {
        TimeSpan?[] due = [ClientEnd is null ? _client?.NextDeadline : null, _provider?.NextDeadline];
        // Long waits go by epoch, so that the payee's watch sees each.
        TimeSpan next = due.OfType<TimeSpan>().Append(EpochLength * ((long)(_time / EpochLength) + 1)).Append(end).Where(time => time > _time).DefaultIfEmpty(end).Min();
        if (due.OfType<TimeSpan>().Any(time => time <= _time))
            next = _time;
        else if (next <= _time)
            return false;
        long before = Epoch.Value;
        _time = next;
        if (Epoch.Value != before)
            WatchChannels();
        if (ClientEnd is null && _client?.NextDeadline is { } client && client <= _time)
            ClientStep(new ClientEvent.Wake());
        if (_provider?.NextDeadline is { } provider && provider <= _time)
            ProviderStep(new ProviderEvent.Wake());
        return _time < end;
    }

    private ClientContext ClientContext() => new(
        new Wallet(), new Verifier(), Description(Options.Finality), new PayerChannels(this), ClientStore, ClientStore.Blocks, Options.ClientPolicy);

    private ProviderContext ProviderContext() => new(
        new Identity(), new PayeeChannels(this), _scheme, ProviderStore, ProviderStore, Options.ProviderPolicy);

    private static RailDescription Description(long finality) => new()
    {
        Id = "test",
        Currency = Currency.LocalTest,
        LockHashes = [LockHashKind.Sha256, LockHashKind.Blake2b256],
        EpochSeconds = EpochLength.TotalSeconds,
        FinalityEpochs = finality,
        SettleDelayEpochs = TestLedger.SettleDelay,
        MaxVouchersPerRedemption = 16,
    };

    private sealed class Wallet : IWallet
    {
        public AccountId Account => Payer;

        public PaymentVoucher SignVoucher(VoucherTerms terms) => StandInScheme.Sign(Payer, terms);

        public byte[] SignStatement(ReadOnlySpan<byte> statement) => StandInScheme.SignStatement(Payer, statement);
    }

    private sealed class Identity : IIdentity
    {
        public Bytes32 Fingerprint => DealWorld.Fingerprint(IdentityName);

        public byte[] Sign(ReadOnlySpan<byte> statement) => SHA256.HashData([.. IdentityName, .. statement]);
    }

    private sealed class Verifier : IIdentityVerifier
    {
        public Bytes32 Fingerprint => DealWorld.Fingerprint(IdentityName);

        public bool Verify(ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature) => signature.SequenceEqual(new Identity().Sign(statement));
    }

    private sealed class PayerChannels(DealWorld world) : IPayerChannels
    {
        public PayerChannel Get(ChannelId channel)
        {
            if (!world._payerChannels.TryGetValue(channel, out PayerChannel? known))
                world._payerChannels[channel] = known = new PayerChannel(channel, world.ClientStore.Lanes.GetValueOrDefault(channel)?.Values ?? Enumerable.Empty<PayerLane>());
            return known;
        }
    }

    private sealed class PayeeChannels(DealWorld world) : IPayeeChannels
    {
        public PayeeChannel Get(ChannelId channel)
        {
            if (!world._payeeChannels.TryGetValue(channel, out PayeeChannel? known))
            {
                world._payeeChannels[channel] = known = new PayeeChannel(
                    world._scheme, channel, Payee, new PayeePolicy(100, TokenAmount.Zero),
                    world.ProviderStore.Vouchers.Where(row => row.Voucher.Channel == channel), world.ProviderStore.Owners.Where(row => row.Channel == channel));
            }
            return known;
        }
    }
}

/// <summary>Counts the places where a side can crash, and says when it does.</summary>
internal sealed class CrashPlan
{
    public int Places { get; private set; }

    public HashSet<int> At { get; } = [];

    public int Crashes { get; private set; }

    public bool Now()
    {
        if (!At.Contains(Places++))
            return false;
        Crashes++;
        return true;
    }
}
