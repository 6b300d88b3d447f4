using System.Globalization;
using System.Numerics;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Evm;

/// <summary>
/// Channels in the contract <c>LockstepChannels</c> on an EVM or FEVM chain, in the chain's own currency (docs/rails.md). What the
/// node says of the past is held against the chain as it is; a redemption is run by our own rules before its secrets leave.
/// </summary>
public sealed class EvmRail : IRail
{
    // Of one call; 16 take about a million units of gas.
    private const int MaxClaims = 32;

    private static readonly string OpenedEvent = ContractEvent.Topic("Opened(uint256,address,address,address,uint256)");

    private readonly EvmConnection _connection;
    private readonly EvmVoucherScheme _vouchers;
    private readonly ContractReader _reader;
    private readonly RedemptionHistory _history;

    private EvmRail(EvmConnection connection, EvmContract contract, ContractReader reader, long settleDelay)
    {
        (_connection, _reader) = (connection, reader);
        _vouchers = new EvmVoucherScheme(contract);
        _history = new RedemptionHistory(connection, contract);
        Description = new RailDescription
        {
            Id = contract.RailId,
            Currency = connection.Chain.Currency,
            LockHashes = [LockHashKind.Sha256],
            EpochSeconds = connection.Chain.BlockSeconds,
            FinalityEpochs = connection.Finality,
            SettleDelayEpochs = settleDelay,
            MaxVouchersPerRedemption = MaxClaims,
        };
    }

    public RailDescription Description { get; }

    public IVoucherScheme Vouchers => _vouchers;

