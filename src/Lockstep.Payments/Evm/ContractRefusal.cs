using System.Numerics;
using System.Text;
using Lockstep.Payments.Encodings;

namespace Lockstep.Payments.Evm;

/// <summary>Why the contract refuses a call. The names are those of its errors; the numbers are our own exit codes.</summary>
public enum ContractError
{
    Reentered = 101,
    BadParties,
    BadAmount,
    BadTransfer,
    UnknownChannel,
    NotAParty,
    NotThePayee,
    AlreadySettling,
    NotSettling,
    TooEarly,
    ChannelSettled,
    NothingToRedeem,
    BadLane,
    StaleNonce,
    AmountNotRaised,
    VoucherExpired,
    WrongSecret,
    BadSignature,
    NotCovered,
    DeadlinePassed,
    BelowOwed,
    NothingToWithdraw,
    BadDelay,

    /// <summary>A revert without a reason that the contract knows: out of gas, or another contract.</summary>
    Unknown = 199,
}

/// <summary>A refusal of the contract.</summary>
/// <param name="Error">Which rule.</param>
/// <param name="Argument">The voucher's place in the call, or the block from which it would work; null where there is none.</param>
public sealed record ContractRefusal(ContractError Error, BigInteger? Argument)
{
    private static readonly Dictionary<string, ContractError> BySelector = Enum.GetValues<ContractError>()
        .Where(error => error != ContractError.Unknown)
        .ToDictionary(error => Selector($"{error}({ArgumentType(error)})"));

    /// <summary>One sentence for people.</summary>
    public string Sentence => Error switch
    {
        ContractError.Reentered => "A token called back into the contract, which it refuses.",
        ContractError.BadParties => "A channel has two parties: the payee is another account than the payer, and not the contract.",
        ContractError.BadAmount => "The amount is zero, too large, or not the amount that was sent.",
        ContractError.BadTransfer => "The transfer failed, or the token delivered another amount than it was told to.",
        ContractError.UnknownChannel => "The contract has no such channel, or it is closed.",
        ContractError.NotAParty => "Only the channel's payer and payee may do this.",
        ContractError.NotThePayee => "Only the channel's payee may redeem.",
        ContractError.AlreadySettling => "The channel is settling already.",
        ContractError.NotSettling => "The channel must be settled before it can be collected.",
        ContractError.TooEarly => $"The settling period is not over; the channel can be collected from block {Argument}.",
        ContractError.ChannelSettled => "The settling period is over; nothing can be redeemed any more.",
        ContractError.NothingToRedeem => "The call holds no voucher.",
        ContractError.BadLane => $"Voucher {Argument} of the call is for a lane that no channel has.",
        ContractError.StaleNonce => $"Voucher {Argument} of the call is not newer than the last one redeemed on its lane.",
        ContractError.AmountNotRaised => $"Voucher {Argument} of the call pays no more than its lane has paid already.",
        ContractError.VoucherExpired => $"Voucher {Argument} of the call has expired.",
        ContractError.WrongSecret => $"Voucher {Argument} of the call does not open with the secret that was shown.",
        ContractError.BadSignature => $"Voucher {Argument} of the call is not signed by the channel's payer.",
        ContractError.NotCovered => "The channel's balance does not cover it.",
        ContractError.DeadlinePassed => "The agreement to close has lapsed.",
        ContractError.BelowOwed => "The agreement gives the payee less than it has redeemed.",
        ContractError.BadDelay => $"The settle delay is from 1 to {ChannelContract.MaxSettleDelay} blocks.",
        ContractError.NothingToWithdraw => "The contract holds nothing for this account.",
        _ => "The contract reverted without a reason: too little gas, or something else at its address.",
    };

    /// <summary>Reads the data of a revert, which may be anything.</summary>
    public static ContractRefusal Parse(ReadOnlySpan<byte> data)
    {
        if (data.Length < 4 || !BySelector.TryGetValue(Convert.ToHexStringLower(data[..4]), out ContractError error))
            return new ContractRefusal(ContractError.Unknown, null);
        return new ContractRefusal(error, data.Length >= 36 ? new BigInteger(data.Slice(4, 32), isUnsigned: true, isBigEndian: true) : null);
    }

    private static string ArgumentType(ContractError error) => error switch
    {
        ContractError.TooEarly => "uint64",
        >= ContractError.BadLane and <= ContractError.NotCovered => "uint256",
        _ => "",
    };

    private static string Selector(string signature) => Convert.ToHexStringLower(Keccak.Hash256(Encoding.ASCII.GetBytes(signature)).AsSpan(0, 4));
}
