using System.CommandLine;
using Lockstep.Cli.Common;
using Lockstep.Node.Hosting;
using Lockstep.Payments;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;

namespace Lockstep.Cli.Commands;

/// <summary><c>channel</c>: payment channels by hand. Settling is never automatic.</summary>
internal static class ChannelCommand
{
    private static readonly Argument<string> Channel = new("CHANNEL") { Description = "The channel's address; 'channel ls' lists them." };

    public static Command Create()
    {
        Command command = CommandKit.Create("channel", "List, open, top up, settle and collect payment channels.", "lockstep channel ls");
        command.Add(Ls());
        command.Add(Open());
        command.Add(TopUp());
        command.Add(End("settle", "Redeem what was earned, then start the settling period: after it the channel can be collected, and nothing can be redeemed any more.", (rail, key, channel, cancellation) => rail.SettleAsync(key, channel, cancellation)));
        command.Add(End("collect", "Pay out a channel whose settling period is over.", (rail, key, channel, cancellation) => rail.CollectAsync(key, channel, cancellation)));
        return command;
    }

    private static Command Ls()
    {
        Command command = CommandKit.Create("ls", "List the channels of the home's wallet.", "lockstep channel ls --json");
        command.SetBody((result, output, cancellation) => WithRailAsync(result, async (rail, key) =>
        {
            IReadOnlyList<ChannelSnapshot> channels = await rail.FindChannelsAsync(rail.Vouchers.AccountOf(key), cancellation).ConfigureAwait(false);
            output.Result(channels.Select(Describe).ToArray(), channels.Count == 0 ? ["no channels"] : channels.Select(channel => Line(rail, channel)));
            await Settlement.WarnAsync(CommandKit.OpenHome(result), rail, key, output, cancellation).ConfigureAwait(false);
            return ExitCodes.Ok;
        }, cancellation));
        return command;
    }

    private static Command Open()
    {
        Command command = CommandKit.Create("open", "Open a channel to a provider's account and pay money in.", "lockstep channel open t1abc... 5");
        var payee = new Argument<string>("ACCOUNT") { Description = "The account that will be paid; 'lockstep ask' shows it." };
        var amount = new Argument<string>("AMOUNT") { Description = "How much to pay in." };
        Option<Lockstep.Proofs.LockHash> lockHash = Proofs.ProofOptions.Lock();
        command.Add(payee);
        command.Add(amount);
        command.Add(lockHash);
        command.SetBody((result, output, cancellation) => WithRailAsync(result, async (rail, key) =>
        {
            if (!rail.Vouchers.TryParseAccount(result.GetValue(payee)!, out AccountId account, out string error))
                throw new CliException(ExitCodes.Usage, "account", error);
            TokenAmount sum = Wallets.ParseAmount(result.GetValue(amount)!, rail.Description.Currency);
            OpenChannelReceipt opened = await rail.OpenChannelAsync(key, account, sum, (LockHashKind)(byte)result.GetValue(lockHash), cancellation).ConfigureAwait(false);
            Check(opened.Receipt);
            output.Result(new { channel = opened.Channel?.Text, amountAtto = sum.ToString(), epoch = opened.Receipt.Epoch.ToString() },
                $"opened {opened.Channel} with {rail.Description.Currency.Format(sum)}");
            return ExitCodes.Ok;
        }, cancellation));
        return command;
    }

    private static Command TopUp()
    {
        Command command = CommandKit.Create("top-up", "Pay more money into a channel.", "lockstep channel top-up t2xyz... 2");
        var amount = new Argument<string>("AMOUNT") { Description = "How much to add." };
        command.Add(Channel);
        command.Add(amount);
        command.SetBody((result, output, cancellation) => WithRailAsync(result, async (rail, key) =>
        {
            ChannelId channel = ParseChannel(rail, result.GetValue(Channel)!);
            TokenAmount sum = Wallets.ParseAmount(result.GetValue(amount)!, rail.Description.Currency);
            RailReceipt receipt = Check(await rail.TopUpAsync(key, channel, sum, cancellation).ConfigureAwait(false));
            output.Result(new { channel = channel.Text, amountAtto = sum.ToString(), epoch = receipt.Epoch.ToString() }, $"added {rail.Description.Currency.Format(sum)} to {channel}");
            return ExitCodes.Ok;
        }, cancellation));
        return command;
    }