    /// <summary>Connects to a node, and makes sure that it is on the right chain, keeps up with it, and has our contract at the address.</summary>
    /// <exception cref="RailException">It cannot be reached, is on another chain, is behind, or has something else at the address.</exception>
    /// <exception cref="NodeException">The journal cannot be opened.</exception>
    public static async Task<EvmRail> ConnectAsync(EvmNodeOptions options, EvmAddress contract, TimeProvider time, CancellationToken cancellation)
    {
        EvmConnection connection = await EvmConnection.OpenAsync(options, time, cancellation).ConfigureAwait(false);
        try
        {
            var place = new EvmContract(connection.Chain.Id, contract);
            var reader = new ContractReader(connection, place);
            await reader.CheckCodeAsync(cancellation).ConfigureAwait(false);
            return new EvmRail(connection, place, reader, await reader.GetSettleDelayAsync(cancellation).ConfigureAwait(false));
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The chain that a node is on.</summary>
    /// <exception cref="RailException">The node cannot be asked.</exception>
    public static async Task<ulong> GetChainIdAsync(Uri endpoint, string? token, TimeProvider time, CancellationToken cancellation)
    {
        using var node = new EvmNode(new JsonRpcClient(endpoint, token, time));
        return await EvmConnection.AskAsync(() => node.GetChainIdAsync(cancellation)).ConfigureAwait(false);
    }

    /// <summary>Deploys the contract.</summary>
    /// <param name="options">Where.</param>
    /// <param name="key">Who pays for it; it has no rights in the contract.</param>
    /// <param name="settleDelay">Blocks between settling and collecting.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>What became of it, and where the contract lies.</returns>
    public static async Task<(RailReceipt Receipt, EvmAddress? Contract)> DeployAsync(EvmNodeOptions options, SecpKey key, long settleDelay, TimeProvider time, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(settleDelay, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(settleDelay, ChannelContract.MaxSettleDelay);
        using EvmConnection connection = await EvmConnection.OpenAsync(options, time, cancellation).ConfigureAwait(false);
        var order = new TransactionOrder("deploy", null, TokenAmount.Zero, ChannelContract.Deploy(ContractArtifact.Current.Bytecode.Span, settleDelay));
        OrderResult result = await EvmConnection.AskAsync(() => connection.Sender.SendAsync(key, order, cancellation)).ConfigureAwait(false);
        RailReceipt receipt = await ReceiptAsync(connection, result, cancellation).ConfigureAwait(false);
        return (receipt, receipt.Outcome == RailOutcome.Executed ? result.Receipt!.Contract : null);
    }

    public async Task<Epoch> GetHeadAsync(CancellationToken cancellationToken) => new((await _connection.GetHeadAsync(cancellationToken).ConfigureAwait(false)).Number);

    public Task<TokenAmount> GetBalanceAsync(AccountId account, CancellationToken cancellationToken) =>
        EvmConnection.AskAsync(() => _connection.Node.GetBalanceAsync(EvmAddress.Parse(account.Text), EvmNode.Latest, cancellationToken));

    public async Task<ChannelSnapshot?> GetChannelAsync(ChannelId channel, CancellationToken cancellationToken)
    {
        ulong number = NumberOf(channel);
        EvmChannel now = await _reader.ReadAsync(number, EvmNode.Latest, cancellationToken).ConfigureAwait(false);
        // Channels in a token are of another rail.
        return now.Exists && now.Token.IsZero ? await SnapshotAsync(number, now, cancellationToken).ConfigureAwait(false) : null;
    }

    public async Task<IReadOnlyList<ChannelSnapshot>> FindChannelsAsync(AccountId party, CancellationToken cancellationToken)
    {
        var snapshots = new List<ChannelSnapshot>();
        foreach (ulong number in await _reader.FindAsync(EvmAddress.Parse(party.Text), cancellationToken).ConfigureAwait(false))
        {
            if (await GetChannelAsync(_vouchers.Contract.ChannelAt(number), cancellationToken).ConfigureAwait(false) is { } snapshot)
                snapshots.Add(snapshot);
        }

        return snapshots;
    }

    public async Task<OpenChannelReceipt> OpenChannelAsync(
        SecpKey payer, AccountId payee, TokenAmount amount, LockHashKind lockHash, CancellationToken cancellationToken)
    {
        if (lockHash != LockHashKind.Sha256)
        {
            Epoch head = await GetHeadAsync(cancellationToken).ConfigureAwait(false);
            string sentence = $"Channels on {_connection.Chain.Name} have SHA-256 locks only; open one with --lock sha256.";
            return new OpenChannelReceipt(new RailReceipt(RailOutcome.Refused, (int)ContractError.BadParties, sentence, null, head), null);
        }

        byte[] call = ChannelContract.Open(EvmAddress.Parse(payee.Text), EvmAddress.Zero, amount);
        OrderResult result = await SendAsync(payer, $"open {payee} {amount}", call, amount, cancellationToken).ConfigureAwait(false);
        RailReceipt receipt = await ReceiptAsync(_connection, result, cancellationToken).ConfigureAwait(false);
        if (receipt.Outcome != RailOutcome.Executed)
            return new OpenChannelReceipt(receipt, null);

        EvmLog opened = result.Receipt!.Logs.FirstOrDefault(log => log.Address == _vouchers.Contract.Address && log.Topics is [var topic, _, _, _] && topic == OpenedEvent)
            ?? throw new RailException($"The node {_connection.Node.Name} says that a channel was opened and does not say which; look with 'channel ls', or use another node.");
        ulong number = (ulong)new BigInteger(Convert.FromHexString(opened.Topics[1].AsSpan(2)), isUnsigned: true, isBigEndian: true);
        EvmChannel state = await _reader.ReadAsync(number, EvmNode.Latest, cancellationToken).ConfigureAwait(false);
        bool isOurs = state.Exists && state.Payer.ToString() == _vouchers.AccountOf(payer).Text && state.Payee.ToString() == payee.Text;
        return isOurs
            ? new OpenChannelReceipt(receipt, _vouchers.Contract.ChannelAt(number))
            : throw new RailException($"The node {_connection.Node.Name} says that channel {number} was opened and shows another one; use another node.");
    }

    public async Task<RailReceipt> TopUpAsync(SecpKey sender, ChannelId channel, TokenAmount amount, CancellationToken cancellationToken)
    {
        ulong number = NumberOf(channel);
        OrderResult result = await SendAsync(sender, $"top up {number} {amount}", ChannelContract.TopUp(number, amount), amount, cancellationToken).ConfigureAwait(false);
        return await ReceiptAsync(_connection, result, cancellationToken).ConfigureAwait(false);
    }

    public async Task<RailReceipt> RedeemAsync(
        SecpKey payee, ChannelId channel, IReadOnlyList<RedemptionClaim> claims, CancellationToken cancellationToken)
    {
        if (claims.Count is 0 or > MaxClaims)
            throw new ArgumentException($"One call redeems from 1 to {MaxClaims} vouchers, not {claims.Count}.", nameof(claims));
        ulong number = NumberOf(channel);
        EvmChannel state = await _reader.ReadAsync(number, EvmNode.Latest, cancellationToken).ConfigureAwait(false);
        RedemptionClaim[] due = [.. claims.Where(claim => !ContractRules.IsRedeemed(state, claim))];
        if (due.Length == 0)
            return new RailReceipt(RailOutcome.AlreadyDone, 0, "Redeemed before.", null, state.AsOf);

        // The next block is the first that could hold it. What the contract would refuse never leaves: its secrets would be given away.
        if (ContractRules.CheckRedemption(_vouchers, number, state, EvmAddress.Parse(_vouchers.AccountOf(payee).Text), due, state.AsOf + 1) is { } refusal)
        {
            RailOutcome outcome = refusal.Error == ContractError.UnknownChannel ? RailOutcome.UnknownChannel : RailOutcome.Refused;
            return new RailReceipt(outcome, (int)refusal.Error, refusal.Sentence, null, state.AsOf);
        }

        string subject = $"redeem {number} {string.Join(' ', due.Select(claim => $"{claim.Voucher.Lane}/{claim.Voucher.Nonce}"))}";
        (long call, long voucher) = _connection.Chain.RedeemGas;
        var order = new TransactionOrder(
            subject, _vouchers.Contract.Address, TokenAmount.Zero, ChannelContract.Redeem(number, due), call + voucher * due.Length, ContractRules.LastBlock(state, due), IsRepeatable: true);
        OrderResult result = await EvmConnection.AskAsync(() => _connection.Sender.SendAsync(payee, order, cancellationToken)).ConfigureAwait(false);
        if (result.Receipt is { } mined)
        {
            // Whatever the receipt says: the lanes tell.
            EvmChannel after = await _reader.ReadAsync(number, EvmNode.Latest, cancellationToken).ConfigureAwait(false);
            if (due.All(claim => ContractRules.IsRedeemed(after, claim)))
                return new RailReceipt(RailOutcome.Executed, 0, Paid(_connection, mined, $"Redeemed {due.Length} vouchers"), mined.Transaction, new Epoch(mined.Block));
            if (mined.Succeeded && after.Exists)
                throw new RailException($"The node {_connection.Node.Name} says that transaction {mined.Transaction} redeemed and shows a channel in which it did not; use another node.");
        }

        return await ReceiptAsync(_connection, result, cancellationToken).ConfigureAwait(false);
    }

    public async Task<RailReceipt> SettleAsync(SecpKey party, ChannelId channel, CancellationToken cancellationToken)
    {
        ulong number = NumberOf(channel);
        OrderResult result = await SendAsync(party, $"settle {number}", ChannelContract.Settle(number), TokenAmount.Zero, cancellationToken, isRepeatable: true).ConfigureAwait(false);
        return await ReceiptAsync(_connection, result, cancellationToken).ConfigureAwait(false);
    }

    public async Task<RailReceipt> CollectAsync(SecpKey party, ChannelId channel, CancellationToken cancellationToken)
    {
        ulong number = NumberOf(channel);
        OrderResult result = await SendAsync(party, $"collect {number}", ChannelContract.Collect(number), TokenAmount.Zero, cancellationToken, isRepeatable: true).ConfigureAwait(false);
        RailReceipt receipt = await ReceiptAsync(_connection, result, cancellationToken).ConfigureAwait(false);
        if (receipt.Outcome != RailOutcome.UnknownChannel)
            return receipt;
        EvmChannel state = await _reader.ReadAsync(number, EvmNode.Latest, cancellationToken).ConfigureAwait(false);
        return state.OpenedAt == 0 ? receipt : receipt with { Outcome = RailOutcome.AlreadyDone, Sentence = "The channel was paid out before." };
    }

    public async Task<RedemptionPage> ReadRedemptionsAsync(ChannelId channel, RedemptionCursor since, CancellationToken cancellationToken)
    {
        ulong number = NumberOf(channel);
        EvmChannel state = await _reader.ReadAsync(number, EvmNode.Latest, cancellationToken).ConfigureAwait(false);
        return state.OpenedAt == 0
            ? new RedemptionPage([], since)
            : await _history.ReadAsync(number, since, state.OpenedAt, state.AsOf.Value, cancellationToken).ConfigureAwait(false);
    }

    public Task TendAsync(SecpKey key, CancellationToken cancellationToken) => EvmConnection.AskAsync(async () =>
    {
        await _connection.Sender.TendAsync(key, cancellationToken).ConfigureAwait(false);
        return true;
    });

    /// <summary>What an account's transactions have cost, as far as this home sent them.</summary>
    public IReadOnlyList<GasSpent> Spent(AccountId account) => _connection.Spent(account.Text);

    public void Dispose() => _connection.Dispose();

    // Money that was paid in a moment ago may vanish again, so what is counted on is the lesser of now and some blocks ago.
    private async Task<ChannelSnapshot> SnapshotAsync(ulong number, EvmChannel now, CancellationToken cancellation)
    {
        TokenAmount balance = now.Balance;
        long before = now.AsOf.Value - _connection.Confirmations;
        if (before < now.OpenedAt)
            balance = TokenAmount.Zero;
        else if (_connection.Confirmations > 0)
            balance = TokenAmount.Min(balance, (await _reader.ReadAsync(number, EvmNode.Quantity(before), cancellation).ConfigureAwait(false)).Balance);

        var lanes = new Dictionary<LaneId, LaneSnapshot>();
        for (int i = 0; i < now.Lanes.Count; i++)
        {
            if (now.Lanes[i].Nonce.Value != 0)
                lanes.Add(new LaneId((ulong)i), now.Lanes[i]);
        }

        return new ChannelSnapshot
        {
            Id = _vouchers.Contract.ChannelAt(number),
            Payer = new AccountId(now.Payer.ToString()),
            Payee = new AccountId(now.Payee.ToString()),
            // The contract checks the payer's signature itself and asks nobody's opinion of it.
            PartiesAreAccounts = true,
            LockHash = LockHashKind.Sha256,
            Balance = balance,
            ToSend = now.Owed,
            SettlingAt = now.SettlingAt == 0 ? null : new Epoch(now.SettlingAt),
            Lanes = lanes,
            AsOf = now.AsOf,
        };
    }

    private Task<OrderResult> SendAsync(SecpKey key, string subject, byte[] call, TokenAmount value, CancellationToken cancellation, bool isRepeatable = false)
    {
        var order = new TransactionOrder(subject, _vouchers.Contract.Address, value, call, IsRepeatable: isRepeatable);
        return EvmConnection.AskAsync(() => _connection.Sender.SendAsync(key, order, cancellation));
    }

    private static async Task<RailReceipt> ReceiptAsync(EvmConnection connection, OrderResult result, CancellationToken cancellation)
    {
        if (result.Receipt is { } mined)
        {
            return mined.Succeeded
                ? new RailReceipt(RailOutcome.Executed, 0, Paid(connection, mined, "Executed"), mined.Transaction, new Epoch(mined.Block))
                : new RailReceipt(
                    RailOutcome.Refused, (int)ContractError.Unknown, $"Transaction {mined.Transaction} was undone by the contract: something changed while it was on its way.",
                    mined.Transaction, new Epoch(mined.Block));
        }

        EvmBlock head = await connection.GetHeadAsync(cancellation).ConfigureAwait(false);
        RailOutcome outcome = result.Refusal?.Error switch
        {
            ContractError.AlreadySettling => RailOutcome.AlreadyDone,
            ContractError.UnknownChannel => RailOutcome.UnknownChannel,
            _ => result.Outcome,
        };
        return new RailReceipt(outcome, (int)(result.Refusal?.Error ?? 0), result.Sentence, result.Hash, new Epoch(head.Number));
    }

    private static string Paid(EvmConnection connection, EvmReceipt mined, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{what} in block {mined.Block}: {mined.GasUsed} gas, {connection.Chain.Currency.Format(mined.Cost)}.");

    private ulong NumberOf(ChannelId channel) => _vouchers.Contract.TryParseChannel(channel.Text, out ulong number, out string error)
        ? number
        : throw new ArgumentException(error, nameof(channel));
}
