using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Evm;

/// <summary>A block's head.</summary>
/// <param name="Number">Its height; on FEVM the epoch.</param>
/// <param name="Hash">Its name.</param>
/// <param name="Timestamp">Seconds since 1970.</param>
/// <param name="BaseFee">What each unit of gas costs at least, in atto-units.</param>
public sealed record EvmBlock(long Number, string Hash, long Timestamp, BigInteger BaseFee);

/// <summary>What became of a transaction that is in a block.</summary>
/// <param name="Transaction">Its hash.</param>
/// <param name="Succeeded">False when it was undone.</param>
/// <param name="Block">Height of its block.</param>
/// <param name="BlockHash">The block's name.</param>
/// <param name="GasUsed">Units of gas.</param>
/// <param name="GasPrice">What each cost, in atto-units.</param>
/// <param name="Contract">The contract that it deployed, if it did.</param>
/// <param name="Logs">What the contracts said.</param>
public sealed record EvmReceipt(
    string Transaction, bool Succeeded, long Block, string BlockHash, long GasUsed, BigInteger GasPrice, EvmAddress? Contract, IReadOnlyList<EvmLog> Logs)
{
    public TokenAmount Cost => new(GasPrice * GasUsed);
}

/// <summary>A log entry of a contract.</summary>
public sealed record EvmLog(EvmAddress Address, IReadOnlyList<string> Topics, ReadOnlyMemory<byte> Data, long Block, string BlockHash, string Transaction, long Index);

/// <summary>The answer to a call that changes nothing: what it returned, or with what it reverted.</summary>
public sealed record EvmCallResult(bool Succeeded, ReadOnlyMemory<byte> Data);

/// <summary>
/// An EVM chain's node, typed. Every value it sends is checked for its form; one that has another becomes a
/// <see cref="RailException"/>, for a node may be of any make and may lie.
/// </summary>
public sealed class EvmNode(JsonRpcClient rpc) : IDisposable
{
    /// <summary>The newest block.</summary>
    public const string Latest = "latest";

    public string Name => rpc.Name;

    public Task<ulong> GetChainIdAsync(CancellationToken cancellation) => AskAsync("eth_chainId", [], answer => (ulong)Quantity(answer), cancellation);

    public Task<long> GetBlockNumberAsync(CancellationToken cancellation) => AskAsync("eth_blockNumber", [], Long, cancellation);

    /// <summary>A block by height or tag; null when the node has none there.</summary>
    public Task<EvmBlock?> GetBlockAsync(string block, CancellationToken cancellation) =>
        AskAsync("eth_getBlockByNumber", [block, false], answer => answer.ValueKind == JsonValueKind.Null ? null : Block(answer), cancellation);

    public Task<TokenAmount> GetBalanceAsync(EvmAddress account, string block, CancellationToken cancellation) =>
        AskAsync("eth_getBalance", [account.ToString(), block], answer => new TokenAmount(Quantity(answer)), cancellation);

    public Task<byte[]> GetCodeAsync(EvmAddress address, CancellationToken cancellation) =>
        AskAsync("eth_getCode", [address.ToString(), Latest], Bytes, cancellation);

    /// <summary>Transactions that an account has sent; with <c>pending</c> those that wait in the node's pool too.</summary>
    public Task<ulong> GetNonceAsync(EvmAddress account, string block, CancellationToken cancellation) =>
        AskAsync("eth_getTransactionCount", [account.ToString(), block], answer => (ulong)Quantity(answer), cancellation);

    /// <summary>The tip that gets a transaction into a block soon.</summary>
    public async Task<BigInteger> GetPriorityFeeAsync(CancellationToken cancellation)
    {
        try
        {
            return await AskAsync("eth_maxPriorityFeePerGas", [], Quantity, cancellation).ConfigureAwait(false);
        }
        catch (JsonRpcException)
        {
            // Not every node has the method; then what the legacy price says.
            return await AskAsync("eth_gasPrice", [], Quantity, cancellation).ConfigureAwait(false) / 10;
        }
    }

    /// <summary>Runs a call on a block's state without sending it. Never with a secret: the node would know it.</summary>
    public async Task<EvmCallResult> CallAsync(EvmAddress? from, EvmAddress to, ReadOnlyMemory<byte> data, string block, CancellationToken cancellation)
    {
        JsonObject call = new() { ["to"] = to.ToString(), ["data"] = Hex(data.Span) };
        if (from is { } sender)
            call["from"] = sender.ToString();
        try
        {
            return new EvmCallResult(true, await AskAsync("eth_call", [call, block], Bytes, cancellation).ConfigureAwait(false));
        }
        catch (JsonRpcException fault) when (IsRevert(fault))
        {
            return new EvmCallResult(false, TryBytes(fault.ErrorData));
        }
    }

    /// <summary>Gas that a call would take. Never with a secret: the node would know it.</summary>
    /// <exception cref="JsonRpcException">It would fail.</exception>
    public Task<long> EstimateGasAsync(EvmAddress from, EvmAddress? to, TokenAmount value, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        JsonObject call = new() { ["from"] = from.ToString(), ["value"] = Quantity(value.Atto), ["data"] = Hex(data.Span) };
        if (to is { } receiver)
            call["to"] = receiver.ToString();
        return AskAsync("eth_estimateGas", [call], Long, cancellation);
    }

    /// <summary>Hands over a signed transaction, once: a second attempt would be told that its number is taken, by the first.</summary>
    /// <exception cref="JsonRpcException">The node does not take it.</exception>
    /// <exception cref="RailException">Whether the node has it is not known.</exception>
    public Task SendAsync(ReadOnlyMemory<byte> raw, CancellationToken cancellation) => rpc.CallOnceAsync("eth_sendRawTransaction", [Hex(raw.Span)], cancellation);

