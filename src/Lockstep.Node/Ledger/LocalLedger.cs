using System.Globalization;
using Lockstep.Payments;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Node.Ledger;

/// <summary>
/// The embedded local ledger: test money in one SQLite file that the processes of one user share, with the payment-channel
/// actor's own rules. Time is the wall clock cut into epochs, counted from the moment the ledger was made.
/// </summary>
public sealed class LocalLedger : IRail
{
    private const int RedemptionsPerPage = 256;

    private readonly LedgerDatabase database;
    private readonly TimeProvider time;
    private readonly FilecoinVoucherScheme vouchers = new(Network.Test);

    private LocalLedger(LedgerDatabase database, TimeProvider time)
    {
        this.database = database;
        this.time = time;
        LedgerClock clock = database.Read(session => session.Clock());
        Description = new RailDescription
        {
            Id = $"local:{clock.LedgerId}",
            Currency = Currency.LocalTest,
            LockHashes = [LockHashKind.Sha256, LockHashKind.Blake2b256],
            EpochSeconds = clock.EpochMs / 1000.0,
            FinalityEpochs = 0,
            SettleDelayEpochs = clock.SettleDelay,
            MaxVouchersPerRedemption = 1,
        };
    }

    public RailDescription Description { get; }

    public IVoucherScheme Vouchers => vouchers;

    internal string ConnectionString => database.ConnectionString;

    /// <summary>Opens a ledger that exists.</summary>
    /// <exception cref="RailException">It is missing, damaged, or not a ledger.</exception>
    public static LocalLedger Open(string path, TimeProvider time) => new(LedgerDatabase.Open(path, null, time.GetUtcNow()), time);

    /// <summary>Opens a ledger, or makes it; <paramref name="settings"/> count only when it is made here.</summary>
    /// <exception cref="RailException">It cannot be made, or is damaged, or not a ledger.</exception>
    public static LocalLedger OpenOrCreate(string path, LedgerSettings settings, TimeProvider time) =>
        new(LedgerDatabase.Open(path, settings, time.GetUtcNow()), time);

    /// <summary>Lets go of the file.</summary>
    public void Dispose() => database.CloseIdleConnections();

    /// <summary>The faucet: makes test money.</summary>
    public Task FundAsync(AccountId account, TokenAmount amount, CancellationToken cancellationToken)
    {
        if (amount.IsNegative || amount.IsZero)
            throw new ArgumentOutOfRangeException(nameof(amount), "The faucet gives more than nothing.");
        Address address = AddressOf(account);
        return WriteAsync((session, machine) =>
        {
            machine.Mint(address, amount);
            return true;
        }, cancellationToken);
    }

    /// <summary>Adds up the ledger's books.</summary>
    public Task<LedgerAudit> AuditAsync(CancellationToken cancellationToken) => ReadAsync((session, _) => session.Audit(), cancellationToken);

    public Task<Epoch> GetHeadAsync(CancellationToken cancellationToken) => ReadAsync((_, epoch) => epoch, cancellationToken);

    public Task<TokenAmount> GetBalanceAsync(AccountId account, CancellationToken cancellationToken)
    {
        Address address = AddressOf(account);
        return ReadAsync((session, _) => session.FindActor(address)?.Balance ?? TokenAmount.Zero, cancellationToken);
    }

    public Task<ChannelSnapshot?> GetChannelAsync(ChannelId channel, CancellationToken cancellationToken)
    {
        Address address = AddressOf(channel);
        return ReadAsync((session, epoch) => session.FindActor(address) is { } actor ? Snapshot(session, actor.Id, epoch) : null, cancellationToken);
    }

    public Task<IReadOnlyList<ChannelSnapshot>> FindChannelsAsync(AccountId party, CancellationToken cancellationToken)
    {
        Address address = AddressOf(party);
        return ReadAsync<IReadOnlyList<ChannelSnapshot>>(
            (session, epoch) => session.FindActor(address) is { } actor
                ? [.. session.ChannelsOf(actor.Id).Select(id => Snapshot(session, id, epoch)).OfType<ChannelSnapshot>()]
                : [],
            cancellationToken);
    }

    public async Task<OpenChannelReceipt> OpenChannelAsync(
        SecpKey payer, AccountId payee, TokenAmount amount, LockHashKind lockHash, CancellationToken cancellationToken)
    {
        RequireNotNegative(amount);
        var parties = new PaychConstructorParams(payer.Address, AddressOf(payee));
        var exec = new InitExecParams(LedgerMachine.CodeOf(lockHash), parties.Encode());
        var call = new LedgerCall(payer.Address, Address.Init, PaychMethod.InitExec, amount, exec.Encode());
        LedgerResult result = await ExecuteAsync(call, cancellationToken).ConfigureAwait(false);
        ChannelId? channel = InitExecReturn.TryDecode(result.Returned, out InitExecReturn? created) ? vouchers.ChannelAt(created!.Robust) : null;
        return new OpenChannelReceipt(Receipt(result), channel);
    }

