using Lockstep.Node.Evm;
using Lockstep.Node.Tests.Evm;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Tests.Support;

[assembly: AssemblyFixture(typeof(DevelopmentChain))]

namespace Lockstep.Node.Tests.Evm;

/// <summary>One development chain for all tests that neither reorganise it nor hold its blocks back; each has accounts of its own.</summary>
public sealed class DevelopmentChain : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private AnvilNode? _node;

    /// <summary>Started when first asked for, so that a run without such tests needs no chain.</summary>
    internal async Task<AnvilNode> GetAsync()
    {
        await _gate.WaitAsync();
        try
        {
            return _node ??= await AnvilNode.StartAsync(NodeOracle.Program("anvil"), [], TimeProvider.System, CancellationToken.None);
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
            await _node.DisposeAsync();
        _gate.Dispose();
    }
}

/// <summary>A contract of its own on a chain, two funded accounts and a stranger, and a rail.</summary>
internal sealed class ChainFixture : IAsyncDisposable
{
    public const long SettleDelay = 20;
    public static readonly TokenAmount OneCoin = TokenAmount.ParseAtto("1000000000000000000");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lockstep-evm-");
    private readonly bool _ownsNode;

    private ChainFixture(AnvilNode node, bool ownsNode) => (Node, _ownsNode) = (node, ownsNode);

    public AnvilNode Node { get; }

    public EvmRail Rail { get; private set; } = null!;

    public EvmAddress Contract { get; private set; }

    public EvmVoucherScheme Scheme => (EvmVoucherScheme)Rail.Vouchers;

    public SecpKey Payer { get; } = NewKey();

    public SecpKey Payee { get; } = NewKey();

    public SecpKey Stranger { get; } = NewKey();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>On the chain of all tests.</summary>
    public static async Task<ChainFixture> OpenAsync(DevelopmentChain chain) => await new ChainFixture(await chain.GetAsync(), ownsNode: false).BeginAsync();

    /// <summary>On a chain of its own.</summary>
    public static async Task<ChainFixture> OpenOwnAsync(params string[] arguments) =>
        await new ChainFixture(await AnvilNode.StartAsync(NodeOracle.Program("anvil"), arguments, TimeProvider.System, Cancellation), ownsNode: true).BeginAsync();

    public AccountId AccountOf(SecpKey key) => Rail.Vouchers.AccountOf(key);

    public EvmNodeOptions Options(string home) => new() { Endpoint = Node.Endpoint, ChainId = AnvilNode.ChainId, JournalFolder = Directory.CreateDirectory(Path.Combine(_folder.FullName, home)).FullName };

    /// <summary>Another process of another home, or of the same one.</summary>
    public Task<EvmRail> ConnectAsync(string home, Func<EvmNodeOptions, EvmNodeOptions>? change = null) =>
        EvmRail.ConnectAsync((change ?? (options => options))(Options(home)), Contract, TimeProvider.System, Cancellation);

    public async Task<ChannelId> OpenChannelAsync(TokenAmount amount)
    {
        OpenChannelReceipt opened = await Rail.OpenChannelAsync(Payer, AccountOf(Payee), amount, LockHashKind.Sha256, Cancellation);
        Assert.True(opened.Receipt.Succeeded, opened.Receipt.Sentence);
        return opened.Channel!.Value;
    }

    public RedemptionClaim Claim(ChannelId channel, ulong lane, ulong nonce, long milli, byte? secret, Epoch? expiry = null, SecpKey? signer = null)
    {
        byte[]? key = secret is { } seed ? SecretOf(seed) : null;
        HashLock? hashLock = key is null ? null : HashLock.Of(LockHashKind.Sha256, key);
        PaymentVoucher voucher = Scheme.Sign(signer ?? Payer, new VoucherTerms(channel, new LaneId(lane), new Nonce(nonce), Milli(milli), hashLock, expiry));
        return new RedemptionClaim(voucher, key is null ? null : (ReadOnlyMemory<byte>?)key);
    }

    public static TokenAmount Milli(long thousandths) => new(OneCoin.Atto * thousandths / 1000);

    public static byte[] SecretOf(byte seed)
    {
        var secret = new byte[32];
        Array.Fill(secret, seed);
        return secret;
    }

    public async ValueTask DisposeAsync()
    {
        Rail?.Dispose();
        if (_ownsNode)
            await Node.DisposeAsync();
        _folder.Delete(recursive: true);
        foreach (SecpKey key in (SecpKey[])[Payer, Payee, Stranger])
            key.Dispose();
    }

    private static SecpKey NewKey() => SecpKey.Generate(System.Security.Cryptography.RandomNumberGenerator.Fill);

    private async Task<ChainFixture> BeginAsync()
    {
        foreach (SecpKey key in (SecpKey[])[Payer, Payee, Stranger])
            await Node.FundAsync(EvmAddress.FromPublicKey(key.PublicKey.Span), new TokenAmount(OneCoin.Atto * 100), Cancellation);
        (RailReceipt receipt, EvmAddress? contract) = await EvmRail.DeployAsync(Options("deployer"), Stranger, SettleDelay, TimeProvider.System, Cancellation);
        Assert.True(receipt.Succeeded, receipt.Sentence);
        Contract = contract!.Value;
        Rail = await ConnectAsync("home");
        return this;
    }
}
