using System.Globalization;
using Lockstep.Payments.Rails;

namespace Lockstep.Payments.Evm;

/// <summary>The contract that holds the channels of a rail, and the chain it is on.</summary>
/// <param name="ChainId">The chain's number; 314 is Filecoin's main network.</param>
/// <param name="Address">Where the contract lies.</param>
public sealed record EvmContract(ulong ChainId, EvmAddress Address)
{
    /// <summary>The rail's name in deals: <c>evm:314:0x…</c>.</summary>
    public string RailId => string.Create(CultureInfo.InvariantCulture, $"evm:{ChainId}:{Address}");

    /// <summary>A channel of this contract, by its number there: <c>evm:314:0x…/7</c>.</summary>
    public ChannelId ChannelAt(ulong number) => new(string.Create(CultureInfo.InvariantCulture, $"{RailId}/{number}"));

    /// <summary>Reads the text of a channel of this contract.</summary>
    /// <param name="text">What somebody typed or sent.</param>
    /// <param name="number">The channel's number in the contract.</param>
    /// <param name="error">One sentence for people; empty when it was read.</param>
    public bool TryParseChannel(string text, out ulong number, out string error)
    {
        number = 0;
        error = "";
        int slash = text.LastIndexOf('/');
        bool isChannel = slash > 0 && text.StartsWith("evm:", StringComparison.Ordinal)
            && ulong.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && number is > 0 and <= MaxNumber && text[slash + 1] != '0';
        if (!isChannel)
            error = $"'{text}' is no channel of an EVM rail; expected for example {RailId}/7.";
        else if (text[..slash] != RailId)
            error = $"'{text}' is a channel of another contract or chain; this rail is {RailId}.";
        return error.Length == 0;
    }

    // The contract counts in 48 bits.
    private const ulong MaxNumber = (1UL << 48) - 1;
}
