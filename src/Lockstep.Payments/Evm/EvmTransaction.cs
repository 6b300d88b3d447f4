using System.Numerics;
using Lockstep.Payments.Encodings;
using Lockstep.Payments.Keys;

namespace Lockstep.Payments.Evm;

/// <summary>A transaction with a fee market (EIP-1559, type 2), without an access list.</summary>
public sealed record EvmTransaction
{
    private const byte Type = 2;

    public required ulong ChainId { get; init; }

    /// <summary>The sender's number of transactions before this one.</summary>
    public required ulong Nonce { get; init; }

    /// <summary>Most that is paid for a unit of gas on top of the base fee, in atto-units.</summary>
    public required BigInteger MaxPriorityFeePerGas { get; init; }

    /// <summary>Most that is paid for a unit of gas altogether, in atto-units.</summary>
    public required BigInteger MaxFeePerGas { get; init; }

    public required ulong GasLimit { get; init; }

    /// <summary>Null to deploy a contract.</summary>
    public required EvmAddress? To { get; init; }

    public TokenAmount Value { get; init; }

    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>Signs it.</summary>
    public SignedEvmTransaction Sign(SecpKey key)
    {
        byte[][] fields = Fields();
        byte[] signature = key.SignDigest(Keccak.Hash256([Type, .. Rlp.List(fields)]));
        byte[] raw =
        [
            Type,
            .. Rlp.List([
                .. fields, Rlp.Number(signature[64]), Rlp.Number(new BigInteger(signature.AsSpan(0, 32), isUnsigned: true, isBigEndian: true)),
                Rlp.Number(new BigInteger(signature.AsSpan(32, 32), isUnsigned: true, isBigEndian: true)),
            ]),
        ];
        return new SignedEvmTransaction(this, raw, Keccak.Hash256(raw));
    }

    private byte[][] Fields() =>
    [
        Rlp.Number(ChainId), Rlp.Number(Nonce), Rlp.Number(MaxPriorityFeePerGas), Rlp.Number(MaxFeePerGas), Rlp.Number(GasLimit),
        Rlp.Bytes(To is { } to ? to.Bytes.Span : []), Rlp.Number(Value.Atto), Rlp.Bytes(Data.Span), Rlp.List(),
    ];
}

/// <summary>A transaction as it is sent.</summary>
/// <param name="Transaction">What was signed.</param>
/// <param name="Raw">The bytes for a node.</param>
/// <param name="Hash">Its name: Keccak-256 of <paramref name="Raw"/>.</param>
public sealed record SignedEvmTransaction(EvmTransaction Transaction, ReadOnlyMemory<byte> Raw, ReadOnlyMemory<byte> Hash);
