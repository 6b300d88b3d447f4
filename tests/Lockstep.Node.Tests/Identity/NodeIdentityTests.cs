using Lockstep.Node.Identity;
using Lockstep.Node.Tests.Support;

namespace Lockstep.Node.Tests.Identity;

public class NodeIdentityTests
{
    [Fact]
    public void AKeyIsMadeOnceAndKept()
    {
        using var folder = new TemporaryFolder();
        using var first = NodeIdentity.LoadOrCreate(folder.File("key.pem"));
        using var second = NodeIdentity.LoadOrCreate(folder.File("key.pem"));
        Assert.Equal(first.Fingerprint, second.Fingerprint);
        Assert.Equal(first.Fingerprint, KeyFingerprint.Of(second.Certificate));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File("key.pem")));
        Assert.Equal(["key.pem"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void AKeyThatOthersMayReadIsRefused()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no mode bits.");
            return;
        }

        using var folder = new TemporaryFolder();
        NodeIdentity.LoadOrCreate(folder.File("key.pem")).Dispose();
        File.SetUnixFileMode(folder.File("key.pem"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        NodeException fault = Assert.Throws<NodeException>(() => NodeIdentity.LoadOrCreate(folder.File("key.pem")));
        Assert.Equal(NodeFault.HomeUnusable, fault.Fault);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a key")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    public void ADamagedKeyIsRefused(string content)
    {
        using var folder = new TemporaryFolder();
        NodeIdentity.LoadOrCreate(folder.File("key.pem")).Dispose();
        File.WriteAllText(folder.File("key.pem"), content);
        NodeException fault = Assert.Throws<NodeException>(() => NodeIdentity.LoadOrCreate(folder.File("key.pem")));
        Assert.Equal(NodeFault.Damaged, fault.Fault);
    }

    [Fact]
    public void ASignatureHoldsForItsKeyAndItsBytesOnly()
    {
        using var identity = NodeIdentity.Generate();
        using var other = NodeIdentity.Generate();
        byte[] signature = identity.Sign("offer"u8);
        Assert.True(NodeIdentity.Verify(identity.PublicKey.Span, "offer"u8, signature));
        Assert.False(NodeIdentity.Verify(identity.PublicKey.Span, "Offer"u8, signature));
        Assert.False(NodeIdentity.Verify(other.PublicKey.Span, "offer"u8, signature));
        Assert.False(NodeIdentity.Verify(identity.PublicKey.Span[..^1], "offer"u8, signature));
        Assert.False(NodeIdentity.Verify(identity.PublicKey.Span, "offer"u8, signature.AsSpan(0, 63)));
        Assert.False(NodeIdentity.Verify([.. identity.PublicKey.Span, 0], "offer"u8, signature));
        for (int i = 0; i < signature.Length; i++)
        {
            byte[] changed = [.. signature];
            changed[i] ^= 1;
            Assert.False(NodeIdentity.Verify(identity.PublicKey.Span, "offer"u8, changed));
        }
    }
}
