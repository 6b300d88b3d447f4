using System.Text.Json;
using Lockstep.Cli.Common;
using Lockstep.Cli.Proofs;
using Lockstep.Cli.Tests.Support;
using Lockstep.Proofs;
using Lockstep.Proofs.Verifier;

namespace Lockstep.Cli.Tests.Commands;

/// <summary>A file sealed once by the program, for the tests that look at what was written.</summary>
public sealed class SealedFile : IAsyncLifetime
{
    public const int Size = 300;

    internal TemporaryFolder Folder { get; } = new();

    public string Source { get; private set; } = "";

    public string Sealed => Folder.File("sealed");

    public async ValueTask InitializeAsync()
    {
        Source = Folder.Write("source", Size);
        JsonElement made = (await Support.Lockstep.RunAsync("prove", Source, "--out", Sealed, "--chunk-size", "128", "--json")).Ok().Json;
        Assert.Equal(Size, made.GetProperty("bytes").GetInt64());
        Assert.Equal(3, made.GetProperty("chunks").GetInt32());
    }

    public ValueTask DisposeAsync()
    {
        Folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>The protocol by hand: prove, verify, open.</summary>
public class ByHandTests(SealedFile file) : IClassFixture<SealedFile>
{
    private static readonly string[] PublicFiles = ["statement.bin", "ciphertext.bin", "proof.bin"];

    [Fact]
    public async Task AStrangerVerifiesWithThePublicFilesAlone()
    {
        string copy = CopyPublic();
        JsonElement verified = (await Support.Lockstep.RunAsync("verify", copy, "--json")).Ok().Json;
        Assert.True(verified.GetProperty("accepted").GetBoolean());
        Assert.Equal(SealedFile.Size, verified.GetProperty("bytes").GetInt64());
        Assert.Equal(3, verified.GetProperty("chunks").GetArrayLength());
    }

    // The same proof system, slowly, and one line that says so; whoever only reads proofs is told nothing.
    [Fact]
    public async Task ASlowProcessorProvesAndSaysThatItIsSlow()
    {
        using var folder = new TemporaryFolder();
        RunResult proven = (await Support.Lockstep.RunOnASlowProcessorAsync("prove", folder.Write("small", 1), "--out", folder.File("sealed"))).Ok();
        string notice = Assert.Single(proven.Errors.Split('\n'), line => line.StartsWith("note: ", StringComparison.Ordinal));
        Assert.Contains("portable", notice, StringComparison.Ordinal);
        Assert.DoesNotContain("note: ", (await Support.Lockstep.RunOnASlowProcessorAsync("verify", folder.File("sealed"))).Ok().Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheKeysOpenItAndAreForTheirOwnerAlone()
    {
        string keys = Path.Combine(file.Sealed, "keys.json");
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keys));
        using var folder = new TemporaryFolder();
        (await Support.Lockstep.RunAsync("open", file.Sealed, "--key", keys, "-o", folder.File("opened"))).Ok();
        Assert.Equal(File.ReadAllBytes(file.Source), File.ReadAllBytes(folder.File("opened")));

        // One chunk alone, by its own key.
        string second = JsonDocument.Parse(File.ReadAllBytes(keys)).RootElement.GetProperty("Keys")[1].GetString()!;
        (await Support.Lockstep.RunAsync("open", file.Sealed, "--key", second, "--chunk", "1", "-o", folder.File("second"))).Ok();
        Assert.Equal(File.ReadAllBytes(file.Source)[128..256], File.ReadAllBytes(folder.File("second")));

        // A key of another chunk opens nothing and leaves nothing.
        (await Support.Lockstep.RunAsync("open", file.Sealed, "--key", second, "-o", folder.File("wrong"))).Failed(1, "chunk 0");
        Assert.Equal(["opened", "second"], Directory.EnumerateFiles(Path.GetDirectoryName(folder.File("x"))!).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData("statement.bin")]
    [InlineData("ciphertext.bin")]
    [InlineData("proof.bin")]
    public async Task AChangedCutOrLongerFileIsRefusedByTheProgram(string name)
    {
        byte[] original = File.ReadAllBytes(Path.Combine(file.Sealed, name));
        foreach (byte[] changed in (byte[][])[Flip(original, 0), Flip(original, original.Length / 2), original[..^1], [.. original, 0]])
        {
            string copy = CopyPublic();
            File.WriteAllBytes(Path.Combine(copy, name), changed);
            RunResult result = (await Support.Lockstep.RunAsync("verify", copy)).Failed(1, "");
            Assert.Empty(result.Output);
        }
    }

    [Fact]
    public void EveryByteOfStatementAndCiphertextCounts()
    {
        foreach (string name in PublicFiles[..2])
        {
            byte[] original = File.ReadAllBytes(Path.Combine(file.Sealed, name));
            for (int at = 0; at < original.Length; at++)
                AssertRefused(name, Flip(original, at), at);
        }
    }

    [Fact]
    public void SeededBytesOfTheProofCount()
    {
        byte[] original = File.ReadAllBytes(Path.Combine(file.Sealed, "proof.bin"));
        var random = new Random(7);
        for (int i = 0; i < 200; i++)
        {
            int at = i < 64 ? i : random.Next(original.Length);
            AssertRefused("proof.bin", Flip(original, at), at);
        }
    }

    [Fact]
    public async Task AFolderWithFilesIsNotOverwritten()
    {
        byte[] before = File.ReadAllBytes(Path.Combine(file.Sealed, "proof.bin"));
        (await Support.Lockstep.RunAsync("prove", file.Source, "--out", file.Sealed)).Failed(5, "not empty");
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(file.Sealed, "proof.bin")));
    }

    [Fact]
    public async Task ATrailingSlashNamesTheSameFolder()
    {
        using var folder = new TemporaryFolder();
        (await Support.Lockstep.RunAsync("prove", folder.Write("one", 1), "--out", folder.File("out") + "/")).Ok();
        Assert.Equal(["ciphertext.bin", "keys.json", "proof.bin", "statement.bin"], Directory.EnumerateFiles(folder.File("out")).Select(Path.GetFileName).Order());
        (await Support.Lockstep.RunAsync("verify", folder.File("out") + "/")).Ok();
    }

    private void AssertRefused(string name, byte[] changed, int at)
    {
        string copy = CopyPublic();
        File.WriteAllBytes(Path.Combine(copy, name), changed);
        try
        {
            bool accepted = new ProofFolder(copy).Read().All(window =>
                WindowVerifier.Verify(window.Statement, window.Ciphertexts, window.Proof.Span, VerifierPolicy.Default) is null);
            Assert.False(accepted, $"{name} was accepted with byte {at} changed");
        }
        catch (CliException refusal)
        {
            Assert.Equal(ExitCodes.Refused, refusal.ExitCode);
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    private static byte[] Flip(byte[] bytes, int at)
    {
        byte[] changed = [.. bytes];
        changed[at] ^= (byte)(1 << (at % 8));
        return changed;
    }

    private string CopyPublic()
    {
        string copy = file.Folder.File($"copy-{Guid.NewGuid():N}");
        Directory.CreateDirectory(copy);
        foreach (string name in PublicFiles)
            File.Copy(Path.Combine(file.Sealed, name), Path.Combine(copy, name));
        return copy;
    }
}
