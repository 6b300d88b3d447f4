namespace Lockstep.Proofs.Tests.Windows;

/// <summary>The sample of the library runs as its readers are told.</summary>
public sealed class SampleTests
{
    [Fact]
    public async Task The_sample_seals_verifies_and_opens_a_file()
    {
        string folder = Directory.CreateTempSubdirectory("lockstep-sample-").FullName;
        try
        {
            string source = Path.Combine(folder, "source"), opened = Path.Combine(folder, "opened");
            byte[] content = DeterministicWindow.Expand("sample", 300_000);
            await File.WriteAllBytesAsync(source, content, TestContext.Current.CancellationToken);
            Assert.Equal(0, await SealAndOpen.Program.Main([source, opened]));
            Assert.Equal(content, await File.ReadAllBytesAsync(opened, TestContext.Current.CancellationToken));
            Assert.Equal(1, await SealAndOpen.Program.Main([Path.Combine(folder, "missing")]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
