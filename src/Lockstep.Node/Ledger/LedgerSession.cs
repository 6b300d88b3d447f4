using System.Collections.Immutable;
using System.Globalization;
using Dapper;
using Lockstep.Payments;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Messages;
using Lockstep.Payments.Rails;
using Microsoft.Data.Sqlite;

namespace Lockstep.Node.Ledger;

internal enum ActorKind
{
    Account,
    Channel,

    /// <summary>A channel that was collected: its address stays taken and its history readable, but nothing lives there.</summary>
    Collected,
}

internal sealed record LedgerActor(ulong Id, Address Address, ActorKind Kind, TokenAmount Balance, ulong Nonce);

internal sealed record LedgerChannel(ulong Id, LockHashKind LockHash, PaychState State);

internal sealed record LedgerClock(string LedgerId, long GenesisMs, long EpochMs, long SettleDelay, long LastEpoch)
{
    /// <summary>The epoch at a time; never before that of a message which was executed already, whatever the clock says.</summary>
    public Epoch EpochAt(DateTimeOffset now)
    {
        long elapsed = Math.Max(0, now.ToUnixTimeMilliseconds() - GenesisMs);
        return new Epoch(Math.Max(LastEpoch, elapsed / EpochMs));
    }
}

internal sealed record LedgerRedemption(long Sequence, string Cid, Epoch Epoch, byte[] Params, LockHashKind LockHash);

/// <summary>The ledger's rows inside one transaction.</summary>
internal sealed class LedgerSession(SqliteConnection connection, SqliteTransaction transaction, string path)
{
    /// <summary>The Init actor counts new actors from 100, as on Filecoin.</summary>
    public const long FirstActor = 100;

    /// <summary>Set when the transaction is to be undone although nothing failed.</summary>
    public bool IsAbandoned { get; private set; }

    public void Abandon() => IsAbandoned = true;

    public LedgerClock Clock() => connection.QuerySingle<LedgerClock>(
        "SELECT ledger_id AS LedgerId, genesis_ms AS GenesisMs, epoch_ms AS EpochMs, settle_delay AS SettleDelay, last_epoch AS LastEpoch FROM ledger",
        transaction: transaction);

    public void AdvanceTo(Epoch epoch) => Execute("UPDATE ledger SET last_epoch = @Epoch WHERE last_epoch < @Epoch", new { Epoch = epoch.Value });

    public LedgerActor? FindActor(Address address)
    {
        if (address.TryGetId(out ulong id))
            return FindActor(id);
        return ToActor(connection.QuerySingleOrDefault<ActorRow>(
            "SELECT id, address, kind, balance, nonce FROM actors WHERE address = @Address", new { Address = address.Bytes.ToArray() }, transaction));
    }

    public LedgerActor? FindActor(ulong id) => ToActor(connection.QuerySingleOrDefault<ActorRow>(
        "SELECT id, address, kind, balance, nonce FROM actors WHERE id = @Id", new { Id = unchecked((long)id) }, transaction));

    public LedgerActor AddActor(Address address, ActorKind kind)
    {
        long id = connection.QuerySingle<long>("UPDATE ledger SET next_actor = next_actor + 1 RETURNING next_actor - 1", transaction: transaction);
        Execute(
            "INSERT INTO actors (id, address, kind, balance, nonce) VALUES (@Id, @Address, @Kind, '0', 0)",
            new { Id = id, Address = address.Bytes.ToArray(), Kind = KindText(kind) });
        return new LedgerActor((ulong)id, address, kind, TokenAmount.Zero, 0);
    }

    public void SetBalance(ulong id, TokenAmount balance)
    {
        if (balance.IsNegative)
            throw new InvalidOperationException($"Actor {id} would owe money.");
        Execute("UPDATE actors SET balance = @Balance WHERE id = @Id", new { Id = (long)id, Balance = balance.ToString() });
    }

    public void SetNonce(ulong id, ulong nonce) =>
        Execute("UPDATE actors SET nonce = @Nonce WHERE id = @Id", new { Id = (long)id, Nonce = checked((long)nonce) });

