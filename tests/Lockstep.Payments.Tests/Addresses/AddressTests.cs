using System.Text.Json;
using CsCheck;
using Lockstep.Payments.Addresses;

namespace Lockstep.Payments.Tests.Addresses;

public sealed class AddressTests
{
    public static TheoryData<string, string, string> Valid() =>
        new(Vectors.Messages.Each("addresses").Select(entry => (entry.Text("mainnet"), entry.Text("testnet"), entry.Text("bytes_hex"))));

    public static TheoryData<string> Invalid() => [.. Vectors.Messages.Each("invalid_addresses").Select(entry => entry.Text("text"))];

    [Fact]
    public void All_vectors_are_here()
    {
        Assert.Equal(26, Valid().Count);
        Assert.Equal(13, Invalid().Count);
        Assert.Equal(22, Vectors.Messages.GetProperty("f2_predictions").Each("vectors").Count());
    }

    [Theory]
    [MemberData(nameof(Valid))]
    public void Text_and_bytes_agree(string main, string test, string hex)
    {
        Assert.True(Address.TryFromBytes(Convert.FromHexString(hex), out Address address));
        Assert.Equal(main, address.ToString(Network.Main));
        Assert.Equal(test, address.ToString(Network.Test));
        Assert.True(Address.TryParse(main, out Address fromMain, out Network mainLetter, out _));
        Assert.True(Address.TryParse(test, out Address fromTest, out Network testLetter, out _));
        Assert.Equal((address, address), (fromMain, fromTest));
        Assert.Equal((Network.Main, Network.Test), (mainLetter, testLetter));
        Assert.Equal(hex, Vectors.Hex(fromMain.Bytes));
    }

    [Theory]
    [MemberData(nameof(Invalid))]
    public void Bad_texts_are_refused_with_a_sentence(string text)
    {
        Assert.False(Address.TryParse(text, out Address address, out _, out string error));
        Assert.True(address.IsEmpty);
        Assert.EndsWith(".", error, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => Address.Parse(text));
    }

    [Fact]
    public void Addresses_are_derived_from_what_they_name()
    {
        foreach (JsonElement entry in Vectors.Messages.Each("addresses"))
        {
            Address expected = Address.Parse(entry.Text("mainnet"));
            if (entry.TryGetProperty("actor_id", out _))
                Assert.Equal(expected, Address.FromId(entry.Unsigned("actor_id")));
            if (entry.TryGetProperty("public_key_hex", out JsonElement key))
            {
                byte[] bytes = Convert.FromHexString(key.GetString()!);
                Assert.Equal(expected, expected.Protocol == AddressProtocol.Bls ? Address.FromBls(bytes) : Address.FromSecp256k1(bytes));
            }
            if (entry.TryGetProperty("preimage_hex", out JsonElement seed))
                Assert.Equal(expected, Address.FromActorSeed(Convert.FromHexString(seed.GetString()!)));
        }
    }

    [Fact]
    public void New_actors_have_the_predicted_addresses()
    {
        foreach (JsonElement entry in Vectors.Messages.GetProperty("f2_predictions").Each("vectors"))
        {
            Assert.True(Address.TryFromBytes(entry.Bytes("sender_hex"), out Address sender));
            Address predicted = Address.PredictActor(sender, entry.Unsigned("nonce"), entry.Unsigned("actors_created_before"));
            Assert.Equal(entry.Text("f2_bytes_hex"), Vectors.Hex(predicted.Bytes));
        }
    }

    [Fact]
    public void Masked_numbers_go_both_ways()
    {
        foreach (JsonElement entry in Vectors.Messages.Each("masked_id_addresses"))
        {
            Address address = Address.FromId(entry.Unsigned("actor_id"));
            Assert.True(address.TryToMaskedId(out byte[] masked));
            Assert.Equal(entry.Text("eth_address"), "0x" + Convert.ToHexStringLower(masked));
            Assert.True(Address.TryFromMaskedId(masked, out Address back));
            Assert.Equal(address, back);
        }
        Assert.False(Address.TryFromMaskedId(new byte[20], out _));
        Assert.False(Address.Parse("f2nuqrg7vuysaue2pistjjnt3fadsdzvyuatqtfei").TryToMaskedId(out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("0080")]
    [InlineData("00e400")]
    [InlineData("0080808080808080808001")]
    [InlineData("00ffffffffffffffffff01")]
    [InlineData("0101")]
    [InlineData("023f9dca5732548bbc235146a94f92153c1427fc")]
    [InlineData("023f9dca5732548bbc235146a94f92153c1427fc1700")]
    [InlineData("04")]
    [InlineData("048a00ab")]
    [InlineData("0501")]
    public void Bad_bytes_are_refused(string hex) => Assert.False(Address.TryFromBytes(Convert.FromHexString(hex), out _));

    [Fact]
    public void Any_bytes_that_are_read_are_written_back()
    {
        Gen.Byte[0, 5].Select(Gen.Byte.Array[0, 70], (protocol, rest) => (byte[])[protocol, .. rest]).Sample(bytes =>
        {
            if (!Address.TryFromBytes(bytes, out Address address))
                return;
            Assert.Equal(bytes, address.Bytes.ToArray());
            Assert.Equal(address, Address.Parse(address.ToString(Network.Test)));
        });
        Gen.ULong.Select(Gen.Byte.Array[0, 54]).Sample((space, name) =>
        {
            Address address = Address.FromDelegated(space, name);
            Assert.Equal(address, Address.Parse(address.ToString()));
            Assert.True(address.TryGetDelegated(out ulong readSpace, out ReadOnlySpan<byte> readName));
            Assert.Equal(space, readSpace);
            Assert.Equal(name, readName.ToArray());
        });
    }

    [Fact]
    public void One_wrong_letter_is_always_noticed()
    {
        const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";
        const string Good = "f1d2xrzcslx7xlbbylc5c3d5lvandqw4iwl6epxba";
        for (int position = 2; position < Good.Length; position++)
        {
            foreach (char letter in Alphabet.Where(letter => letter != Good[position]))
                Assert.False(Address.TryParse(Good[..position] + letter + Good[(position + 1)..], out _, out _, out _));
        }
    }
}
