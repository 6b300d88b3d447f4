using Lockstep.Node.Ledger;
using Lockstep.Payments;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Tests.Ledger;

public sealed class LocalLedgerTests
{
    private static readonly byte[] Secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly TokenAmount Coin = LedgerFixture.OneCoin;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_ledger_keeps_its_settings_and_its_name()
    {
        using var world = new LedgerFixture(new LedgerSettings { EpochLength = TimeSpan.FromSeconds(7), SettleDelayEpochs = 99 });
        LocalLedger again = LocalLedger.OpenOrCreate(world.Path, new LedgerSettings(), world.Time);
        Assert.Equal(7, again.Description.EpochSeconds);
        Assert.Equal(99, again.Description.SettleDelayEpochs);
        Assert.Equal(world.Ledger.Description.Id, again.Description.Id);
        Assert.Equal([LockHashKind.Sha256, LockHashKind.Blake2b256], again.Description.LockHashes);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(world.Path));
    }

    [Fact]
    public async Task Epochs_count_from_the_making_and_never_fall()
    {
        using var world = new LedgerFixture();
        Assert.Equal(0, (await world.Ledger.GetHeadAsync(Cancellation)).Value);
        await world.GoToAsync(50);
        await world.Ledger.FundAsync(world.AccountOf(world.Payer), Coin, Cancellation);
        world.Time.Advance(TimeSpan.FromSeconds(-40));
        Assert.Equal(50, (await world.Ledger.GetHeadAsync(Cancellation)).Value);
        world.Time.Advance(TimeSpan.FromSeconds(41));
        Assert.Equal(51, (await world.Ledger.GetHeadAsync(Cancellation)).Value);
    }

    [Theory]
    [InlineData(LockHashKind.Sha256)]
    [InlineData(LockHashKind.Blake2b256)]
    public async Task A_locked_voucher_is_paid_for_its_secret_and_publishes_it(LockHashKind kind)
    {
        using var world = new LedgerFixture();
        ChannelId channel = await world.OpenAsync(Coin * 5, kind);
        var hashLock = HashLock.Of(kind, Secret);
        PaymentVoucher voucher = world.Sign(channel, 0, 1, Coin, hashLock, expiry: 100);

        RailReceipt wrong = await world.RedeemAsync(voucher, [.. Secret.Reverse()]);
        Assert.Equal((RailOutcome.Refused, ExitCode.IllegalArgument), (wrong.Outcome, wrong.ExitCode));
        RailReceipt receipt = await world.RedeemAsync(voucher, Secret);
        Assert.Equal(RailOutcome.Executed, receipt.Outcome);

        RedemptionPage page = await world.Ledger.ReadRedemptionsAsync(channel, RedemptionCursor.Start, Cancellation);
        Redemption redemption = Assert.Single(page.Redemptions);
        Assert.Equal(new VoucherKey(channel, new LaneId(0), new Nonce(1)), redemption.Voucher);
        Assert.Equal(Secret, redemption.Secret.ToArray());
        Assert.Equal(hashLock, redemption.Lock);
        Assert.Equal(Coin, redemption.Amount);
        Assert.Equal(receipt.TransactionId, redemption.TransactionId);
        Assert.Empty((await world.Ledger.ReadRedemptionsAsync(channel, page.Next, Cancellation)).Redemptions);
        ChannelSnapshot snapshot = (await world.Ledger.GetChannelAsync(channel, Cancellation))!;
        Assert.Equal((Coin * 5, Coin, kind), (snapshot.Balance, snapshot.ToSend, snapshot.LockHash));
        Assert.Equal(world.AccountOf(world.Payer), snapshot.Payer);
        Assert.Equal(world.AccountOf(world.Payee), snapshot.Payee);
    }

    [Fact]
    public async Task The_lock_hash_is_the_channels()
    {
        using var world = new LedgerFixture();
        ChannelId channel = await world.OpenAsync(Coin, LockHashKind.Sha256);
        PaymentVoucher voucher = world.Sign(channel, 0, 1, Coin, HashLock.Of(LockHashKind.Blake2b256, Secret), expiry: 100);
        Assert.Equal(RailOutcome.Refused, (await world.RedeemAsync(voucher, Secret)).Outcome);
    }

    [Fact]
    public async Task A_refused_redemption_does_not_publish_the_secret()
    {
        using var world = new LedgerFixture();
        ChannelId channel = await world.OpenAsync(Coin);
        PaymentVoucher tooMuch = world.Sign(channel, 0, 1, Coin * 2, HashLock.Of(LockHashKind.Sha256, Secret), expiry: 100);
        Assert.Equal(RailOutcome.Refused, (await world.RedeemAsync(tooMuch, Secret)).Outcome);
        byte[] parameters = new UpdateChannelStateParamsProbe(tooMuch, Secret).Encoded;
        Assert.Equal(0, world.Query<int>($"SELECT count(*) FROM messages WHERE params = x'{Convert.ToHexString(parameters)}'"));
        Assert.Equal(0, world.Query<int>("SELECT count(*) FROM messages WHERE method = 2 AND receiver_id IN (SELECT id FROM channels)"));
    }

    [Fact]
    public async Task Repeating_a_redemption_a_settle_or_a_collect_is_safe()
    {
        using var world = new LedgerFixture();
        ChannelId channel = await world.OpenAsync(Coin * 5);
        PaymentVoucher voucher = world.Sign(channel, 3, 1, Coin);
        Assert.Equal(RailOutcome.Executed, (await world.RedeemAsync(voucher)).Outcome);
        Assert.Equal(RailOutcome.AlreadyDone, (await world.RedeemAsync(voucher)).Outcome);
        Assert.Equal(RailOutcome.Executed, (await world.Ledger.SettleAsync(world.Payer, channel, Cancellation)).Outcome);
        Assert.Equal(RailOutcome.AlreadyDone, (await world.Ledger.SettleAsync(world.Payee, channel, Cancellation)).Outcome);
        await world.GoToAsync(1440);
        Assert.Equal(RailOutcome.Executed, (await world.Ledger.CollectAsync(world.Payee, channel, Cancellation)).Outcome);
        Assert.Equal(RailOutcome.AlreadyDone, (await world.Ledger.CollectAsync(world.Payer, channel, Cancellation)).Outcome);
        Assert.Equal(Coin, await world.Ledger.GetBalanceAsync(world.AccountOf(world.Payee), Cancellation));
        Assert.Equal(Coin * 4, await world.Ledger.GetBalanceAsync(world.AccountOf(world.Payer), Cancellation));
        await world.AssertConservedAsync();
    }

    [Fact]
    public async Task A_collected_channel_is_gone_but_its_secrets_stay_readable()
    {
        using var world = new LedgerFixture(new LedgerSettings { EpochLength = TimeSpan.FromSeconds(1), SettleDelayEpochs = 10 });
        ChannelId channel = await world.OpenAsync(Coin);
        await world.RedeemAsync(world.Sign(channel, 0, 1, Coin, HashLock.Of(LockHashKind.Sha256, Secret), expiry: 9), Secret);
        await world.Ledger.SettleAsync(world.Payer, channel, Cancellation);
        Assert.Equal(ExitCode.Forbidden, (await world.Ledger.CollectAsync(world.Payer, channel, Cancellation)).ExitCode);
        await world.GoToAsync(10);
        Assert.True((await world.Ledger.CollectAsync(world.Payer, channel, Cancellation)).Succeeded);
        Assert.Null(await world.Ledger.GetChannelAsync(channel, Cancellation));
        Assert.Empty(await world.Ledger.FindChannelsAsync(world.AccountOf(world.Payer), Cancellation));
        Assert.Equal(RailOutcome.UnknownChannel, (await world.Ledger.TopUpAsync(world.Payer, channel, TokenAmount.Zero, Cancellation)).Outcome);
        RedemptionPage page = await world.Ledger.ReadRedemptionsAsync(channel, RedemptionCursor.Start, Cancellation);
        Assert.Equal(Secret, Assert.Single(page.Redemptions).Secret.ToArray());
    }

    [Fact]
    public async Task The_settling_period_pays_to_its_last_epoch()
    {
        using var world = new LedgerFixture(new LedgerSettings { EpochLength = TimeSpan.FromSeconds(1), SettleDelayEpochs = 10 });
        ChannelId channel = await world.OpenAsync(Coin * 3);
        await world.GoToAsync(5);
        await world.Ledger.SettleAsync(world.Payer, channel, Cancellation);
        Assert.Equal(15, (await world.Ledger.GetChannelAsync(channel, Cancellation))!.SettlingAt!.Value.Value);
        await world.GoToAsync(14);
        Assert.Equal(RailOutcome.Executed, (await world.RedeemAsync(world.Sign(channel, 0, 1, Coin))).Outcome);
        await world.GoToAsync(15);
        Assert.Equal(ExitCode.ChannelSettled, (await world.RedeemAsync(world.Sign(channel, 0, 2, Coin * 2))).ExitCode);
    }

    [Fact]
    public async Task Only_the_parties_may_call_and_the_payer_cannot_redeem()
    {
        using var world = new LedgerFixture();
        ChannelId channel = await world.OpenAsync(Coin);
        await world.Ledger.FundAsync(world.AccountOf(world.Stranger), Coin, Cancellation);
        PaymentVoucher voucher = world.Sign(channel, 0, 1, Coin);
        Assert.Equal(ExitCode.Forbidden, (await world.RedeemAsync(voucher, caller: world.Stranger)).ExitCode);
        Assert.Equal(ExitCode.IllegalArgument, (await world.RedeemAsync(voucher, caller: world.Payer)).ExitCode);
        Assert.Equal(ExitCode.Forbidden, (await world.Ledger.SettleAsync(world.Stranger, channel, Cancellation)).ExitCode);
        Assert.True((await world.Ledger.TopUpAsync(world.Stranger, channel, Coin, Cancellation)).Succeeded);
        Assert.Equal(Coin * 2, (await world.Ledger.GetChannelAsync(channel, Cancellation))!.Balance);
    }

    [Fact]
    public async Task An_account_pays_no_more_than_it_has()
    {
        using var world = new LedgerFixture();
        AccountId payee = world.AccountOf(world.Payee);
        OpenChannelReceipt unknown = await world.Ledger.OpenChannelAsync(world.Payer, payee, Coin, LockHashKind.Sha256, Cancellation);
        Assert.Equal((RailOutcome.InsufficientFunds, null), (unknown.Receipt.Outcome, unknown.Channel));
        await world.Ledger.FundAsync(world.AccountOf(world.Payer), Coin, Cancellation);
        OpenChannelReceipt poor = await world.Ledger.OpenChannelAsync(world.Payer, payee, Coin + new TokenAmount(1), LockHashKind.Sha256, Cancellation);
        Assert.Equal((RailOutcome.InsufficientFunds, ExitCode.InsufficientFunds), (poor.Receipt.Outcome, poor.Receipt.ExitCode));
        Assert.Equal(Coin, await world.Ledger.GetBalanceAsync(world.AccountOf(world.Payer), Cancellation));
        Assert.Equal(TokenAmount.Zero, await world.Ledger.GetBalanceAsync(payee, Cancellation));
    }

    [Fact]
    public async Task Channels_are_found_by_either_party_and_have_the_predicted_address()
    {
        using var world = new LedgerFixture();
        ChannelId first = await world.OpenAsync(Coin);
        ChannelId second = await world.OpenAsync(Coin, LockHashKind.Blake2b256);
        Assert.NotEqual(first, second);
        Assert.Equal([first, second], (await world.Ledger.FindChannelsAsync(world.AccountOf(world.Payer), Cancellation)).Select(c => c.Id));
        Assert.Equal([first, second], (await world.Ledger.FindChannelsAsync(world.AccountOf(world.Payee), Cancellation)).Select(c => c.Id));
        Assert.Empty(await world.Ledger.FindChannelsAsync(world.AccountOf(world.Stranger), Cancellation));
        Assert.Equal(Payments.Addresses.Address.PredictActor(world.Payer.Address, 0).ToString(Payments.Addresses.Network.Test), first.Text);
    }

    [Fact]
    public async Task History_is_read_in_pages()
    {
        using var world = new LedgerFixture();
        ChannelId channel = await world.OpenAsync(Coin);
        const int Count = 300;
        for (ulong nonce = 1; nonce <= Count; nonce++)
            Assert.True((await world.RedeemAsync(world.Sign(channel, 0, nonce, new TokenAmount(nonce)))).Succeeded);
        var seen = new List<ulong>();
        RedemptionPage page = await world.Ledger.ReadRedemptionsAsync(channel, RedemptionCursor.Start, Cancellation);
        for (; page.Redemptions.Count != 0; page = await world.Ledger.ReadRedemptionsAsync(channel, page.Next, Cancellation))
            seen.AddRange(page.Redemptions.Select(redemption => redemption.Voucher.Nonce.Value));
        Assert.Equal(Enumerable.Range(1, Count).Select(i => (ulong)i), seen);
    }

    private sealed class UpdateChannelStateParamsProbe(PaymentVoucher voucher, byte[] secret)
    {
        public byte[] Encoded { get; } = Encode(voucher, secret);

        private static byte[] Encode(PaymentVoucher voucher, byte[] secret)
        {
            Assert.True(Payments.Vouchers.VoucherCodec.TryDecode(voucher.Encoded, Payments.Vouchers.VoucherReading.Canonical, out var signed, out _));
            return new UpdateChannelStateParams(signed, secret).Encode();
        }
    }
}