    public void AddMinted(TokenAmount amount)
    {
        TokenAmount minted = Amount(connection.QuerySingle<string>("SELECT minted FROM ledger", transaction: transaction)) + amount;
        Execute("UPDATE ledger SET minted = @Minted", new { Minted = minted.ToString() });
    }

    public LedgerChannel? FindChannel(ulong id)
    {
        ChannelRow? row = connection.QuerySingleOrDefault<ChannelRow>(
            "SELECT id, from_id AS FromId, to_id AS ToId, lock_hash AS LockHash, to_send AS ToSend, settling_at AS SettlingAt, min_settle_height AS MinSettleHeight FROM channels WHERE id = @Id",
            new { Id = unchecked((long)id) },
            transaction);
        if (row is null)
            return null;
        IEnumerable<LaneRow> lanes = connection.Query<LaneRow>("SELECT lane, redeemed, nonce FROM lanes WHERE channel_id = @Id", new { row.Id }, transaction);
        var state = new PaychState
        {
            From = (ulong)row.FromId,
            To = (ulong)row.ToId,
            ToSend = Amount(row.ToSend),
            SettlingAt = new Epoch(row.SettlingAt),
            MinSettleHeight = new Epoch(row.MinSettleHeight),
            Lanes = lanes.ToImmutableSortedDictionary(
                lane => new LaneId((ulong)lane.Lane), lane => new LaneSnapshot(Amount(lane.Redeemed), new Nonce(Unsigned(lane.Nonce)))),
        };
        return new LedgerChannel((ulong)row.Id, (LockHashKind)row.LockHash, state);
    }

    public IReadOnlyList<ulong> ChannelsOf(ulong party) =>
        [.. connection.Query<long>("SELECT id FROM channels WHERE from_id = @Id OR to_id = @Id ORDER BY id", new { Id = (long)party }, transaction).Select(id => (ulong)id)];

    public void AddChannel(LedgerChannel channel) => Execute(
        "INSERT INTO channels (id, from_id, to_id, lock_hash, to_send, settling_at, min_settle_height) VALUES (@Id, @FromId, @ToId, @LockHash, @ToSend, @SettlingAt, @MinSettleHeight)",
        ToRow(channel.Id, channel.LockHash, channel.State));

    /// <summary>Writes what changed between two states of a channel. A null state removes it: it was collected.</summary>
    public void SaveChannel(LedgerChannel before, PaychState? after)
    {
        if (after is null)
        {
            Execute("DELETE FROM channels WHERE id = @Id", new { Id = (long)before.Id });
            Execute("UPDATE actors SET kind = @Kind WHERE id = @Id", new { Id = (long)before.Id, Kind = KindText(ActorKind.Collected) });
            return;
        }
        Execute(
            "UPDATE channels SET to_send = @ToSend, settling_at = @SettlingAt, min_settle_height = @MinSettleHeight WHERE id = @Id",
            ToRow(before.Id, before.LockHash, after));
        foreach ((LaneId id, LaneSnapshot lane) in after.Lanes)
        {
            if (before.State.Lanes.TryGetValue(id, out LaneSnapshot? old) && old == lane)
                continue;
            Execute(
                "INSERT INTO lanes (channel_id, lane, redeemed, nonce) VALUES (@Channel, @Lane, @Redeemed, @Nonce) ON CONFLICT DO UPDATE SET redeemed = excluded.redeemed, nonce = excluded.nonce",
                new { Channel = (long)before.Id, Lane = (long)id.Value, Redeemed = lane.Redeemed.ToString(), Nonce = lane.Nonce.ToString() });
        }
    }

