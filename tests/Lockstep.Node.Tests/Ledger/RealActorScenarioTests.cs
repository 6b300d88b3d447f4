using System.Globalization;
using System.Text.Json;
using Lockstep.Node.Ledger;
using Lockstep.Payments;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Messages;
using Lockstep.Payments.Rails;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Node.Tests.Ledger;

/// <summary>
/// Every recorded call of the real payment-channel actor, sent through the local ledger as a message: same exit code, same
/// state to the byte, same payout. Left out, by name, is only what needs actors that this ledger does not have.
/// </summary>
public sealed class RealActorScenarioTests
{
    private static readonly JsonElement Vectors = Load();

    /// <summary>The complete list of what is not run, each with its reason.</summary>
    private static readonly Dictionary<string, string> NotRun = new()
    {
        ["signer-is-eth-account"] = "from is an EthAccount; only f1 accounts live on the local ledger",
        ["signer-is-multisig"] = "from is a multisig",
        ["signer-is-placeholder"] = "from is a placeholder",
        ["signer-is-evm-contract-that-answers-true"] = "from is an EVM contract",
        ["signer-is-evm-contract-that-answers-false"] = "from is an EVM contract",
        ["signer-is-evm-contract-that-stops"] = "from is an EVM contract",
        ["caller-is-evm-contract"] = "from is an EVM contract",
        ["extra-hash-agnostic-lock"] = "its vouchers carry an Extra that calls an EVM contract",
        ["voucher full-extra-and-merges"] = "it carries an Extra that calls an EVM contract",
        ["voucher f2-channel-extra-sha256-registry"] = "it carries an Extra that calls an EVM contract",
        ["voucher extra-id-actor-empty-data"] = "it carries an Extra",
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Scenarios() =>
        [.. Vectors.GetProperty("real_actor_scenarios").EnumerateArray().Select(Name).Where(name => !NotRun.ContainsKey(name))];

    public static TheoryData<string> Vouchers() =>
        [.. Vectors.GetProperty("vouchers").EnumerateArray().Select(Name).Where(name => !NotRun.ContainsKey("voucher " + name))];

    [Fact]
    public void What_is_not_run_is_exactly_what_needs_other_actors()
    {
        var needed = new List<string>();
        foreach (JsonElement scenario in Vectors.GetProperty("real_actor_scenarios").EnumerateArray())
        {
            JsonElement setup = scenario.GetProperty("setup");
            bool accounts = Kind(setup, "from") is "f1" or "addr" && Kind(setup, "to") is "f1" or "addr";
            if (!accounts || setup.GetProperty("contracts").GetArrayLength() != 0)
                needed.Add(Name(scenario));
        }
        foreach (JsonElement voucher in Vectors.GetProperty("vouchers").EnumerateArray())
        {
            if (voucher.GetProperty("fields").GetProperty("extra").ValueKind != JsonValueKind.Null)
                needed.Add("voucher " + Name(voucher));
        }
        Assert.Equal(needed.Order(), NotRun.Keys.Order());
        Assert.Equal(10, Scenarios().Count);
        Assert.Equal(16, Vouchers().Count);
    }

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Scenario_gives_the_recorded_codes_states_and_payouts(string name)
    {
        JsonElement scenario = Find("real_actor_scenarios", name);
        JsonElement setup = scenario.GetProperty("setup");
        using var world = new LedgerFixture();
        var channel = new RecordedChannel(world)
        {
            From = Party(setup.GetProperty("from")),
            To = Party(setup.GetProperty("to")),
            Creator = KeyOrAddress(setup.GetProperty("creator").GetString()!),
            CreatorNonce = Number(setup, "creator_nonce"),
            ChannelId = Number(setup, "channel_id"),
            FromId = Number(setup, "from_id"),
            ToId = Number(setup, "to_id"),
            Balance = Amount(setup, "channel_balance"),
        };
        await channel.CreateAsync();
        Assert.Equal(setup.GetProperty("channel_robust_hex").GetString(), Hex(channel.Robust.Bytes));
        foreach (JsonElement step in scenario.GetProperty("steps").EnumerateArray())
            await channel.RunAsync(step);
        await world.AssertConservedAsync();
    }

    [Theory]
    [MemberData(nameof(Vouchers))]
    public async Task Voucher_gives_the_recorded_code_and_state(string name)
    {
        JsonElement voucher = Find("vouchers", name);
        JsonElement recorded = voucher.GetProperty("real_actor");
        string fromKey = recorded.GetProperty("from_key").GetString()!;
        using var world = new LedgerFixture();
        var channel = new RecordedChannel(world)
        {
            From = KeyOrAddress(fromKey),
            To = KeyOrAddress(recorded.GetProperty("to_key").GetString()!),
            Creator = KeyOrAddress(fromKey),
            // The robust addresses in the vectors are those of nonce 0 for A and nonce 5 for B (f2_predictions).
            CreatorNonce = fromKey == "A" ? 0u : 5u,
            ChannelId = Number(recorded, "channel_id"),
            FromId = 2000,
            ToId = 2001,
            Balance = Amount(recorded, "channel_balance"),
        };
        await channel.CreateAsync();
        foreach (JsonElement step in recorded.GetProperty("steps_before").EnumerateArray())
            await channel.RunAsync(step, recorded.GetProperty("epoch").GetInt64());
        LedgerResult result = await channel.SendAsync(
            recorded.GetProperty("submitted_by").GetString()!, PaychMethod.UpdateChannelState,
            Bytes(voucher, "update_params_cbor_hex"), TokenAmount.Zero, recorded.GetProperty("epoch").GetInt64());
        Assert.Equal(recorded.GetProperty("exit_code").GetInt32(), result.ExitCode);
        await channel.AssertStateAsync(recorded.GetProperty("state_after"));
        await world.AssertConservedAsync();
    }

    private static JsonElement Load()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "vectors", "filecoin", "paych-vouchers.json");
        return JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
    }

    private static JsonElement Find(string list, string name) => Vectors.GetProperty(list).EnumerateArray().Single(entry => Name(entry) == name);

    private static string Name(JsonElement entry) => entry.GetProperty("name").GetString()!;

    private static string? Kind(JsonElement setup, string party) => setup.GetProperty(party).GetProperty("kind").GetString();

    private static Address Party(JsonElement party) =>
        KeyOrAddress((party.TryGetProperty("key", out JsonElement key) ? key : party.GetProperty("address")).GetString()!);

    // A key's name, or the bytes of an address in hex.
    private static Address KeyOrAddress(string text)
    {
        JsonElement key = Vectors.GetProperty("keys").EnumerateArray().FirstOrDefault(entry => Name(entry) == text);
        string hex = key.ValueKind == JsonValueKind.Undefined ? text : key.GetProperty("address_bytes_hex").GetString()!;
        Assert.True(Address.TryFromBytes(Convert.FromHexString(hex), out Address address));
        return address;
    }

    private static ulong Number(JsonElement element, string name) => ulong.Parse(element.GetProperty(name).GetString()!, CultureInfo.InvariantCulture);

    private static TokenAmount Amount(JsonElement element, string name) => TokenAmount.ParseAtto(element.GetProperty(name).GetString()!);

    private static byte[] Bytes(JsonElement element, string name) =>
        element.GetProperty(name) is { ValueKind: JsonValueKind.String } hex ? Convert.FromHexString(hex.GetString()!) : [];

    private static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(bytes.Span);

    /// <summary>A channel made on a fresh ledger with the actor numbers of a recorded run.</summary>
    private sealed class RecordedChannel(LedgerFixture world)
    {
        private const long CreationEpoch = 1;
        private readonly Address stranger = world.Stranger.Address;

        public required Address From { get; init; }

        public required Address To { get; init; }

        public required Address Creator { get; init; }

        public required ulong CreatorNonce { get; init; }

        public required ulong ChannelId { get; init; }

        public required ulong FromId { get; init; }

        public required ulong ToId { get; init; }

        public required TokenAmount Balance { get; init; }

        public Address Robust => Address.PredictActor(Creator, CreatorNonce);

        public async Task CreateAsync()
        {
            Assert.True(Creator == From || Creator == To);
            await world.GoToAsync(CreationEpoch);
            foreach (Address account in new[] { From, To, stranger })
                await world.Ledger.FundAsync(new AccountId(account.ToString(Network.Test)), Balance * 2, Cancellation);
            // The runs were recorded with actor numbers chosen beforehand.
            SetActorId(From, FromId);
            SetActorId(To, ToId);
            world.Sql("UPDATE actors SET nonce = @Nonce WHERE address = @Address", new { Nonce = (long)CreatorNonce, Address = Creator.Bytes.ToArray() });
            world.Sql("UPDATE ledger SET next_actor = @Id", new { Id = (long)ChannelId });
            var exec = new InitExecParams(LedgerMachine.CodeOf(LockHashKind.Blake2b256), new PaychConstructorParams(From, To).Encode());
            LedgerResult created = await world.Ledger.ExecuteAsync(
                new LedgerCall(Creator, Address.Init, PaychMethod.InitExec, Balance, exec.Encode()), Cancellation);
            Assert.Equal(0, created.ExitCode);
            Assert.True(InitExecReturn.TryDecode(created.Returned, out InitExecReturn? actor));
            Assert.Equal(new InitExecReturn(Address.FromId(ChannelId), Robust), actor);
        }

        public async Task RunAsync(JsonElement step, long epoch = 0)
        {
            string what = step.GetProperty("what").GetString()!;
            TokenAmount value = step.TryGetProperty("value", out _) ? Amount(step, "value") : TokenAmount.Zero;
            TokenAmount fromBefore = await BalanceAsync(From), toBefore = await BalanceAsync(To);
            LedgerChannel? before = await world.Ledger.GetStateAsync(Robust, Cancellation);
            LedgerResult result = await SendAsync(
                step.GetProperty("caller").GetString()!, Number(step, "method"), Bytes(step, "params_hex"), value,
                step.TryGetProperty("epoch", out JsonElement at) ? at.GetInt64() : epoch);
            Assert.True(step.GetProperty("exit_code").GetInt32() == result.ExitCode, $"{what}: exit code {result.ExitCode}");

            TokenAmount fromChange = await BalanceAsync(From) - fromBefore, toChange = await BalanceAsync(To) - toBefore;
            Assert.Equal(Change(step, "from_balance_change"), fromChange);
            Assert.Equal(Change(step, "to_balance_change"), toChange);
            bool deleted = step.TryGetProperty("channel_deleted", out JsonElement gone) && gone.GetBoolean();
            if (deleted)
                Assert.Null(await world.Ledger.GetStateAsync(Robust, Cancellation));
            else if (step.TryGetProperty("state_after", out JsonElement state) && state.ValueKind == JsonValueKind.Object)
                await AssertStateAsync(state);
            else if (result.ExitCode != 0)
                Assert.Equal(Encoded(before!), Encoded((await world.Ledger.GetStateAsync(Robust, Cancellation))!));
        }

        public async Task<LedgerResult> SendAsync(string caller, ulong method, byte[] parameters, TokenAmount value, long epoch)
        {
            await world.GoToAsync(epoch);
            Address sender = caller switch
            {
                "from" => From,
                "to" => To,
                "stranger" => stranger,
                _ => throw new InvalidOperationException($"Unknown caller {caller}."),
            };
            LedgerResult result = await world.Ledger.ExecuteAsync(new LedgerCall(sender, Robust, method, value, parameters), Cancellation);
            Assert.Equal(epoch, result.Epoch.Value);
            return result;
        }

        public async Task AssertStateAsync(JsonElement expected)
        {
            if (expected.ValueKind == JsonValueKind.Null)
                return;
            LedgerChannel channel = (await world.Ledger.GetStateAsync(Robust, Cancellation))!;
            PaychState state = channel.State;
            Assert.Equal(Amount(expected, "to_send"), state.ToSend);
            Assert.Equal(expected.GetProperty("settling_at").GetString(), state.SettlingAt.ToString());
            Assert.Equal(expected.GetProperty("min_settle_height").GetString(), state.MinSettleHeight.ToString());
            Assert.Equal(
                expected.GetProperty("lanes").EnumerateArray().Select(lane => (lane.GetProperty("lane").GetString()!, lane.GetProperty("redeemed").GetString()!, lane.GetProperty("nonce").GetString()!)),
                state.Lanes.Select(lane => (lane.Key.ToString(), lane.Value.Redeemed.ToString(), lane.Value.Nonce.ToString())));
            PaychStateBlocks blocks = PaychStateCodec.Encode(state);
            Assert.Equal(expected.GetProperty("state_cbor_hex").GetString(), Hex(blocks.State));
            Assert.Equal(expected.GetProperty("state_cid_hex").GetString(), Hex(blocks.Cid.Bytes));
            var id = new Payments.Rails.ChannelId(Robust.ToString(Network.Test));
            ChannelSnapshot snapshot = (await world.Ledger.GetChannelAsync(id, Cancellation))!;
            Assert.Equal(Amount(expected, "balance"), snapshot.Balance);
        }

        private static string Encoded(LedgerChannel channel) => Hex(PaychStateCodec.Encode(channel.State).State);

        private static TokenAmount Change(JsonElement step, string name) =>
            step.TryGetProperty(name, out JsonElement change) && change.ValueKind == JsonValueKind.String ? TokenAmount.ParseAtto(change.GetString()!) : TokenAmount.Zero;

        private async Task<TokenAmount> BalanceAsync(Address account) =>
            await world.Ledger.GetBalanceAsync(new AccountId(account.ToString(Network.Test)), Cancellation);

        private void SetActorId(Address account, ulong id) =>
            world.Sql("UPDATE actors SET id = @Id WHERE address = @Address", new { Id = (long)id, Address = account.Bytes.ToArray() });
    }
}
