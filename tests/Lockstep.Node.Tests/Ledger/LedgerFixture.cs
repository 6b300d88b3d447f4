using Dapper;
using Lockstep.Node.Ledger;
using Lockstep.Payments;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Microsoft.Data.Sqlite;

namespace Lockstep.Node.Tests.Ledger;

/// <summary>A ledger in a folder of its own, with a clock moved by hand and one second per epoch.</summary>
internal sealed class LedgerFixture : IDisposable
{
    public static readonly TokenAmount OneCoin = TokenAmount.ParseAtto("1000000000000000000");

    public LedgerFixture(LedgerSettings? settings = null)
    {
        Folder = Directory.CreateTempSubdirectory("lockstep-ledger-").FullName;
        Settings = settings ?? new LedgerSettings { EpochLength = TimeSpan.FromSeconds(1) };
        Ledger = LocalLedger.OpenOrCreate(Path, Settings, Time);
    }

    public string Folder { get; }

    public string Path => System.IO.Path.Combine(Folder, "ledger.db");

    public ManualTime Time { get; } = new();

    public LedgerSettings Settings { get; }

    public LocalLedger Ledger { get; }

    public SecpKey Payer { get; } = KeyOf(1);

    public SecpKey Payee { get; } = KeyOf(2);

    public SecpKey Stranger { get; } = KeyOf(3);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static SecpKey KeyOf(byte seed)
    {
        var secret = new byte[32];
        Array.Fill(secret, seed);
        return SecpKey.FromSecret(secret);
    }

    public AccountId AccountOf(SecpKey key) => Ledger.Vouchers.AccountOf(key);

    public void GoTo(Epoch epoch, Epoch now) => Time.Advance(Settings.EpochLength * (epoch.Value - now.Value));

    public async Task GoToAsync(long epoch) => GoTo(new Epoch(epoch), await Ledger.GetHeadAsync(Cancellation));

    public async Task<ChannelId> OpenAsync(TokenAmount amount, LockHashKind lockHash = LockHashKind.Sha256)
    {
        await Ledger.FundAsync(AccountOf(Payer), amount, Cancellation);
        OpenChannelReceipt opened = await Ledger.OpenChannelAsync(Payer, AccountOf(Payee), amount, lockHash, Cancellation);
        Assert.True(opened.Receipt.Succeeded, opened.Receipt.Sentence);
        return opened.Channel!.Value;
    }

    public PaymentVoucher Sign(ChannelId channel, ulong lane, ulong nonce, TokenAmount amount, HashLock? hashLock = null, long? expiry = null) =>
        Ledger.Vouchers.Sign(Payer, new VoucherTerms(
            channel, new LaneId(lane), new Nonce(nonce), amount, hashLock, expiry is { } epoch ? new Epoch(epoch) : null));

    public Task<RailReceipt> RedeemAsync(PaymentVoucher voucher, byte[]? secret = null, SecpKey? caller = null) => Ledger.RedeemAsync(
        caller ?? Payee, voucher.Channel, [new RedemptionClaim(voucher, secret is null ? default(ReadOnlyMemory<byte>?) : secret)], Cancellation);

    /// <summary>Runs SQL on the file itself, as another program could.</summary>
    public void Sql(string sql, object? parameters = null)
    {
        using var connection = new SqliteConnection($"Data Source={Path};Pooling=False");
        connection.Open();
        connection.Execute(sql, parameters);
    }

    public T Query<T>(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path};Pooling=False");
        connection.Open();
        return connection.QuerySingle<T>(sql);
    }

    public async Task AssertConservedAsync()
    {
        LedgerAudit audit = await Ledger.AuditAsync(Cancellation);
        Assert.True(audit.Balances, $"minted {audit.Minted}, accounts {audit.Accounts}, channels {audit.Channels}");
    }

    public void Dispose()
    {
        Ledger.Dispose();
        Payer.Dispose();
        Payee.Dispose();
        Stranger.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
