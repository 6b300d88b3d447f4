using System.Numerics;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;

namespace Lockstep.Payments.Evm;

/// <summary>A channel as the contract holds it.</summary>
public sealed record EvmChannel
{
    /// <summary>The block that was read.</summary>
    public required Epoch AsOf { get; init; }

    /// <summary>Zero for a channel that is closed or was never opened.</summary>
    public required EvmAddress Payer { get; init; }

    public required EvmAddress Payee { get; init; }

    /// <summary>Zero for the chain's own currency.</summary>
    public required EvmAddress Token { get; init; }

    /// <summary>The block from which it is collected; 0 while nobody has settled.</summary>
    public required long SettlingAt { get; init; }

    public required long OpenedAt { get; init; }

    public required TokenAmount Balance { get; init; }

    public required TokenAmount Owed { get; init; }

    /// <summary>One above the highest lane redeemed.</summary>
    public required long LanesEnd { get; init; }

    /// <summary>The lanes that were asked for, in order.</summary>
    public required IReadOnlyList<LaneSnapshot> Lanes { get; init; }

    public bool Exists => !Payer.IsZero;
}

/// <summary>
/// Calls to <c>contracts/LockstepChannels.sol</c> and what it answers, as bytes. Answers come from a node that may be wrong or
/// lie, so reading them throws <see cref="FormatException"/> and nothing else.
/// </summary>
public static class ChannelContract
{
    private const string ClaimType = "(uint64,uint64,uint128,bytes32,uint64,bytes32,bytes32,bytes32,uint8)";
    private const int WordsPerLane = 2;

    /// <summary>The longest settling period that the contract can be deployed with, in blocks.</summary>
    public const long MaxSettleDelay = 10_000_000;

    public static byte[] Open(EvmAddress payee, EvmAddress token, TokenAmount amount) =>
        AbiWriter.Call("open(address,address,uint256)").Address(payee).Address(token).Number(amount.Atto).ToArray();

    public static byte[] TopUp(ulong channel, TokenAmount amount) =>
        AbiWriter.Call("topUp(uint256,uint256)").Number(channel).Number(amount.Atto).ToArray();

    /// <summary>Redeems vouchers of one channel, each with the secret of its lock.</summary>
    public static byte[] Redeem(ulong channel, IReadOnlyList<RedemptionClaim> claims)
    {
        AbiWriter writer = AbiWriter.Call($"redeem(uint256,{ClaimType}[])").Number(channel).Number(2 * AbiWriter.WordLength).Number(claims.Count);
        Span<byte> none = stackalloc byte[HashLock.Length];
        none.Clear();
        foreach (RedemptionClaim claim in claims)
        {
            VoucherTerms terms = claim.Voucher.Terms;
            ReadOnlySpan<byte> signature = claim.Voucher.Encoded.Span[^SecpSignature.Length..];
            writer.Number(terms.Lane.Value).Number(terms.Nonce.Value).Number(terms.Amount.Atto)
                .Word(terms.Lock is { } hashLock ? hashLock.Hash.Span : none).Number(terms.Expiry?.Value ?? 0)
                .Word(terms.Lock is not null && claim.Secret is { } secret ? secret.Span : none)
                .Word(signature[..32]).Word(signature[32..64]).Number(ContractRecovery(signature));
        }

        return writer.ToArray();
    }

    public static byte[] Settle(ulong channel) => AbiWriter.Call("settle(uint256)").Number(channel).ToArray();

    public static byte[] Collect(ulong channel) => AbiWriter.Call("collect(uint256)").Number(channel).ToArray();

    /// <summary>Closes a channel at once by both parties' signatures of <see cref="EvmVoucherScheme.SignClose"/>.</summary>
    public static byte[] Close(ulong channel, TokenAmount toPayee, Epoch deadline, ReadOnlySpan<byte> payerSignature, ReadOnlySpan<byte> payeeSignature)
    {
        AbiWriter writer = AbiWriter.Call("close(uint256,uint256,uint64,bytes32[3],bytes32[3])").Number(channel).Number(toPayee.Atto).Number(deadline.Value);
        writer.Word(payerSignature[..32]).Word(payerSignature[32..64]).Number(ContractRecovery(payerSignature));
        writer.Word(payeeSignature[..32]).Word(payeeSignature[32..64]).Number(ContractRecovery(payeeSignature));
        return writer.ToArray();
    }

    /// <summary>Fetches the money of closed channels that could not be sent.</summary>
    public static byte[] Withdraw(EvmAddress token, EvmAddress to) => AbiWriter.Call("withdraw(address,address)").Address(token).Address(to).ToArray();

    /// <summary>The data that deploys the contract.</summary>
    public static byte[] Deploy(ReadOnlySpan<byte> bytecode, long settleDelay) => [.. bytecode, .. new AbiWriter().Number(settleDelay).ToArray()];

    public static byte[] Read(ulong channel, long fromLane, long laneCount) =>
        AbiWriter.Call("read(uint256,uint64,uint64)").Number(channel).Number(fromLane).Number(laneCount).ToArray();

    public static EvmChannel ReadAnswer(ReadOnlyMemory<byte> answer)
    {
        var reader = new AbiReader(answer);
        var asOf = new Epoch(reader.Long());
        EvmAddress payer = reader.Address();
        long settlingAt = reader.Long(), lanesEnd = reader.Long();
        EvmAddress payee = reader.Address();
        long openedAt = reader.Long();
        TokenAmount balance = new(reader.Number()), owed = new(reader.Number());
        EvmAddress token = reader.Address();
        reader.Long();
        reader.Long();
        AbiReader items = reader.Array(WordsPerLane, out int count);
        var lanes = new LaneSnapshot[count];
        for (int i = 0; i < count; i++)
            lanes[i] = new LaneSnapshot(new TokenAmount(items.Number()), new Nonce(items.Unsigned()));
        return new EvmChannel
        {
            AsOf = asOf,
            Payer = payer,
            Payee = payee,
            Token = token,
            SettlingAt = settlingAt,
            OpenedAt = openedAt,
            Balance = balance,
            Owed = owed,
            LanesEnd = lanesEnd,
            Lanes = lanes,
        };
    }

    /// <summary>Asks for open channels of a party, newest first, below a number (0: from the newest).</summary>
    public static byte[] Find(EvmAddress party, bool asPayee, ulong before, int count) =>
        AbiWriter.Call("find(address,bool,uint48,uint256)").Address(party).Flag(asPayee).Number(before).Number(count).ToArray();

    /// <summary>Channels found, and the number to go on below; 0 at the end.</summary>
    public static (IReadOnlyList<ulong> Channels, ulong Next) FindAnswer(ReadOnlyMemory<byte> answer)
    {
        var reader = new AbiReader(answer);
        AbiReader items = reader.Array(1, out int count);
        ulong next = reader.Unsigned();
        var channels = new ulong[count];
        for (int i = 0; i < count; i++)
            channels[i] = items.Unsigned();
        return (channels, next);
    }

    public static byte[] SettleDelay() => AbiWriter.Call("settleDelay()").ToArray();

    /// <summary>What the contract owes an account from closed channels that could not be paid out.</summary>
    public static byte[] Credits(EvmAddress account, EvmAddress token) => AbiWriter.Call("credits(address,address)").Address(account).Address(token).ToArray();

    /// <summary>An answer that is one number.</summary>
    public static BigInteger NumberAnswer(ReadOnlyMemory<byte> answer) => new AbiReader(answer).Number();

    // ecrecover counts from 27.
    private static int ContractRecovery(ReadOnlySpan<byte> signature) => 27 + signature[64];
}
