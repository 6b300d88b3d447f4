using CsCheck;
using Lockstep.Node.Ledger;
using Lockstep.Payments;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Node.Tests.Ledger;

/// <summary>
/// Random sequences of calls, honest and not: money is neither made nor lost, nobody owes, and an exit code other than 0
/// changes no channel and no balance.
/// </summary>
public sealed class LedgerPropertyTests
{
    private const int SequenceLength = 25;
    private static readonly byte[] Secret = new byte[32];

    private enum Act
    {
        Redeem,
        RedeemMerging,
        Settle,
        Collect,
        TopUp,
        PayAccount,
        Garbage,
        Advance,
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Random_calls_conserve_money_and_failures_change_nothing()
    {
        var codes = new SortedDictionary<int, int>();
        Gen<Step[]> sequences = Gen.Select(
            Gen.Enum<Act>(), Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[0, 3], Gen.Int[0, 6], Gen.Int[-1, 12], Gen.Int[0, 4],
            (act, caller, signer, lane, nonce, amount, variant) => new Step(act, caller, signer, lane, nonce, amount, variant)).Array[SequenceLength];
        await sequences.SampleAsync(async steps =>
        {
            using var world = new LedgerFixture(new LedgerSettings { EpochLength = TimeSpan.FromSeconds(1), SettleDelayEpochs = 6 });
            ChannelId id = await world.OpenAsync(new TokenAmount(10), LockHashKind.Blake2b256);
            await world.Ledger.FundAsync(world.AccountOf(world.Stranger), new TokenAmount(20), Cancellation);
            await world.Ledger.FundAsync(world.AccountOf(world.Payee), new TokenAmount(5), Cancellation);
            foreach (Step step in steps)
            {
                string before = Fingerprint(world);
                if (await RunAsync(world, Address.Parse(id.Text), step) is { } exitCode)
                {
                    lock (codes)
                        codes[exitCode] = codes.GetValueOrDefault(exitCode) + 1;
                    if (exitCode != ExitCode.Ok)
                        Assert.Equal(before, Fingerprint(world));
                }
                await world.AssertConservedAsync();
            }
        }, iter: 60, threads: 2);
        // The sequences must reach good calls and every kind of refusal, or the properties above say little.
        Assert.Subset(
            codes.Keys.ToHashSet(),
            new HashSet<int> { ExitCode.Ok, ExitCode.IllegalArgument, ExitCode.Forbidden, ExitCode.Serialization, ExitCode.UnhandledMessage });
        Assert.True(codes[ExitCode.Ok] > 100, string.Join(", ", codes));
    }

    private static async Task<int?> RunAsync(LedgerFixture world, Address channel, Step step)
    {
        SecpKey[] people = [world.Payer, world.Payee, world.Stranger];
        Address caller = people[step.Caller].Address;
        LedgerCall call = new(caller, channel, PaychMethod.Transfer, TokenAmount.Zero, default);
        switch (step.Act)
        {
            case Act.Advance:
                world.Time.Advance(TimeSpan.FromSeconds(step.Variant));
                return null;
            case Act.Settle:
                call = call with { Method = PaychMethod.Settle };
                break;
            case Act.Collect:
                call = call with { Method = PaychMethod.Collect };
                break;
            case Act.TopUp:
                call = call with { Value = new TokenAmount(step.Amount) };
                break;
            case Act.PayAccount:
                call = call with { To = people[step.Signer].Address, Value = new TokenAmount(step.Amount) };
                break;
            case Act.Garbage:
                call = call with { Method = (ulong)step.Nonce, Params = new byte[] { 0x82, (byte)step.Variant } };
                break;
            default:
                call = call with { Method = PaychMethod.UpdateChannelState, Params = UpdateParams(people[step.Signer], channel, step) };
                break;
        }
        return (await world.Ledger.ExecuteAsync(call, Cancellation)).ExitCode;
    }

    private static byte[] UpdateParams(SecpKey signer, Address channel, Step step)
    {
        var voucher = new Voucher
        {
            Channel = channel,
            TimeLockMax = new Epoch(step.Variant == 1 ? 3 : 0),
            SecretHash = step.Variant is 2 or 3 ? HashLock.Of(LockHashKind.Blake2b256, Secret).Hash : ReadOnlyMemory<byte>.Empty,
            Lane = new LaneId((ulong)step.Lane),
            Nonce = new Nonce((ulong)step.Nonce),
            Amount = new TokenAmount(step.Amount),
            MinSettleHeight = new Epoch(step.Variant == 4 ? 9 : 0),
            Merges = step.Act == Act.RedeemMerging ? [new LaneMerge(new LaneId((ulong)(step.Lane + 1) % 4), new Nonce((ulong)step.Nonce + 1))] : [],
        };
        return new UpdateChannelStateParams(voucher.Sign(signer), step.Variant == 3 ? [1] : Secret).Encode();
    }

    // Everything but nonces and the message log.
    private static string Fingerprint(LedgerFixture world) => world.Query<string>(
        """
        SELECT coalesce((SELECT group_concat(id || kind || balance) FROM actors), '')
            || '/' || coalesce((SELECT group_concat(id || '-' || to_send || '-' || settling_at || '-' || min_settle_height) FROM channels), '')
            || '/' || coalesce((SELECT group_concat(lane || '-' || redeemed || '-' || nonce) FROM lanes), '')
            || '/' || (SELECT minted FROM ledger)
        """);

    private sealed record Step(Act Act, int Caller, int Signer, int Lane, int Nonce, int Amount, int Variant);
}
