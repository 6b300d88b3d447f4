using Lockstep.Node.Identity;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Rails;
using Lockstep.Retrieval;
using Lockstep.Retrieval.Deals;

namespace Lockstep.Node.Runtime;

/// <summary>A wallet's key, for deals.</summary>
internal sealed class Wallet(SecpKey key, IVoucherScheme scheme) : IWallet
{
    public AccountId Account { get; } = scheme.AccountOf(key);

    public PaymentVoucher SignVoucher(VoucherTerms terms) => scheme.Sign(key, terms);

    public byte[] SignStatement(ReadOnlySpan<byte> statement) => scheme.SignStatement(key, statement);
}

/// <summary>A provider's own key, for deals.</summary>
internal sealed class ProviderIdentity(NodeIdentity identity) : IIdentity
{
    public Bytes32 Fingerprint { get; } = new(identity.Fingerprint.Bytes.Span);

    public byte[] Sign(ReadOnlySpan<byte> statement) => identity.Sign(statement);
}

/// <summary>
/// A provider's key as its client knows it: the fingerprint from the address, the key itself from the first handshake that
/// showed one with this fingerprint.
/// </summary>
internal sealed class PinnedProvider(KeyFingerprint provider) : IIdentityVerifier
{
    private volatile byte[]? _publicKey;

    public Bytes32 Fingerprint { get; } = new(provider.Bytes.Span);

    /// <summary>Takes a key that a handshake showed; one with another fingerprint changes nothing.</summary>
    public void Learn(ReadOnlySpan<byte> publicKey)
    {
        if (KeyFingerprint.OfPublicKey(publicKey).Equals(provider))
            _publicKey = publicKey.ToArray();
    }

    public bool Verify(ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature) =>
        _publicKey is { } key && NodeIdentity.Verify(key, statement, signature);
}
