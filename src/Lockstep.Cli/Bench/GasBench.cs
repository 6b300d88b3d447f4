using System.Numerics;
using System.Security.Cryptography;
using Lockstep.Cli.Common;
using Lockstep.Node.Evm;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;

namespace Lockstep.Cli.Bench;

/// <summary>What each call of the contract takes, on a development chain.</summary>
internal static class GasBench
{
    private const long SettleDelayBlocks = 5;
    private const int Many = 16;

    private static readonly TokenAmount Coin = new(BigInteger.Pow(10, 18));

    /// <summary>Makes each call once.</summary>
    /// <param name="anvil">The chain's program.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<IReadOnlyList<(string Call, long Gas)>> RunAsync(string anvil, CancellationToken cancellation)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lockstep-gas-");
        try
        {
            await using AnvilNode node = await AnvilNode.StartAsync(anvil, [], TimeProvider.System, cancellation).ConfigureAwait(false);
            using SecpKey payer = SecpKey.Generate(RandomNumberGenerator.Fill), payee = SecpKey.Generate(RandomNumberGenerator.Fill);
            foreach (SecpKey key in (SecpKey[])[payer, payee])
                await node.FundAsync(EvmAddress.FromPublicKey(key.PublicKey.Span), new TokenAmount(Coin.Atto * 100), cancellation).ConfigureAwait(false);
            var options = new EvmNodeOptions { Endpoint = node.Endpoint, ChainId = AnvilNode.ChainId, JournalFolder = folder.FullName };
            (RailReceipt deployed, EvmAddress? contract) = await EvmRail.DeployAsync(options, payer, SettleDelayBlocks, TimeProvider.System, cancellation).ConfigureAwait(false);
            using EvmRail rail = await EvmRail.ConnectAsync(options, contract ?? throw new CliException(ExitCodes.Refused, "deploy", deployed.Sentence), TimeProvider.System, cancellation).ConfigureAwait(false);

            AccountId payeeAccount = rail.Vouchers.AccountOf(payee);
            var gas = new List<(string Call, long Gas)>();
            await OpenAsync("open, the first of both parties").ConfigureAwait(false);
            ChannelId channel = await OpenAsync("open").ConfigureAwait(false);
            await CallAsync("top up", rail.TopUpAsync(payer, channel, Coin, cancellation), payer).ConfigureAwait(false);
            await CallAsync("redeem 1", RedeemAsync(0, 1, 1), payee).ConfigureAwait(false);
            await CallAsync("redeem 1 on a lane redeemed before", RedeemAsync(0, 1, 2), payee).ConfigureAwait(false);
            await CallAsync($"redeem {Many}", RedeemAsync(1, Many, 1), payee).ConfigureAwait(false);
            await CallAsync($"redeem {Many} on lanes redeemed before", RedeemAsync(1, Many, 2), payee).ConfigureAwait(false);
            await CallAsync("settle", rail.SettleAsync(payee, channel, cancellation), payee).ConfigureAwait(false);
            await node.MineAsync(SettleDelayBlocks, cancellation).ConfigureAwait(false);
            await CallAsync("collect", rail.CollectAsync(payee, channel, cancellation), payee).ConfigureAwait(false);
            return [("deploy", rail.Spent(rail.Vouchers.AccountOf(payer))[0].Gas), .. gas];

            async Task CallAsync(string call, Task<RailReceipt> made, SecpKey sender)
            {
                RailReceipt receipt = await made.ConfigureAwait(false);
                gas.Add((call, GasOf(receipt, sender, rail)));
            }

            Task<RailReceipt> RedeemAsync(int firstLane, int count, ulong nonce)
            {
                var claims = new List<RedemptionClaim>();
                for (int lane = firstLane; lane < firstLane + count; lane++)
                {
                    byte[] secret = RandomNumberGenerator.GetBytes(32);
                    var terms = new VoucherTerms(
                        channel, new LaneId((ulong)lane), new Nonce(nonce), new TokenAmount(Coin.Atto / 100 * nonce), HashLock.Of(LockHashKind.Sha256, secret), new Epoch(1_000_000));
                    claims.Add(new RedemptionClaim(rail.Vouchers.Sign(payer, terms), secret));
                }

                return rail.RedeemAsync(payee, channel, claims, cancellation);
            }

            async Task<ChannelId> OpenAsync(string call)
            {
                OpenChannelReceipt opened = await rail.OpenChannelAsync(payer, payeeAccount, Coin, LockHashKind.Sha256, cancellation).ConfigureAwait(false);
                gas.Add((call, GasOf(opened.Receipt, payer, rail)));
                return opened.Channel!.Value;
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static long GasOf(RailReceipt receipt, SecpKey sender, EvmRail rail) => receipt.Succeeded
        ? rail.Spent(rail.Vouchers.AccountOf(sender)).Single(spent => spent.Transaction == receipt.TransactionId).Gas
        : throw new CliException(ExitCodes.Refused, receipt.Outcome.ToString(), receipt.Sentence);
}
