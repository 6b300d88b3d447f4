using System.Security.Cryptography;
using CsCheck;
using Lockstep.Node.Identity;

namespace Lockstep.Node.Tests.Identity;

public class ProviderAddressTests
{
    private static readonly KeyFingerprint Key = new(SHA256.HashData("a key"u8));

    [Theory]
    [InlineData("127.0.0.1", 4410)]
    [InlineData("::1", 1)]
    [InlineData("provider.example", 65535)]
    [InlineData("localhost", 80)]
    public void TextIsReadBackAsItWasWritten(string host, int port)
    {
        var address = new ProviderAddress(host, port, Key);
        Assert.True(ProviderAddress.TryParse(address.ToString(), out ProviderAddress? read, out _));
        Assert.Equal(address, read);
        Assert.Equal(address.ToString(), read.ToString());
    }

    [Fact]
    public void FingerprintsAreReadBackAsTheyWereWritten() =>
        Gen.Byte.Array[KeyFingerprint.Length].Sample(bytes =>
        {
            var key = new KeyFingerprint(bytes);
            Assert.True(KeyFingerprint.TryParse(key.ToString(), out KeyFingerprint? read));
            Assert.Equal(bytes, read.Bytes.ToArray());
        }, iter: 1000);

    [Fact]
    public void AFingerprintHasOneText()
    {
        // The last character carries one bit, so of 32 characters only two are canonical.
        string text = Key.ToString();
        int accepted = "abcdefghijklmnopqrstuvwxyz234567".Count(last => KeyFingerprint.TryParse(text[..^1] + last, out _));
        Assert.Equal(2, accepted);
        Assert.False(KeyFingerprint.TryParse(text.ToUpperInvariant(), out _));
    }

    public static TheoryData<string> Bad() =>
    [
        "", "lockstep://", "http://127.0.0.1:1/" + Key, "lockstep://127.0.0.1:1", "lockstep://127.0.0.1:1/", $"lockstep://127.0.0.1/{Key}",
        $"lockstep://:1/{Key}", $"lockstep://127.0.0.1:0/{Key}", $"lockstep://127.0.0.1:65536/{Key}", $"lockstep://127.0.0.1:-1/{Key}",
        $"lockstep://127.0.0.1: 1/{Key}", $"lockstep://::1:1/{Key}", $"lockstep://[127.0.0.1]:1/{Key}", $"lockstep://user@host:1/{Key}",
        $"lockstep://127.0.0.1:1/{Key}/", $"lockstep://127.0.0.1:1/{Key}a", $"lockstep://127.0.0.1:1/{Key.ToString()[..51]}",
        $"lockstep://a b:1/{Key}", new string('x', 100_000),
    ];

    [Theory]
    [MemberData(nameof(Bad))]
    public void OtherTextsAreRefusedInOneSentence(string text)
    {
        Assert.False(ProviderAddress.TryParse(text, out _, out string? error));
        Assert.EndsWith(".", error, StringComparison.Ordinal);
        Assert.True(error.Length < 800, "a sentence does not repeat a text of any length");
    }
}
