using Lockstep.Payments;
using Lockstep.Payments.Rails;

namespace Lockstep.Retrieval.Tests.World;

/// <summary>A ledger with the payment-channel actor's rules as far as the deal meets them, in memory.</summary>
internal sealed class TestLedger(AccountId payer, AccountId payee, TokenAmount wallet)
{
    public const long SettleDelay = 1440;

    private readonly Dictionary<ChannelId, Held> _channels = [];

    public TokenAmount Wallet { get; set; } = wallet;

    public TokenAmount PaidToPayee { get; private set; }

    public List<(ChannelId Channel, Redemption Redemption)> Redemptions { get; } = [];

    public int ChannelsOpened { get; private set; }

    public OpenChannelReceipt Open(TokenAmount amount, LockHashKind hash, Epoch now)
    {
        if (amount > Wallet)
            return new OpenChannelReceipt(Receipt(RailOutcome.InsufficientFunds, $"The wallet lacks {amount - Wallet} atto.", now), null);
        Wallet -= amount;
        var id = new ChannelId($"channel{ChannelsOpened++}");
        _channels[id] = new Held(amount, hash);
        return new OpenChannelReceipt(Receipt(RailOutcome.Executed, "Opened.", now), id);
    }

    public RailReceipt TopUp(ChannelId id, TokenAmount amount, Epoch now)
    {
        if (amount > Wallet)
            return Receipt(RailOutcome.InsufficientFunds, $"The wallet lacks {amount - Wallet} atto.", now);
        Wallet -= amount;
        _channels[id].Balance += amount;
        return Receipt(RailOutcome.Executed, "Topped up.", now);
    }

    public ChannelSnapshot? Read(ChannelId id, Epoch now) => !_channels.TryGetValue(id, out Held? held) ? null : new ChannelSnapshot
    {
        Id = id,
        Payer = payer,
        Payee = payee,
        PartiesAreAccounts = true,
        LockHash = held.Hash,
        Balance = held.Balance,
        ToSend = held.ToSend,
        SettlingAt = held.SettlingAt,
        Lanes = held.Lanes.ToDictionary(),
        AsOf = now,
    };

    public IReadOnlyList<ChannelSnapshot> All(Epoch now) => [.. _channels.Keys.Select(id => Read(id, now)!)];

    public bool Redeem(RedemptionClaim claim, Epoch now)
    {
        PaymentVoucher voucher = claim.Voucher;
        Held held = _channels[voucher.Channel];
        bool known = held.Lanes.TryGetValue(voucher.Lane, out LaneSnapshot? lane);
        TokenAmount added = voucher.Amount - (lane?.Redeemed ?? TokenAmount.Zero);
        bool fine = voucher.Signer == payer && !voucher.IsExpired(now) && (held.SettlingAt is not { } end || now < end)
            && (voucher.Lock is null || (claim.Secret is { } secret && voucher.Lock.OpensWith(secret.Span)))
            && (!known || voucher.Nonce > lane!.Nonce) && held.ToSend + added <= held.Balance;
        if (!fine)
            return false;
        held.ToSend += added;
        held.Lanes[voucher.Lane] = new LaneSnapshot(voucher.Amount, voucher.Nonce);
        Redemptions.Add((voucher.Channel, new Redemption(voucher.Key, voucher.Amount, voucher.Lock, claim.Secret ?? default, now, $"tx{Redemptions.Count}")));
        return true;
    }

    public RedemptionPage ReadRedemptions(ChannelId id, RedemptionCursor since)
    {
        Redemption[] all = [.. Redemptions.Where(entry => entry.Channel == id).Select(entry => entry.Redemption)];
        int from = since.Position is null ? 0 : int.Parse(since.Position, System.Globalization.CultureInfo.InvariantCulture);
        return new RedemptionPage(all[from..], new RedemptionCursor(all.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)));
    }

    public void Settle(ChannelId id, Epoch now) => _channels[id].SettlingAt ??= now + SettleDelay;

    public void CollectAll()
    {
        foreach (Held held in _channels.Values)
        {
            PaidToPayee += held.ToSend;
            Wallet += held.Balance - held.ToSend;
        }
        _channels.Clear();
    }

    private static RailReceipt Receipt(RailOutcome outcome, string sentence, Epoch now) => new(outcome, 0, sentence, "tx", now);

    private sealed class Held(TokenAmount balance, LockHashKind hash)
    {
        public TokenAmount Balance { get; set; } = balance;

        public TokenAmount ToSend { get; set; }

        public Epoch? SettlingAt { get; set; }

        public LockHashKind Hash { get; } = hash;

        public Dictionary<LaneId, LaneSnapshot> Lanes { get; } = [];
    }
}
