using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Tests.Evm;

/// <summary>The rail on a real EVM: every call, what it refuses, and that it can be repeated.</summary>
public sealed class EvmRailTests(DevelopmentChain chain)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AChannelIsOpenedPaidFromAndPaidOut()
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        ChannelSnapshot opened = (await fixture.Rail.GetChannelAsync(channel, Cancellation))!;
        Assert.Equal(fixture.AccountOf(fixture.Payer), opened.Payer);
        Assert.Equal(fixture.AccountOf(fixture.Payee), opened.Payee);
        Assert.Equal(ChainFixture.Milli(1000), opened.Balance);
        Assert.Empty(opened.Lanes);
        Assert.Equal([channel], (await fixture.Rail.FindChannelsAsync(fixture.AccountOf(fixture.Payer), Cancellation)).Select(found => found.Id));
        Assert.Equal([channel], (await fixture.Rail.FindChannelsAsync(fixture.AccountOf(fixture.Payee), Cancellation)).Select(found => found.Id));
        Assert.Empty(await fixture.Rail.FindChannelsAsync(fixture.AccountOf(fixture.Stranger), Cancellation));

        // Two lanes in one call: one under a lock, one without.
        RedemptionClaim[] claims = [fixture.Claim(channel, 0, 1, 300, 7), fixture.Claim(channel, 3, 9, 200, null)];
        RailReceipt redeemed = await fixture.Rail.RedeemAsync(fixture.Payee, channel, claims, Cancellation);
        Assert.Equal(RailOutcome.Executed, redeemed.Outcome);
        Assert.Contains("gas", redeemed.Sentence, StringComparison.Ordinal);
        RailReceipt again = await fixture.Rail.RedeemAsync(fixture.Payee, channel, claims, Cancellation);
        Assert.Equal(RailOutcome.AlreadyDone, again.Outcome);

        ChannelSnapshot paid = (await fixture.Rail.GetChannelAsync(channel, Cancellation))!;
        Assert.Equal(ChainFixture.Milli(500), paid.ToSend);
        Assert.Equal(new LaneSnapshot(ChainFixture.Milli(300), new Nonce(1)), paid.Lanes[new LaneId(0)]);
        Assert.Equal(new LaneSnapshot(ChainFixture.Milli(200), new Nonce(9)), paid.Lanes[new LaneId(3)]);
        Assert.Equal(2, paid.Lanes.Count);

        RedemptionPage page = await fixture.Rail.ReadRedemptionsAsync(channel, RedemptionCursor.Start, Cancellation);
        Assert.Equal([new LaneId(0), new LaneId(3)], page.Redemptions.Select(redemption => redemption.Voucher.Lane));
        Assert.Equal(ChainFixture.SecretOf(7), page.Redemptions[0].Secret.ToArray());
        Assert.Equal(claims[0].Voucher.Lock, page.Redemptions[0].Lock);
        Assert.Null(page.Redemptions[1].Lock);
        Assert.Empty((await fixture.Rail.ReadRedemptionsAsync(channel, page.Next, Cancellation)).Redemptions);

        TokenAmount before = await fixture.Rail.GetBalanceAsync(fixture.AccountOf(fixture.Payer), Cancellation);
        Assert.Equal(RailOutcome.Executed, (await fixture.Rail.TopUpAsync(fixture.Stranger, channel, ChainFixture.Milli(50), Cancellation)).Outcome);
        Assert.Equal(RailOutcome.Refused, (await fixture.Rail.CollectAsync(fixture.Payee, channel, Cancellation)).Outcome);
        Assert.Equal(RailOutcome.Executed, (await fixture.Rail.SettleAsync(fixture.Payee, channel, Cancellation)).Outcome);
        Assert.Equal(RailOutcome.AlreadyDone, (await fixture.Rail.SettleAsync(fixture.Payer, channel, Cancellation)).Outcome);
        Assert.True((await fixture.Rail.GetChannelAsync(channel, Cancellation))!.IsSettling);

        // Vouchers are paid until the period is over.
        Assert.Equal(RailOutcome.Executed, (await fixture.Rail.RedeemAsync(fixture.Payee, channel, [fixture.Claim(channel, 0, 2, 400, 8)], Cancellation)).Outcome);
        await fixture.Node.MineAsync(ChainFixture.SettleDelay, Cancellation);
        RailReceipt late = await fixture.Rail.RedeemAsync(fixture.Payee, channel, [fixture.Claim(channel, 0, 3, 500, 9)], Cancellation);
        Assert.Equal((RailOutcome.Refused, (int)ContractError.ChannelSettled), (late.Outcome, late.ExitCode));
        Assert.Equal(RailOutcome.Executed, (await fixture.Rail.CollectAsync(fixture.Payee, channel, Cancellation)).Outcome);
        Assert.Equal(RailOutcome.AlreadyDone, (await fixture.Rail.CollectAsync(fixture.Payee, channel, Cancellation)).Outcome);
        Assert.Null(await fixture.Rail.GetChannelAsync(channel, Cancellation));

        // The payer did nothing but receive: its call to settle again was refused before it was sent. A redemption is known of a closed channel too.
        Assert.Equal(before + ChainFixture.Milli(450), await fixture.Rail.GetBalanceAsync(fixture.AccountOf(fixture.Payer), Cancellation));
        Assert.Equal(3, (await fixture.Rail.ReadRedemptionsAsync(channel, RedemptionCursor.Start, Cancellation)).Redemptions.Count);
    }

    [Fact]
    public async Task WhatTheContractWouldRefuseIsNeverSent()
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        Epoch head = await fixture.Rail.GetHeadAsync(Cancellation);
        (RedemptionClaim Claim, ContractError Error)[] cases =
        [
            (fixture.Claim(channel, 0, 0, 10, 1), ContractError.StaleNonce),
            (fixture.Claim(channel, 0, 1, 0, 1), ContractError.AmountNotRaised),
            (fixture.Claim(channel, 0, 1, 10, 1, head), ContractError.VoucherExpired),
            (fixture.Claim(channel, 0, 1, 10, 1) with { Secret = ChainFixture.SecretOf(2) }, ContractError.WrongSecret),
            (fixture.Claim(channel, 0, 1, 10, 1) with { Secret = ChainFixture.SecretOf(1).AsMemory(0, 31) }, ContractError.WrongSecret),
            (fixture.Claim(channel, 0, 1, 10, 1) with { Secret = null }, ContractError.WrongSecret),
            (fixture.Claim(channel, 0, 1, 10, 1, signer: fixture.Stranger), ContractError.BadSignature),
            (fixture.Claim(fixture.Scheme.Contract.ChannelAt(999), 0, 1, 10, 1), ContractError.BadSignature),
            (fixture.Claim(channel, 0, 1, 1001, 1), ContractError.NotCovered),
        ];
        foreach ((RedemptionClaim claim, ContractError error) in cases)
        {
            RailReceipt refused = await fixture.Rail.RedeemAsync(fixture.Payee, channel, [claim], Cancellation);
            Assert.Equal((RailOutcome.Refused, (int)error), (refused.Outcome, refused.ExitCode));
            Assert.Null(refused.TransactionId);
        }

        RailReceipt stranger = await fixture.Rail.RedeemAsync(fixture.Stranger, channel, [fixture.Claim(channel, 0, 1, 10, 1)], Cancellation);
        Assert.Equal((RailOutcome.Refused, (int)ContractError.NotThePayee), (stranger.Outcome, stranger.ExitCode));
        RailReceipt unknown = await fixture.Rail.RedeemAsync(fixture.Payee, fixture.Scheme.Contract.ChannelAt(999), [fixture.Claim(channel, 0, 1, 10, 1)], Cancellation);
        Assert.Equal(RailOutcome.UnknownChannel, unknown.Outcome);
        Assert.Empty((await fixture.Rail.ReadRedemptionsAsync(channel, RedemptionCursor.Start, Cancellation)).Redemptions);

        // In the last block before it expires, and to the last atto that is there.
        head = await fixture.Rail.GetHeadAsync(Cancellation);
        RailReceipt paid = await fixture.Rail.RedeemAsync(fixture.Payee, channel, [fixture.Claim(channel, 0, 1, 600, 1, head + 1000), fixture.Claim(channel, 1, 1, 400, 2)], Cancellation);
        Assert.Equal(RailOutcome.Executed, paid.Outcome);
    }

    [Fact]
    public async Task AnAccountWithoutMoneyIsToldWhatItNeeds()
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        OpenChannelReceipt opened = await fixture.Rail.OpenChannelAsync(fixture.Payer, fixture.AccountOf(fixture.Payee), new TokenAmount(ChainFixture.OneCoin.Atto * 1000), LockHashKind.Sha256, Cancellation);
        Assert.Equal(RailOutcome.InsufficientFunds, opened.Receipt.Outcome);
        Assert.Null(opened.Channel);
        OpenChannelReceipt blake = await fixture.Rail.OpenChannelAsync(fixture.Payer, fixture.AccountOf(fixture.Payee), ChainFixture.OneCoin, LockHashKind.Blake2b256, Cancellation);
        Assert.Equal(RailOutcome.Refused, blake.Receipt.Outcome);
        OpenChannelReceipt self = await fixture.Rail.OpenChannelAsync(fixture.Payer, fixture.AccountOf(fixture.Payer), ChainFixture.OneCoin, LockHashKind.Sha256, Cancellation);
        Assert.Equal((RailOutcome.Refused, (int)ContractError.BadParties), (self.Receipt.Outcome, self.Receipt.ExitCode));
    }
}
