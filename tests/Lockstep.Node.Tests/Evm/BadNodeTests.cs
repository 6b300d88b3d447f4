using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lockstep.Node.Evm;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Rails;

namespace Lockstep.Node.Tests.Evm;

/// <summary>Nodes that are down, slow, wrong, behind, or lie: each is one clear sentence, and no secret leaves.</summary>
public sealed class BadNodeTests(DevelopmentChain chain)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Answers => new()
    {
        { "not json", "no JSON" },
        { "[]", "no JSON-RPC" },
        { """{"jsonrpc":"2.0","id":1}""", "no JSON-RPC" },
        { """{"jsonrpc":"2.0","id":77,"result":"0x1"}""", "no JSON-RPC" },
        { """{"jsonrpc":"2.0","id":1,"result":"seven"}""", "cannot be read" },
        { """{"jsonrpc":"2.0","id":1,"result":null}""", "cannot be read" },
        { """{"jsonrpc":"2.0","id":1,"result":{"a":1}}""", "cannot be read" },
        { """{"jsonrpc":"2.0","id":1,"result":"0x7b"}""", "chain 123" },
        { """{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such\nmethod"}}""", "no such method" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task WhatANodeSaysIsChecked(string answer, string expected)
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        await using var node = new FakeNode(fixture.Node.Endpoint, (_, _) => answer);
        RailException fault = await Assert.ThrowsAsync<RailException>(() => fixture.ConnectAsync("bad", options => options with { Endpoint = node.Endpoint }));
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    [Fact]
    public async Task ANodeThatIsDownIsSaidToBe()
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        RailException fault = await Assert.ThrowsAsync<RailException>(() => fixture.ConnectAsync("down", options => options with { Endpoint = new Uri("http://127.0.0.1:1/secret-key") }));
        Assert.Contains("http://127.0.0.1:1 cannot be reached", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-key", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANodeThatDoesNotAnswerIsGivenUp()
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        await using var node = new FakeNode(fixture.Node.Endpoint, (_, _) => FakeNode.Silence);
        using var rpc = new JsonRpcClient(node.Endpoint, null, TimeProvider.System, TimeSpan.FromMilliseconds(200));
        RailException fault = await Assert.ThrowsAsync<RailException>(() => rpc.CallAsync("eth_chainId", [], Cancellation));
        Assert.Contains("did not answer eth_chainId within 0.2 s", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SomethingElseAtTheAddressIsNotUsed()
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        foreach (EvmAddress wrong in (EvmAddress[])[EvmAddress.Zero, EvmAddress.FromPublicKey(fixture.Payer.PublicKey.Span)])
        {
            RailException fault = await Assert.ThrowsAsync<RailException>(() => EvmRail.ConnectAsync(fixture.Options("wrong"), wrong, TimeProvider.System, Cancellation));
            Assert.Contains("no contract", fault.Message, StringComparison.Ordinal);
        }

        // One byte of the code another.
        await using var node = new FakeNode(fixture.Node.Endpoint, (method, answer) =>
            method == "eth_getCode" ? answer.Replace("5b600080fd", "5b600180fd", StringComparison.Ordinal) : answer);
        RailException other = await Assert.ThrowsAsync<RailException>(() => fixture.ConnectAsync("other", options => options with { Endpoint = node.Endpoint }));
        Assert.Contains("another contract", other.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANodeThatIsBehindIsNotBelieved()
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        bool isBehind = false;
        await using var node = new FakeNode(fixture.Node.Endpoint, (method, answer) => method switch
        {
            "eth_chainId" => FakeNode.Result(answer, "0x13a"),
            "eth_getBlockByNumber" => FakeNode.With(answer, "timestamp", EvmNode.Quantity(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - (isBehind ? 3600 : 0))),
            _ => answer,
        });
        EvmNodeOptions At(EvmNodeOptions options) => options with { Endpoint = node.Endpoint, ChainId = 314 };
        using EvmRail rail = await fixture.ConnectAsync("behind", At);
        Assert.Equal(RailDescriptionOf314, (rail.Description.Currency.Symbol, rail.Description.EpochSeconds, rail.Description.FinalityEpochs));
        isBehind = true;
        RailException fault = await Assert.ThrowsAsync<RailException>(() => rail.GetHeadAsync(Cancellation));
        Assert.Contains("is behind: its newest block is 60 minutes old", fault.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RailException>(() => fixture.ConnectAsync("behind", At));
    }

    private static (string, double, long) RailDescriptionOf314 => ("FIL", 30, 900);

    // A receipt of another transaction, or of a block that is not in the chain, is none. What moves money is then not sent anew.
    [Theory]
    [InlineData("transactionHash")]
    [InlineData("blockHash")]
    public async Task AReceiptIsHeldAgainstTheChain(string forged)
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        bool isLying = true;
        await using var node = new FakeNode(fixture.Node.Endpoint, (method, answer) =>
            isLying && method == "eth_getTransactionReceipt" ? FakeNode.With(answer, forged, "0x" + new string('2', 64)) : answer);
        using EvmRail rail = await fixture.ConnectAsync("lied-to", options => options with { Endpoint = node.Endpoint });
        if (forged == "transactionHash")
            await Assert.ThrowsAsync<RailException>(() => rail.TopUpAsync(fixture.Payer, channel, ChainFixture.Milli(1), Cancellation));
        else
            Assert.Equal(RailOutcome.Refused, (await rail.TopUpAsync(fixture.Payer, channel, ChainFixture.Milli(1), Cancellation)).Outcome);
        Assert.Equal(ChainFixture.Milli(1001), (await rail.GetChannelAsync(channel, Cancellation))!.Balance);

        // What the contract lets happen once is found to have happened, whatever the receipts say.
        Task<RailReceipt> Settle() => rail.SettleAsync(fixture.Payer, channel, Cancellation);
        if (forged == "transactionHash")
            await Assert.ThrowsAsync<RailException>(Settle);
        else
            Assert.Equal(RailOutcome.AlreadyDone, (await Settle()).Outcome);
        isLying = false;
        Assert.True((await Settle()).Succeeded);
        Assert.True((await rail.GetChannelAsync(channel, Cancellation))!.IsSettling);
    }

    // The node took the transaction and its answer was lost: asking again finds it, and the money is paid once.
    [Fact]
    public async Task AnAnswerThatIsLostPaysNothingTwice()
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        int lost = 1;
        await using var node = new FakeNode(fixture.Node.Endpoint, (method, answer) =>
            method == "eth_sendRawTransaction" && Interlocked.Decrement(ref lost) >= 0 ? "the line broke" : answer);
        using EvmRail rail = await fixture.ConnectAsync("cut-off", options => options with { Endpoint = node.Endpoint });
        await Assert.ThrowsAsync<RailException>(() => rail.TopUpAsync(fixture.Payer, channel, ChainFixture.Milli(1), Cancellation));
        Assert.Equal(RailOutcome.Executed, (await rail.TopUpAsync(fixture.Payer, channel, ChainFixture.Milli(1), Cancellation)).Outcome);
        Assert.Equal(ChainFixture.Milli(1001), (await rail.GetChannelAsync(channel, Cancellation))!.Balance);
        Assert.Single(rail.Spent(fixture.AccountOf(fixture.Payer)));
    }

    // It says that a redemption was executed and shows a channel in which it was not.
    [Fact]
    public async Task ARedemptionIsHeldAgainstTheLanes()
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        string? before = null;
        await using var node = new FakeNode(fixture.Node.Endpoint, (method, answer) =>
        {
            if (method != "eth_call")
                return answer;
            before ??= JsonNode.Parse(answer)!["result"]!.GetValue<string>() is { Length: > 300 } state ? state : null;
            return before is null ? answer : FakeNode.Result(answer, before);
        });
        using EvmRail rail = await fixture.ConnectAsync("stale", options => options with { Endpoint = node.Endpoint });
        RailException fault = await Assert.ThrowsAsync<RailException>(() => rail.RedeemAsync(fixture.Payee, channel, [fixture.Claim(channel, 0, 1, 300, 7)], Cancellation));
        Assert.Contains("shows a channel in which it did not", fault.Message, StringComparison.Ordinal);
    }

    // The node of somebody else must not learn a key from a question.
    [Fact]
    public async Task NoQuestionHoldsASecret()
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        string secret = Convert.ToHexStringLower(ChainFixture.SecretOf(0xab));
        var told = new List<string>();
        await using var node = new FakeNode(fixture.Node.Endpoint, (_, answer) => answer, (method, body) =>
        {
            if (body.Contains(secret, StringComparison.OrdinalIgnoreCase))
                told.Add(method);
        });
        using EvmRail rail = await fixture.ConnectAsync("asking", options => options with { Endpoint = node.Endpoint });
        Assert.Equal(RailOutcome.Refused, (await rail.RedeemAsync(fixture.Payee, channel, [fixture.Claim(channel, 0, 1, 2000, 0xab)], Cancellation)).Outcome);
        Assert.Empty(told);
        Assert.Equal(RailOutcome.Executed, (await rail.RedeemAsync(fixture.Payee, channel, [fixture.Claim(channel, 0, 1, 300, 0xab)], Cancellation)).Outcome);
        Assert.Equal(["eth_sendRawTransaction"], told.Distinct());
    }

    /// <summary>Stands before a real node and changes what it says.</summary>
    private sealed class FakeNode : IAsyncDisposable
    {
        public const string Silence = "";

        private readonly HttpListener _listener;
        private readonly HttpClient _http = new();
        private readonly Uri _real;
        private readonly Func<string, string, string> _change;
        private readonly Action<string, string>? _hear;
        private readonly Task _serving;

        public FakeNode(Uri real, Func<string, string, string> change, Action<string, string>? hear = null)
        {
            (_real, _change, _hear) = (real, change, hear);
            for (int attempt = 0; ; attempt++)
            {
                // One that could not be started cannot be used again.
                int port = Random.Shared.Next(20_000, 30_000);
                Endpoint = new Uri($"http://127.0.0.1:{port}/");
                _listener = new HttpListener { Prefixes = { Endpoint.ToString() } };
                try
                {
                    _listener.Start();
                    break;
                }
                catch (HttpListenerException) when (attempt < 20)
                {
                    // The port is in use.
                }
            }

            _serving = Task.Run(ServeAsync);
        }

        public Uri Endpoint { get; }

        public static string Result(string answer, string result)
        {
            JsonNode parsed = JsonNode.Parse(answer)!;
            parsed["result"] = result;
            return parsed.ToJsonString();
        }

        public static string With(string answer, string name, string value)
        {
            JsonNode parsed = JsonNode.Parse(answer)!;
            if (parsed["result"] is JsonObject result)
                result[name] = value;
            return parsed.ToJsonString();
        }

        public async ValueTask DisposeAsync()
        {
            _listener.Close();
            await _serving;
            _http.Dispose();
        }

        private async Task ServeAsync()
        {
            while (_listener.IsListening)
            {
                HttpListenerContext context;
                try
                {
                    context = await _listener.GetContextAsync();
                }
                catch (Exception fault) when (fault is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }

                _ = Task.Run(() => AnswerAsync(context));
            }
        }

        private async Task AnswerAsync(HttpListenerContext context)
        {
            using var reader = new StreamReader(context.Request.InputStream);
            string body = await reader.ReadToEndAsync();
            string method = JsonSerializer.Deserialize<JsonElement>(body).GetProperty("method").GetString()!;
            _hear?.Invoke(method, body);
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using HttpResponseMessage answer = await _http.PostAsync(_real, content);
            string said = _change(method, await answer.Content.ReadAsStringAsync());
            if (said == Silence)
                return;
            context.Response.ContentType = "application/json";
            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(said));
            context.Response.Close();
        }
    }
}
