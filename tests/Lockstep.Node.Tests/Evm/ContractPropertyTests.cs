using System.Net.Http.Json;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lockstep.Node.Evm;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Tests.Support;

namespace Lockstep.Node.Tests.Evm;

/// <summary>
/// Random calls, right and wrong ones, on the contract and on the reference model: the same ones succeed, the books agree after each
/// block, and at the end everything that is left is paid out and the contract is empty.
/// </summary>
public sealed class ContractPropertyTests(ITestOutputHelper output) : IDisposable
{
    private const int Calls = 100_000, Accounts = 6, Channels = 40, MostPerBlock = 160;
    private const long SettleDelay = 6;

    // It cannot be sent the chain's currency by the contract, so its money waits for it.
    private const int WithCode = 5;

    private static readonly BigInteger Start = BigInteger.Pow(10, 24);

    private readonly Random random = new(2718);
    private readonly SecpKey[] keys = [.. Enumerable.Range(1, Accounts).Select(seed => SecpKey.FromSecret([.. new byte[31], (byte)seed]))];
    private readonly ContractModel model = new(SettleDelay, new HashSet<int> { WithCode }, Accounts);
    private readonly Dictionary<ContractError, int> refused = [];
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromMinutes(2) };
    private EvmNode node = null!;
    private EvmVoucherScheme scheme = null!;
    private string contract = null!;
    private readonly ulong[] nonces = new ulong[Accounts];
    private int succeeded;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_sequence_of_calls_takes_more_than_its_due_or_locks_money_for_ever()
    {
        await using AnvilNode anvil = await AnvilNode.StartAsync(
            NodeOracle.Program("anvil"), ["--order", "fifo", "--block-base-fee-per-gas", "0", "--gas-limit", "2000000000", "--prune-history"], TimeProvider.System, Cancellation);
        http.BaseAddress = anvil.Endpoint;
        node = new EvmNode(new JsonRpcClient(anvil.Endpoint, null, TimeProvider.System));
        await PrepareAsync(anvil);
        long block = await node.GetBlockNumberAsync(Cancellation) + 1;
        for (int made = 0; made < Calls; block++)
        {
            int count = random.Next(1, MostPerBlock);
            await RunBlockAsync([.. Enumerable.Range(0, count).Select(_ => RandomCall(block))]);
            made += count;
            await CompareAsync();
        }

        await EmptyAsync(block);
        output.WriteLine($"{succeeded} calls succeeded; refused: {string.Join(", ", refused.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} {pair.Value}"))}");
        Assert.True(succeeded > Calls / 4);
        // Tokens and the deployment have tests of their own.
        Assert.Equal(Enum.GetValues<ContractError>().Except([ContractError.Reentered, ContractError.BadTransfer, ContractError.BadDelay, ContractError.Unknown]), refused.Keys.Order());
    }

    public void Dispose()
    {
        http.Dispose();
        node?.Dispose();
        foreach (SecpKey key in keys)
            key.Dispose();
    }

    private async Task PrepareAsync(AnvilNode anvil)
    {
        string folder = Directory.CreateTempSubdirectory("lockstep-property-").FullName;
        var options = new EvmNodeOptions { Endpoint = anvil.Endpoint, ChainId = AnvilNode.ChainId, JournalFolder = folder };
        foreach (SecpKey key in keys)
            await anvil.FundAsync(AddressOf(key), new TokenAmount(Start), Cancellation);
        (RailReceipt receipt, EvmAddress? at) = await EvmRail.DeployAsync(options, keys[0], SettleDelay, TimeProvider.System, Cancellation);
        Assert.True(receipt.Succeeded, receipt.Sentence);
        Directory.Delete(folder, recursive: true);
        nonces[0] = await node.GetNonceAsync(AddressOf(keys[0]), EvmNode.Latest, Cancellation);
        contract = at!.Value.ToString();
        scheme = new EvmVoucherScheme(new EvmContract(AnvilNode.ChainId, at.Value));
        await anvil.FundAsync(AddressOf(keys[0]), new TokenAmount(Start), Cancellation);
        await anvil.CallAsync("anvil_autoImpersonateAccount", [true], Cancellation);
        await anvil.CallAsync("anvil_setCode", [AddressOf(keys[WithCode]).ToString(), "0x00"], Cancellation);
        await anvil.CallAsync("evm_setAutomine", [false], Cancellation);
    }

    // ---- One block -----------------------------------------------------------------------------------------------------

    // The chain orders the calls of a block as it likes; the model is run in that order.
    private sealed record Made(int Sender, byte[] Data, BigInteger Value, Func<ContractError?> Expect);

    private async Task RunBlockAsync(Made[] calls)
    {
        var batch = new JsonArray();
        for (int i = 0; i < calls.Length; i++)
        {
            batch.Add(Request(i, "eth_sendTransaction", new JsonObject
            {
                ["from"] = AddressOf(keys[calls[i].Sender]).ToString(),
                ["to"] = contract,
                ["gas"] = "0x1e8480",
                ["gasPrice"] = "0x0",
                ["nonce"] = EvmNode.Quantity(nonces[calls[i].Sender]++),
                ["value"] = EvmNode.Quantity(calls[i].Value),
                ["data"] = EvmNode.Hex(calls[i].Data),
            }));
        }

        JsonElement[] sent = await PostAsync(batch);
        Assert.All(sent, answer => Assert.True(answer.TryGetProperty("result", out _), answer.ToString()));
        await PostAsync([Request(0, "evm_mine")]);
        Dictionary<string, Made> byHash = calls.Zip(sent).ToDictionary(pair => pair.Second.GetProperty("result").GetString()!, pair => pair.First);
        JsonElement receipts = (await PostAsync([Request(0, "eth_getBlockReceipts", "latest")]))[0].GetProperty("result");
        Assert.Equal(calls.Length, receipts.GetArrayLength());
        foreach (JsonElement receipt in receipts.EnumerateArray())
        {
            ContractError? expected = byHash[receipt.GetProperty("transactionHash").GetString()!].Expect();
            bool isDone = receipt.GetProperty("status").GetString() == "0x1";
            Assert.True(isDone == expected is null, $"the contract {(isDone ? "did" : "refused")} it, the model says {expected?.ToString() ?? "done"}: {receipt}");
            if (expected is { } error)
                refused[error] = refused.GetValueOrDefault(error) + 1;
            else
                succeeded++;
        }
    }

    private async Task<JsonElement[]> PostAsync(JsonArray batch)
    {
        using HttpResponseMessage response = await http.PostAsJsonAsync((Uri?)null, batch, Cancellation);
        return [.. (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).EnumerateArray()];
    }

    private static JsonObject Request(int id, string method, params JsonNode[] parameters) =>
        new() { ["jsonrpc"] = "2.0", ["id"] = id, ["method"] = method, ["params"] = new JsonArray(parameters) };

    private async Task CompareAsync()
    {
        for (int i = 0; i < Accounts; i++)
            Assert.Equal(Start + model.Gained[i], (await node.GetBalanceAsync(AddressOf(keys[i]), EvmNode.Latest, Cancellation)).Atto);
        Assert.Equal(model.Held, (await node.GetBalanceAsync(scheme.Contract.Address, EvmNode.Latest, Cancellation)).Atto);
        int number = random.Next(1, model.Channels.Count + 1);
        if (model.Channels.Count > 0)
            await CompareChannelAsync(number);
    }

    private async Task CompareChannelAsync(int number)
    {
        ModelChannel expected = model.Channels[number - 1];
        EvmCallResult answer = await node.CallAsync(null, scheme.Contract.Address, ChannelContract.Read((ulong)number, 0, 65536), EvmNode.Latest, Cancellation);
        EvmChannel held = ChannelContract.ReadAnswer(answer.Data);
        Assert.Equal(expected.IsOpen, held.Exists);
        if (!expected.IsOpen)
            return;
        Assert.Equal(
            (AddressOf(keys[expected.Payer]), AddressOf(keys[expected.Payee]), expected.Balance, expected.Owed, expected.SettlingAt),
            (held.Payer, held.Payee, held.Balance.Atto, held.Owed.Atto, held.SettlingAt));
        Assert.Equal(expected.Lanes.Count == 0 ? 0 : (long)expected.Lanes.Keys.Max() + 1, held.LanesEnd);
        for (int lane = 0; lane < held.Lanes.Count; lane++)
        {
            (BigInteger amount, ulong nonce) = expected.Lanes.GetValueOrDefault((ulong)lane);
            Assert.Equal(new LaneSnapshot(new TokenAmount(amount), new Nonce(nonce)), held.Lanes[lane]);
        }
    }

    // Whatever happened: each channel can be ended by either party alone, and then nothing is left.
    private async Task EmptyAsync(long block)
    {
        int[] open = [.. Enumerable.Range(1, model.Channels.Count).Where(number => model.Channels[number - 1].IsOpen)];
        foreach (int number in open)
            await CompareChannelAsync(number);
        await RunBlockAsync([.. open.Where(number => model.Channels[number - 1].SettlingAt == 0).Select(number => Settle(Party(number), number, block))]);
        await PostAsync([Request(0, "anvil_mine", EvmNode.Quantity(SettleDelay))]);
        block += SettleDelay + 1;
        await RunBlockAsync([.. open.Select(number => Collect(Party(number), number, block))]);
        if (!model.Credits[WithCode].IsZero)
            await RunBlockAsync([Withdraw(WithCode)]);
        await CompareAsync();
        Assert.Equal(BigInteger.Zero, model.Held);
    }

    // ---- Random calls --------------------------------------------------------------------------------------------------

    private Made RandomCall(long block)
    {
        int open = model.Channels.Count(channel => channel.IsOpen);
        int sender = random.Next(Accounts), number = RandomChannel();
        return random.Next(100) switch
        {
            < 10 when open < Channels => Open(sender),
            < 20 => TopUp(sender, number),
            < 88 => Redeem(number, block),
            < 90 => Settle(Often() ? Party(number) : sender, number, block),
            < 94 => Collect(Often() ? Party(number) : sender, number, block),
            < 97 => Close(sender, number, block),
            _ => Withdraw(random.Next(2) == 0 ? WithCode : sender),
        };
    }

    private Made Open(int sender)
    {
        int payee = random.Next(Accounts);
        BigInteger amount = Amount(1_000_000), value = Often() ? amount : Amount(1_000_000);
        return new Made(sender, ChannelContract.Open(AddressOf(keys[payee]), EvmAddress.Zero, new TokenAmount(amount)), value, () => model.Open(sender, payee, value, amount));
    }

    private Made TopUp(int sender, int number)
    {
        BigInteger amount = Amount(100_000), value = Often() ? amount : Amount(100_000);
        return new Made(sender, ChannelContract.TopUp((ulong)number, new TokenAmount(amount)), value, () => model.TopUp(sender, number, value, amount));
    }

    private Made Redeem(int number, long block)
    {
        ModelChannel? channel = ChannelAt(number);
        var claims = new List<ModelClaim>();
        var written = new List<RedemptionClaim>();
        for (int left = random.Next(20) == 0 ? 0 : random.Next(1, 4); left > 0; left--)
        {
            ModelClaim claim = RandomClaim(channel, claims, block);
            claims.Add(claim);
            written.Add(Sign(number, claim));
            if (channel is not null && claim.Signer == channel.Payer)
                channel.Signed[claim.Lane] = BigInteger.Max(channel.Signed.GetValueOrDefault(claim.Lane), claim.Amount);
        }

        int sender = channel is not null && Often() ? channel.Payee : random.Next(Accounts);
        return new Made(sender, ChannelContract.Redeem((ulong)number, written), 0, () => model.Redeem(sender, number, claims, block));
    }

    // Mostly right, and each thing wrong now and then.
    private ModelClaim RandomClaim(ModelChannel? channel, List<ModelClaim> before, long block)
    {
        ulong lane = random.Next(200) == 0 ? 65536 : (ulong)random.Next(20);
        (BigInteger amount, ulong nonce) = channel?.Lanes.GetValueOrDefault(lane) ?? default;
        if (before.LastOrDefault(claim => claim.Lane == lane) is { } earlier)
            (amount, nonce) = (earlier.Amount, earlier.Nonce);
        byte? seed = random.Next(3) == 0 ? null : (byte)random.Next(256);
        return new ModelClaim(
            lane, Often() ? nonce + (ulong)random.Next(1, 4) : (ulong)random.Next(10), Often() ? amount + Amount(50_000) : Amount(1_000_000),
            random.Next(3) == 0 ? Math.Max(1, block + (Often() ? random.Next(0, 20) : -random.Next(1, 5))) : 0,
            seed, Often() ? seed ?? 0 : (byte)random.Next(256), channel is not null && Often() ? channel.Payer : random.Next(Accounts));
    }

    private RedemptionClaim Sign(int number, ModelClaim claim)
    {
        HashLock? hashLock = claim.Lock is { } seed ? HashLock.Of(LockHashKind.Sha256, ChainFixture.SecretOf(seed)) : null;
        var terms = new VoucherTerms(
            scheme.Contract.ChannelAt((ulong)number), new LaneId(claim.Lane), new Nonce(claim.Nonce), new TokenAmount(claim.Amount), hashLock, claim.Expiry == 0 ? null : new Epoch(claim.Expiry));
        // Nobody can be had to sign for a lane that no channel has.
        PaymentVoucher voucher = terms.Lane.Value < EvmVoucherScheme.MaxLanes
            ? scheme.Sign(keys[claim.Signer], terms)
            : scheme.Sign(keys[claim.Signer], terms with { Lane = default }) with { Terms = terms };
        return new RedemptionClaim(voucher, ChainFixture.SecretOf(claim.Shown));
    }

    private Made Settle(int sender, int number, long block) => new(sender, ChannelContract.Settle((ulong)number), 0, () => model.Settle(sender, number, block));

    private Made Collect(int sender, int number, long block) => new(sender, ChannelContract.Collect((ulong)number), 0, () => model.Collect(sender, number, block));

    private Made Close(int sender, int number, long block)
    {
        ModelChannel? channel = ChannelAt(number);
        BigInteger toPayee = channel is null || !Often() ? Amount(1_000_000) : channel.Owed + (channel.Balance > channel.Owed ? Amount(1_000_000) % (channel.Balance - channel.Owed + 1) : 0);
        long deadline = Often() ? block + random.Next(0, 10) : Math.Max(1, block - random.Next(1, 5));
        int first = channel is not null && Often() ? channel.Payer : random.Next(Accounts), second = channel is not null && Often() ? channel.Payee : random.Next(Accounts);
        var amount = new TokenAmount(toPayee);
        var until = new Epoch(deadline);
        byte[] data = ChannelContract.Close(
            (ulong)number, amount, until, scheme.SignClose(keys[first], (ulong)number, amount, until), scheme.SignClose(keys[second], (ulong)number, amount, until));
        if (channel is not null && first == channel.Payer && second == channel.Payee)
            channel.Agreed = BigInteger.Max(channel.Agreed, toPayee);
        return new Made(sender, data, 0, () => model.Close(number, toPayee, deadline, first, second, block));
    }

    private Made Withdraw(int sender) =>
        new(sender, ChannelContract.Withdraw(EvmAddress.Zero, AddressOf(keys[sender])), 0, () => model.Withdraw(sender));

    private bool Often() => random.Next(12) != 0;

    private BigInteger Amount(int limit) => random.Next(limit);

    // Mostly one that is open.
    private int RandomChannel()
    {
        int[] open = [.. Enumerable.Range(1, model.Channels.Count).Where(number => model.Channels[number - 1].IsOpen)];
        return open.Length > 0 && Often() ? open[random.Next(open.Length)] : random.Next(1, model.Channels.Count + 3);
    }

    private ModelChannel? ChannelAt(int number) => number >= 1 && number <= model.Channels.Count ? model.Channels[number - 1] : null;

    private int Party(int number) => ChannelAt(number) is { } channel ? random.Next(2) == 0 ? channel.Payer : channel.Payee : random.Next(Accounts);

    private static EvmAddress AddressOf(SecpKey key) => EvmAddress.FromPublicKey(key.PublicKey.Span);
}
