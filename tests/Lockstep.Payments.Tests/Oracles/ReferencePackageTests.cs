using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Messages;
using Lockstep.Payments.Vouchers;
using Lockstep.Tests.Support;

namespace Lockstep.Payments.Tests.Oracles;

/// <summary>
/// Seeded random keys, vouchers, messages and addresses, given to two independent implementations: the same bytes, the same
/// signatures, the same decoded fields.
/// </summary>
public sealed class ReferencePackageTests
{
    private const int Keys = 12, VoucherCount = 120, MessageCount = 60, AddressCount = 100;

    // The packages' JSON holds integers up to 2^53 - 1.
    private const ulong SafeInteger = (1ul << 53) - 1;

    private readonly Random random = new(20_301);

    [Fact]
    public void Two_reference_packages_agree_on_random_inputs()
    {
        SecpKey[] keys = [.. Enumerable.Range(0, Keys).Select(_ => SecpKey.Generate(random.NextBytes))];
        SignedVoucher[] vouchers = [.. Enumerable.Range(0, VoucherCount).Select(i => RandomVoucher(IsSmall(i)).Sign(keys[i % Keys]))];
        SignedMessage[] messages = [.. Enumerable.Range(0, MessageCount).Select(i => RandomMessage(keys[i % Keys].Address).Sign(keys[i % Keys]))];
        Address[] addresses = [.. Enumerable.Range(0, AddressCount).Select(_ => RandomAddress())];

        using JsonDocument answers = NodeOracle.Check("payments-oracle.mjs", new JsonObject
        {
            ["keys"] = ToArray(keys.Select(key => new JsonObject { ["privateKey"] = SecretOf(key) })),
            ["vouchers"] = ToArray(vouchers.Select((voucher, i) => new JsonObject
            {
                ["privateKey"] = SecretOf(keys[i % Keys]),
                ["signer"] = keys[i % Keys].Address.ToString(),
                ["stranger"] = keys[(i + 1) % Keys].Address.ToString(),
                ["unsigned"] = Convert.ToHexStringLower(voucher.Voucher.SigningBytes()),
                ["signed"] = Convert.ToHexStringLower(voucher.Encode()),
                ["small"] = IsSmall(i),
            })),
            ["messages"] = ToArray(messages.Select((message, i) => new JsonObject { ["privateKey"] = SecretOf(keys[i % Keys]), ["lotus"] = Lotus(message.Message) })),
            ["addresses"] = ToArray(addresses.Select(address => new JsonObject { ["text"] = address.ToString() })),
        });

        Compare(answers, "keys", keys, CompareKey);
        Compare(answers, "vouchers", vouchers, CompareVoucher);
        Compare(answers, "messages", messages, CompareMessage);
        Compare(answers, "addresses", addresses, (address, answer) =>
        {
            Assert.Equal(answer.Text("bytes"), Vectors.Hex(address.Bytes));
            Assert.Equal(answer.Text("text"), address.ToString());
        });
        foreach (SecpKey key in keys)
            key.Dispose();
    }

    private static bool IsSmall(int index) => index % 2 == 0;

    private static void CompareKey(SecpKey key, JsonElement answer)
    {
        foreach (string package in new[] { "zondax", "iso" })
        {
            Assert.Equal(answer.GetProperty(package).Text("address"), key.Address.ToString());
            Assert.Equal(answer.GetProperty(package).Text("publicKey"), Vectors.Hex(key.PublicKey));
        }
    }

    private static void CompareVoucher(SignedVoucher signed, JsonElement answer)
    {
        Assert.Equal(answer.Text("signed"), Convert.ToHexStringLower(signed.Encode()));
        Assert.Equal(answer.Text("isoSignature"), Vectors.Hex(signed.Signature!.Data));
        Assert.True(answer.GetProperty("verifies").GetBoolean());
        Assert.False(answer.GetProperty("verifiesForStranger").GetBoolean());
        JsonElement fields = answer.GetProperty("fields");
        if (fields.ValueKind == JsonValueKind.Null)
            return;
        Voucher voucher = signed.Voucher;
        Assert.Equal(fields.Text("ChannelAddr"), voucher.Channel.ToString());
        Assert.Equal(fields.GetProperty("TimeLockMin").GetInt64(), voucher.TimeLockMin.Value);
        Assert.Equal(fields.GetProperty("TimeLockMax").GetInt64(), voucher.TimeLockMax.Value);
        Assert.Equal(fields.Text("SecretPreImage"), Convert.ToBase64String(voucher.SecretHash.Span));
        Assert.Equal(fields.GetProperty("Lane").GetUInt64(), voucher.Lane.Value);
        Assert.Equal(fields.GetProperty("Nonce").GetUInt64(), voucher.Nonce.Value);
        Assert.Equal(fields.Text("Amount"), voucher.Amount.ToString());
        Assert.Equal(fields.GetProperty("MinSettleHeight").GetInt64(), voucher.MinSettleHeight.Value);
        Assert.Equal(
            fields.Each("Merges").Select(merge => (merge[0].GetUInt64(), merge[1].GetUInt64())),
            voucher.Merges.Select(merge => (merge.Lane.Value, merge.Nonce.Value)));
        Assert.Equal(fields.GetProperty("Signature").Text("Data"), Convert.ToBase64String(signed.Signature.Data.Span));
        JsonElement extra = fields.GetProperty("Extra");
        Assert.Equal(extra.ValueKind == JsonValueKind.Null, voucher.Extra is null);
        if (voucher.Extra is { } call)
        {
            Assert.Equal(NumbersOf(extra[0]), call.Actor.Bytes.ToArray());
            Assert.Equal(extra[1].GetUInt64(), call.Method);
            Assert.Equal(NumbersOf(extra[2]), call.Data.ToArray());
        }
    }

