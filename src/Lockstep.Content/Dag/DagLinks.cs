using System.Formats.Cbor;
using System.Text.Json;
using Lockstep.Content.Cids;
using Lockstep.Content.UnixFs;

namespace Lockstep.Content.Dag;

/// <summary>A link out of a block.</summary>
/// <param name="Cid">What it points to.</param>
/// <param name="ExpectedLength">
/// Length in bytes that the parent states for the child's block, where it can: the raw children of a UnixFS file. Else null.
/// It is a claim of whoever made the parent, to be checked when the block arrives.
/// </param>
public readonly record struct DagLink(Cid Cid, long? ExpectedLength);

/// <summary>
/// The links of a block, in the order of its bytes, for dag-pb, dag-cbor and dag-json. Blocks of any other codec have none: they are leaves.
/// Works in memory proportional to the block; nesting is bounded.
/// </summary>
public static class DagLinks
{
    /// <summary>Deepest nesting of lists and maps inside one dag-cbor or dag-json block.</summary>
    public const int MaxNesting = 256;

    private const CborTag LinkTag = (CborTag)42;

    /// <summary>Decodes <paramref name="block"/> by the codec of <paramref name="cid"/>. The digest is not checked here.</summary>
    public static Outcome<IReadOnlyList<DagLink>> Read(Cid cid, ReadOnlySpan<byte> block)
    {
        ArgumentNullException.ThrowIfNull(cid);
        return cid.Codec switch
        {
            Multicodec.DagPb => ReadDagPb(cid, block),
            Multicodec.DagCbor => ReadDagCbor(cid, block),
            Multicodec.DagJson => ReadDagJson(cid, block),
            _ => new Outcome<IReadOnlyList<DagLink>>([]),
        };
    }

    private static Outcome<IReadOnlyList<DagLink>> ReadDagPb(Cid cid, ReadOnlySpan<byte> block)
    {
        if (!DagPbNode.Decode(block).Try(out DagPbNode? node, out ContentError? error))
            return Bad(cid, error.Message);
        IReadOnlyList<ulong> sizes = [];
        if (node.Data is { } data
            && UnixFsData.Decode(data.Span).Try(out UnixFsData? unixFs, out _)
            && unixFs.Type == UnixFsType.File
            && unixFs.BlockSizes.Count == node.Links.Count)
        {
            sizes = unixFs.BlockSizes;
        }

        var links = new DagLink[node.Links.Count];
        for (int i = 0; i < links.Length; i++)
        {
            Cid child = node.Links[i].Cid;
            bool stated = sizes.Count > 0 && child.Codec == Multicodec.Raw && sizes[i] <= long.MaxValue;
            links[i] = new DagLink(child, stated ? (long)sizes[i] : null);
        }

        return links;
    }

    private static Outcome<IReadOnlyList<DagLink>> ReadDagCbor(Cid cid, ReadOnlySpan<byte> block)
    {
        var links = new List<DagLink>();
        try
        {
            var reader = new CborReader(block.ToArray(), CborConformanceMode.Strict);
            bool linkExpected = false;
            while (true)
            {
                CborReaderState state = reader.PeekState();
                if (linkExpected && state != CborReaderState.ByteString)
                    return Bad(cid, "tag 42 is not followed by the bytes of a CID.");
                switch (state)
                {
                    case CborReaderState.Finished:
                        return reader.BytesRemaining == 0 ? links : Bad(cid, "bytes follow its value.");
                    case CborReaderState.StartArray:
                        reader.ReadStartArray();
                        break;
                    case CborReaderState.EndArray:
                        reader.ReadEndArray();
                        break;
                    case CborReaderState.StartMap:
                        reader.ReadStartMap();
                        break;
                    case CborReaderState.EndMap:
                        reader.ReadEndMap();
                        break;
                    case CborReaderState.Tag:
                        if (reader.ReadTag() != LinkTag)
                            return Bad(cid, "a tag other than 42 is not allowed in dag-cbor.");
                        linkExpected = true;
                        continue;
                    case CborReaderState.ByteString when linkExpected:
                        // A CID in dag-cbor stands behind a zero byte (the identity multibase prefix).
                        byte[] bytes = reader.ReadByteString();
                        if (bytes.Length < 1 || bytes[0] != 0)
                            return Bad(cid, "a link does not start with the zero byte.");
                        if (!Cid.TryRead(bytes.AsSpan(1), out Cid? child, out int used, out ContentError? error))
                            return Bad(cid, error.Message);
                        if (used != bytes.Length - 1)
                            return Bad(cid, "a link has bytes after its CID.");
                        links.Add(new DagLink(child, null));
                        linkExpected = false;
                        break;
                    default:
                        reader.SkipValue();
                        break;
                }

                if (reader.CurrentDepth > MaxNesting)
                    return Bad(cid, $"it is nested deeper than {MaxNesting} levels.");
            }
        }
        catch (Exception error) when (error is CborContentException or InvalidOperationException or OverflowException)
        {
            return Bad(cid, "it is not well-formed dag-cbor.");
        }
    }

    /// <summary>In dag-json a link is a map whose only entry is "/" with a CID's text; bytes nest one map deeper and are no link.</summary>
    private static Outcome<IReadOnlyList<DagLink>> ReadDagJson(Cid cid, ReadOnlySpan<byte> block)
    {
        // The reader does not look into strings that nobody asks for.
        if (!System.Text.Unicode.Utf8.IsValid(block))
            return Bad(cid, "it is not valid UTF-8.");
        var links = new List<DagLink>();
        try
        {
            var reader = new Utf8JsonReader(block, new JsonReaderOptions { MaxDepth = MaxNesting });
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals("/"u8))
                    continue;
                reader.Read();
                if (reader.TokenType != JsonTokenType.String)
                    continue;
                if (!Cid.TryParse(reader.GetString(), out Cid? child, out string? error))
                    return Bad(cid, error);
                links.Add(new DagLink(child, null));
            }

            return links;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return Bad(cid, "it is not well-formed dag-json.");
        }
    }

    private static ContentError Bad(Cid cid, string detail) => new(
        ContentErrorKind.BadBlock,
        $"The block {cid} is not a valid {Multicodec.NameOf(cid.Codec)} block: {char.ToLowerInvariant(detail[0])}{detail[1..]}");
}