    private static Command End(string name, string description, Func<IRail, SecpKey, ChannelId, CancellationToken, Task<RailReceipt>> call)
    {
        Command command = CommandKit.Create(name, description, $"lockstep channel {name} t2xyz...");
        var channel = new Argument<string?>("CHANNEL") { Description = "The channel's address.", Arity = ArgumentArity.ZeroOrOne };
        var all = new Option<bool>("--all") { Description = "All channels of the wallet that are ready for it." };
        command.Add(channel);
        command.Add(all);
        command.SetBody((result, output, cancellation) => WithRailAsync(result, async (rail, key) =>
        {
            if (result.GetValue(channel) is null == !result.GetValue(all))
                throw new CliException(ExitCodes.Usage, "channel", "Name one channel, or say --all.");

            // What a payee does not redeem before the settling period is over is lost, whoever began it: so it goes first.
            IReadOnlyList<RailReceipt> redeemed = name != "settle" ? [] : await Settlement.RedeemAsync(
                CommandKit.OpenHome(result), rail, key, result.GetValue(channel) is { } named ? ParseChannel(rail, named) : null, cancellation).ConfigureAwait(false);
            foreach (RailReceipt receipt in redeemed)
                output.Note($"redeem: {receipt.Sentence}");
            Epoch head = await rail.GetHeadAsync(cancellation).ConfigureAwait(false);
            IEnumerable<ChannelId> targets = result.GetValue(channel) is { } text
                ? [ParseChannel(rail, text)]
                : (await rail.FindChannelsAsync(rail.Vouchers.AccountOf(key), cancellation).ConfigureAwait(false))
                    .Where(found => name == "settle" ? !found.IsSettling : found.SettlingAt is { } at && head >= at)
                    .Select(found => found.Id);
            var done = new List<object>();
            foreach (ChannelId target in targets)
            {
                RailReceipt receipt = Check(await call(rail, key, target, cancellation).ConfigureAwait(false));
                done.Add(new { channel = target.Text, outcome = receipt.Outcome.ToString(), epoch = receipt.Epoch.ToString() });
                output.Note($"{name}: {target}: {receipt.Sentence}");
            }

            output.Result(done, done.Count > 0 ? [] : redeemed.Count > 0 ? ["redeemed; every channel is settling already"] : ["no channel is ready for it"]);
            return ExitCodes.Ok;
        }, cancellation));
        return command;
    }

    private static async Task<int> WithRailAsync(ParseResult result, Func<IRail, SecpKey, Task<int>> body, CancellationToken cancellation)
    {
        HomeFolder home = CommandKit.OpenHome(result);
        using SecpKey key = Wallets.Open(home);
        using IRail rail = await Wallets.OpenRailAsync(result, home, cancellation).ConfigureAwait(false);
        return await body(rail, key).ConfigureAwait(false);
    }

    private static ChannelId ParseChannel(IRail rail, string text) => rail.Vouchers.TryParseChannel(text, out ChannelId channel, out string error)
        ? channel
        : throw new CliException(ExitCodes.Usage, "channel", error);

    private static RailReceipt Check(RailReceipt receipt) => receipt.Outcome switch
    {
        RailOutcome.Executed or RailOutcome.AlreadyDone => receipt,
        RailOutcome.InsufficientFunds => throw new CliException(ExitCodes.Money, "insufficient-funds", receipt.Sentence),
        _ => throw new CliException(ExitCodes.Refused, receipt.Outcome.ToString(), receipt.Sentence),
    };

    private static object Describe(ChannelSnapshot channel) => new
    {
        channel = channel.Id.Text,
        payer = channel.Payer.Text,
        payee = channel.Payee.Text,
        @lock = channel.LockHash.Word(),
        balanceAtto = channel.Balance.ToString(),
        redeemedAtto = channel.ToSend.ToString(),
        settlingAt = channel.SettlingAt?.ToString(),
        lanes = channel.Lanes.Count,
    };

    private static string Line(IRail rail, ChannelSnapshot channel) =>
        $"{channel.Id}  {channel.Payer} -> {channel.Payee}  holds {rail.Description.Currency.Format(channel.Balance)}, {rail.Description.Currency.Format(channel.ToSend)} redeemed"
        + (channel.SettlingAt is { } at ? $"  settling, collect from epoch {at}" : "");
}
