using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Tests.Support;

namespace Lockstep.Payments.Tests.Oracles;

/// <summary>Seeded random keys, vouchers, transactions and calls of the EVM rail, given to viem: the same bytes and signatures.</summary>
public sealed class EvmPackageTests
{
    private const int Count = 60;

    private readonly Random random = new(314_159);

    [Fact]
    public void Viem_agrees_on_random_inputs()
    {
        SecpKey[] keys = [.. Enumerable.Range(0, 8).Select(_ => SecpKey.Generate(random.NextBytes))];
        EvmAddress[] addresses = [.. Enumerable.Range(0, Count).Select(_ => RandomAddress())];
        (SecpKey Key, EvmContract Contract, ulong Channel, VoucherTerms Terms)[] vouchers = [.. Enumerable.Range(0, Count).Select(i => RandomVoucher(keys[i % keys.Length]))];
        (SecpKey Key, EvmContract Contract, ulong Channel, TokenAmount Amount, Epoch Deadline)[] closings = [.. Enumerable.Range(0, Count).Select(i =>
            (keys[i % keys.Length], RandomContract(), RandomChannel(), RandomAmount(), new Epoch(random.NextInt64(1, long.MaxValue))))];
        (SecpKey Key, EvmTransaction Transaction)[] transactions = [.. Enumerable.Range(0, Count).Select(i => (keys[i % keys.Length], RandomTransaction(i)))];
        (SecpKey Key, string Text)[] statements = [.. Enumerable.Range(0, 12).Select(i => (keys[i % keys.Length], new string('x', i * 17)))];
        (JsonObject Case, byte[] Ours)[] calls = [.. Calls(keys, addresses)];

        using JsonDocument answers = NodeOracle.Check("evm-oracle.mjs", new JsonObject
        {
            ["keys"] = Each(keys, (key, i) => new JsonObject { ["privateKey"] = SecretOf(key), ["nonce"] = Text((ulong)i * 77) }),
            ["addresses"] = new JsonArray([.. addresses.Select(address => (JsonNode)Vectors.Prefixed(address.Bytes))]),
            ["typed"] = new JsonArray([
                .. vouchers.Select(voucher => Typed(voucher.Key, voucher.Contract, "Voucher", new JsonObject
                {
                    ["channel"] = Text(voucher.Channel),
                    ["lane"] = Text(voucher.Terms.Lane.Value),
                    ["nonce"] = Text(voucher.Terms.Nonce.Value),
                    ["amount"] = voucher.Terms.Amount.ToString(),
                    ["lock"] = Vectors.Prefixed(voucher.Terms.Lock?.Hash ?? new byte[32]),
                    ["expiry"] = Text((ulong)(voucher.Terms.Expiry?.Value ?? 0)),
                })),
                .. closings.Select(closing => Typed(closing.Key, closing.Contract, "Close", new JsonObject
                {
                    ["channel"] = Text(closing.Channel),
                    ["toPayee"] = closing.Amount.ToString(),
                    ["deadline"] = closing.Deadline.ToString(),
                })),
            ]),
            ["transactions"] = Each(transactions, (one, _) => new JsonObject { ["privateKey"] = SecretOf(one.Key), ["fields"] = Fields(one.Transaction) }),
            ["calls"] = new JsonArray([.. calls.Select(call => (JsonNode)call.Case)]),
            ["statements"] = Each(statements, (one, _) => new JsonObject { ["privateKey"] = SecretOf(one.Key), ["text"] = "Lockstep statement\n" + one.Text }),
        });

        JsonElement root = answers.RootElement;
        Assert.All(keys.Zip(root.Each("keys")), (pair, i) =>
        {
            EvmAddress address = EvmAddress.FromPublicKey(pair.First.PublicKey.Span);
            Assert.Equal(pair.Second.Text("address"), address.ToString());
            Assert.Equal(pair.Second.Text("contract"), EvmAddress.OfContract(address, (ulong)i * 77).ToString());
        });
        Assert.Equal(root.Each("addresses").Select(text => text.GetString()), addresses.Select(address => address.ToString()));

        JsonElement[] typed = [.. root.Each("typed")];
        Assert.All(vouchers.Zip(typed), pair => CompareVoucher(pair.First.Key, pair.First.Contract, pair.First.Terms, pair.First.Channel, pair.Second));
        Assert.All(closings.Zip(typed[Count..]), pair =>
        {
            (SecpKey key, EvmContract contract, ulong channel, TokenAmount amount, Epoch deadline) = pair.First;
            Assert.Equal(pair.Second.Text("digest"), Vectors.Prefixed(new TypedData(contract.ChainId, contract.Address).CloseDigest(channel, amount, deadline)));
            Assert.Equal(pair.Second.Text("signature"), Vectors.Prefixed(WithContractRecovery(new EvmVoucherScheme(contract).SignClose(key, channel, amount, deadline))));
        });
        Assert.All(transactions.Zip(root.Each("transactions")), pair =>
        {
            SignedEvmTransaction signed = pair.First.Transaction.Sign(pair.First.Key);
            Assert.Equal(pair.Second.Text("raw"), Vectors.Prefixed(signed.Raw));
            Assert.Equal(pair.Second.Text("hash"), Vectors.Prefixed(signed.Hash));
        });
        Assert.All(calls.Zip(root.Each("calls")), pair => Assert.Equal(pair.Second.Text("data"), Vectors.Prefixed(pair.First.Ours)));
        Assert.All(statements.Zip(root.Each("statements")), pair =>
        {
            var scheme = new EvmVoucherScheme(RandomContract());
            byte[] signature = scheme.SignStatement(pair.First.Key, Encoding.ASCII.GetBytes(pair.First.Text));
            Assert.Equal(pair.Second.Text("signature"), Vectors.Prefixed(WithContractRecovery(signature)));
        });
        foreach (SecpKey key in keys)
            key.Dispose();
    }

