namespace Lockstep.Payments.Channels;

/// <summary>Filecoin's exit codes that a payment channel and the messages around it can give (docs/filecoin.md section 9).</summary>
public static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The sender is no account, or cannot send.</summary>
    public const int SenderInvalid = 1;

    /// <summary>Nothing lives at the receiver's address and nothing can be made there.</summary>
    public const int InvalidReceiver = 5;

    /// <summary>The sender has less than the message's value.</summary>
    public const int InsufficientFunds = 6;

    public const int IllegalArgument = 16;
    public const int NotFound = 17;
    public const int Forbidden = 18;
    public const int IllegalState = 20;
    public const int Serialization = 21;
    public const int UnhandledMessage = 22;
    public const int Unspecified = 23;
    public const int AssertionFailed = 24;

    /// <summary>A voucher came at or after the epoch from which the channel can be collected.</summary>
    public const int ChannelSettled = 32;

    /// <summary>One sentence for people.</summary>
    public static string Describe(int code) => code switch
    {
        Ok => "Done.",
        SenderInvalid => "The sender is not an account that can send messages.",
        InvalidReceiver => "There is nothing at the address the message was sent to.",
        InsufficientFunds => "The sending account has less money than the message is to move.",
        IllegalArgument => "The channel refused the call's arguments: for a voucher its signature, time lock, secret, nonce, amount or lane does not fit.",
        NotFound => "A party named in the call does not exist.",
        Forbidden => "The caller may not do this, or not yet: only the channel's two parties may call it, and Collect only after the settling period.",
        IllegalState => "The channel is already settling.",
        Serialization => "The call's bytes could not be decoded.",
        UnhandledMessage => "The receiver has no such method.",
        Unspecified => "A call made on the way failed without a reason.",
        AssertionFailed => "The signing party is not an account that can confirm a signature.",
        ChannelSettled => "The channel's settling period is over, so it takes no more vouchers.",
        _ => $"The call failed with exit code {code}.",
    };
}
