using System.Text.Json;
using CsCheck;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Encodings;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Messages;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Tests.Messages;

public sealed class MessageTests
{
    public static TheoryData<string> Own() => Vectors.Names(Vectors.Messages, "messages");

    public static TheoryData<string> Published() => Vectors.Names(Vectors.Messages, "published_messages");

    [Theory]
    [MemberData(nameof(Own))]
    public void Bytes_cid_and_signature_equal_the_vector(string name)
    {
        JsonElement vector = Vectors.Named(Vectors.Messages, "messages", name);
        Message message = Read(vector);
        AssertEncoding(vector, message);
        var type = (SignatureType)vector.GetProperty("signature_type").GetInt32();
        var signed = new SignedMessage(message, new Signature(type, vector.Bytes("signature_hex")));
        if (type == SignatureType.Secp256k1)
        {
            Assert.Equal(vector.Text("signing_digest_blake2b256_hex"), Convert.ToHexStringLower(message.SigningDigest()));
            using SecpKey key = Vectors.KeyNamed(vector.Text("sender_key"));
            Assert.Equal(key.Address, message.From);
            Assert.Equal(signed, message.Sign(key));
            Assert.True(signed.IsSignedBySender());
            Assert.False(new SignedMessage(message with { Nonce = message.Nonce + 1 }, signed.Signature).IsSignedBySender());
        }
        Assert.Equal(vector.Text("signed_message_cbor_hex"), Convert.ToHexStringLower(signed.Encode()));
        Assert.Equal(vector.Text("signed_message_cid"), signed.Cid.ToString());
        Assert.True(SignedMessage.TryDecode(signed.Encode(), out SignedMessage? decoded));
        Assert.Equal(signed.Encode(), decoded.Encode());
    }

    [Theory]
    [MemberData(nameof(Published))]
    public void Published_messages_are_reproduced(string name)
    {
        JsonElement vector = Vectors.Named(Vectors.Messages, "published_messages", name);
        Message message = Read(vector);
        AssertEncoding(vector, message);
        if (vector.TryGetProperty("signed_message_cbor_hex", out JsonElement signedHex))
        {
            Assert.True(SignedMessage.TryDecode(Convert.FromHexString(signedHex.GetString()!), out SignedMessage? signed));
            Assert.Equal(vector.Text("signed_message_cid"), signed.Cid.ToString());
            Assert.False(signed.IsSignedBySender());
        }
    }

    [Fact]
    public void Code_cids_and_known_cids_are_read_and_written()
    {
        int count = 0;
        foreach (JsonProperty code in Vectors.Messages.GetProperty("paymentchannel_code_cids").GetProperty("values").EnumerateObject())
        {
            Assert.True(FilecoinCid.TryParse(code.Value.GetString(), out FilecoinCid cid));
            Assert.Equal(code.Value.GetString(), cid.ToString());
            count++;
        }
        foreach (JsonElement known in Vectors.Messages.Each("known_cids"))
        {
            FilecoinCid cid = FilecoinCid.OfDagCbor(known.Bytes("block_hex"));
            Assert.Equal(known.Text("cid"), cid.ToString());
            Assert.Equal(known.Text("cid_hex"), Vectors.Hex(cid.Bytes));
            count++;
        }
        Assert.Equal(8, count);
        Assert.False(FilecoinCid.TryParse("bafy2bzacedijw74yui7otvo63nfl3hdq2vdzuy7wx2tnptwed6zml4vvz7we", out _));
        Assert.False(FilecoinCid.TryParse("zb2rhe5P4gXftAwvA4eXQ5HJwsER2owDyS9sKaQRRVQPn93bA", out _));
        Assert.False(FilecoinCid.TryParse(null, out _));
    }

    [Fact]
    public void Method_numbers_come_from_names()
    {
        foreach (JsonElement entry in Vectors.Messages.Each("method_hashes"))
            Assert.Equal(entry.Unsigned("value"), MethodNumber.Of(entry.Text("name")));
    }

    [Fact]
    public void Any_message_is_read_back_and_no_junk_is()
    {
        Gen.Select(Gen.ULong, Gen.ULong, Gen.Long, Gen.ULong, Gen.Byte.Array[0, 100]).Sample((nonce, value, gas, method, parameters) =>
        {
            var message = new Message
            {
                To = Address.FromId(nonce >> 1),
                From = Address.FromActorSeed(parameters),
                Nonce = nonce,
                Value = new TokenAmount(value) * gas,
                GasLimit = gas,
                GasFeeCap = new TokenAmount(gas),
                Method = method,
                Params = parameters,
            };
            byte[] encoded = message.Encode();
            Assert.True(Message.TryDecode(encoded, out Message? back));
            Assert.Equal(encoded, back.Encode());
            Assert.False(Message.TryDecode(encoded.AsMemory(..^1), out _));
            Assert.False(Message.TryDecode((byte[])[.. encoded, 0], out _));
        });
        Gen.Byte.Array[0, 200].Sample(junk =>
        {
            Message.TryDecode(junk, out _);
            SignedMessage.TryDecode(junk, out _);
        });
    }

    private static void AssertEncoding(JsonElement vector, Message message)
    {
        Assert.Equal(vector.Text("message_cbor_hex"), Convert.ToHexStringLower(message.Encode()));
        Assert.Equal(vector.Text("message_cid"), message.Cid.ToString());
        Assert.Equal(vector.Text("message_cid_hex"), Vectors.Hex(message.Cid.Bytes));
        Assert.True(Message.TryDecode(message.Encode(), out Message? decoded));
        Assert.Equal(message.Cid, decoded.Cid);
    }

    private static Message Read(JsonElement vector)
    {
        JsonElement fields = vector.GetProperty("message");
        return new Message
        {
            To = Address.Parse(fields.Text("To")),
            From = Address.Parse(fields.Text("From")),
            Nonce = fields.Unsigned("Nonce"),
            Value = fields.Amount("Value"),
            GasLimit = fields.Signed("GasLimit"),
            GasFeeCap = fields.Amount("GasFeeCap"),
            GasPremium = fields.Amount("GasPremium"),
            Method = fields.Unsigned("Method"),
            Params = vector.Bytes("params_hex"),
        };
    }
}
