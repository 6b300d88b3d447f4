namespace Lockstep.Cli.Tests.EndToEnd;

/// <summary>The protocol by hand: prove, verify, open.</summary>
public sealed class ByHandTests
{
    [Theory]
    [InlineData("sha256")]
    [InlineData("blake2b")]
    public async Task What_was_proven_verifies_and_opens_and_any_changed_bit_is_refused(string lockHash)
    {
        using var cli = new Cli();
        string source = cli.Write("source", 1000), folder = cli.Path("sealed");
        Cli.Run proven = await cli.RunAsync("home", "prove", source, "--out", folder, "--chunk-size", "700", "--lock", lockHash, "--json");
        Assert.Equal(0, proven.ExitCode);
        Assert.Equal(2, proven.Json.GetProperty("chunks").GetInt32());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder, "keys.json")));
        Assert.Equal(0, (await cli.RunAsync("home", "verify", folder)).ExitCode);

        var random = new Random(7);
        foreach (string name in (string[])["statement.bin", "ciphertext.bin", "proof.bin"])
        {
            string path = Path.Combine(folder, name);
            byte[] good = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
            foreach (int position in (int[])[0, good.Length / 2, good.Length - 1, random.Next(good.Length)])
            {
                byte[] bad = (byte[])good.Clone();
                bad[position] ^= (byte)(1 << random.Next(8));
                await File.WriteAllBytesAsync(path, bad, TestContext.Current.CancellationToken);
                Cli.Run refused = await cli.RunAsync("home", "verify", folder);
                Assert.True(refused.ExitCode == 1, $"{name} byte {position}: {refused.Errors}");
                Assert.StartsWith("error: ", refused.Errors, StringComparison.Ordinal);
            }

            await File.WriteAllBytesAsync(path, good, TestContext.Current.CancellationToken);
        }

        Assert.Equal(0, (await cli.RunAsync("home", "open", folder, "--key", Path.Combine(folder, "keys.json"), "-o", cli.Path("opened"))).ExitCode);
        Assert.Equal(await File.ReadAllBytesAsync(source, TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(cli.Path("opened"), TestContext.Current.CancellationToken));
        Cli.Run wrongKey = await cli.RunAsync("home", "open", folder, "--key", new string('0', 64), "-o", cli.Path("other"));
        Assert.Equal(1, wrongKey.ExitCode);
        Assert.False(File.Exists(cli.Path("other")));
    }
}
