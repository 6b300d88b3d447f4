using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Lockstep.Retrieval.Terms;

/// <summary>
/// Writes what is signed: a domain string first, then every field in a fixed order, numbers big-endian in 8 bytes, byte
/// strings and texts behind their length in 4 bytes. Two different values never have the same bytes.
/// </summary>
internal sealed class CanonicalWriter
{
    private readonly ArrayBufferWriter<byte> _output = new();

    public CanonicalWriter(string domain) => Text(domain);

    public CanonicalWriter Bytes(ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteInt32BigEndian(_output.GetSpan(sizeof(int)), bytes.Length);
        _output.Advance(sizeof(int));
        _output.Write(bytes);
        return this;
    }

    public CanonicalWriter Text(string text) => Bytes(Encoding.UTF8.GetBytes(text));

    public CanonicalWriter Number(long number)
    {
        BinaryPrimitives.WriteInt64BigEndian(_output.GetSpan(sizeof(long)), number);
        _output.Advance(sizeof(long));
        return this;
    }

    public byte[] ToArray() => _output.WrittenSpan.ToArray();
}
