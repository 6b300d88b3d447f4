using System.Text;
using Lockstep.Content.Cids;

namespace Lockstep.Content.UnixFs;

/// <summary>A named, sized link of a dag-pb node.</summary>
/// <param name="Name">Name in a folder; empty in a file. Null when the field is absent.</param>
/// <param name="TotalSize">Bytes of the block linked to and of everything below it, as stated by whoever made the node. Null when absent.</param>
public sealed record DagPbLink(Cid Cid, string? Name, ulong? TotalSize);

/// <summary>A dag-pb node: optional data and a list of links (IPLD dag-pb specification).</summary>
/// <param name="Data">The node's own bytes, or null.</param>
/// <param name="Links">Its links in the order of the block.</param>
public sealed record DagPbNode(ReadOnlyMemory<byte>? Data, IReadOnlyList<DagPbLink> Links)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>
    /// Decodes a block. As the specification wants: unknown or repeated fields and fields out of order inside a link are refused,
    /// links may stand before or after the data but not around it. Names must be UTF-8.
    /// </summary>
    public static Outcome<DagPbNode> Decode(ReadOnlySpan<byte> block)
    {
        ReadOnlyMemory<byte>? data = null;
        var links = new List<DagPbLink>();
        bool linksEnded = false;
        var reader = new ProtobufReader(block);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadKey(out int field, out int wireType) || wireType != ProtobufReader.Bytes || !reader.TryReadBytes(out var value))
                return Bad("A field of the node is cut short or of the wrong type.");
            switch (field)
            {
                case 1 when data is null:
                    data = value.ToArray();
                    linksEnded = links.Count > 0;
                    break;
                case 2 when !linksEnded:
                    if (!DecodeLink(value).Try(out DagPbLink? link, out ContentError? error))
                        return error;
                    links.Add(link);
                    break;
                default:
                    return Bad("The node has an unknown or repeated field.");
            }
        }

        return new DagPbNode(data, links);
    }

    /// <summary>
    /// The canonical block: links first, sorted by the bytes of their names (equal names keep their order), then the data.
    /// </summary>
    public byte[] Encode()
    {
        var writer = new ProtobufWriter();
        var inner = new ProtobufWriter();
        foreach (var (link, name) in SortedByName())
        {
            inner.Clear();
            inner.WriteBytesField(1, link.Cid.ToBytes());
            if (name is not null)
                inner.WriteBytesField(2, name);
            if (link.TotalSize is { } size)
                inner.WriteVarintField(3, size);
            writer.WriteBytesField(2, inner.Written);
        }

        if (Data is { } data)
            writer.WriteBytesField(1, data.Span);
        return writer.ToArray();
    }

    private IEnumerable<(DagPbLink Link, byte[]? Name)> SortedByName() => Links
        .Select(link => (Link: link, Name: link.Name is null ? null : StrictUtf8.GetBytes(link.Name)))
        .OrderBy(entry => entry.Name ?? [], Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));

    private static Outcome<DagPbLink> DecodeLink(ReadOnlySpan<byte> bytes)
    {
        Cid? cid = null;
        string? name = null;
        ulong? size = null;
        int lastField = 0;
        var reader = new ProtobufReader(bytes);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadKey(out int field, out int wireType) || field <= lastField)
                return Bad("A link has a repeated field, or fields out of order.");
            lastField = field;
            switch (field, wireType)
            {
                case (1, ProtobufReader.Bytes) when reader.TryReadBytes(out var hash):
                    if (!Cid.TryRead(hash, out cid, out int used, out ContentError? error))
                        return error;
                    if (used != hash.Length)
                        return Bad("A link has bytes after its CID.");
                    break;
                case (2, ProtobufReader.Bytes) when reader.TryReadBytes(out var text):
                    if (!TryDecodeUtf8(text, out name))
                        return Bad("The name of a link is not valid UTF-8.");
                    break;
                case (3, ProtobufReader.Varint) when reader.TryReadVarint(out ulong total):
                    size = total;
                    break;
                default:
                    return Bad("A link has an unknown field, or one of the wrong type or length.");
            }
        }

        return cid is null ? Bad("A link has no CID.") : new DagPbLink(cid, name, size);
    }

    private static bool TryDecodeUtf8(ReadOnlySpan<byte> bytes, out string? text)
    {
        text = null;
        if (!System.Text.Unicode.Utf8.IsValid(bytes))
            return false;
        text = StrictUtf8.GetString(bytes);
        return true;
    }

    private static ContentError Bad(string message) => new(ContentErrorKind.BadBlock, message);
}
