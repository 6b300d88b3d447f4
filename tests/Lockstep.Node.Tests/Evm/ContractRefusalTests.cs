using System.Numerics;
using Lockstep.Node.Evm;
using Lockstep.Payments;
using Lockstep.Payments.Evm;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Tests.Support;

namespace Lockstep.Node.Tests.Evm;

/// <summary>Every reason for which the contract refuses a call, and tokens of every kind.</summary>
public sealed class ContractRefusalTests(DevelopmentChain chain)
{
    // Compiled once.
    private static readonly Lazy<byte[]> TokenCode =
        new(() => Convert.FromHexString(NodeOracle.Run("compile-contracts.mjs", "bytecode", "TestToken").RootElement.GetProperty("bytecode").GetString()!));

    private const uint Plain = 0, Silent = 1, Fee = 2, ReturnsFalse = 3, Reverts = 4;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryRuleRefusesWithItsOwnReason()
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        using var calls = new Caller(fixture);
        ChannelId channel = await fixture.OpenChannelAsync(ChainFixture.Milli(1000));
        SecpKey payer = fixture.Payer, payee = fixture.Payee, stranger = fixture.Stranger;
        EvmAddress payeeAddress = Caller.AddressOf(payee);
        var some = new TokenAmount(5);
        long head = (await fixture.Rail.GetHeadAsync(Cancellation)).Value;
        Assert.Equal(RailOutcome.Executed, (await fixture.Rail.RedeemAsync(payee, channel, [fixture.Claim(channel, 0, 5, 100, 1)], Cancellation)).Outcome);

        foreach (long delay in (long[])[0, ChannelContract.MaxSettleDelay + 1])
            await calls.RefusedAsync(ContractError.BadDelay, payer, ChannelContract.Deploy(ContractArtifact.Current.Bytecode.Span, delay), TokenAmount.Zero, deploys: true);
        await calls.RefusedAsync(ContractError.BadParties, payer, ChannelContract.Open(EvmAddress.Zero, EvmAddress.Zero, some), some);
        await calls.RefusedAsync(ContractError.BadParties, payer, ChannelContract.Open(Caller.AddressOf(payer), EvmAddress.Zero, some), some);
        await calls.RefusedAsync(ContractError.BadParties, payer, ChannelContract.Open(fixture.Contract, EvmAddress.Zero, some), some);
        await calls.RefusedAsync(ContractError.BadAmount, payer, ChannelContract.Open(payeeAddress, EvmAddress.Zero, TokenAmount.Zero), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.BadAmount, payer, ChannelContract.Open(payeeAddress, EvmAddress.Zero, some), new TokenAmount(4));
        await calls.RefusedAsync(ContractError.BadAmount, payer, ChannelContract.Open(payeeAddress, EvmAddress.Zero, new TokenAmount(BigInteger.One << 128)), some);
        await calls.RefusedAsync(ContractError.BadAmount, payer, ChannelContract.TopUp(1, TokenAmount.Zero), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.BadTransfer, payer, ChannelContract.Open(payeeAddress, payeeAddress, some), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.BadAmount, payer, ChannelContract.Open(payeeAddress, payeeAddress, some), some);
        await calls.RefusedAsync(ContractError.UnknownChannel, payer, ChannelContract.TopUp(2, some), some);
        await calls.RefusedAsync(ContractError.UnknownChannel, payer, ChannelContract.Settle(0), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.NotAParty, stranger, ChannelContract.Settle(1), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.NotAParty, stranger, ChannelContract.Collect(1), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.NotSettling, payer, ChannelContract.Collect(1), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.NothingToWithdraw, payer, ChannelContract.Withdraw(EvmAddress.Zero, payeeAddress), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.Unknown, payer, ChannelContract.Settle(1), some);
        await calls.RefusedAsync(ContractError.Unknown, payer, [1, 2, 3, 4], TokenAmount.Zero);

