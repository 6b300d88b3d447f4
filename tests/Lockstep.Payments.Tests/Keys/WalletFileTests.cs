using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Lockstep.Payments.Keys;

namespace Lockstep.Payments.Tests.Keys;

public sealed class WalletFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lockstep-wallet-").FullName;
    private readonly SecpKey key = Vectors.KeyNamed("A");

    private string Wallet => Path.Combine(folder, "wallet.json");

    public void Dispose()
    {
        key.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("correct horse")]
    [InlineData("пароль 密码 🔑")]
    public void A_key_comes_back_as_it_was(string? passphrase)
    {
        WalletFile.Create(Wallet, key, passphrase, RandomNumberGenerator.Fill);
        Assert.Equal(!string.IsNullOrEmpty(passphrase), WalletFile.NeedsPassphrase(Wallet));
        using SecpKey back = WalletFile.Open(Wallet, passphrase);
        Assert.Equal(key.PublicKey.ToArray(), back.PublicKey.ToArray());
        Assert.Equal(key.SignDigest(new byte[32]), back.SignDigest(new byte[32]));
        Assert.Equal([Wallet], Directory.GetFiles(folder));
    }

    [Fact]
    public void Only_the_owner_can_read_it_from_the_start()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no permission bits.");
            return;
        }
        WalletFile.Create(Wallet, key, null, RandomNumberGenerator.Fill);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Wallet));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    [InlineData(UnixFileMode.UserExecute)]
    public void Wider_permissions_are_refused(UnixFileMode extra)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no permission bits.");
            return;
        }
        WalletFile.Create(Wallet, key, null, RandomNumberGenerator.Fill);
        File.SetUnixFileMode(Wallet, UnixFileMode.UserRead | UnixFileMode.UserWrite | extra);
        AssertFault(WalletFault.TooOpen, "chmod 600", () => WalletFile.Open(Wallet, null));
        AssertFault(WalletFault.TooOpen, "chmod 600", () => WalletFile.NeedsPassphrase(Wallet));
    }

    [Fact]
    public void Passphrases_are_needed_and_must_be_right()
    {
        WalletFile.Create(Wallet, key, "right", RandomNumberGenerator.Fill);
        AssertFault(WalletFault.PassphraseNeeded, "needs its passphrase", () => WalletFile.Open(Wallet, null));
        AssertFault(WalletFault.WrongPassphrase, "does not open", () => WalletFile.Open(Wallet, "Right"));
        Assert.DoesNotContain("f15716d3", File.ReadAllText(Wallet), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_wallet_is_never_written_over()
    {
        WalletFile.Create(Wallet, key, null, RandomNumberGenerator.Fill);
        byte[] before = File.ReadAllBytes(Wallet);
        using SecpKey other = Vectors.KeyNamed("B");
        AssertFault(WalletFault.AlreadyExists, "exists already", () => WalletFile.Create(Wallet, other, null, RandomNumberGenerator.Fill));
        Assert.Equal(before, File.ReadAllBytes(Wallet));
        Assert.Equal([Wallet], Directory.GetFiles(folder));
    }

    [Fact]
    public void Missing_files_and_folders_are_named()
    {
        AssertFault(WalletFault.Missing, "There is no wallet at", () => WalletFile.Open(Wallet, null));
        AssertFault(WalletFault.Unusable, "could not be written", () => WalletFile.Create(Path.Combine(folder, "no", "w"), key, null, RandomNumberGenerator.Fill));
    }

    [Fact]
    public void Any_change_of_an_encrypted_wallet_is_noticed()
    {
        WalletFile.Create(Wallet, key, "p", RandomNumberGenerator.Fill);
        using SecpKey other = Vectors.KeyNamed("B");
        AssertChanged(WalletFault.WrongPassphrase, wallet => wallet["address"] = other.Address.ToString());
        AssertChanged(WalletFault.WrongPassphrase, wallet => Flip(wallet["encrypted"]!, "ciphertext"));
        AssertChanged(WalletFault.WrongPassphrase, wallet => Flip(wallet["encrypted"]!, "tag"));
        AssertChanged(WalletFault.WrongPassphrase, wallet => Flip(wallet["encrypted"]!, "nonce"));
        AssertChanged(WalletFault.WrongPassphrase, wallet => Flip(wallet["encrypted"]!, "salt"));
        AssertChanged(WalletFault.Damaged, wallet => wallet["encrypted"]!["tag"] = "zz");
        AssertChanged(WalletFault.Damaged, wallet => wallet["encrypted"]!["scryptLogN"] = 31);
        AssertChanged(WalletFault.Damaged, wallet => wallet["encrypted"]!["scryptP"] = 1000);
        AssertChanged(WalletFault.Damaged, wallet => wallet["privateKey"] = new string('1', 64));
        AssertChanged(WalletFault.Damaged, wallet => wallet["note"] = "x");
        AssertChanged(WalletFault.Damaged, wallet => wallet["kind"] = "other-wallet");
        AssertChanged(WalletFault.UnknownVersion, wallet => wallet["version"] = 2);
    }

    [Fact]
    public void Any_change_of_a_clear_wallet_is_noticed()
    {
        WalletFile.Create(Wallet, key, null, RandomNumberGenerator.Fill);
        AssertChanged(WalletFault.Damaged, wallet => Flip(wallet, "privateKey"));
        AssertChanged(WalletFault.Damaged, wallet => wallet["privateKey"] = new string('0', 64));
        AssertChanged(WalletFault.Damaged, wallet => wallet["privateKey"] = "12");
        AssertChanged(WalletFault.Damaged, wallet => wallet["privateKey"] = null);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"kind\":\"lockstep-wallet\"}")]
    public void What_is_no_wallet_is_damaged(string content)
    {
        WalletFile.Create(Wallet, key, null, RandomNumberGenerator.Fill);
        File.WriteAllText(Wallet, content);
        AssertFault(WalletFault.Damaged, "restore it from a copy", () => WalletFile.Open(Wallet, null));
    }

    [Fact]
    public void A_huge_file_is_not_read()
    {
        WalletFile.Create(Wallet, key, null, RandomNumberGenerator.Fill);
        File.WriteAllText(Wallet, new string(' ', 20_000));
        AssertFault(WalletFault.Damaged, "far too long", () => WalletFile.Open(Wallet, null));
    }

    private static void Flip(JsonNode node, string name)
    {
        string text = node[name]!.GetValue<string>();
        node[name] = (text[0] == '0' ? '1' : '0') + text[1..];
    }

    private static void AssertFault(WalletFault fault, string part, Func<object> action)
    {
        WalletException exception = Assert.Throws<WalletException>(action);
        Assert.Equal(fault, exception.Fault);
        Assert.Contains(part, exception.Message, StringComparison.Ordinal);
    }

    private static void AssertFault(WalletFault fault, string part, Action action) => AssertFault(fault, part, () =>
    {
        action();
        return true;
    });

    private void AssertChanged(WalletFault fault, Action<JsonNode> change)
    {
        string good = File.ReadAllText(Wallet);
        JsonNode wallet = JsonNode.Parse(good)!;
        change(wallet);
        File.WriteAllText(Wallet, wallet.ToJsonString());
        AssertFault(fault, Wallet, () => WalletFile.Open(Wallet, "p"));
        File.WriteAllText(Wallet, good);
    }
}
