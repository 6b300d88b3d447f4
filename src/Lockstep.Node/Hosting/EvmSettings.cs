using System.Globalization;
using System.Numerics;
using Lockstep.Node.Evm;
using Lockstep.Payments.Evm;

namespace Lockstep.Node.Hosting;

/// <summary>Where a home's EVM rail is, in <c>settings.json</c> under <c>evm</c>.</summary>
public sealed record EvmSettings
{
    /// <summary>The environment variable with the node's bearer token: a secret has no place in the settings.</summary>
    public const string TokenVariable = "LOCKSTEP_RPC_TOKEN";

    /// <summary>The node's JSON-RPC address.</summary>
    public required string Endpoint { get; init; }

    /// <summary>The chain's number; 314 is Filecoin's main network.</summary>
    public required ulong ChainId { get; init; }

    /// <summary>Where the contract lies.</summary>
    public required string Contract { get; init; }

    /// <summary>Blocks after which money paid in counts; null for what is usual on the chain.</summary>
    public long? Confirmations { get; init; }

    /// <summary>Blocks after which nothing is undone; null for what is usual on the chain.</summary>
    public long? Finality { get; init; }

    /// <summary>Most for a unit of gas in atto, a decimal string; null for no limit.</summary>
    public string? MaxFeePerGas { get; init; }

    /// <summary>One sentence about the first value out of range, or null.</summary>
    public string? Validate()
    {
        if (!IsEndpoint(Endpoint))
            return "evm.endpoint is the http or https address of a node, without a password in it.";
        if (ChainId is 0 or > long.MaxValue)
            return "evm.chainId is the number of a chain, such as 314.";
        if (!EvmAddress.TryParse(Contract, out _, out string error))
            return $"evm.contract: {error}";
        if (Confirmations is < 0 or > 10_000 || Finality is < 0 or > 100_000)
            return "evm.confirmations is from 0 to 10000 and evm.finality from 0 to 100000.";
        return MaxFeePerGas is { } fee && !(BigInteger.TryParse(fee, NumberStyles.None, CultureInfo.InvariantCulture, out BigInteger most) && most > 0)
            ? "evm.maxFeePerGas is a whole number of atto in decimal."
            : null;
    }

    /// <summary>True for an address that a node may have.</summary>
    public static bool IsEndpoint(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri is { Scheme: "http" or "https", UserInfo: "" };

    /// <summary>What a connection is opened with.</summary>
    public EvmNodeOptions ToOptions(string journalFolder) => new()
    {
        Endpoint = new Uri(Endpoint),
        Token = Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } token ? token : null,
        ChainId = ChainId,
        Confirmations = Confirmations,
        Finality = Finality,
        MaxFeePerGas = MaxFeePerGas is { } fee ? BigInteger.Parse(fee, CultureInfo.InvariantCulture) : null,
        JournalFolder = journalFolder,
    };
}