    /// <summary>What became of a transaction; null while it is in no block.</summary>
    public Task<EvmReceipt?> GetReceiptAsync(string transaction, CancellationToken cancellation) => AskAsync("eth_getTransactionReceipt", [transaction], answer =>
    {
        if (answer.ValueKind == JsonValueKind.Null || Property(answer, "blockHash").ValueKind == JsonValueKind.Null)
            return null;
        EvmReceipt receipt = Receipt(answer);
        return receipt.Transaction == transaction ? receipt : throw new FormatException("the receipt of another transaction");
    }, cancellation);

    /// <summary>Log entries of a contract, oldest first.</summary>
    /// <param name="contract">Whose.</param>
    /// <param name="topics">What each topic must be; null for any.</param>
    /// <param name="from">The first block.</param>
    /// <param name="to">The last block.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public Task<IReadOnlyList<EvmLog>> GetLogsAsync(EvmAddress contract, IReadOnlyList<string?> topics, long from, long to, CancellationToken cancellation)
    {
        JsonObject filter = new()
        {
            ["address"] = contract.ToString(),
            ["topics"] = new JsonArray([.. topics.Select(topic => (JsonNode?)topic)]),
            ["fromBlock"] = Quantity(from),
            ["toBlock"] = Quantity(to),
        };
        return AskAsync<IReadOnlyList<EvmLog>>("eth_getLogs", [filter], answer => [.. answer.EnumerateArray().Select(Log).OrderBy(log => log.Block).ThenBy(log => log.Index)], cancellation);
    }

    /// <summary>A number as nodes write it.</summary>
    public static string Quantity(BigInteger value) => value.IsZero ? "0x0" : "0x" + value.ToString("x", CultureInfo.InvariantCulture).TrimStart('0');

    public static string Hex(ReadOnlySpan<byte> bytes) => "0x" + Convert.ToHexStringLower(bytes);

    public void Dispose() => rpc.Dispose();

    // Code 3 is a revert with data; other makes of nodes say it in words.
    private static bool IsRevert(JsonRpcException fault) => fault.Code == 3 || fault.Message.Contains("revert", StringComparison.OrdinalIgnoreCase);

    /// <summary>The bytes of a revert where a node's error carries them, else none.</summary>
    internal static byte[] TryBytes(string? hex)
    {
        if (hex is null)
            return [];
        // Some nodes write words before the bytes.
        int start = hex.IndexOf("0x", StringComparison.Ordinal);
        try
        {
            return start < 0 ? [] : Convert.FromHexString(hex.AsSpan(start + 2).TrimEnd('"'));
        }
        catch (FormatException)
        {
            return [];
        }
    }

    private async Task<T> AskAsync<T>(string method, JsonArray parameters, Func<JsonElement, T> read, CancellationToken cancellation)
    {
        JsonElement answer = await rpc.CallAsync(method, parameters, cancellation).ConfigureAwait(false);
        try
        {
            return read(answer);
        }
        catch (Exception fault) when (fault is FormatException or InvalidOperationException or OverflowException or KeyNotFoundException or ArgumentException)
        {
            throw new RailException($"The node {rpc.Name} answered {method} in a form that cannot be read ({fault.Message}); use another node.", fault);
        }
    }

    private static JsonElement Property(JsonElement value, string name) => value.TryGetProperty(name, out JsonElement property) ? property : throw new FormatException($"{name} is missing");

    private static BigInteger Quantity(JsonElement value)
    {
        string text = Text(value);
        if (text.Length is < 3 or > 66 || !text.StartsWith("0x", StringComparison.Ordinal))
            throw new FormatException("a number has another form");
        return BigInteger.Parse("0" + text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    private static long Long(JsonElement value) => (long)Quantity(value);

    private static string Text(JsonElement value) => value.GetString() ?? throw new FormatException("a text is missing");

    private static byte[] Bytes(JsonElement value)
    {
        string text = Text(value);
        return text.StartsWith("0x", StringComparison.Ordinal) ? Convert.FromHexString(text.AsSpan(2)) : throw new FormatException("bytes have another form");
    }

    private static string Hash(JsonElement value)
    {
        byte[] hash = Bytes(value);
        return hash.Length == 32 ? Hex(hash) : throw new FormatException("a hash has another length");
    }

    private static EvmAddress Address(JsonElement value) => new(Bytes(value));

    private static EvmBlock Block(JsonElement value) => new(
        Long(Property(value, "number")), Hash(Property(value, "hash")), Long(Property(value, "timestamp")),
        value.TryGetProperty("baseFeePerGas", out JsonElement fee) && fee.ValueKind == JsonValueKind.String ? Quantity(fee) : BigInteger.Zero);

    private static EvmReceipt Receipt(JsonElement value) => new(
        Hash(Property(value, "transactionHash")), Long(Property(value, "status")) == 1, Long(Property(value, "blockNumber")), Hash(Property(value, "blockHash")),
        Long(Property(value, "gasUsed")), value.TryGetProperty("effectiveGasPrice", out JsonElement price) ? Quantity(price) : BigInteger.Zero,
        value.TryGetProperty("contractAddress", out JsonElement contract) && contract.ValueKind == JsonValueKind.String ? Address(contract) : null,
        [.. Property(value, "logs").EnumerateArray().Select(Log)]);

    private static EvmLog Log(JsonElement value) => new(
        Address(Property(value, "address")), [.. Property(value, "topics").EnumerateArray().Select(Hash)], Bytes(Property(value, "data")),
        Long(Property(value, "blockNumber")), Hash(Property(value, "blockHash")), Hash(Property(value, "transactionHash")), Long(Property(value, "logIndex")));
}
