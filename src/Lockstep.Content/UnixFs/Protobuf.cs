using System.Buffers;

namespace Lockstep.Content.UnixFs;

/// <summary>The little of protobuf that dag-pb and UnixFS need: varints and length-delimited fields, each bounded by the bytes at hand.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> bytes)
{
    public const int Varint = 0;
    public const int Fixed64 = 1;
    public const int Bytes = 2;
    public const int Fixed32 = 5;

    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool AtEnd => _rest.IsEmpty;

    public bool TryReadKey(out int field, out int wireType)
    {
        field = wireType = 0;
        if (!TryReadVarint(out ulong key) || key > uint.MaxValue)
            return false;
        field = (int)(key >> 3);
        wireType = (int)(key & 7);
        return field > 0;
    }

    /// <summary>Up to ten bytes, of which the last may carry one bit.</summary>
    public bool TryReadVarint(out ulong value)
    {
        value = 0;
        for (int i = 0; i < 10 && i < _rest.Length; i++)
        {
            byte b = _rest[i];
            if (i == 9 && b > 1)
                return false;
            value |= (ulong)(b & 0x7F) << (7 * i);
            if (b < 0x80)
            {
                _rest = _rest[(i + 1)..];
                return true;
            }
        }

        return false;
    }

    public bool TryReadBytes(out ReadOnlySpan<byte> field)
    {
        field = default;
        if (!TryReadVarint(out ulong length) || length > (ulong)_rest.Length)
            return false;
        field = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return true;
    }

    public bool TrySkip(int wireType)
    {
        int length = wireType == Fixed64 ? 8 : 4;
        switch (wireType)
        {
            case Varint:
                return TryReadVarint(out _);
            case Bytes:
                return TryReadBytes(out _);
            case Fixed32 or Fixed64 when _rest.Length >= length:
                _rest = _rest[length..];
                return true;
            default:
                return false;
        }
    }
}

/// <summary>Appends protobuf fields to a growing buffer.</summary>
internal sealed class ProtobufWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public void WriteVarintField(int field, ulong value)
    {
        WriteVarint(((ulong)field << 3) | ProtobufReader.Varint);
        WriteVarint(value);
    }

    public void WriteBytesField(int field, ReadOnlySpan<byte> value)
    {
        WriteVarint(((ulong)field << 3) | ProtobufReader.Bytes);
        WriteVarint((ulong)value.Length);
        _buffer.Write(value);
    }

    public void Clear() => _buffer.ResetWrittenCount();

    public byte[] ToArray() => _buffer.WrittenSpan.ToArray();

    private void WriteVarint(ulong value)
    {
        Span<byte> bytes = _buffer.GetSpan(10);
        int length = 0;
        for (; value >= 0x80; value >>= 7)
            bytes[length++] = (byte)(value | 0x80);
        bytes[length++] = (byte)value;
        _buffer.Advance(length);
    }
}
