using Lockstep.Node.Ledger;
using Lockstep.Payments;
using Lockstep.Payments.Rails;
using Microsoft.Data.Sqlite;

namespace Lockstep.Node.Tests.Ledger;

/// <summary>Files that are missing, foreign, damaged or out of reach: one clear sentence each, and nothing half-written.</summary>
public sealed class LedgerFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lockstep-file-").FullName;
    private readonly ManualTime time = new();

    private string File1 => Path.Combine(folder, "ledger.db");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_missing_ledger_is_not_made_by_opening_it()
    {
        AssertSentence(() => LocalLedger.Open(File1, time), "There is no ledger at");
        Assert.False(File.Exists(File1));
    }

    [Fact]
    public void A_missing_folder_is_named() =>
        AssertSentence(() => LocalLedger.OpenOrCreate(Path.Combine(folder, "none", "l.db"), new LedgerSettings(), time), "could not be made");

    [Fact]
    public void A_text_file_is_not_a_ledger()
    {
        File.WriteAllText(File1, new string('x', 5000));
        AssertSentence(() => LocalLedger.OpenOrCreate(File1, new LedgerSettings(), time), "is not a ledger or is damaged");
        Assert.Equal(new string('x', 5000), File.ReadAllText(File1));
    }

    [Fact]
    public void Another_programs_database_is_left_alone()
    {
        Run("CREATE TABLE notes (t TEXT); INSERT INTO notes VALUES ('mine')");
        AssertSentence(() => LocalLedger.OpenOrCreate(File1, new LedgerSettings(), time), "database of another program");
        Assert.Equal(1L, Scalar("SELECT count(*) FROM sqlite_schema"));
    }

    [Fact]
    public void An_empty_file_is_not_opened_as_a_ledger()
    {
        File.WriteAllBytes(File1, []);
        AssertSentence(() => LocalLedger.Open(File1, time), "is empty");
    }

    [Fact]
    public void A_newer_format_is_refused()
    {
        LocalLedger.OpenOrCreate(File1, new LedgerSettings(), time);
        Run("PRAGMA user_version = 2");
        AssertSentence(() => LocalLedger.Open(File1, time), "has format 2; this program reads format 1");
    }

    [Fact]
    public async Task Overwritten_pages_are_noticed()
    {
        LocalLedger ledger = LocalLedger.OpenOrCreate(File1, new LedgerSettings(), time);
        for (byte i = 1; i < 60; i++)
            await ledger.FundAsync(ledger.Vouchers.AccountOf(LedgerFixture.KeyOf(i)), LedgerFixture.OneCoin, Cancellation);
        Run("PRAGMA wal_checkpoint(TRUNCATE)");
        ledger.Dispose();
        byte[] content = await File.ReadAllBytesAsync(File1, Cancellation);
        content.AsSpan(4096, content.Length - 8192).Fill(0xa5);
        await File.WriteAllBytesAsync(File1, content, Cancellation);
        AssertSentence(() => LocalLedger.Open(File1, time), "damaged");
    }

    [Fact]
    public async Task A_balance_that_is_no_number_is_noticed()
    {
        LocalLedger ledger = LocalLedger.OpenOrCreate(File1, new LedgerSettings(), time);
        AccountId account = ledger.Vouchers.AccountOf(LedgerFixture.KeyOf(1));
        await ledger.FundAsync(account, LedgerFixture.OneCoin, Cancellation);
        Run("UPDATE actors SET balance = 'plenty'");
        RailException fault = await Assert.ThrowsAsync<RailException>(() => ledger.GetBalanceAsync(account, Cancellation));
        Assert.Contains("'plenty' is no amount of money", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_ledger_changes_nothing()
    {
        LocalLedger ledger = LocalLedger.OpenOrCreate(File1, new LedgerSettings(), time);
        AccountId account = ledger.Vouchers.AccountOf(LedgerFixture.KeyOf(1));
        await ledger.FundAsync(account, LedgerFixture.OneCoin, Cancellation);
        // SQLite reports its own page limit as it does a full disk. The limit is per connection, so it is set on the pooled one.
        ledger.Dispose();
        using (var limited = new SqliteConnection(ledger.ConnectionString))
        {
            limited.Open();
            using SqliteCommand command = limited.CreateCommand();
            command.CommandText = "PRAGMA max_page_count = 1";
            command.ExecuteNonQuery();
        }
        RailException fault = await Assert.ThrowsAsync<RailException>(async () =>
        {
            for (byte i = 2; i < 250; i++)
                await ledger.FundAsync(ledger.Vouchers.AccountOf(LedgerFixture.KeyOf(i)), LedgerFixture.OneCoin, Cancellation);
        });
        Assert.Contains("The disk is full", fault.Message, StringComparison.Ordinal);
        ledger.Dispose();
        Assert.True((await ledger.AuditAsync(Cancellation)).Balances);
    }

    [Fact]
    public void Settings_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentException>(() => LocalLedger.OpenOrCreate(File1, new LedgerSettings { EpochLength = TimeSpan.Zero }, time));
        Assert.Throws<ArgumentException>(() => LocalLedger.OpenOrCreate(File1, new LedgerSettings { SettleDelayEpochs = 0 }, time));
        Assert.False(File.Exists(File1));
    }

    private static void AssertSentence(Action action, string expected)
    {
        RailException fault = Assert.Throws<RailException>(action);
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    private void Run(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File1};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private object? Scalar(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File1};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
