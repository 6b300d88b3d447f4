using Lockstep.Content.Cids;

namespace Lockstep.Content.Car;

/// <summary>
/// Writes a CAR version 1 to a stream: the header at once, then a section per block. The caller answers for the blocks and keeps the stream;
/// errors of the stream reach the caller as they are.
/// </summary>
public sealed class CarWriter
{
    private readonly Stream _stream;

    public CarWriter(Stream stream, IReadOnlyList<Cid> roots)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(roots);
        _stream = stream;
        byte[] header = CarFormat.EncodeHeader(roots);
        WriteLength(header.Length);
        _stream.Write(header);
    }

    /// <summary>Appends a block.</summary>
    public void Write(Cid cid, ReadOnlySpan<byte> block)
    {
        ArgumentNullException.ThrowIfNull(cid);
        byte[] name = cid.ToBytes();
        WriteLength(name.Length + block.Length);
        _stream.Write(name);
        _stream.Write(block);
    }

    private void WriteLength(int length)
    {
        Span<byte> varint = stackalloc byte[UnsignedVarint.MaxLength];
        _stream.Write(varint[..UnsignedVarint.Write(varint, (ulong)length)]);
    }
}