    [Fact]
    public void Compiling_the_contract_again_gives_the_same_bytes()
    {
        using Stream stream = typeof(ContractArtifact).Assembly.GetManifestResourceStream("LockstepChannels.json")!;
        using JsonDocument held = JsonDocument.Parse(stream), made = NodeOracle.Run("compile-contracts.mjs");
        Assert.True(JsonElement.DeepEquals(held.RootElement, made.RootElement), "Run contracts/build and look at what changed.");
    }

    private static void CompareVoucher(SecpKey key, EvmContract contract, VoucherTerms terms, ulong channel, JsonElement answer)
    {
        var scheme = new EvmVoucherScheme(contract);
        Assert.Equal(answer.Text("digest"), Vectors.Prefixed(new TypedData(contract.ChainId, contract.Address).VoucherDigest(channel, terms)));
        PaymentVoucher voucher = scheme.Sign(key, terms);
        Assert.Equal(answer.Text("signature"), Vectors.Prefixed(WithContractRecovery(voucher.Encoded.Span[^65..])));
        VoucherVerdict read = scheme.Decode(voucher.Encoded, LockHashKind.Sha256);
        Assert.True(read.Accepted, read.Refusal?.Sentence);
        Assert.Equal(voucher, read.Voucher);
        Assert.Equal(scheme.AccountOf(key), read.Voucher.Signer);
    }

    private IEnumerable<(JsonObject Case, byte[] Ours)> Calls(SecpKey[] keys, EvmAddress[] addresses)
    {
        static JsonObject Call(string name, params JsonNode[] arguments) => new() { ["name"] = name, ["args"] = new JsonArray(arguments) };
        for (int i = 0; i < 12; i++)
        {
            EvmAddress one = addresses[i], other = addresses[i + 1];
            TokenAmount amount = RandomAmount();
            ulong channel = RandomChannel();
            var deadline = new Epoch(random.NextInt64(1, long.MaxValue));
            yield return (Call("open", one.ToString(), other.ToString(), amount.ToString()), ChannelContract.Open(one, other, amount));
            yield return (Call("topUp", Text(channel), amount.ToString()), ChannelContract.TopUp(channel, amount));
            yield return (Call("settle", Text(channel)), ChannelContract.Settle(channel));
            yield return (Call("collect", Text(channel)), ChannelContract.Collect(channel));
            yield return (Call("withdraw", one.ToString(), other.ToString()), ChannelContract.Withdraw(one, other));
            yield return (Call("read", Text(channel), Text((ulong)i), Text(512)), ChannelContract.Read(channel, i, 512));
            yield return (Call("find", one.ToString(), i % 2 == 0, Text((ulong)i), Text(64)), ChannelContract.Find(one, i % 2 == 0, (ulong)i, 64));
            yield return (Call("settleDelay"), ChannelContract.SettleDelay());
            yield return (Call("credits", one.ToString(), other.ToString()), ChannelContract.Credits(one, other));

            EvmContract contract = RandomContract();
            var scheme = new EvmVoucherScheme(contract);
            byte[] ours = scheme.SignClose(keys[0], channel, amount, deadline), theirs = scheme.SignClose(keys[1], channel, amount, deadline);
            yield return (Call("close", Text(channel), amount.ToString(), deadline.ToString(), Words(ours), Words(theirs)), ChannelContract.Close(channel, amount, deadline, ours, theirs));

            RedemptionClaim[] claims = [.. Enumerable.Range(0, i).Select(_ => RandomClaim(scheme, keys[i % keys.Length], contract.ChannelAt(channel)))];
            yield return (Call("redeem", Text(channel), new JsonArray([.. claims.Select(ClaimOf)])), ChannelContract.Redeem(channel, claims));
        }
    }

    private RedemptionClaim RandomClaim(EvmVoucherScheme scheme, SecpKey key, ChannelId channel)
    {
        byte[]? secret = random.Next(3) == 0 ? null : Bytes(32);
        HashLock? hashLock = secret is null ? null : HashLock.Of(LockHashKind.Sha256, secret);
        var terms = new VoucherTerms(channel, new LaneId((ulong)random.Next(65536)), new Nonce((ulong)random.NextInt64()), RandomAmount(), hashLock, random.Next(2) == 0 ? null : new Epoch(random.Next(1, 1 << 30)));
        return new RedemptionClaim(scheme.Sign(key, terms), secret is null ? null : (ReadOnlyMemory<byte>?)secret);
    }

