using System.Text.Json;
using Lockstep.Cli.Tests.Support;

namespace Lockstep.Cli.Tests.Commands;

/// <summary>What people get wrong, each answered by one sentence, its exit code, and nothing half-written.</summary>
public class BadInputTests
{
    private const string Unheard = "lockstep://127.0.0.1:1/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    public static TheoryData<int, string, string> CommandLines => new()
    {
        { 2, "", "lockstep" },
        { 2, "fly", "fly" },
        { 2, "add", "PATH" },
        { 2, "add x --chunk-size 1KiB", "64 KiB to 1 MiB" },
        { 2, "add x --chunk-size big", "not a size" },
        { 2, "prove x", "--out" },
        { 2, "prove x --out y --lock md5", "sha256 or blake2b" },
        { 2, "prove x --out y --suite none", "not a suite" },
        { 2, "bench prove --threads 0", "--threads" },
        { 2, "bench prove --threads many", "'many'" },
        { 2, "bench get --rtt soon", "'soon'" },
        { 2, "serve --price-per-byte much", "'much'" },
        { 2, "serve --unseal-price -1", "'-1'" },
        { 2, "serve --proof-window 65MiB", "--proof-window" },
        { 2, "serve --keep-ahead 65537", "--keep-ahead" },
        { 2, "serve --keep-ahead many", "--keep-ahead" },
        { 2, "serve --keep-ahead-for bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", "--keep-ahead 16" },
        { 2, "serve --keep-ahead 1 --keep-ahead-suite none/1", "none/1" },
        { 2, "demo --keep-ahead -1", "--keep-ahead" },
        { 2, "bench get --rtt 0ms,-5ms", "'-5ms'" },
        { 2, "bench prove --size 99999999999999999999999999GiB", "not a size" },
        { 2, "bench prove --size 5GiB", "--size" },
        { 2, "demo --window 0", "--window" },
        { 2, "demo --chunk-size 5GiB", "--chunk-size" },
        { 2, "channel open", "lockstep channel open --help" },
        { 2, "suites --json extra", "extra" },
        { 5, "add /nonexistent/file --home HOME", "/nonexistent/file" },
        { 5, "prove /nonexistent/file --out OUT", "/nonexistent/file" },
        { 5, "verify /nonexistent", "/nonexistent" },
        { 2, "open /nonexistent --key 00 -o OUT", "64 hexadecimal digits" },
        { 5, "wallet --home HOME", "no wallet" },
        { 2, "wallet fund much --home HOME", "not an amount" },
        { 2, "wallet fund 0 --home HOME", "more than zero" },
        { 5, "channel ls --home HOME", "no wallet" },
        { 2, "get notacid --from " + Unheard + " -o OUT --home HOME", "notacid" },
        { 2, "get bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy --from somewhere -o OUT --home HOME", "lockstep://" },
        { 2, "ask somewhere", "lockstep://" },
        { 4, "ask " + Unheard, "" },
        { 2, "serve --listen nowhere --home HOME", "nowhere" },
    };

    [Theory]
    [MemberData(nameof(CommandLines))]
    public async Task IsAnsweredByOneSentence(int code, string line, string contains)
    {
        using var folder = new TemporaryFolder();
        string[] arguments = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word switch
        {
            "HOME" => folder.File("home"),
            "OUT" => folder.File("out"),
            _ => word,
        })];
        (await Support.Lockstep.RunAsync(arguments)).Failed(code, contains);
        Assert.False(Path.Exists(folder.File("out")));
    }

    [Fact]
    public async Task AFailureIsJsonForMachines()
    {
        using var folder = new TemporaryFolder();
        RunResult result = (await Support.Lockstep.RunAsync("wallet", "--json", "--home", folder.File("home"))).Failed(5, "no wallet");
        JsonElement error = result.Json.GetProperty("error");
        Assert.Equal("no-wallet", error.GetProperty("code").GetString());
        Assert.Contains("no wallet", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACarCutShortOrWithAWrongBlockIsRefusedWhole()
    {
        using var folder = new TemporaryFolder();
        byte[] car = MakeCar();
        foreach ((string name, byte[] bytes) in new[] { ("cut.car", car[..^5]), ("wrong.car", Flip(car)), ("junk.car", new byte[100]) })
        {
            await File.WriteAllBytesAsync(folder.File(name), bytes, TestContext.Current.CancellationToken);
            (await Support.Lockstep.RunAsync("add", folder.File(name), "--home", folder.File("home"))).Failed(5, "");
        }

        Assert.Equal(0, (await Support.Lockstep.RunAsync("ls", "--json", "--home", folder.File("home"))).Ok().Json.GetArrayLength());
        await File.WriteAllBytesAsync(folder.File("good.car"), car, TestContext.Current.CancellationToken);
        (await Support.Lockstep.RunAsync("add", folder.File("good.car"), "--home", folder.File("home"))).Ok();
    }

    [Fact]
    public async Task AHomeThatIsAFileIsRefused()
    {
        using var folder = new TemporaryFolder();
        (await Support.Lockstep.RunAsync("ls", "--home", folder.Write("file", 1))).Failed(5, "home");
    }

    [Fact]
    public async Task ALedgerThatIsNoLedgerIsRefused()
    {
        using var folder = new TemporaryFolder();
        (await Support.Lockstep.RunAsync("wallet", "fund", "1", "--home", folder.File("home"), "--ledger", folder.Write("file", 5000))).Failed(5, "ledger");
    }

    [Fact]
    public async Task AFullDiskIsSaidSoAndLeavesNothingHalfWritten()
    {
        using var folder = new TemporaryFolder();
        string source = folder.Write("source", 200_000);

        // A limit on file sizes stops the writing in the middle, as a full disk does.
        RunResult result = await Support.Lockstep.RunUnderFileLimitAsync(kibibytes: 64, "prove", source, "--out", folder.File("out"), "--chunk-size", "100000");
        result.Failed(5, "");
        Assert.Equal([source], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(source)!));
    }

    // One raw block under a CARv1 header: {roots: [cid], version: 1}.
    private static byte[] MakeCar()
    {
        byte[] block = [.. "a block of some bytes"u8];
        byte[] cid = [1, 0x55, 0x12, 32, .. System.Security.Cryptography.SHA256.HashData(block)];
        byte[] header = [0xa2, 0x65, .. "roots"u8, 0x81, 0xd8, 0x2a, 0x58, 37, 0, .. cid, 0x67, .. "version"u8, 1];
        return [(byte)header.Length, .. header, (byte)(cid.Length + block.Length), .. cid, .. block];
    }

    private static byte[] Flip(byte[] car)
    {
        byte[] changed = [.. car];
        changed[^1] ^= 1;
        return changed;
    }
}