    public async Task<RailReceipt> TopUpAsync(SecpKey sender, ChannelId channel, TokenAmount amount, CancellationToken cancellationToken)
    {
        RequireNotNegative(amount);
        return Receipt(await ExecuteAsync(Call(sender, channel, PaychMethod.Transfer, amount), cancellationToken).ConfigureAwait(false));
    }

    public async Task<RailReceipt> RedeemAsync(
        SecpKey payee, ChannelId channel, IReadOnlyList<RedemptionClaim> claims, CancellationToken cancellationToken)
    {
        if (claims.Count != Description.MaxVouchersPerRedemption)
            throw new ArgumentException($"This ledger redeems one voucher a call, not {claims.Count}.", nameof(claims));
        RedemptionClaim claim = claims[0];
        if (!VoucherCodec.TryDecode(claim.Voucher.Encoded, VoucherReading.AsActor, out SignedVoucher? voucher, out _))
            throw new ArgumentException($"The bytes of voucher {claim.Voucher.Key} are no Filecoin voucher.", nameof(claims));

        var parameters = new UpdateChannelStateParams(voucher, claim.Secret ?? ReadOnlyMemory<byte>.Empty);
        LedgerCall call = Call(payee, channel, PaychMethod.UpdateChannelState, TokenAmount.Zero) with { Params = parameters.Encode() };
        // A refused redemption is undone with its record, so that a secret is never given away for nothing
        // (docs/filecoin.md section 6, b).
        LedgerResult result = await WriteAsync((session, machine) =>
        {
            LedgerResult tried = machine.Execute(call);
            if (tried.ExitCode != ExitCode.Ok)
                session.Abandon();
            return tried;
        }, cancellationToken).ConfigureAwait(false);
        bool redeemedBefore = result.ExitCode != ExitCode.Ok
            && result.Channel?.State.Lanes.GetValueOrDefault(claim.Voucher.Lane) is { } lane
            && lane.Nonce == claim.Voucher.Nonce && lane.Redeemed == claim.Voucher.Amount;
        return redeemedBefore ? AlreadyDone(result, $"Voucher {claim.Voucher.Key} was redeemed before.") : Receipt(result);
    }

    public async Task<RailReceipt> SettleAsync(SecpKey party, ChannelId channel, CancellationToken cancellationToken)
    {
        LedgerResult result = await ExecuteAsync(Call(party, channel, PaychMethod.Settle, TokenAmount.Zero), cancellationToken).ConfigureAwait(false);
        return result.ExitCode == ExitCode.IllegalState && result.Channel is { State: { IsSettling: true } state }
            ? AlreadyDone(result, $"The channel is settling already; it can be collected from epoch {state.SettlingAt}.")
            : Receipt(result);
    }

    public async Task<RailReceipt> CollectAsync(SecpKey party, ChannelId channel, CancellationToken cancellationToken)
    {
        LedgerCall call = Call(party, channel, PaychMethod.Collect, TokenAmount.Zero);
        LedgerResult result = await ExecuteAsync(call, cancellationToken).ConfigureAwait(false);
        bool collectedBefore = result.ExitCode == ExitCode.InvalidReceiver
            && await ReadAsync((session, _) => session.FindActor(call.To) is { Kind: ActorKind.Collected }, cancellationToken).ConfigureAwait(false);
        return collectedBefore ? AlreadyDone(result, "The channel was collected before.") : Receipt(result);
    }

