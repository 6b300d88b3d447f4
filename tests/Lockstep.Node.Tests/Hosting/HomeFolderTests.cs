using Lockstep.Node.Hosting;
using Lockstep.Node.Tests.Support;

namespace Lockstep.Node.Tests.Hosting;

public class HomeFolderTests
{
    [Fact]
    public void AHomeIsItsOwnersAlone()
    {
        using var folder = new TemporaryFolder();
        HomeFolder home = HomeFolder.Open(folder.File("home"));
        Assert.Equal(folder.File("lockstep-ledger.db"), home.LedgerPath);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(home.Folder));
    }

    [Fact]
    public void TwoHomesSideBySideShareTheLedger()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(HomeFolder.Open(folder.File("a")).LedgerPath, HomeFolder.Open(folder.File("b") + Path.DirectorySeparatorChar).LedgerPath);
        Assert.Equal(folder.File("x.db"), HomeFolder.Open(folder.File("a"), folder.File("x.db")).LedgerPath);
    }

    [Fact]
    public void ARoleIsTakenOnceUntilItIsGivenBack()
    {
        using var folder = new TemporaryFolder();
        HomeFolder home = HomeFolder.Open(folder.File("home"));
        using (home.Acquire(HomeRole.Serve))
        {
            NodeException fault = Assert.Throws<NodeException>(() => HomeFolder.Open(home.Folder).Acquire(HomeRole.Serve));
            Assert.Equal(NodeFault.HomeInUse, fault.Fault);
            Assert.Contains(home.Folder, fault.Message, StringComparison.Ordinal);
            home.Acquire(HomeRole.Get).Dispose();
        }

        home.Acquire(HomeRole.Serve).Dispose();
    }

    [Fact]
    public void AHomeThatCannotBeMadeIsRefused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("file"), "");
        NodeException fault = Assert.Throws<NodeException>(() => HomeFolder.Open(folder.File("file")));
        Assert.Equal(NodeFault.HomeUnusable, fault.Fault);
    }

    [Fact]
    public void SettingsAreReadAndHeldToTheirRanges()
    {
        using var folder = new TemporaryFolder();
        HomeFolder home = HomeFolder.Open(folder.File("home"));
        Assert.Equal(2, home.LoadSettings().WindowsAhead);
        File.WriteAllText(home.SettingsPath, """{ "pricePerByteAtto": "17", "windowsAhead": 3, /* why not */ }""");
        Assert.Equal("17", home.LoadSettings().PricePerByteAtto);
        Assert.Equal(3, home.LoadSettings().WindowsAhead);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{ "windowsahead": 3 }""")]
    [InlineData("""{ "windowsAhead": 0 }""")]
    [InlineData("""{ "windowsAhead": "3" }""")]
    [InlineData("""{ "pricePerByteAtto": "-1" }""")]
    [InlineData("""{ "pricePerByteAtto": "1.5" }""")]
    [InlineData("""{ "pricePerByteAtto": null }""")]
    [InlineData("""{ "proofWindowBytes": 0 }""")]
    [InlineData("""{ "maxDeals": 0 }""")]
    [InlineData("""{ "unsealLimitSeconds": 0 }""")]
    public void ImpossibleSettingsAreRefused(string json)
    {
        using var folder = new TemporaryFolder();
        HomeFolder home = HomeFolder.Open(folder.File("home"));
        File.WriteAllText(home.SettingsPath, json);
        NodeException fault = Assert.Throws<NodeException>(home.LoadSettings);
        Assert.Equal(NodeFault.BadSetting, fault.Fault);
        Assert.Contains(home.SettingsPath, fault.Message, StringComparison.Ordinal);
    }
}