    public void AddMessage(Message message, ulong? receiver, Epoch epoch, LockHashKind? lockHash, int exitCode, ReadOnlyMemory<byte> returned) => Execute(
        """
        INSERT INTO messages (cid, epoch, sender, receiver, receiver_id, nonce, value, method, params, lock_hash, exit_code, return_value)
        VALUES (@Cid, @Epoch, @Sender, @Receiver, @ReceiverId, @Nonce, @Value, @Method, @Params, @LockHash, @ExitCode, @Returned)
        """,
        new
        {
            Cid = message.Cid.ToString(),
            Epoch = epoch.Value,
            Sender = message.From.Bytes.ToArray(),
            Receiver = message.To.Bytes.ToArray(),
            ReceiverId = (long?)receiver,
            Nonce = checked((long)message.Nonce),
            Value = message.Value.ToString(),
            Method = checked((long)message.Method),
            Params = message.Params.ToArray(),
            LockHash = (long?)lockHash,
            ExitCode = (long)exitCode,
            Returned = returned.ToArray(),
        });

    public IReadOnlyList<LedgerRedemption> Redemptions(ulong channel, long after, int limit) =>
    [
        .. connection.Query<RedemptionRow>(
            """
            SELECT seq, cid, epoch, params, lock_hash AS LockHash FROM messages
            WHERE receiver_id = @Channel AND method = @Method AND exit_code = 0 AND seq > @After ORDER BY seq LIMIT @Limit
            """,
            new { Channel = (long)channel, Method = (long)PaychMethod.UpdateChannelState, After = after, Limit = limit },
            transaction)
            .Select(row => new LedgerRedemption(row.Seq, row.Cid, new Epoch(row.Epoch), row.Params, (LockHashKind)row.LockHash)),
    ];

    public LedgerAudit Audit()
    {
        TokenAmount accounts = TokenAmount.Zero, channels = TokenAmount.Zero;
        foreach ((string kind, string balance) in connection.Query<(string, string)>("SELECT kind, balance FROM actors", transaction: transaction))
        {
            if (kind == KindText(ActorKind.Account))
                accounts += Amount(balance);
            else
                channels += Amount(balance);
        }
        return new LedgerAudit(Amount(connection.QuerySingle<string>("SELECT minted FROM ledger", transaction: transaction)), accounts, channels);
    }

    public RailException Damaged(string what) => new($"The ledger {path} is damaged: {what}; restore it from a copy or make a new one.");

    private static string KindText(ActorKind kind) => kind switch
    {
        ActorKind.Account => "account",
        ActorKind.Channel => "channel",
        _ => "collected",
    };

    private static object ToRow(ulong id, LockHashKind lockHash, PaychState state) => new
    {
        Id = (long)id,
        FromId = (long)state.From,
        ToId = (long)state.To,
        LockHash = (long)lockHash,
        ToSend = state.ToSend.ToString(),
        SettlingAt = state.SettlingAt.Value,
        MinSettleHeight = state.MinSettleHeight.Value,
    };

    private void Execute(string sql, object parameters) => connection.Execute(sql, parameters, transaction);

    private LedgerActor? ToActor(ActorRow? row)
    {
        if (row is null)
            return null;
        if (!Address.TryFromBytes(row.Address, out Address address))
            throw Damaged($"actor {row.Id} has no valid address");
        ActorKind kind = Enum.GetValues<ActorKind>().First(kind => KindText(kind) == row.Kind);
        return new LedgerActor((ulong)row.Id, address, kind, Amount(row.Balance), (ulong)row.Nonce);
    }

    private TokenAmount Amount(string text) =>
        TokenAmount.TryParseAtto(text, out TokenAmount amount) ? amount : throw Damaged($"'{text}' is no amount of money");

    private ulong Unsigned(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : throw Damaged($"'{text}' is no nonce");

    private sealed record ActorRow(long Id, byte[] Address, string Kind, string Balance, long Nonce);

    private sealed record ChannelRow(long Id, long FromId, long ToId, long LockHash, string ToSend, long SettlingAt, long MinSettleHeight);

    private sealed record LaneRow(long Lane, string Redeemed, string Nonce);

    private sealed record RedemptionRow(long Seq, string Cid, long Epoch, byte[] Params, long LockHash);
}