    public Task<RedemptionPage> ReadRedemptionsAsync(ChannelId channel, RedemptionCursor since, CancellationToken cancellationToken)
    {
        Address address = AddressOf(channel);
        long after = 0;
        if (since.Position is { } position && !long.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            throw new ArgumentException($"'{position}' is no place in this ledger's history.", nameof(since));
        return ReadAsync((session, _) =>
        {
            if (session.FindActor(address) is not { } actor)
                return new RedemptionPage([], since);
            IReadOnlyList<LedgerRedemption> rows = session.Redemptions(actor.Id, after, RedemptionsPerPage);
            RedemptionCursor next = rows.Count == 0 ? since : new RedemptionCursor(rows[^1].Sequence.ToString(CultureInfo.InvariantCulture));
            return new RedemptionPage([.. rows.Select(row => ToRedemption(session, channel, row))], next);
        }, cancellationToken);
    }

    /// <summary>Sends any message and records it whatever its exit code, as a chain does.</summary>
    internal Task<LedgerResult> ExecuteAsync(LedgerCall call, CancellationToken cancellationToken) =>
        WriteAsync((_, machine) => machine.Execute(call), cancellationToken);

    /// <summary>A channel's exact state, or null when nothing lives at the address.</summary>
    internal Task<LedgerChannel?> GetStateAsync(Address channel, CancellationToken cancellationToken) =>
        ReadAsync((session, _) => session.FindActor(channel) is { } actor ? session.FindChannel(actor.Id) : null, cancellationToken);

    private static void RequireNotNegative(TokenAmount amount)
    {
        if (amount.IsNegative)
            throw new ArgumentOutOfRangeException(nameof(amount), "An amount to be paid is not negative.");
    }

    private static Redemption ToRedemption(LedgerSession session, ChannelId channel, LedgerRedemption row)
    {
        if (!UpdateChannelStateParams.TryDecode(row.Params, out UpdateChannelStateParams? parameters))
            throw session.Damaged($"message {row.Cid} has no voucher");
        Voucher voucher = parameters!.Voucher.Voucher;
        HashLock? hashLock = voucher.SecretHash.Length == HashLock.Length ? new HashLock(row.LockHash, voucher.SecretHash.Span) : null;
        ReadOnlyMemory<byte> secret = hashLock is null ? ReadOnlyMemory<byte>.Empty : parameters.Secret;
        return new Redemption(new VoucherKey(channel, voucher.Lane, voucher.Nonce), voucher.Amount, hashLock, secret, row.Epoch, row.Cid);
    }

    private static RailReceipt AlreadyDone(LedgerResult result, string sentence) =>
        new(RailOutcome.AlreadyDone, result.ExitCode, sentence, null, result.Epoch);

    private static RailReceipt Receipt(LedgerResult result)
    {
        RailOutcome outcome = result.ExitCode switch
        {
            ExitCode.Ok => RailOutcome.Executed,
            // An account the ledger has never seen has no money either.
            ExitCode.InsufficientFunds or ExitCode.SenderInvalid => RailOutcome.InsufficientFunds,
            ExitCode.InvalidReceiver => RailOutcome.UnknownChannel,
            _ => RailOutcome.Refused,
        };
        return new RailReceipt(outcome, result.ExitCode, ExitCode.Describe(result.ExitCode), result.Message?.Cid.ToString(), result.Epoch);
    }

    private ChannelSnapshot? Snapshot(LedgerSession session, ulong id, Epoch epoch)
    {
        if (session.FindChannel(id) is not { } channel)
            return null;
        LedgerActor actor = session.FindActor(id)!;
        LedgerActor payer = session.FindActor(channel.State.From)!;
        LedgerActor payee = session.FindActor(channel.State.To)!;
        return new ChannelSnapshot
        {
            Id = vouchers.ChannelAt(actor.Address),
            Payer = vouchers.AccountAt(payer.Address),
            Payee = vouchers.AccountAt(payee.Address),
            PartiesAreAccounts = payer.Kind == ActorKind.Account && payee.Kind == ActorKind.Account,
            LockHash = channel.LockHash,
            Balance = actor.Balance,
            ToSend = channel.State.ToSend,
            SettlingAt = channel.State.IsSettling ? channel.State.SettlingAt : null,
            Lanes = channel.State.Lanes,
            AsOf = epoch,
        };
    }

    private LedgerCall Call(SecpKey sender, ChannelId channel, ulong method, TokenAmount value) =>
        new(sender.Address, AddressOf(channel), method, value, default);

    private Address AddressOf(AccountId account) =>
        vouchers.TryParseAccount(account.Text, out _, out string error) ? Address.Parse(account.Text) : throw new ArgumentException(error, nameof(account));

    private Address AddressOf(ChannelId channel) =>
        vouchers.TryParseChannel(channel.Text, out _, out string error) ? Address.Parse(channel.Text) : throw new ArgumentException(error, nameof(channel));

    // SQLite works synchronously; callers get their thread back.
    private Task<T> ReadAsync<T>(Func<LedgerSession, Epoch, T> read, CancellationToken cancellationToken) =>
        Task.Run(() => database.Read(session => read(session, session.Clock().EpochAt(time.GetUtcNow()))), cancellationToken);

    private Task<T> WriteAsync<T>(Func<LedgerSession, LedgerMachine, T> write, CancellationToken cancellationToken) => Task.Run(
        () => database.Write(session =>
        {
            // Inside the write lock, so that epochs never fall from one message to the next.
            LedgerClock clock = session.Clock();
            return write(session, new LedgerMachine(session, clock.EpochAt(time.GetUtcNow()), clock.SettleDelay));
        }),
        cancellationToken);
}
