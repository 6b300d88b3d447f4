using System.Formats.Cbor;
using Lockstep.Payments.Addresses;
using Lockstep.Payments.Encodings;
using Lockstep.Payments.Vouchers;

namespace Lockstep.Payments.Channels;

/// <summary>Method numbers of the payment-channel actor and of the Init actor's Exec.</summary>
public static class PaychMethod
{
    public const ulong Transfer = 0;
    public const ulong Constructor = 1;
    public const ulong UpdateChannelState = 2;
    public const ulong Settle = 3;
    public const ulong Collect = 4;

    /// <summary>Method 2 of the Init actor f01, which creates a channel.</summary>
    public const ulong InitExec = 2;
}

/// <summary>Parameters of UpdateChannelState: the voucher and the secret of its lock (empty for none).</summary>
public sealed record UpdateChannelStateParams(SignedVoucher Voucher, ReadOnlyMemory<byte> Secret)
{
    /// <summary>Reads as the actor does; false means exit code 21.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, out UpdateChannelStateParams? parameters) =>
        ParamsReader.TryRead(encoded, 2, reader => new UpdateChannelStateParams(VoucherCodec.Read(reader), reader.ReadBytes()), out parameters);

    public byte[] Encode()
    {
        CborWriter writer = DagCborWriter.New();
        writer.WriteStartArray(2);
        VoucherCodec.Write(writer, Voucher.Voucher, Voucher.Signature);
        writer.WriteByteString(Secret.Span);
        writer.WriteEndArray();
        return writer.Encode();
    }
}

/// <summary>Parameters of the Constructor.</summary>
public sealed record PaychConstructorParams(Address From, Address To)
{
    /// <summary>Reads as the actor does; false means exit code 21.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, out PaychConstructorParams? parameters) =>
        ParamsReader.TryRead(encoded, 2, reader => new PaychConstructorParams(reader.ReadAddress(), reader.ReadAddress()), out parameters);

    public byte[] Encode()
    {
        CborWriter writer = DagCborWriter.New();
        writer.WriteStartArray(2);
        writer.WriteAddress(From);
        writer.WriteAddress(To);
        writer.WriteEndArray();
        return writer.Encode();
    }
}

/// <summary>Parameters of Init.Exec: which code to instantiate, and its constructor's parameters.</summary>
public sealed record InitExecParams(FilecoinCid Code, ReadOnlyMemory<byte> ConstructorParams)
{
    /// <summary>Reads as the actor does; false means exit code 21.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, out InitExecParams? parameters) =>
        ParamsReader.TryRead(encoded, 2, Read, out parameters);

    public byte[] Encode()
    {
        CborWriter writer = DagCborWriter.New();
        writer.WriteStartArray(2);
        writer.WriteLink(Code.Bytes.Span);
        writer.WriteByteString(ConstructorParams.Span);
        writer.WriteEndArray();
        return writer.Encode();
    }

    private static InitExecParams Read(LenientCborReader reader) =>
        FilecoinCid.TryFromBytes(reader.ReadLink(), out FilecoinCid code)
            ? new InitExecParams(code, reader.ReadBytes())
            : throw new CborContentException("Not a code CID.");
}

/// <summary>Return value of Init.Exec: the new actor's number and its f2 address.</summary>
public sealed record InitExecReturn(Address Id, Address Robust)
{
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, out InitExecReturn? value) =>
        ParamsReader.TryRead(encoded, 2, reader => new InitExecReturn(reader.ReadAddress(), reader.ReadAddress()), out value);

    public byte[] Encode()
    {
        CborWriter writer = DagCborWriter.New();
        writer.WriteStartArray(2);
        writer.WriteAddress(Id);
        writer.WriteAddress(Robust);
        writer.WriteEndArray();
        return writer.Encode();
    }
}

/// <summary>Reads one tuple that must fill its block.</summary>
internal static class ParamsReader
{
    public static bool TryRead<T>(ReadOnlyMemory<byte> encoded, int fields, Func<LenientCborReader, T> read, out T? value)
        where T : class
    {
        value = null;
        try
        {
            var reader = new LenientCborReader(encoded);
            reader.BeginTuple(fields);
            T result = read(reader);
            reader.EndArray();
            reader.End();
            value = result;
            return true;
        }
        catch (CborContentException)
        {
            return false;
        }
    }
}