    private static JsonObject ClaimOf(RedemptionClaim claim)
    {
        VoucherTerms terms = claim.Voucher.Terms;
        ReadOnlyMemory<byte> signature = claim.Voucher.Encoded[^65..];
        return new JsonObject
        {
            ["lane"] = Text(terms.Lane.Value),
            ["nonce"] = Text(terms.Nonce.Value),
            ["amount"] = terms.Amount.ToString(),
            ["lock"] = Vectors.Prefixed(terms.Lock?.Hash ?? new byte[32]),
            ["expiry"] = Text((ulong)(terms.Expiry?.Value ?? 0)),
            ["secret"] = Vectors.Prefixed(claim.Secret ?? new byte[32]),
            ["r"] = Vectors.Prefixed(signature[..32]),
            ["s"] = Vectors.Prefixed(signature[32..64]),
            ["v"] = 27 + signature.Span[64],
        };
    }

    // The contract takes a signature of `close` as three words, the recovery bit from 27 in the last.
    private static JsonArray Words(byte[] signature) =>
        [Vectors.Prefixed(signature.AsMemory(0, 32)), Vectors.Prefixed(signature.AsMemory(32, 32)), Vectors.Prefixed((byte[])[.. new byte[31], (byte)(27 + signature[64])])];

    private static JsonObject Typed(SecpKey key, EvmContract contract, string type, JsonObject message) => new JsonObject
    {
        ["privateKey"] = SecretOf(key),
        ["chainId"] = Text(contract.ChainId),
        ["contract"] = contract.Address.ToString(),
        ["primaryType"] = type,
        ["message"] = message,
    };

    private static JsonObject Fields(EvmTransaction transaction)
    {
        var fields = new JsonObject
        {
            ["chainId"] = Text(transaction.ChainId),
            ["nonce"] = Text(transaction.Nonce),
            ["maxPriorityFeePerGas"] = transaction.MaxPriorityFeePerGas.ToString(CultureInfo.InvariantCulture),
            ["maxFeePerGas"] = transaction.MaxFeePerGas.ToString(CultureInfo.InvariantCulture),
            ["gas"] = Text(transaction.GasLimit),
            ["value"] = transaction.Value.ToString(),
            ["data"] = Vectors.Prefixed(transaction.Data),
        };
        if (transaction.To is { } to)
            fields["to"] = to.ToString();
        return fields;
    }

    private static byte[] WithContractRecovery(ReadOnlySpan<byte> signature) => [.. signature[..64], (byte)(27 + signature[64])];

    private static JsonArray Each<T>(IEnumerable<T> items, Func<T, int, JsonObject> make) => [.. items.Select(make)];

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    private static string SecretOf(SecpKey key)
    {
        var secret = new byte[SecpKey.SecretLength];
        key.CopySecretTo(secret);
        return Vectors.Prefixed(secret);
    }

    private (SecpKey Key, EvmContract Contract, ulong Channel, VoucherTerms Terms) RandomVoucher(SecpKey key)
    {
        EvmContract contract = RandomContract();
        ulong channel = RandomChannel();
        HashLock? hashLock = random.Next(3) == 0 ? null : new HashLock(LockHashKind.Sha256, Bytes(32));
        var terms = new VoucherTerms(
            contract.ChannelAt(channel), new LaneId((ulong)random.Next(65536)), new Nonce(RandomWord()), RandomAmount(), hashLock, random.Next(2) == 0 ? null : new Epoch(random.NextInt64(1, long.MaxValue)));
        return (key, contract, channel, terms);
    }

    private EvmTransaction RandomTransaction(int index) => new()
    {
        // The package takes these two as safe integers only.
        ChainId = (ulong)random.NextInt64(1, 1L << 48),
        Nonce = (ulong)random.NextInt64(0, 1L << 40) >> random.Next(40),
        MaxPriorityFeePerGas = random.NextInt64(0, 1L << 32) >> random.Next(32),
        MaxFeePerGas = random.NextInt64(1L << 32, 1L << 40),
        GasLimit = (ulong)random.NextInt64(21_000, 1L << 36),
        To = index % 4 == 0 ? null : RandomAddress(),
        Value = index % 3 == 0 ? TokenAmount.Zero : RandomAmount(),
        Data = index % 5 == 1 ? ReadOnlyMemory<byte>.Empty : Bytes(random.Next(1, index % 7 == 0 ? 70_000 : 300)),
    };

    private EvmContract RandomContract() => new((ulong)random.NextInt64(1, 1L << 48), RandomAddress());

    private EvmAddress RandomAddress() => new(Bytes(20));

    private ulong RandomChannel() => (ulong)random.NextInt64(1, 1L << 48) >> random.Next(47) | 1;

    private ulong RandomWord() => BitConverter.ToUInt64(Bytes(8)) >> random.Next(64);

    private TokenAmount RandomAmount() => new(new BigInteger(Bytes(16), isUnsigned: true) >> random.Next(128));

    private byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
