using System.Formats.Cbor;
using System.Numerics;
using Lockstep.Payments.Addresses;

namespace Lockstep.Payments.Encodings;

/// <summary>
/// Reads Filecoin's tuples as its actors do (docs/filecoin.md sections 1.3 and 8, "decoder-strictness"): integers and
/// lengths need not be minimal, but indefinite lengths, tags, other major types and trailing bytes are refused. Reports
/// every fault as <see cref="CborContentException"/>; callers at the border turn it into a typed result. Declared lengths
/// are checked against the bytes that are there before anything is allocated.
/// </summary>
internal sealed class LenientCborReader(ReadOnlyMemory<byte> data)
{
    private readonly CborReader reader = new(data, CborConformanceMode.Lax);

    public void BeginTuple(int fields)
    {
        if (BeginArray() != fields)
            throw new CborContentException($"Expected an array of {fields} fields.");
    }

    /// <summary>Enters a definite-length array and returns its length, which is at most the number of bytes left.</summary>
    public int BeginArray()
    {
        Expect(CborReaderState.StartArray);
        return Guard(() => reader.ReadStartArray()) ?? throw new CborContentException("An array of indefinite length.");
    }

    public void EndArray() => Guard(reader.ReadEndArray);

    public bool TryReadNull()
    {
        if (Peek() != CborReaderState.Null)
            return false;
        Guard(reader.ReadNull);
        return true;
    }

    public long ReadInt64() => Guard(reader.ReadInt64);

    public ulong ReadUInt64()
    {
        Expect(CborReaderState.UnsignedInteger);
        return Guard(reader.ReadUInt64);
    }

    public byte[] ReadBytes()
    {
        // An indefinite-length string has another state.
        Expect(CborReaderState.ByteString);
        return Guard(reader.ReadByteString);
    }

    /// <summary>Reads a tag-42 link: the CID's bytes without the leading zero.</summary>
    public byte[] ReadLink()
    {
        Expect(CborReaderState.Tag);
        if ((ulong)Guard(reader.ReadTag) != DagCborWriter.LinkTag)
            throw new CborContentException("A tag other than a link.");
        byte[] link = ReadBytes();
        if (link.Length < 2 || link[0] != 0)
            throw new CborContentException("A link without its leading zero.");
        return link[1..];
    }

    public Address ReadAddress() =>
        Address.TryFromBytes(ReadBytes(), out Address address) ? address : throw new CborContentException("Not an address.");

    public TokenAmount ReadAmount()
    {
        byte[] bytes = ReadBytes();
        if (bytes.Length == 0)
            return TokenAmount.Zero;
        if (bytes.Length > DagCborWriter.MaxBigIntLength || bytes[0] > 1)
            throw new CborContentException("Not a big integer.");
        var magnitude = new BigInteger(bytes.AsSpan(1), isUnsigned: true, isBigEndian: true);
        return new TokenAmount(bytes[0] == 0 ? magnitude : -magnitude);
    }

    public void End()
    {
        if (reader.BytesRemaining != 0)
            throw new CborContentException("Bytes after the end.");
    }

    private CborReaderState Peek() => Guard(reader.PeekState);

    private void Expect(CborReaderState state)
    {
        if (Peek() != state)
            throw new CborContentException($"Expected {state}.");
    }

    private static void Guard(Action read) => Guard(() =>
    {
        read();
        return true;
    });

    // The reader says "other type" and "too large" with exceptions of their own.
    private static T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception fault) when (fault is InvalidOperationException or OverflowException)
        {
            throw new CborContentException(fault.Message, fault);
        }
    }
}
