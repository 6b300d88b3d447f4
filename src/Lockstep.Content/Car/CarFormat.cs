using System.Formats.Cbor;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;

namespace Lockstep.Content.Car;

/// <summary>A block read from a CAR; its bytes have been checked against its CID.</summary>
public readonly record struct CarBlock(Cid Cid, ReadOnlyMemory<byte> Bytes);

/// <summary>The parts of a CAR, as its specifications (CARv1, CARv2) lay them out.</summary>
internal static class CarFormat
{
    /// <summary>Most bytes of a version 1 header: room for some 25,000 roots.</summary>
    public const int MaxHeaderBytes = 1 << 20;

    /// <summary>Most bytes of a section: the largest block and its CID.</summary>
    public const int MaxSectionBytes = BlockLimits.MaxLinkBlockBytes + Cid.MaxBytes;

    /// <summary>Bytes of the fixed header of version 2, behind the pragma: characteristics, data offset, data size, index offset.</summary>
    public const int V2HeaderBytes = 40;

    private const CborTag LinkTag = (CborTag)42;

    /// <summary>The map {"roots": [CID…], "version": 1} as canonical dag-cbor.</summary>
    public static byte[] EncodeHeader(IReadOnlyList<Cid> roots)
    {
        var writer = new CborWriter(CborConformanceMode.Strict);
        writer.WriteStartMap(2);
        writer.WriteTextString("roots");
        writer.WriteStartArray(roots.Count);
        foreach (Cid root in roots)
        {
            writer.WriteTag(LinkTag);
            writer.WriteByteString([0, .. root.ToBytes()]);
        }

        writer.WriteEndArray();
        writer.WriteTextString("version");
        writer.WriteInt32(1);
        writer.WriteEndMap();
        return writer.Encode();
    }

    /// <summary>Reads a header map. Roots are null where the map has none, as in the pragma of version 2.</summary>
    public static Outcome<(int Version, IReadOnlyList<Cid>? Roots)> DecodeHeader(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            var reader = new CborReader(bytes, CborConformanceMode.Strict);
            int? version = null;
            List<Cid>? roots = null;
            reader.ReadStartMap();
            while (reader.PeekState() != CborReaderState.EndMap)
            {
                switch (reader.ReadTextString())
                {
                    case "version":
                        version = reader.ReadInt32();
                        break;
                    case "roots":
                        roots = [];
                        reader.ReadStartArray();
                        while (reader.PeekState() != CborReaderState.EndArray)
                        {
                            if (reader.ReadTag() != LinkTag)
                                return Bad("a root is not a link");
                            byte[] link = reader.ReadByteString();
                            if (link.Length < 1 || link[0] != 0 || !Cid.TryRead(link.AsSpan(1), out Cid? root, out int used, out _) || used != link.Length - 1)
                                return Bad("a root is not a CID");
                            roots.Add(root);
                        }

                        reader.ReadEndArray();
                        break;
                    default:
                        return Bad("it has an unknown entry");
                }
            }

            reader.ReadEndMap();
            if (reader.BytesRemaining != 0)
                return Bad("bytes follow its map");
            if (version is not (1 or 2))
                return Bad(version is null ? "it states no version" : $"it states version {version}, and only 1 and 2 exist");
            return (version.Value, roots);
        }
        catch (Exception error) when (error is CborContentException or InvalidOperationException or OverflowException)
        {
            return Bad("it is not a dag-cbor map of roots and version");
        }
    }

    public static ContentError Bad(string why) =>
        new(ContentErrorKind.BadCarHeader, $"The CAR's header is damaged or is not one: {why}; make the CAR again.");
}
