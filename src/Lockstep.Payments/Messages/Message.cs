using System.Diagnostics.CodeAnalysis;
using System.Formats.Cbor;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Channels;
using Lockstep.Payments.Encodings;
using Lockstep.Payments.Keys;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Messages;

/// <summary>A Filecoin message: a call of one actor by another (docs/filecoin.md section 3).</summary>
public sealed record Message
{
    internal const int Fields = 10;

    public required Address To { get; init; }

    public required Address From { get; init; }

    /// <summary>The sender's count of messages before this one.</summary>
    public ulong Nonce { get; init; }

    public TokenAmount Value { get; init; }

    public long GasLimit { get; init; }

    public TokenAmount GasFeeCap { get; init; }

    public TokenAmount GasPremium { get; init; }

    public ulong Method { get; init; }

    /// <summary>Empty for a method without parameters.</summary>
    public ReadOnlyMemory<byte> Params { get; init; }

    public FilecoinCid Cid => FilecoinCid.OfDagCbor(Encode());

    /// <summary>BLAKE2b-256 of the 38 CID bytes, which secp256k1 senders sign.</summary>
    public byte[] SigningDigest() => Blake2b.Hash256(Cid.Bytes.Span);

    public byte[] Encode()
    {
        CborWriter writer = DagCborWriter.New();
        Write(writer);
        return writer.Encode();
    }

    public SignedMessage Sign(SecpKey key) => new(this, new Signature(SignatureType.Secp256k1, key.SignDigest(SigningDigest())));

    /// <summary>Reads canonical bytes; never throws for what they hold.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, [NotNullWhen(true)] out Message? message) =>
        ParamsReader.TryRead(encoded, Fields, ReadFields, out message) && message!.Encode().AsSpan().SequenceEqual(encoded.Span);

    internal void Write(CborWriter writer)
    {
        writer.WriteStartArray(Fields);
        writer.WriteInt32(0);
        writer.WriteAddress(To);
        writer.WriteAddress(From);
        writer.WriteUInt64(Nonce);
        writer.WriteAmount(Value);
        writer.WriteInt64(GasLimit);
        writer.WriteAmount(GasFeeCap);
        writer.WriteAmount(GasPremium);
        writer.WriteUInt64(Method);
        writer.WriteByteString(Params.Span);
        writer.WriteEndArray();
    }

    internal static Message ReadFields(LenientCborReader reader)
    {
        if (reader.ReadUInt64() != 0)
            throw new CborContentException("A message of an unknown version.");
        return new Message
        {
            To = reader.ReadAddress(),
            From = reader.ReadAddress(),
            Nonce = reader.ReadUInt64(),
            Value = reader.ReadAmount(),
            GasLimit = reader.ReadInt64(),
            GasFeeCap = reader.ReadAmount(),
            GasPremium = reader.ReadAmount(),
            Method = reader.ReadUInt64(),
            Params = reader.ReadBytes(),
        };
    }
}

/// <summary>A message and its sender's signature.</summary>
public sealed record SignedMessage(Message Message, Signature Signature)
{
    /// <summary>
    /// What block explorers show: for a BLS sender the bare message's CID, since its signature is stored in an aggregate;
    /// else the CID of message and signature.
    /// </summary>
    public FilecoinCid Cid => Signature.Type == SignatureType.Bls ? Message.Cid : FilecoinCid.OfDagCbor(Encode());

    public byte[] Encode()
    {
        CborWriter writer = DagCborWriter.New();
        writer.WriteStartArray(2);
        Message.Write(writer);
        writer.WriteByteString(Signature.ToBytes());
        writer.WriteEndArray();
        return writer.Encode();
    }

    /// <summary>True when the f1 address in <see cref="Message.From"/> made the signature.</summary>
    public bool IsSignedBySender() =>
        Signature.Type == SignatureType.Secp256k1
        && SecpSignature.TryRecover(Message.SigningDigest(), Signature.Data.Span, out byte[] publicKey)
        && Address.FromSecp256k1(publicKey) == Message.From;

    /// <summary>Reads canonical bytes; never throws for what they hold. Does not check the signature.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, [NotNullWhen(true)] out SignedMessage? message) =>
        ParamsReader.TryRead(encoded, 2, Read, out message) && message!.Encode().AsSpan().SequenceEqual(encoded.Span);

    private static SignedMessage Read(LenientCborReader reader)
    {
        reader.BeginTuple(Message.Fields);
        Message message = Message.ReadFields(reader);
        reader.EndArray();
        byte[] signature = reader.ReadBytes();
        if (signature.Length == 0 || signature[0] > (byte)SignatureType.Delegated)
            throw new CborContentException("A signature of an unknown type.");
        return new SignedMessage(message, new Signature((SignatureType)signature[0], signature.AsMemory(1)));
    }
}
