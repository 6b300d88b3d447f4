using System.Text;
using Lockstep.Payments.Encodings;
using Lockstep.Payments.Rails;

namespace Lockstep.Payments.Evm;

/// <summary>
/// What the parties of a channel sign: typed data of EIP-712, bound to one contract on one chain. The types are those of
/// <c>contracts/LockstepChannels.sol</c>.
/// </summary>
public sealed class TypedData
{
    private static readonly byte[] DomainType = TypeHash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    private static readonly byte[] VoucherType = TypeHash("Voucher(uint256 channel,uint64 lane,uint64 nonce,uint256 amount,bytes32 lock,uint64 expiry)");
    private static readonly byte[] CloseType = TypeHash("Close(uint256 channel,uint256 toPayee,uint64 deadline)");
    private static readonly byte[] NoLock = new byte[HashLock.Length];

    /// <summary>Binds to a contract on a chain.</summary>
    public TypedData(ulong chainId, EvmAddress contract) => DomainSeparator = Keccak.Hash256(new AbiWriter()
        .Word(DomainType).Word(TypeHash("Lockstep")).Word(TypeHash("1")).Number(chainId).Address(contract).ToArray());

    /// <summary>The 32 bytes that stand for contract and chain.</summary>
    public ReadOnlyMemory<byte> DomainSeparator { get; }

    /// <summary>The digest of a voucher.</summary>
    /// <param name="channel">The channel's number in the contract.</param>
    /// <param name="terms">What is promised; the lock is SHA-256.</param>
    public byte[] VoucherDigest(ulong channel, VoucherTerms terms) => Digest(new AbiWriter()
        .Word(VoucherType).Number(channel).Number(terms.Lane.Value).Number(terms.Nonce.Value).Number(terms.Amount.Atto)
        .Word(terms.Lock is { } hashLock ? hashLock.Hash.Span : NoLock).Number(terms.Expiry?.Value ?? 0));

    /// <summary>The digest of an agreement to close a channel at once.</summary>
    /// <param name="channel">The channel's number in the contract.</param>
    /// <param name="toPayee">What the payee gets; the payer gets the rest.</param>
    /// <param name="deadline">The last block in which it can be used.</param>
    public byte[] CloseDigest(ulong channel, TokenAmount toPayee, Epoch deadline) => Digest(new AbiWriter()
        .Word(CloseType).Number(channel).Number(toPayee.Atto).Number(deadline.Value));

    private static byte[] TypeHash(string text) => Keccak.Hash256(Encoding.ASCII.GetBytes(text));

    private byte[] Digest(AbiWriter content) => Keccak.Hash256([0x19, 0x01, .. DomainSeparator.Span, .. Keccak.Hash256(content.ToArray())]);
}
