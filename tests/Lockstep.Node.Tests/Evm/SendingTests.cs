using Lockstep.Node.Evm;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Tests.Evm;

/// <summary>Transactions on a chain of one's own that is held up, reorganised and raced on.</summary>
public sealed class SendingTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ARedemptionThatVanishesIsSentAgain()
    {
        await using ChainFixture fixture = await ChainFixture.OpenOwnAsync();
        using EvmRail rail = await fixture.ConnectAsync("careful", options => options with { Confirmations = 0, Finality = 20 });
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        await fixture.Node.MineAsync(5, Cancellation);
        RedemptionClaim claim = fixture.Claim(channel, 0, 1, 300, 7);
        Assert.Equal(RailOutcome.Executed, (await rail.RedeemAsync(fixture.Payee, channel, [claim], Cancellation)).Outcome);
        RedemptionPage seen = await rail.ReadRedemptionsAsync(channel, RedemptionCursor.Start, Cancellation);
        Assert.Single(seen.Redemptions);
        await fixture.Node.MineAsync(1, Cancellation);

        await fixture.Node.ReorganiseAsync(3, Cancellation);
        await fixture.Node.CallAsync("anvil_dropAllTransactions", [], Cancellation);
        Assert.Equal(TokenAmount.Zero, (await rail.GetChannelAsync(channel, Cancellation))!.ToSend);

        // Whoever watches has it looked after: the same transaction, so nothing is spent twice.
        await rail.TendAsync(fixture.Payee, Cancellation);
        await UntilAsync(async () => (await rail.GetChannelAsync(channel, Cancellation))!.ToSend == ChainFixture.Milli(300));
        Assert.Equal(RailOutcome.AlreadyDone, (await rail.RedeemAsync(fixture.Payee, channel, [claim], Cancellation)).Outcome);

        // A place in a history that has changed is gone back from: the key is told again.
        RedemptionPage again = await rail.ReadRedemptionsAsync(channel, seen.Next, Cancellation);
        Assert.Equal(ChainFixture.SecretOf(7), Assert.Single(again.Redemptions).Secret.ToArray());
        Assert.Empty((await rail.ReadRedemptionsAsync(channel, again.Next, Cancellation)).Redemptions);

        await fixture.Node.MineAsync(30, Cancellation);
        await rail.TendAsync(fixture.Payee, Cancellation);
        Assert.Single(rail.Spent(fixture.AccountOf(fixture.Payee)));
    }

    [Fact]
    public async Task MoneyThatMayVanishIsNotCountedOn()
    {
        await using ChainFixture fixture = await ChainFixture.OpenOwnAsync();
        using EvmRail rail = await fixture.ConnectAsync("careful", options => options with { Confirmations = 3, Finality = 20 });
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        Assert.Equal(TokenAmount.Zero, (await rail.GetChannelAsync(channel, Cancellation))!.Balance);
        await fixture.Node.MineAsync(3, Cancellation);
        Assert.Equal(ChainFixture.Milli(1000), (await rail.GetChannelAsync(channel, Cancellation))!.Balance);
        await fixture.Rail.TopUpAsync(fixture.Payer, channel, ChainFixture.Milli(500), Cancellation);
        Assert.Equal(ChainFixture.Milli(1000), (await rail.GetChannelAsync(channel, Cancellation))!.Balance);
        await fixture.Node.MineAsync(3, Cancellation);
        Assert.Equal(ChainFixture.Milli(1500), (await rail.GetChannelAsync(channel, Cancellation))!.Balance);
    }

    // What was sent by a process that was killed is found by the next one, and not sent twice.
    [Fact]
    public async Task ARestartFindsWhatIsOnItsWay()
    {
        await using ChainFixture fixture = await ChainFixture.OpenOwnAsync();
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        await fixture.Node.CallAsync("evm_setAutomine", [false], Cancellation);
        using (EvmRail first = await fixture.ConnectAsync("home"))
        {
            using var kill = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            Task<RailReceipt> redeeming = first.RedeemAsync(fixture.Payee, channel, [fixture.Claim(channel, 0, 1, 300, 7)], kill.Token);
            await UntilAsync(() => PendingAsync(fixture, fixture.Payee, 1));
            await kill.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => redeeming);
        }

        // The node forgets it too, as after a restart of its own.
        await fixture.Node.CallAsync("anvil_dropAllTransactions", [], Cancellation);
        using EvmRail second = await fixture.ConnectAsync("home");
        Task<RailReceipt> again = second.RedeemAsync(fixture.Payee, channel, [fixture.Claim(channel, 0, 1, 300, 7)], Cancellation);
        await UntilAsync(() => PendingAsync(fixture, fixture.Payee, 1));
        await fixture.Node.MineAsync(1, Cancellation);
        Assert.Equal(RailOutcome.Executed, (await again).Outcome);
        Assert.Single(second.Spent(fixture.AccountOf(fixture.Payee)));
    }

    // A redemption that was held up until its lock expired is not sent any more: its secret would be given away.
    [Fact]
    public async Task ARedemptionThatWouldComeTooLateIsNotSent()
    {
        await using ChainFixture fixture = await ChainFixture.OpenOwnAsync();
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        await fixture.Node.CallAsync("evm_setAutomine", [false], Cancellation);
        Epoch expiry = await fixture.Rail.GetHeadAsync(Cancellation) + 5;
        RedemptionClaim claim = fixture.Claim(channel, 0, 1, 300, 7, expiry);
        using (var kill = CancellationTokenSource.CreateLinkedTokenSource(Cancellation))
        {
            Task<RailReceipt> redeeming = fixture.Rail.RedeemAsync(fixture.Payee, channel, [claim], kill.Token);
            await UntilAsync(() => PendingAsync(fixture, fixture.Payee, 1));
            await kill.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => redeeming);
        }

        await fixture.Node.CallAsync("anvil_dropAllTransactions", [], Cancellation);
        await fixture.Node.MineAsync(5, Cancellation);
        await fixture.Rail.TendAsync(fixture.Payee, Cancellation);
        RailReceipt late = await fixture.Rail.RedeemAsync(fixture.Payee, channel, [claim], Cancellation);
        Assert.Equal((RailOutcome.Refused, (int)ContractError.VoucherExpired), (late.Outcome, late.ExitCode));
        Assert.False(await PendingAsync(fixture, fixture.Payee, 1));
    }

    // Two processes of one home take turns. Another wallet with the same key knows of no turns: whose number is taken is told so,
    // and no money is counted that was not paid.
    [Fact]
    public async Task ARaceForNumbersLosesNothing()
    {
        await using ChainFixture fixture = await ChainFixture.OpenOwnAsync();
        using EvmRail same = await fixture.ConnectAsync("home"), other = await fixture.ConnectAsync("other");
        ChannelId[] channels = [.. await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => fixture.OpenChannelAsync(ChainFixture.Milli(100 + _))))];
        EvmRail[] rails = [fixture.Rail, same, other];
        RailReceipt[] receipts = await Task.WhenAll(Enumerable.Range(0, 12).Select(i =>
            rails[i % 3].TopUpAsync(fixture.Payer, channels[i % 3], new TokenAmount(i + 1), Cancellation)));
        Assert.All(receipts, receipt => Assert.True(receipt.Outcome == RailOutcome.Executed || receipt.Sentence.StartsWith("Another program sent", StringComparison.Ordinal), receipt.Sentence));
        RailReceipt[] executed = [.. receipts.Where(receipt => receipt.Succeeded)];
        Assert.Equal(executed.Length, executed.Select(receipt => receipt.TransactionId).Distinct().Count());
        for (int i = 0; i < 3; i++)
        {
            TokenAmount added = new(Enumerable.Range(0, 12).Where(order => order % 3 == i && receipts[order].Succeeded).Sum(order => order + 1));
            Assert.Equal(ChainFixture.Milli(100 + i) + added, (await fixture.Rail.GetChannelAsync(channels[i], Cancellation))!.Balance);
        }
    }

    // Processes of one home lose no number to each other.
    [Fact]
    public async Task ProcessesOfOneHomeTakeTurns()
    {
        await using ChainFixture fixture = await ChainFixture.OpenOwnAsync();
        using EvmRail same = await fixture.ConnectAsync("home");
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(100));
        EvmRail[] rails = [fixture.Rail, same];
        RailReceipt[] receipts = await Task.WhenAll(Enumerable.Range(1, 12).Select(i => rails[i % 2].TopUpAsync(fixture.Payer, channel, new TokenAmount(i), Cancellation)));
        Assert.All(receipts, receipt => Assert.Equal(RailOutcome.Executed, receipt.Outcome));
        Assert.Equal(12, receipts.Select(receipt => receipt.TransactionId).Distinct().Count());
        Assert.Equal(ChainFixture.Milli(100) + new TokenAmount(78), (await fixture.Rail.GetChannelAsync(channel, Cancellation))!.Balance);
    }

    // Gas gets a hundred times as dear while it waits: left lying, it is sent again for more.
    [Fact]
    public async Task ATransactionThatIsLeftLyingPaysMore()
    {
        await using ChainFixture fixture = await ChainFixture.OpenOwnAsync();
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        using EvmRail rail = await fixture.ConnectAsync("hasty", options => options with { RaiseAfter = TimeSpan.FromMilliseconds(300) });
        await fixture.Node.CallAsync("evm_setAutomine", [false], Cancellation);
        Task<RailReceipt> settling = rail.SettleAsync(fixture.Payer, channel, Cancellation);
        await UntilAsync(() => PendingAsync(fixture, fixture.Payer, 2));
        await fixture.Node.CallAsync("anvil_setNextBlockBaseFeePerGas", [EvmNode.Quantity(100_000_000_000)], Cancellation);
        await fixture.Node.MineAsync(1, Cancellation);
        Assert.False((await rail.GetChannelAsync(channel, Cancellation))!.IsSettling);
        await UntilAsync(async () =>
        {
            // It would sink again with every empty block.
            await fixture.Node.CallAsync("anvil_setNextBlockBaseFeePerGas", [EvmNode.Quantity(100_000_000_000)], Cancellation);
            await fixture.Node.MineAsync(1, Cancellation);
            return (await rail.GetChannelAsync(channel, Cancellation))!.IsSettling;
        });
        Assert.Equal(RailOutcome.Executed, (await settling).Outcome);
        GasSpent paid = Assert.Single(rail.Spent(fixture.AccountOf(fixture.Payer)));
        Assert.True(paid.Cost.Atto / paid.Gas >= 100_000_000_000);
    }

    [Fact]
    public async Task AFeeAboveTheLimitIsNotPaid()
    {
        await using ChainFixture fixture = await ChainFixture.OpenOwnAsync();
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        using EvmRail rail = await fixture.ConnectAsync("stingy", options => options with { MaxFeePerGas = 1 });
        RailReceipt refused = await rail.SettleAsync(fixture.Payer, channel, Cancellation);
        Assert.Equal(RailOutcome.Refused, refused.Outcome);
        Assert.Contains("maxFeePerGas", refused.Sentence, StringComparison.Ordinal);
        Assert.False((await rail.GetChannelAsync(channel, Cancellation))!.IsSettling);
    }

    private static async Task<bool> PendingAsync(ChainFixture fixture, Payments.Keys.SecpKey key, ulong count)
    {
        using var node = new EvmNode(new JsonRpcClient(fixture.Node.Endpoint, null, TimeProvider.System));
        return await node.GetNonceAsync(EvmAddress.FromPublicKey(key.PublicKey.Span), "pending", Cancellation) >= count;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (int attempt = 0; !await condition(); attempt++)
        {
            Assert.True(attempt < 600, "it did not happen within half a minute");
            await Task.Delay(50, Cancellation);
        }
    }
}
