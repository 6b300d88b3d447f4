namespace Lockstep.Payments.Vouchers;

/// <summary>The type byte in front of a Filecoin signature.</summary>
public enum SignatureType : byte
{
    /// <summary>Seen in published test data only.</summary>
    Unknown = 0,

    Secp256k1 = 1,

    Bls = 2,

    /// <summary>Over an Ethereum transaction (f410 senders); never in a voucher.</summary>
    Delegated = 3,
}

/// <summary>A Filecoin signature: its type and its bytes (65 for secp256k1, 96 for BLS).</summary>
public sealed record Signature(SignatureType Type, ReadOnlyMemory<byte> Data)
{
    /// <summary>Type byte and data, as inside a CBOR byte string.</summary>
    public byte[] ToBytes() => [(byte)Type, .. Data.Span];

    public bool Equals(Signature? other) => other is not null && Type == other.Type && Data.Span.SequenceEqual(other.Data.Span);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Type);
        hash.AddBytes(Data.Span);
        return hash.ToHashCode();
    }
}
