using System.Text.Json;
using CsCheck;
using Lockstep.Content.Cids;
using Lockstep.Content.Tests.Support;
using Lockstep.Tests.Support;

namespace Lockstep.Content.Tests;

public class CidTests
{
    private const string Known = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

    [Fact]
    public void Vectors_of_multiformats_are_read_and_written()
    {
        using JsonDocument vectors = TestContent.ReadVector("cids.v1.json");
        Check(vectors);
    }

    [Fact]
    public void Vectors_are_what_multiformats_makes_today()
    {
        using JsonDocument today = NodeOracle.Run("content-oracle.mjs", "cids");
        Check(today);
        using JsonDocument vectors = TestContent.ReadVector("cids.v1.json");
        Assert.True(JsonElement.DeepEquals(vectors.RootElement, today.RootElement));
    }

    [Fact]
    public void The_block_of_no_bytes_has_its_well_known_name()
    {
        Cid cid = Cid.Of(Multicodec.Raw, []);
        Assert.Equal(Known, cid.ToString());
        Assert.True(cid.NamesEmptyBlock);
        Assert.False(Cid.Of(Multicodec.Raw, [0]).NamesEmptyBlock);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("hello", "starts with neither")]
    [InlineData("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvykv", "ending")] // a stray bit behind the last byte
    [InlineData("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyk", "ending")]
    [InlineData("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvy", "cut short")]
    [InlineData("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvykuaa", "after its end")]
    [InlineData("bAFKREIHDWDCEFGH4DQKJV67UZCMW7OJEE6XEDZDETOJUZJEVTENXQUVYKU", "character")]
    [InlineData("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku=", "character")]
    [InlineData("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku ", "character")]
    [InlineData("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR10", "base58btc")] // 0 is not in the alphabet
    [InlineData("zQmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n", "version 0")]
    [InlineData("bcilqaaa", "")]
    public void Bad_text_is_refused_with_a_sentence(string text, string part)
    {
        Assert.False(Cid.TryParse(text, out Cid? cid, out string? error));
        Assert.Null(cid);
        Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.EndsWith(".", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Endless_text_is_refused_before_it_is_decoded()
    {
        Assert.False(Cid.TryParse("z" + new string('z', 1_000_000), out _, out string? error));
        Assert.Contains("1000001 characters", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0155")] // no hash
    [InlineData("0255122000")] // version 2
    [InlineData("01d500122000")] // codec not in its shortest form
    [InlineData("0155121f00")] // sha2-256 of 31 bytes
    [InlineData("01551341")] // digest longer than 64 bytes
    [InlineData("01551280808080808080808001")] // length of more than 63 bits
    [InlineData("1220aa")] // version 0 cut short
    public void Bad_bytes_are_refused(string hex)
    {
        Assert.False(Cid.TryRead(Convert.FromHexString(hex), out Cid? cid, out int consumed, out ContentError? error));
        Assert.Null(cid);
        Assert.Equal(0, consumed);
        Assert.Equal(ContentErrorKind.BadCid, error.Kind);
    }

    [Fact]
    public void Every_cut_of_a_binary_cid_is_refused_and_what_follows_is_left()
    {
        byte[] bytes = Cid.Of(Multicodec.DagCbor, [1, 2, 3]).ToBytes();
        for (int length = 0; length < bytes.Length; length++)
            Assert.False(Cid.TryRead(bytes.AsSpan(0, length), out _, out _, out _));
        Assert.True(Cid.TryRead([.. bytes, 9, 9], out _, out int consumed, out _));
        Assert.Equal(bytes.Length, consumed);
    }

    [Fact]
    public void Text_and_bytes_round_trip() =>
        Gen.Select(Gen.ULong[0, long.MaxValue], Gen.Byte.Array[0, 300]).Sample((codec, block) =>
        {
            Cid cid = Cid.Of(codec, block);
            Assert.True(Cid.TryParse(cid.ToString(), out Cid? parsed, out _));
            Assert.True(Cid.TryRead(cid.ToBytes(), out Cid? read, out _, out _));
            Assert.Equal(cid, parsed);
            Assert.Equal(cid, read);
            Assert.Equal(cid.GetHashCode(), read.GetHashCode());
            Assert.True(read.Matches(block));
        });

    [Fact]
    public void Random_bytes_and_text_never_throw()
    {
        Gen.Byte.Array[0, 100].Sample(bytes =>
            Cid.TryRead(bytes, out Cid? cid, out int used, out _) ? cid.ToBytes().AsSpan().SequenceEqual(bytes.AsSpan(0, used)) : used == 0);
        Gen.String[0, 100].Sample(text => IsSteady(text) && IsSteady("b" + text));
        Gen.String[Gen.Char["bfzkuQm123456789abcdefXYZ"], 0, 60].Sample(IsSteady);

        static bool IsSteady(string text) => Cid.TryParse(text, out Cid? cid, out string? error)
            ? Cid.TryParse(cid.ToString(), out Cid? again, out _) && again == cid
            : error.Length > 0;
    }

    [Fact]
    public void Version_codec_and_hash_tell_cids_apart()
    {
        Cid raw = Cid.Of(Multicodec.Raw, [1]), pb = Cid.Of(Multicodec.DagPb, [1]);
        Assert.NotEqual(raw, pb);
        Assert.True(Cid.TryRead([0x12, 0x20, .. pb.Digest], out Cid? zero, out _, out _));
        Assert.NotEqual(pb, zero);
        Assert.Equal(pb, zero.ToV1());
    }

    private static void Check(JsonDocument vectors)
    {
        foreach (JsonElement test in vectors.RootElement.GetProperty("cases").EnumerateArray())
        {
            string v1 = test.GetProperty("v1").GetString()!;
            byte[] bytes = Convert.FromHexString(test.GetProperty("bytes").GetString()!);
            Assert.True(Cid.TryRead(bytes, out Cid? cid, out _, out _));
            Assert.Equal(v1, cid.ToString());
            Assert.Equal(bytes, cid.ToBytes());
            Assert.Equal(test.GetProperty("codec").GetUInt64(), cid.Codec);
            Assert.Equal(test.GetProperty("hash").GetUInt64(), cid.Hash);
            Assert.Equal(test.GetProperty("digest").GetString(), Convert.ToHexStringLower(cid.Digest));
            Assert.Equal(cid.Hash != Multicodec.Sha256, cid.RefuseOtherHash()?.Kind == ContentErrorKind.UnsupportedHash);
            Assert.Equal(5, test.GetProperty("texts").GetArrayLength());
            foreach (JsonElement text in test.GetProperty("texts").EnumerateArray())
            {
                Assert.True(Cid.TryParse(text.GetString(), out Cid? parsed, out string? error), error);
                Assert.Equal(cid, parsed);
            }

            if (test.TryGetProperty("v0", out JsonElement zeroText))
            {
                Assert.True(Cid.TryParse(zeroText.GetString(), out Cid? zero, out _));
                Assert.Equal(0, zero.Version);
                Assert.Equal(zeroText.GetString(), zero.ToString());
                Assert.Equal(cid, zero.ToV1());
            }
        }
    }
}