    private static void CompareMessage(SignedMessage signed, JsonElement answer)
    {
        string encoded = Convert.ToHexStringLower(signed.Message.Encode());
        Assert.Equal(answer.Text("zondax"), encoded);
        Assert.Equal(answer.Text("iso"), encoded);
        Assert.Equal(answer.Text("isoCid"), Vectors.Hex(signed.Message.Cid.Bytes));
        Assert.Equal(answer.Text("zondaxSignature"), Vectors.Hex(signed.Signature.Data));
        Assert.Equal(answer.Text("isoSignature"), Vectors.Hex(signed.Signature.Data));
        JsonElement parsed = answer.GetProperty("zondaxParsed");
        Assert.Equal(parsed.Text("To"), signed.Message.To.ToString());
        Assert.Equal(parsed.Text("From"), signed.Message.From.ToString());
        Assert.Equal(parsed.Text("Value"), signed.Message.Value.ToString());
        Assert.Equal(parsed.Text("Params"), Convert.ToBase64String(signed.Message.Params.Span));
    }

    private static void Compare<T>(JsonDocument answers, string list, IReadOnlyList<T> ours, Action<T, JsonElement> compare)
    {
        JsonElement[] theirs = [.. answers.RootElement.Each(list)];
        Assert.Equal(ours.Count, theirs.Length);
        for (int i = 0; i < theirs.Length; i++)
            compare(ours[i], theirs[i]);
    }

    private static byte[] NumbersOf(JsonElement array) => [.. array.EnumerateArray().Select(number => number.GetByte())];

    private static JsonArray ToArray(IEnumerable<JsonObject> items) => [.. items];

    private static string SecretOf(SecpKey key)
    {
        var secret = new byte[SecpKey.SecretLength];
        key.CopySecretTo(secret);
        return Convert.ToHexStringLower(secret);
    }

    private static JsonObject Lotus(Message message) => new()
    {
        ["Version"] = 0,
        ["To"] = message.To.ToString(),
        ["From"] = message.From.ToString(),
        ["Nonce"] = message.Nonce,
        ["Value"] = message.Value.ToString(),
        ["GasLimit"] = message.GasLimit,
        ["GasFeeCap"] = message.GasFeeCap.ToString(),
        ["GasPremium"] = message.GasPremium.ToString(),
        ["Method"] = message.Method,
        ["Params"] = Convert.ToBase64String(message.Params.Span),
    };

    private Voucher RandomVoucher(bool small) => new()
    {
        Channel = random.Next(2) == 0 ? Address.FromId(Number(true)) : Address.FromActorSeed(Bytes(20)),
        TimeLockMin = new Epoch((long)Number(small) * (random.Next(4) == 0 ? -1 : 1)),
        TimeLockMax = new Epoch((long)Number(small)),
        SecretHash = random.Next(3) == 0 ? ReadOnlyMemory<byte>.Empty : Bytes(32),
        Extra = random.Next(4) == 0 ? new ExtraCall(Address.FromId(Number(true)), Number(true), Bytes(random.Next(1, 40))) : null,
        Lane = new LaneId(Number(small)),
        Nonce = new Nonce(small ? Number(true) : (ulong)random.NextInt64(long.MinValue, long.MaxValue)),
        Amount = RandomAmount(),
        MinSettleHeight = new Epoch((long)Number(small)),
        Merges = [.. Enumerable.Range(0, random.Next(4)).Select(_ => new LaneMerge(new LaneId(Number(small)), new Nonce(Number(small))))],
    };

    private Message RandomMessage(Address from) => new()
    {
        To = random.Next(2) == 0 ? Address.FromActorSeed(Bytes(8)) : Address.FromId(Number(true)),
        From = from,
        Nonce = Number(true),
        Value = RandomAmount(),
        GasLimit = random.NextInt64(1, 10_000_000_000),
        GasFeeCap = new TokenAmount(random.NextInt64(0, long.MaxValue)),
        GasPremium = new TokenAmount(random.NextInt64(0, 1 << 30)),
        Method = (ulong)random.NextInt64(0, 1L << 32),
        Params = Bytes(random.Next(0, 200)),
    };

    private Address RandomAddress() => random.Next(5) switch
    {
        0 => Address.FromId(Number(false)),
        1 => Address.FromSecp256k1(Bytes(65)),
        2 => Address.FromActorSeed(Bytes(30)),
        3 => Address.FromBls(Bytes(48)),
        _ => Address.FromDelegated(Address.EthereumNamespace, Bytes(20)),
    };

    // Numbers of every width, so that every form of CBOR integers is met.
    private ulong Number(bool small)
    {
        ulong value = (ulong)random.NextInt64(0, long.MaxValue) >> random.Next(0, 63);
        return small ? value & SafeInteger : value;
    }

    private TokenAmount RandomAmount() => new(new BigInteger(Bytes(random.Next(0, 16)), isUnsigned: true));

    private byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
