using Lockstep.Payments;
using Lockstep.Payments.Channels;

namespace Lockstep.Node.Ledger;

/// <summary>What is fixed when a local ledger is made.</summary>
public sealed record LedgerSettings
{
    /// <summary>The length of an epoch; Filecoin's is 30 s.</summary>
    public TimeSpan EpochLength { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Epochs between Settle and Collect; Filecoin's are 1440.</summary>
    public long SettleDelayEpochs { get; init; } = PaychActor.FilecoinSettleDelay;

    internal void Validate()
    {
        if (EpochLength < TimeSpan.FromMilliseconds(1) || EpochLength > TimeSpan.FromDays(1))
            throw new ArgumentException($"An epoch of {EpochLength} is out of range: from 1 ms to one day.");
        if (SettleDelayEpochs is < 1 or > 1_000_000_000)
            throw new ArgumentException($"A settle delay of {SettleDelayEpochs} epochs is out of range: from 1 to 1,000,000,000.");
    }
}

/// <summary>The ledger's books: in a sound ledger the three figures satisfy Minted = Accounts + Channels.</summary>
/// <param name="Minted">All money that the faucet has ever made.</param>
/// <param name="Accounts">The sum over all accounts.</param>
/// <param name="Channels">The sum over all channels.</param>
public sealed record LedgerAudit(TokenAmount Minted, TokenAmount Accounts, TokenAmount Channels)
{
    public bool Balances => Minted == Accounts + Channels;
}