        // A claim is refused with its place in the call.
        RedemptionClaim good = fixture.Claim(channel, 1, 1, 50, 1);
        (ContractError Error, RedemptionClaim Claim)[] wrong =
        [
            (ContractError.BadLane, good with { Voucher = good.Voucher with { Terms = good.Voucher.Terms with { Lane = new LaneId(65536) } } }),
            (ContractError.StaleNonce, fixture.Claim(channel, 0, 5, 200, 1)),
            (ContractError.StaleNonce, fixture.Claim(channel, 2, 0, 200, 1)),
            (ContractError.AmountNotRaised, fixture.Claim(channel, 0, 6, 100, 1)),
            (ContractError.VoucherExpired, fixture.Claim(channel, 0, 6, 200, 1, new Epoch(head))),
            (ContractError.WrongSecret, fixture.Claim(channel, 0, 6, 200, 1) with { Secret = ChainFixture.SecretOf(2) }),
            (ContractError.BadSignature, fixture.Claim(channel, 0, 6, 200, 1, signer: payee)),
            (ContractError.BadSignature, fixture.Claim(fixture.Scheme.Contract.ChannelAt(7), 0, 6, 200, 1)),
            (ContractError.BadSignature, OfAnotherChain(fixture, channel)),
            (ContractError.BadSignature, WithHighS(fixture.Claim(channel, 0, 6, 200, 1))),
            (ContractError.NotCovered, fixture.Claim(channel, 0, 6, 951, 1)),
        ];
        foreach ((ContractError error, RedemptionClaim claim) in wrong)
            await calls.RefusedAsync(error, payee, ChannelContract.Redeem(1, [good, claim]), TokenAmount.Zero, argument: 1);
        await calls.RefusedAsync(ContractError.NothingToRedeem, payee, ChannelContract.Redeem(1, []), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.NotThePayee, payer, ChannelContract.Redeem(1, [good]), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.NotThePayee, stranger, ChannelContract.Redeem(1, [good]), TokenAmount.Zero);

        byte[] Close(long milli, long deadline, SecpKey first, SecpKey second, long signed) => ChannelContract.Close(
            1, ChainFixture.Milli(milli), new Epoch(deadline), fixture.Scheme.SignClose(first, 1, ChainFixture.Milli(signed), new Epoch(deadline)),
            fixture.Scheme.SignClose(second, 1, ChainFixture.Milli(signed), new Epoch(deadline)));
        await calls.RefusedAsync(ContractError.DeadlinePassed, stranger, Close(200, head, payer, payee, 200), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.BelowOwed, stranger, Close(99, head + 100, payer, payee, 99), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.NotCovered, stranger, Close(1001, head + 100, payer, payee, 1001), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.BadSignature, stranger, Close(200, head + 100, payer, payee, 201), TokenAmount.Zero, argument: 0);
        await calls.RefusedAsync(ContractError.BadSignature, stranger, Close(200, head + 100, payer, payer, 200), TokenAmount.Zero, argument: 1);
        await calls.RefusedAsync(ContractError.BadSignature, stranger, Close(200, head + 100, payee, payee, 200), TokenAmount.Zero, argument: 0);

        Assert.Equal(RailOutcome.Executed, (await fixture.Rail.SettleAsync(payer, channel, Cancellation)).Outcome);
        long settlingAt = (await fixture.Rail.GetChannelAsync(channel, Cancellation))!.SettlingAt!.Value.Value;
        await calls.RefusedAsync(ContractError.AlreadySettling, payee, ChannelContract.Settle(1), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.TooEarly, payee, ChannelContract.Collect(1), TokenAmount.Zero, argument: settlingAt);
        await fixture.Node.MineAsync(ChainFixture.SettleDelay, Cancellation);
        await calls.RefusedAsync(ContractError.ChannelSettled, payee, ChannelContract.Redeem(1, [good]), TokenAmount.Zero);

