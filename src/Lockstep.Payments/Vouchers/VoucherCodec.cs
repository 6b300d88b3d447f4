using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Formats.Cbor;
using Lockstep.Payments.Encodings;

namespace Lockstep.Payments.Vouchers;

/// <summary>How strictly voucher bytes are read.</summary>
public enum VoucherReading
{
    /// <summary>As the actor: other widths of integers and lengths are accepted.</summary>
    AsActor,

    /// <summary>Only the one canonical form, as between our peers.</summary>
    Canonical,
}

/// <summary>The 11-tuple of a voucher in CBOR (docs/filecoin.md section 1.2).</summary>
public static class VoucherCodec
{
    /// <summary>Far above a voucher without merges and extra data; refused before decoding.</summary>
    public const int MaxLength = 64 * 1024;

    private const int Fields = 11;

    /// <summary>The canonical bytes; a missing signature is null.</summary>
    public static byte[] Encode(Voucher voucher, Signature? signature)
    {
        CborWriter writer = DagCborWriter.New();
        Write(writer, voucher, signature);
        return writer.Encode();
    }

    /// <summary>Reads untrusted bytes; never throws for what they hold.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, VoucherReading reading, [NotNullWhen(true)] out SignedVoucher? voucher, out VoucherRefusalReason reason)
    {
        voucher = null;
        reason = VoucherRefusalReason.Malformed;
        if (encoded.Length > MaxLength)
            return false;
        SignedVoucher decoded;
        try
        {
            var reader = new LenientCborReader(encoded);
            decoded = Read(reader);
            reader.End();
        }
        catch (CborContentException)
        {
            return false;
        }
        if (reading == VoucherReading.Canonical && !decoded.Encode().AsSpan().SequenceEqual(encoded.Span))
        {
            reason = VoucherRefusalReason.NotCanonical;
            return false;
        }
        voucher = decoded;
        return true;
    }

    /// <summary>Reads the text form; never throws for what it holds.</summary>
    public static bool TryDecodeText(string text, VoucherReading reading, [NotNullWhen(true)] out SignedVoucher? voucher, out VoucherRefusalReason reason)
    {
        voucher = null;
        reason = VoucherRefusalReason.Malformed;
        if (text.Length > MaxLength || text.Contains('=') || !Base64Url.IsValid(text))
            return false;
        byte[] bytes = Base64Url.DecodeFromChars(text);
        // The decoder passes white space and unused bits; the text form has neither.
        return Base64Url.EncodeToString(bytes) == text && TryDecode(bytes, reading, out voucher, out reason);
    }

    internal static void Write(CborWriter writer, Voucher voucher, Signature? signature)
    {
        writer.WriteStartArray(Fields);
        writer.WriteAddress(voucher.Channel);
        writer.WriteInt64(voucher.TimeLockMin.Value);
        writer.WriteInt64(voucher.TimeLockMax.Value);
        writer.WriteByteString(voucher.SecretHash.Span);
        WriteExtra(writer, voucher.Extra);
        writer.WriteUInt64(voucher.Lane.Value);
        writer.WriteUInt64(voucher.Nonce.Value);
        writer.WriteAmount(voucher.Amount);
        writer.WriteInt64(voucher.MinSettleHeight.Value);
        writer.WriteStartArray(voucher.Merges.Count);
        foreach (LaneMerge merge in voucher.Merges)
        {
            writer.WriteStartArray(2);
            writer.WriteUInt64(merge.Lane.Value);
            writer.WriteUInt64(merge.Nonce.Value);
            writer.WriteEndArray();
        }
        writer.WriteEndArray();
        if (signature is null)
            writer.WriteNull();
        else
            writer.WriteByteString(signature.ToBytes());
        writer.WriteEndArray();
    }

    internal static SignedVoucher Read(LenientCborReader reader)
    {
        reader.BeginTuple(Fields);
        var voucher = new Voucher
        {
            Channel = reader.ReadAddress(),
            TimeLockMin = new Epoch(reader.ReadInt64()),
            TimeLockMax = new Epoch(reader.ReadInt64()),
            SecretHash = reader.ReadBytes(),
            Extra = ReadExtra(reader),
            Lane = new LaneId(reader.ReadUInt64()),
            Nonce = new Nonce(reader.ReadUInt64()),
            Amount = reader.ReadAmount(),
            MinSettleHeight = new Epoch(reader.ReadInt64()),
            Merges = ReadMerges(reader),
        };
        Signature? signature = ReadSignature(reader);
        reader.EndArray();
        return new SignedVoucher(voucher, signature);
    }

    private static void WriteExtra(CborWriter writer, ExtraCall? extra)
    {
        if (extra is null)
        {
            writer.WriteNull();
            return;
        }
        writer.WriteStartArray(3);
        writer.WriteAddress(extra.Actor);
        writer.WriteUInt64(extra.Method);
        writer.WriteByteString(extra.Data.Span);
        writer.WriteEndArray();
    }

    private static ExtraCall? ReadExtra(LenientCborReader reader)
    {
        if (reader.TryReadNull())
            return null;
        reader.BeginTuple(3);
        var extra = new ExtraCall(reader.ReadAddress(), reader.ReadUInt64(), reader.ReadBytes());
        reader.EndArray();
        return extra;
    }

    private static List<LaneMerge> ReadMerges(LenientCborReader reader)
    {
        int count = reader.BeginArray();
        var merges = new List<LaneMerge>();
        for (int i = 0; i < count; i++)
        {
            reader.BeginTuple(2);
            merges.Add(new LaneMerge(new LaneId(reader.ReadUInt64()), new Nonce(reader.ReadUInt64())));
            reader.EndArray();
        }
        reader.EndArray();
        return merges;
    }

    private static Signature? ReadSignature(LenientCborReader reader)
    {
        if (reader.TryReadNull())
            return null;
        byte[] bytes = reader.ReadBytes();
        if (bytes.Length == 0 || (SignatureType)bytes[0] is not (SignatureType.Secp256k1 or SignatureType.Bls))
            throw new CborContentException("A voucher's signature is of type 1 or 2.");
        return new Signature((SignatureType)bytes[0], bytes.AsMemory(1));
    }
}
