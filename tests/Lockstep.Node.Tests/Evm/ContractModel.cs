using System.Numerics;
using Lockstep.Payments.Evm;

namespace Lockstep.Node.Tests.Evm;

/// <summary>A channel as the reference model holds it.</summary>
internal sealed class ModelChannel
{
    public required int Payer { get; init; }

    public required int Payee { get; init; }

    public bool IsOpen { get; set; } = true;

    public BigInteger Balance { get; set; }

    public BigInteger Owed { get; set; }

    public long SettlingAt { get; set; }

    public Dictionary<ulong, (BigInteger Amount, ulong Nonce)> Lanes { get; } = [];

    /// <summary>The most that the payer has ever signed, per lane: the payee's due.</summary>
    public Dictionary<ulong, BigInteger> Signed { get; } = [];

    /// <summary>The most that both have agreed on for the payee.</summary>
    public BigInteger Agreed { get; set; }
}

/// <summary>A voucher in a call of the model.</summary>
/// <param name="Lane">Its lane.</param>
/// <param name="Nonce">Its number.</param>
/// <param name="Amount">Cumulative.</param>
/// <param name="Expiry">The last block, 0 for none.</param>
/// <param name="Lock">The secret's seed, or null without a lock.</param>
/// <param name="Shown">The seed of the secret that is shown.</param>
/// <param name="Signer">Who signed it.</param>
internal sealed record ModelClaim(ulong Lane, ulong Nonce, BigInteger Amount, long Expiry, byte? Lock, byte Shown, int Signer);

/// <summary>
/// What the contract must do, written down once more without looking at it: one method a call, each says with which error it is
/// refused, or changes the books. Accounts are numbers; their money is what they have gained or lost.
/// </summary>
internal sealed class ContractModel(long settleDelay, IReadOnlySet<int> accountsWithCode, int accounts)
{
    public List<ModelChannel> Channels { get; } = [];

    public BigInteger[] Gained { get; } = new BigInteger[accounts];

    public BigInteger[] Credits { get; } = new BigInteger[accounts];

    /// <summary>What the contract must hold.</summary>
    public BigInteger Held => Channels.Where(channel => channel.IsOpen).Aggregate(BigInteger.Zero, (sum, channel) => sum + channel.Balance) + Credits.Aggregate(BigInteger.Zero, (sum, credit) => sum + credit);

    public ContractError? Open(int sender, int payee, BigInteger value, BigInteger amount)
    {
        if (payee == sender)
            return ContractError.BadParties;
        if (amount.IsZero || value != amount)
            return ContractError.BadAmount;
        Gained[sender] -= amount;
        Channels.Add(new ModelChannel { Payer = sender, Payee = payee, Balance = amount });
        return null;
    }

    public ContractError? TopUp(int sender, int number, BigInteger value, BigInteger amount)
    {
        if (Find(number) is not { } channel)
            return ContractError.UnknownChannel;
        if (amount.IsZero || value != amount)
            return ContractError.BadAmount;
        Gained[sender] -= amount;
        channel.Balance += amount;
        return null;
    }

    public ContractError? Redeem(int sender, int number, IReadOnlyList<ModelClaim> claims, long block)
    {
        if (Find(number) is not { } channel)
            return ContractError.UnknownChannel;
        if (sender != channel.Payee)
            return ContractError.NotThePayee;
        if (channel.SettlingAt != 0 && block >= channel.SettlingAt)
            return ContractError.ChannelSettled;
        if (claims.Count == 0)
            return ContractError.NothingToRedeem;
        var lanes = new Dictionary<ulong, (BigInteger Amount, ulong Nonce)>(channel.Lanes);
        BigInteger owed = channel.Owed;
        foreach (ModelClaim claim in claims)
        {
            (BigInteger amount, ulong nonce) = lanes.GetValueOrDefault(claim.Lane);
            if (claim.Lane > 65535)
                return ContractError.BadLane;
            if (claim.Nonce <= nonce)
                return ContractError.StaleNonce;
            if (claim.Amount <= amount)
                return ContractError.AmountNotRaised;
            if (claim.Expiry != 0 && block > claim.Expiry)
                return ContractError.VoucherExpired;
            if (claim.Lock is { } seed && seed != claim.Shown)
                return ContractError.WrongSecret;
            if (claim.Signer != channel.Payer)
                return ContractError.BadSignature;
            owed += claim.Amount - amount;
            if (owed > channel.Balance)
                return ContractError.NotCovered;
            lanes[claim.Lane] = (claim.Amount, claim.Nonce);
        }

        channel.Owed = owed;
        foreach ((ulong lane, (BigInteger, ulong) state) in lanes)
            channel.Lanes[lane] = state;
        return null;
    }

    public ContractError? Settle(int sender, int number, long block)
    {
        if (Find(number) is not { } channel)
            return ContractError.UnknownChannel;
        if (sender != channel.Payer && sender != channel.Payee)
            return ContractError.NotAParty;
        if (channel.SettlingAt != 0)
            return ContractError.AlreadySettling;
        channel.SettlingAt = block + settleDelay;
        return null;
    }

    public ContractError? Collect(int sender, int number, long block)
    {
        if (Find(number) is not { } channel)
            return ContractError.UnknownChannel;
        if (sender != channel.Payer && sender != channel.Payee)
            return ContractError.NotAParty;
        if (channel.SettlingAt == 0)
            return ContractError.NotSettling;
        if (block < channel.SettlingAt)
            return ContractError.TooEarly;
        End(channel, channel.Owed);
        return null;
    }

    public ContractError? Close(int number, BigInteger toPayee, long deadline, int first, int second, long block)
    {
        if (Find(number) is not { } channel)
            return ContractError.UnknownChannel;
        if (block > deadline)
            return ContractError.DeadlinePassed;
        if (toPayee < channel.Owed)
            return ContractError.BelowOwed;
        if (toPayee > channel.Balance)
            return ContractError.NotCovered;
        if (first != channel.Payer || second != channel.Payee)
            return ContractError.BadSignature;
        End(channel, toPayee);
        return null;
    }

    public ContractError? Withdraw(int sender)
    {
        if (Credits[sender].IsZero)
            return ContractError.NothingToWithdraw;
        Gained[sender] += Credits[sender];
        Credits[sender] = 0;
        return null;
    }

    private ModelChannel? Find(int number) => number >= 1 && number <= Channels.Count && Channels[number - 1].IsOpen ? Channels[number - 1] : null;

    private void End(ModelChannel channel, BigInteger toPayee)
    {
        // Nobody gets more than the other one has signed for.
        BigInteger due = channel.Signed.Values.Aggregate(BigInteger.Zero, (sum, amount) => sum + amount);
        Assert.True(toPayee <= BigInteger.Max(due, channel.Agreed));
        channel.IsOpen = false;
        Pay(channel.Payee, toPayee);
        Pay(channel.Payer, channel.Balance - toPayee);
    }

    private void Pay(int account, BigInteger amount)
    {
        if (accountsWithCode.Contains(account))
            Credits[account] += amount;
        else
            Gained[account] += amount;
    }
}