        // What both have signed is paid at once, whoever brings it.
        TokenAmount before = await fixture.Rail.GetBalanceAsync(fixture.AccountOf(payee), Cancellation);
        await calls.DoneAsync(stranger, Close(200, head + 1000, payer, payee, 200));
        Assert.Equal(before + ChainFixture.Milli(200), await fixture.Rail.GetBalanceAsync(fixture.AccountOf(payee), Cancellation));
        await calls.RefusedAsync(ContractError.UnknownChannel, stranger, Close(200, head + 1000, payer, payee, 200), TokenAmount.Zero);
    }

    [Theory]
    [InlineData(Plain)]
    [InlineData(Silent)]
    public async Task ATokenThatBehavesIsPaidOut(uint mode)
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        using var calls = new Caller(fixture);
        EvmAddress token = await calls.DeployTokenAsync(1000);
        await calls.TokenAsync(token, "set(uint8)", writer => writer.Number(mode));
        await OpenAndSettleAsync(fixture, calls, token);
        await calls.DoneAsync(fixture.Payer, ChannelContract.Collect(1));
        Assert.Equal((BigInteger)300, await calls.TokenBalanceAsync(token, fixture.Payee));
        Assert.Equal((BigInteger)700, await calls.TokenBalanceAsync(token, fixture.Payer));
    }

    [Theory]
    [InlineData(Fee)]
    [InlineData(ReturnsFalse)]
    [InlineData(Reverts)]
    public async Task ATokenThatDoesNotDeliverIsRefused(uint mode)
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        using var calls = new Caller(fixture);
        EvmAddress token = await calls.DeployTokenAsync(1000);
        await calls.TokenAsync(token, "set(uint8)", writer => writer.Number(mode));
        await calls.RefusedAsync(ContractError.BadTransfer, fixture.Payer, ChannelContract.Open(Caller.AddressOf(fixture.Payee), token, new TokenAmount(500)), TokenAmount.Zero);
    }

    // Neither party's money depends on whether the other one can be paid.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhoCannotBePaidHoldsUpNobody(bool isPayeeFrozen)
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        using var calls = new Caller(fixture);
        EvmAddress token = await calls.DeployTokenAsync(1000);
        await OpenAndSettleAsync(fixture, calls, token);
        (SecpKey frozen, SecpKey free) = isPayeeFrozen ? (fixture.Payee, fixture.Payer) : (fixture.Payer, fixture.Payee);
        (int held, int paid) = isPayeeFrozen ? (300, 700) : (200, 300);
        await calls.TokenAsync(token, "freeze(address,bool)", writer => writer.Address(Caller.AddressOf(frozen)).Flag(true));
        await calls.DoneAsync(free, ChannelContract.Collect(1));
        Assert.Equal((BigInteger)paid, await calls.TokenBalanceAsync(token, free));
        await calls.RefusedAsync(ContractError.BadTransfer, frozen, ChannelContract.Withdraw(token, Caller.AddressOf(frozen)), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.BadTransfer, frozen, ChannelContract.Withdraw(token, EvmAddress.Zero), TokenAmount.Zero);
        await calls.RefusedAsync(ContractError.NothingToWithdraw, free, ChannelContract.Withdraw(token, Caller.AddressOf(free)), TokenAmount.Zero);

        // To an address of its choice, or later.
        await calls.DoneAsync(frozen, ChannelContract.Withdraw(token, Caller.AddressOf(fixture.Stranger)));
        Assert.Equal((BigInteger)held, await calls.TokenBalanceAsync(token, fixture.Stranger));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ATokenThatCallsBackGetsNothing(bool mustSucceed)
    {
        await using ChainFixture fixture = await ChainFixture.OpenAsync(chain);
        using var calls = new Caller(fixture);
        EvmAddress token = await calls.DeployTokenAsync(1000);
        await OpenAndSettleAsync(fixture, calls, token);
        await calls.TokenAsync(token, "setCallback(address,bytes,bool)", writer => writer.Address(fixture.Contract).Number(96).Flag(mustSucceed)
            .Number(36).Word(ChannelContract.Collect(1).AsSpan(0, 32)).Word([.. ChannelContract.Collect(1)[32..], .. new byte[28]]));
        if (mustSucceed)
            await calls.RefusedAsync(ContractError.BadTransfer, fixture.Payer, ChannelContract.Open(Caller.AddressOf(fixture.Payee), token, new TokenAmount(1)), TokenAmount.Zero);
        await calls.DoneAsync(fixture.Payer, ChannelContract.Collect(1));

        // A callback that must succeed makes the payment fail: the money waits. One that may fail changes nothing.
        await calls.TokenAsync(token, "set(uint8)", writer => writer.Number(Plain));
        if (mustSucceed)
        {
            await calls.DoneAsync(fixture.Payer, ChannelContract.Withdraw(token, Caller.AddressOf(fixture.Payer)));
            await calls.DoneAsync(fixture.Payee, ChannelContract.Withdraw(token, Caller.AddressOf(fixture.Payee)));
        }

        Assert.Equal((BigInteger)300, await calls.TokenBalanceAsync(token, fixture.Payee));
        Assert.Equal((BigInteger)700, await calls.TokenBalanceAsync(token, fixture.Payer));
        await calls.RefusedAsync(ContractError.UnknownChannel, fixture.Payer, ChannelContract.Collect(1), TokenAmount.Zero);
    }

    // A channel of 500 of the payer's 1000 tokens, 300 of them redeemed, ready to be collected.
    private static async Task OpenAndSettleAsync(ChainFixture fixture, Caller calls, EvmAddress token)
    {
        await calls.DoneAsync(fixture.Payer, ChannelContract.Open(Caller.AddressOf(fixture.Payee), token, new TokenAmount(400)));
        await calls.DoneAsync(fixture.Payer, ChannelContract.TopUp(1, new TokenAmount(100)));
        ChannelId channel = fixture.Scheme.Contract.ChannelAt(1);
        byte[] secret = ChainFixture.SecretOf(9);
        var terms = new VoucherTerms(channel, new LaneId(0), new Nonce(1), new TokenAmount(300), HashLock.Of(LockHashKind.Sha256, secret), null);
        await calls.DoneAsync(fixture.Payee, ChannelContract.Redeem(1, [new RedemptionClaim(fixture.Scheme.Sign(fixture.Payer, terms), secret)]));
        await calls.DoneAsync(fixture.Payee, ChannelContract.Settle(1));
        await fixture.Node.MineAsync(ChainFixture.SettleDelay, Cancellation);

        // Channels in a token are none of the rail in the chain's own currency.
        Assert.Null(await fixture.Rail.GetChannelAsync(channel, Cancellation));
    }

    private static RedemptionClaim OfAnotherChain(ChainFixture fixture, ChannelId channel)
    {
        RedemptionClaim ours = fixture.Claim(channel, 0, 6, 200, 1);
        EvmContract other = fixture.Scheme.Contract with { ChainId = 314 };
        PaymentVoucher theirs = new EvmVoucherScheme(other).Sign(fixture.Payer, ours.Voucher.Terms with { Channel = other.ChannelAt(1) });
        return ours with { Voucher = theirs with { Terms = ours.Voucher.Terms } };
    }

    // The same promise by the other root: valid for ecrecover, and refused so that a promise has one signature only.
    private static RedemptionClaim WithHighS(RedemptionClaim claim)
    {
        byte[] encoded = claim.Voucher.Encoded.ToArray();
        BigInteger order = BigInteger.Parse("0FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141", System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);
        Span<byte> s = encoded.AsSpan(encoded.Length - 33, 32);
        (order - new BigInteger(s, isUnsigned: true, isBigEndian: true)).ToByteArray(isUnsigned: true, isBigEndian: true).CopyTo(s);
        encoded[^1] ^= 1;
        return claim with { Voucher = claim.Voucher with { Encoded = encoded } };
    }

    /// <summary>Calls the contract and tokens by hand.</summary>
    private sealed class Caller(ChainFixture fixture) : IDisposable
    {
        private readonly EvmNode _node = new(new JsonRpcClient(fixture.Node.Endpoint, null, TimeProvider.System));

        public static EvmAddress AddressOf(SecpKey key) => EvmAddress.FromPublicKey(key.PublicKey.Span);

        public void Dispose() => _node.Dispose();

        public async Task RefusedAsync(ContractError error, SecpKey sender, byte[] data, TokenAmount value, BigInteger? argument = null, bool deploys = false)
        {
            JsonRpcException refused = await Assert.ThrowsAsync<JsonRpcException>(() => _node.EstimateGasAsync(AddressOf(sender), deploys ? null : fixture.Contract, value, data, Cancellation));
            var refusal = ContractRefusal.Parse(Convert.FromHexString((refused.ErrorData ?? "0x").AsSpan(2)));
            Assert.Equal(error, refusal.Error);
            Assert.NotEmpty(refusal.Sentence);
            if (argument is not null)
                Assert.Equal(argument, refusal.Argument);
        }

        public Task<EvmReceipt> DoneAsync(SecpKey sender, byte[] data) => SendAsync(sender, fixture.Contract, data);

        public async Task<EvmAddress> DeployTokenAsync(int amount)
        {
            EvmAddress token = (await SendAsync(fixture.Stranger, null, TokenCode.Value)).Contract!.Value;
            await TokenAsync(token, "mint(address,uint256)", writer => writer.Address(AddressOf(fixture.Payer)).Number(amount));
            await SendAsync(fixture.Payer, token, AbiCall.Of("approve(address,uint256)", writer => writer.Address(fixture.Contract).Number(amount)));
            return token;
        }

        public Task<EvmReceipt> TokenAsync(EvmAddress token, string signature, Action<AbiCall> arguments) => SendAsync(fixture.Stranger, token, AbiCall.Of(signature, arguments));

        public async Task<BigInteger> TokenBalanceAsync(EvmAddress token, SecpKey key)
        {
            byte[] call = AbiCall.Of("balanceOf(address)", writer => writer.Address(AddressOf(key)));
            return ChannelContract.NumberAnswer((await _node.CallAsync(null, token, call, EvmNode.Latest, Cancellation)).Data);
        }

        private async Task<EvmReceipt> SendAsync(SecpKey sender, EvmAddress? to, byte[] data)
        {
            SignedEvmTransaction signed = new EvmTransaction
            {
                ChainId = AnvilNode.ChainId,
                Nonce = await _node.GetNonceAsync(AddressOf(sender), "pending", Cancellation),
                MaxPriorityFeePerGas = 1_000_000_000,
                MaxFeePerGas = 100_000_000_000,
                GasLimit = 3_000_000,
                To = to,
                Data = data,
            }.Sign(sender);
            await _node.SendAsync(signed.Raw, Cancellation);
            EvmReceipt? receipt;
            while ((receipt = await _node.GetReceiptAsync(EvmNode.Hex(signed.Hash.Span), Cancellation)) is null)
                await Task.Delay(5, Cancellation);
            Assert.True(receipt.Succeeded);
            return receipt;
        }
    }
}
