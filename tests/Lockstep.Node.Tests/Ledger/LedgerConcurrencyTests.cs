using System.Diagnostics;
using System.Globalization;
using Lockstep.Node.Ledger;
using Lockstep.Payments;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Tests.Ledger;

/// <summary>Connections and processes at work on one ledger at once.</summary>
public sealed class LedgerConcurrencyTests
{
    private const string LedgerVariable = "LOCKSTEP_TEST_LEDGER";
    private const string ChannelVariable = "LOCKSTEP_TEST_CHANNEL";
    private const string LaneVariable = "LOCKSTEP_TEST_LANE";
    private const ulong VouchersPerProcess = 60;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_voucher_redeemed_by_many_at_once_is_paid_once()
    {
        using var world = new LedgerFixture();
        ChannelId channel = await world.OpenAsync(LedgerFixture.OneCoin * 5);
        PaymentVoucher voucher = world.Sign(channel, 0, 1, LedgerFixture.OneCoin);
        LocalLedger[] ledgers = [.. Enumerable.Range(0, 8).Select(_ => LocalLedger.Open(world.Path, world.Time))];
        RailReceipt[] receipts = await Task.WhenAll(ledgers.Select(
            ledger => ledger.RedeemAsync(world.Payee, channel, [new RedemptionClaim(voucher, null)], Cancellation)));
        Assert.Equal(1, receipts.Count(receipt => receipt.Outcome == RailOutcome.Executed));
        Assert.Equal(7, receipts.Count(receipt => receipt.Outcome == RailOutcome.AlreadyDone));
        Assert.Equal(LedgerFixture.OneCoin, (await world.Ledger.GetChannelAsync(channel, Cancellation))!.ToSend);
    }

    [Fact]
    public async Task Settling_and_redeeming_at_once_leaves_one_order_of_events()
    {
        using var world = new LedgerFixture();
        ChannelId channel = await world.OpenAsync(LedgerFixture.OneCoin * 5);
        LocalLedger other = LocalLedger.Open(world.Path, world.Time);
        Task<RailReceipt>[] calls =
        [
            .. Enumerable.Range(1, 20).Select(lane => world.Ledger.RedeemAsync(
                world.Payee, channel, [new RedemptionClaim(world.Sign(channel, (ulong)lane, 1, new TokenAmount(lane)), null)], Cancellation)),
            .. Enumerable.Range(0, 5).Select(_ => other.SettleAsync(world.Payer, channel, Cancellation)),
            .. Enumerable.Range(0, 5).Select(_ => world.Ledger.SettleAsync(world.Payee, channel, Cancellation)),
        ];
        RailReceipt[] receipts = await Task.WhenAll(calls);
        Assert.All(receipts, receipt => Assert.True(receipt.Succeeded, receipt.Sentence));
        Assert.Equal(21, receipts.Count(receipt => receipt.Outcome == RailOutcome.Executed));
        ChannelSnapshot snapshot = (await world.Ledger.GetChannelAsync(channel, Cancellation))!;
        Assert.Equal(new TokenAmount(210), snapshot.ToSend);
        Assert.Equal(1440, snapshot.SettlingAt!.Value.Value);
        await world.AssertConservedAsync();
    }

    [Fact]
    public async Task Making_one_ledger_from_many_sides_makes_one()
    {
        string folder = Directory.CreateTempSubdirectory("lockstep-race-").FullName;
        string path = Path.Combine(folder, "ledger.db");
        LocalLedger[] ledgers = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            _ => Task.Run(() => LocalLedger.OpenOrCreate(path, new LedgerSettings(), TimeProvider.System), Cancellation)));
        Assert.Single(ledgers.Select(ledger => ledger.Description.Id).Distinct());
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Two_processes_redeem_on_one_channel_without_losing_a_payment()
    {
        using var world = new LedgerFixture();
        // The child processes use the system's clock, and epochs only rise.
        LocalLedger ledger = LocalLedger.Open(world.Path, TimeProvider.System);
        ChannelId channel = await world.OpenAsync(LedgerFixture.OneCoin);
        Process[] workers = [Start(world.Path, channel, 1), Start(world.Path, channel, 2)];
        foreach (Process worker in workers)
        {
            using (worker)
            {
                Task<string> output = worker.StandardOutput.ReadToEndAsync(Cancellation);
                await worker.WaitForExitAsync(Cancellation);
                Assert.True(worker.ExitCode == 0, await output);
            }
        }
        ChannelSnapshot snapshot = (await ledger.GetChannelAsync(channel, Cancellation))!;
        Assert.Equal(new TokenAmount(2 * VouchersPerProcess), snapshot.ToSend);
        RedemptionPage page = await ledger.ReadRedemptionsAsync(channel, RedemptionCursor.Start, Cancellation);
        Assert.Equal(2 * (int)VouchersPerProcess, page.Redemptions.Count);
        await world.AssertConservedAsync();
    }

    /// <summary>The body of a child process of the test above; never run by itself.</summary>
    [Fact(Explicit = true)]
    public async Task Child_process_redeems_on_its_lane()
    {
        string path = Environment.GetEnvironmentVariable(LedgerVariable) ?? throw new InvalidOperationException("Started without a ledger.");
        var channel = new ChannelId(Environment.GetEnvironmentVariable(ChannelVariable)!);
        ulong lane = ulong.Parse(Environment.GetEnvironmentVariable(LaneVariable)!, CultureInfo.InvariantCulture);
        LocalLedger ledger = LocalLedger.Open(path, TimeProvider.System);
        using var payer = LedgerFixture.KeyOf(1);
        using var payee = LedgerFixture.KeyOf(2);
        for (ulong nonce = 1; nonce <= VouchersPerProcess; nonce++)
        {
            var terms = new VoucherTerms(channel, new LaneId(lane), new Nonce(nonce), new TokenAmount(nonce), null, null);
            RailReceipt receipt = await ledger.RedeemAsync(payee, channel, [new RedemptionClaim(ledger.Vouchers.Sign(payer, terms), null)], Cancellation);
            Assert.True(receipt.Outcome == RailOutcome.Executed, receipt.Sentence);
        }
    }

    private static Process Start(string ledger, ChannelId channel, int lane)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        // Under 'dotnet test.dll' the process is the host and wants the assembly first.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(LedgerConcurrencyTests).Assembly.Location);
        foreach (string argument in new[] { "-explicit", "only", "-method", $"{typeof(LedgerConcurrencyTests).FullName}.{nameof(Child_process_redeems_on_its_lane)}" })
            start.ArgumentList.Add(argument);
        start.Environment[LedgerVariable] = ledger;
        start.Environment[ChannelVariable] = channel.Text;
        start.Environment[LaneVariable] = lane.ToString(CultureInfo.InvariantCulture);
        return Process.Start(start)!;
    }
}
