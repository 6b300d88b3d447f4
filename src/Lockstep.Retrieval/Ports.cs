using Lockstep.Payments.Rails;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Retrieval;

/// <summary>When a step happens. Both parts are passed in; nothing here reads a clock.</summary>
/// <param name="Time">Since any fixed start that outlives the deal object; it never goes back.</param>
/// <param name="Epoch">The rail's newest epoch that is known.</param>
public readonly record struct Moment(TimeSpan Time, Payments.Epoch Epoch);

/// <summary>The client's wallet: signs, never shows its key.</summary>
public interface IWallet
{
    AccountId Account { get; }

    PaymentVoucher SignVoucher(VoucherTerms terms);

    /// <summary>Signs bytes that are not a voucher, by the rail's rule.</summary>
    byte[] SignStatement(ReadOnlySpan<byte> statement);
}

/// <summary>The provider's identity key.</summary>
public interface IIdentity
{
    /// <summary>SHA-256 of the public key, as in the provider's address.</summary>
    Bytes32 Fingerprint { get; }

    byte[] Sign(ReadOnlySpan<byte> statement);
}

/// <summary>Checks signatures of one provider's identity key: that of the connection, pinned by the provider's address.</summary>
public interface IIdentityVerifier
{
    Bytes32 Fingerprint { get; }

    bool Verify(ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature);
}

/// <summary>
/// Every seal id and lock that this home has ever offered or been offered. Reads what is committed; the deal adds to it
/// with its own batches.
/// </summary>
public interface ISealRegistry
{
    /// <summary>True when the seal id or the lock occurs in any record.</summary>
    bool Knows(Bytes32 sealId, Bytes32 keyLock);
}

/// <summary>
/// The vouchers a payer has lanes for, by channel; one object per channel for all deals, so that no money is promised twice.
/// </summary>
public interface IPayerChannels
{
    Client.PayerChannel Get(ChannelId channel);
}

/// <summary>The vouchers a payee holds, by channel; one object per channel for all deals, so that coverage counts them all.</summary>
public interface IPayeeChannels
{
    Provider.PayeeChannel Get(ChannelId channel);
}

/// <summary>
/// One side's durable store. A batch is committed whole or not at all, and is on disk when the call returns. Blocks of a batch
/// may become durable before its rows, never after.
/// </summary>
public interface IDealStore
{
    Task CommitAsync(IReadOnlyList<StoreWrite> batch, CancellationToken cancellationToken);
}

/// <summary>One change in a batch. Rows are replaced whole; writing one twice is the same as once.</summary>
public abstract record StoreWrite;

/// <summary>
/// What a step decided. The batch, if any, must be on disk before the first effect is carried out; effects are carried out in
/// order. After a crash in between, the deal is restored from the store and repeats what matters.
/// </summary>
public sealed record DealStep<TEffect>(IReadOnlyList<StoreWrite> Batch, IReadOnlyList<TEffect> Effects);
