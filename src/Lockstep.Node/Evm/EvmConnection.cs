using System.Globalization;
using System.Numerics;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Evm;

/// <summary>A chain's node, and how carefully it is used.</summary>
public sealed record EvmNodeOptions
{
    /// <summary>The node's JSON-RPC address.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>A bearer token for the node, if it wants one.</summary>
    public string? Token { get; init; }

    /// <summary>The chain that the node must be on.</summary>
    public required ulong ChainId { get; init; }

    /// <summary>Blocks after which money paid in counts; null for what is usual on the chain.</summary>
    public long? Confirmations { get; init; }

    /// <summary>Blocks after which nothing is undone; null for what is usual on the chain.</summary>
    public long? Finality { get; init; }

    /// <summary>Most for a unit of gas, in atto; null for no limit.</summary>
    public BigInteger? MaxFeePerGas { get; init; }

    /// <summary>How long a transaction may lie about before it is sent again for more; null for five blocks.</summary>
    public TimeSpan? RaiseAfter { get; init; }

    /// <summary>The folder for the journal of transactions and its lock.</summary>
    public required string JournalFolder { get; init; }
}

/// <summary>A node that was found to be on the right chain and up to date, and what sends transactions through it.</summary>
internal sealed class EvmConnection : IDisposable
{
    // Ten blocks late, and at least this much: clocks differ.
    private const int MostBlocksBehind = 10;

    private static readonly TimeSpan LeastLag = TimeSpan.FromMinutes(5);

    private readonly TransactionJournal _journal;
    private readonly TimeProvider _time;

    private EvmConnection(EvmNode node, EvmChain chain, TransactionJournal journal, EvmNodeOptions options, TimeProvider time)
    {
        (Node, Chain, _journal, _time) = (node, chain, journal, time);
        Confirmations = options.Confirmations ?? chain.Confirmations;
        Finality = Math.Max(Confirmations, options.Finality ?? chain.Finality);
        TimeSpan block = TimeSpan.FromSeconds(chain.BlockSeconds);
        var policy = new SendingPolicy
        {
            Confirmations = Confirmations,
            Finality = Finality,
            Interval = chain.IsDevelopment ? TimeSpan.FromMilliseconds(50) : block / 4,
            RaiseAfter = options.RaiseAfter ?? (chain.IsDevelopment ? TimeSpan.FromSeconds(20) : block * 5),
            Patience = TimeSpan.FromSeconds(Math.Max(120, chain.BlockSeconds * (Confirmations + 20))),
            MaxFee = options.MaxFeePerGas,
        };
        Sender = new TransactionSender(node, chain, journal, policy, time, Path.Combine(options.JournalFolder, Name(chain) + ".lock"));
    }

    public EvmNode Node { get; }

    public EvmChain Chain { get; }

    public TransactionSender Sender { get; }

    /// <summary>What an account's transactions have cost, as far as this home sent them.</summary>
    public IReadOnlyList<GasSpent> Spent(string account) => _journal.Spent(account);

    /// <summary>Blocks after which money paid in counts.</summary>
    public long Confirmations { get; }

    /// <summary>Blocks after which nothing is undone.</summary>
    public long Finality { get; }

    /// <summary>Connects to a node.</summary>
    /// <exception cref="RailException">It cannot be reached, is on another chain, or is behind.</exception>
    /// <exception cref="NodeException">The journal cannot be opened.</exception>
    public static async Task<EvmConnection> OpenAsync(EvmNodeOptions options, TimeProvider time, CancellationToken cancellation)
    {
        var node = new EvmNode(new JsonRpcClient(options.Endpoint, options.Token, time));
        try
        {
            ulong actual = await AskAsync(() => node.GetChainIdAsync(cancellation)).ConfigureAwait(false);
            if (actual != options.ChainId)
            {
                throw new RailException(
                    $"The node {node.Name} is on chain {actual} ({EvmChain.Of(actual).Name}); expected chain {options.ChainId} ({EvmChain.Of(options.ChainId).Name}), so use another node or change the chain in the settings.");
            }

            var chain = EvmChain.Of(actual);
            var connection = new EvmConnection(node, chain, TransactionJournal.Open(Path.Combine(options.JournalFolder, Name(chain) + ".db")), options, time);
            try
            {
                await connection.GetHeadAsync(cancellation).ConfigureAwait(false);
                return connection;
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        }
        catch
        {
            node.Dispose();
            throw;
        }
    }

    /// <summary>The newest block.</summary>
    /// <exception cref="RailException">The node has none, or stopped following the chain.</exception>
    public async Task<EvmBlock> GetHeadAsync(CancellationToken cancellation)
    {
        EvmBlock head = await AskAsync(() => Node.GetBlockAsync(EvmNode.Latest, cancellation)).ConfigureAwait(false)
            ?? throw new RailException($"The node {Node.Name} has no blocks yet; wait until it has caught up.");
        TimeSpan lag = _time.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(Math.Min(head.Timestamp, DateTimeOffset.MaxValue.ToUnixTimeSeconds()));
        TimeSpan most = TimeSpan.FromSeconds(Chain.BlockSeconds * MostBlocksBehind);
        if (!Chain.IsDevelopment && lag > (most > LeastLag ? most : LeastLag))
            throw new RailException(string.Create(CultureInfo.InvariantCulture, $"The node {Node.Name} is behind: its newest block is {lag.TotalMinutes:0} minutes old. Wait until it has caught up, or use another node."));
        return head;
    }

    /// <summary>An error of the node that nobody expected, as what it is for a rail.</summary>
    /// <exception cref="RailException">The node cannot be asked, or refuses.</exception>
    public static async Task<T> AskAsync<T>(Func<Task<T>> question)
    {
        try
        {
            return await question().ConfigureAwait(false);
        }
        catch (JsonRpcException fault)
        {
            throw new RailException($"The node refuses {fault.Method}: {fault.Message}.", fault);
        }
    }

    public void Dispose()
    {
        Sender.Dispose();
        _journal.Dispose();
        Node.Dispose();
    }

    private static string Name(EvmChain chain) => string.Create(CultureInfo.InvariantCulture, $"evm-{chain.Id}");
}
