namespace Lockstep.Content.UnixFs;

/// <summary>What a UnixFS node is; the values are those of the UnixFS specification.</summary>
public enum UnixFsType
{
    Raw = 0,
    Directory = 1,
    File = 2,
    Metadata = 3,
    Symlink = 4,
    HamtShard = 5,
}

/// <summary>The UnixFS message inside a dag-pb node's data.</summary>
public sealed record UnixFsData(UnixFsType Type)
{
    /// <summary>Multicodec of murmur3-x64-64, the hash of sharded folders.</summary>
    public const ulong Murmur3 = 0x22;

    /// <summary>Bytes held in the node itself: a small file's content, a symbolic link's target, a shard's bit field.</summary>
    public ReadOnlyMemory<byte>? Data { get; init; }

    /// <summary>Bytes of the file below and in this node.</summary>
    public ulong? FileSize { get; init; }

    /// <summary>Bytes of the file below each link, in the order of the links.</summary>
    public IReadOnlyList<ulong> BlockSizes { get; init; } = [];

    /// <summary>Hash of a sharded folder.</summary>
    public ulong? HashType { get; init; }

    /// <summary>Slots per node of a sharded folder.</summary>
    public ulong? Fanout { get; init; }

    /// <summary>Decodes the message. Unknown fields (mode, time of change, later additions) are read over.</summary>
    public static Outcome<UnixFsData> Decode(ReadOnlySpan<byte> bytes)
    {
        UnixFsType? type = null;
        ReadOnlyMemory<byte>? data = null;
        ulong? fileSize = null, hashType = null, fanout = null;
        var blockSizes = new List<ulong>();
        var reader = new ProtobufReader(bytes);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadKey(out int field, out int wireType))
                return Malformed();
            switch (field, wireType)
            {
                case (2, ProtobufReader.Bytes) when reader.TryReadBytes(out var value):
                    data = value.ToArray();
                    continue;
                case (4, ProtobufReader.Bytes) when reader.TryReadBytes(out var packed):
                    // Some encoders pack repeated numbers into one field.
                    var items = new ProtobufReader(packed);
                    while (!items.AtEnd)
                    {
                        if (!items.TryReadVarint(out ulong item))
                            return Malformed();
                        blockSizes.Add(item);
                    }

                    continue;
                case ( >= 1 and <= 6, not ProtobufReader.Varint):
                    return Malformed();
                case ( > 6, _):
                    if (!reader.TrySkip(wireType))
                        return Malformed();
                    continue;
            }

            if (field == 2 || !reader.TryReadVarint(out ulong number))
                return Malformed();
            switch (field)
            {
                case 1 when number <= (ulong)UnixFsType.HamtShard:
                    type = (UnixFsType)number;
                    break;
                case 1:
                    return new ContentError(ContentErrorKind.BadUnixFs, $"The UnixFS node has the unknown type {number}.");
                case 3:
                    fileSize = number;
                    break;
                case 4:
                    blockSizes.Add(number);
                    break;
                case 5:
                    hashType = number;
                    break;
                default:
                    fanout = number;
                    break;
            }
        }

        if (type is null)
            return new ContentError(ContentErrorKind.BadUnixFs, "The UnixFS node does not say what it is.");
        return new UnixFsData(type.Value)
        {
            Data = data,
            FileSize = fileSize,
            BlockSizes = blockSizes,
            HashType = hashType,
            Fanout = fanout,
        };
    }

    /// <summary>The message with its fields in ascending order, repeated numbers unpacked, as common importers write it.</summary>
    public byte[] Encode()
    {
        var writer = new ProtobufWriter();
        writer.WriteVarintField(1, (ulong)Type);
        if (Data is { Length: > 0 } data)
            writer.WriteBytesField(2, data.Span);
        if (FileSize is { } fileSize)
            writer.WriteVarintField(3, fileSize);
        foreach (ulong size in BlockSizes)
            writer.WriteVarintField(4, size);
        if (HashType is { } hashType)
            writer.WriteVarintField(5, hashType);
        if (Fanout is { } fanout)
            writer.WriteVarintField(6, fanout);
        return writer.ToArray();
    }

    private static ContentError Malformed() =>
        new(ContentErrorKind.BadUnixFs, "The UnixFS message is cut short or has a field of the wrong type.");
}
