using System.Globalization;
using System.Text;
using Lockstep.Payments.Encodings;

namespace Lockstep.Payments.Evm;

/// <summary>The contract's log entries, as nodes show them.</summary>
public static class ContractEvent
{
    /// <summary>A redemption, with the secret that it made public; empty for a voucher without a lock.</summary>
    public sealed record Redeemed(LaneId Lane, Nonce Nonce, TokenAmount Amount, HashLock? Lock, ReadOnlyMemory<byte> Secret);

    /// <summary>The first topic of an event: the hash of its signature.</summary>
    public static string Topic(string signature) => "0x" + Convert.ToHexStringLower(Keccak.Hash256(Encoding.ASCII.GetBytes(signature)));

    /// <summary>An indexed number.</summary>
    public static string Topic(ulong number) => "0x" + number.ToString("x64", CultureInfo.InvariantCulture);

    /// <summary>Reads <c>Redeemed</c>. Throws <see cref="FormatException"/> for anything else, and for a secret that does not open its lock.</summary>
    /// <param name="topics">Event, channel, lane; 32 bytes each in hexadecimal after <c>0x</c>.</param>
    /// <param name="data">Nonce, amount, lock, secret.</param>
    public static Redeemed ReadRedeemed(IReadOnlyList<string> topics, ReadOnlyMemory<byte> data)
    {
        if (topics.Count != 3)
            throw new FormatException("a redemption has three topics");
        ulong lane = new AbiReader(Convert.FromHexString(topics[2].AsSpan(2))).Unsigned();
        var reader = new AbiReader(data);
        ulong nonce = reader.Unsigned();
        var amount = new TokenAmount(reader.Number());
        byte[] hash = reader.Word().ToArray(), secret = reader.Word().ToArray();
        if (!hash.AsSpan().ContainsAnyExcept((byte)0))
            return new Redeemed(new LaneId(lane), new Nonce(nonce), amount, null, ReadOnlyMemory<byte>.Empty);
        var hashLock = new HashLock(LockHashKind.Sha256, hash);
        return hashLock.OpensWith(secret)
            ? new Redeemed(new LaneId(lane), new Nonce(nonce), amount, hashLock, secret)
            : throw new FormatException("the secret does not open the lock");
    }
}
