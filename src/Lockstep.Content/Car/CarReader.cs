using System.Buffers.Binary;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;

namespace Lockstep.Content.Car;

/// <summary>
/// Reads a CAR, version 1 or 2, from a stream that need not seek, one block at a time. Every block is checked against its CID.
/// Memory is one section: <see cref="CarFormat.MaxSectionBytes"/> at most. The index of version 2 is not read.
/// The caller keeps the stream.
/// </summary>
public sealed class CarReader
{
    private readonly Stream _stream;
    private long _position;

    // Where the payload ends; null for version 1, which ends with its stream.
    private long? _end;
    private ContentError? _failure;

    private CarReader(Stream stream) => _stream = stream;

    /// <summary>1 or 2.</summary>
    public int Version { get; private set; } = 1;

    /// <summary>The roots that the header names; there may be none.</summary>
    public IReadOnlyList<Cid> Roots { get; private set; } = [];

    /// <summary>Bytes of the stream read so far.</summary>
    public long Position => _position;

    /// <summary>Reads the header, or both headers of version 2.</summary>
    public static Outcome<CarReader> Open(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var reader = new CarReader(stream);
        try
        {
            return reader.ReadHeaders() is { } error ? error : reader;
        }
        catch (Exception error) when (IsReadFailure(error))
        {
            return ReadFailure(error);
        }
    }

    /// <summary>The next block, or null at the end. After an error every further call returns the same error.</summary>
    public Outcome<CarBlock?> ReadNext()
    {
        if (_failure is not null)
            return _failure;
        Outcome<CarBlock?> outcome;
        try
        {
            outcome = ReadSection();
        }
        catch (Exception error) when (IsReadFailure(error))
        {
            outcome = ReadFailure(error);
        }

        _failure = outcome.Error;
        return outcome;
    }

    private ContentError? ReadHeaders()
    {
        if (!ReadHeaderMap().Try(out var header, out ContentError? error))
            return error;
        Version = header.Version;
        if (Version == 1)
        {
            if (header.Roots is null)
                return CarFormat.Bad("it names no list of roots");
            Roots = header.Roots;
            return null;
        }

        if (header.Roots is not null)
            return CarFormat.Bad("a version 2 header names roots");
        var fixedHeader = new byte[CarFormat.V2HeaderBytes];
        if (!TryReadExactly(fixedHeader))
            return CutShort("its version 2 header");
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(fixedHeader.AsSpan(16));
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(fixedHeader.AsSpan(24));
        if (offset < (ulong)_position || offset > long.MaxValue || size > (ulong)(long.MaxValue - (long)offset))
            return CarFormat.Bad("its data offset or size is impossible");
        if (!TrySkip((long)offset - _position))
            return CutShort("the space before its data");
        _end = (long)(offset + size);
        if (!ReadHeaderMap().Try(out var inner, out error))
            return error;
        if (inner.Version != 1 || inner.Roots is null)
            return CarFormat.Bad("its data is not a version 1 CAR");
        Roots = inner.Roots;
        return null;
    }

    private Outcome<(int Version, IReadOnlyList<Cid>? Roots)> ReadHeaderMap()
    {
        if (!ReadLength("its header").Try(out long? length, out ContentError? error))
            return error;
        if (length is null)
            return CutShort("its header");
        if (length is < 1 or > CarFormat.MaxHeaderBytes)
            return CarFormat.Bad($"it states a length of {length} bytes, and 1 to {CarFormat.MaxHeaderBytes} are accepted");
        var bytes = new byte[length.Value];
        return TryReadExactly(bytes) ? CarFormat.DecodeHeader(bytes) : CutShort("its header");
    }

    private Outcome<CarBlock?> ReadSection()
    {
        long start = _position;
        if (!ReadLength("a section's length").Try(out long? stated, out ContentError? error))
            return error;
        if (stated is not { } length)
            return _end is { } end && _position < end ? CutShort("its data") : new Outcome<CarBlock?>((CarBlock?)null);
        if (length is < 1 or > CarFormat.MaxSectionBytes)
            return new ContentError(
                ContentErrorKind.BadCarSection,
                $"The CAR's section at byte {start} states a length of {length} bytes; 1 to {CarFormat.MaxSectionBytes} are accepted, so it is damaged or has too large a block.");
        var section = new byte[length];
        if (!TryReadExactly(section))
            return CutShort($"the section at byte {start}");
        if (!Cid.TryRead(section, out Cid? cid, out int used, out ContentError? badCid))
            return new ContentError(ContentErrorKind.BadCarSection, $"The CAR's section at byte {start} has no readable CID: {char.ToLowerInvariant(badCid.Message[0])}{badCid.Message[1..]}");
        ReadOnlyMemory<byte> block = section.AsMemory(used);
        return BlockLimits.Refuse(cid, block.Span) is { } refusal ? refusal : new CarBlock(cid, block);
    }

    /// <summary>A varint, or null when the payload ended cleanly before it.</summary>
    private Outcome<long?> ReadLength(string what)
    {
        Span<byte> bytes = stackalloc byte[UnsignedVarint.MaxLength];
        for (int count = 0; count < bytes.Length; count++)
        {
            if (!TryReadExactly(bytes.Slice(count, 1)))
                return count == 0 ? new Outcome<long?>((long?)null) : CutShort(what);
            if (bytes[count] >= 0x80)
                continue;
            if (UnsignedVarint.TryRead(bytes[..(count + 1)], out ulong value, out _))
                return (long)value;
            break;
        }

        return new ContentError(
            ContentErrorKind.BadCarSection, $"The CAR has no valid length where {what} should be, at byte {_position}; make the CAR again.");
    }

    private bool TryReadExactly(Span<byte> bytes)
    {
        if (_end is { } end && end - _position < bytes.Length)
            return false;
        int read = _stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        _position += read;
        return read == bytes.Length;
    }

    private bool TrySkip(long count)
    {
        Span<byte> scratch = stackalloc byte[4096];
        while (count > 0)
        {
            int step = (int)Math.Min(count, scratch.Length);
            if (!TryReadExactly(scratch[..step]))
                return false;
            count -= step;
        }

        return true;
    }

    private ContentError CutShort(string where) => new(
        ContentErrorKind.Truncated, $"The CAR ends after {_position} bytes, in the middle of {where}; get the whole file again.");

    private static bool IsReadFailure(Exception error) => ContentError.IsIo(error) || error is InvalidDataException or InvalidOperationException;

    // A decompressing stream reports damage by an exception that is no I/O exception.
    private static ContentError ReadFailure(Exception error) => ContentError.IsIo(error)
        ? ContentError.FromIo("read the CAR", error)
        : new ContentError(ContentErrorKind.Truncated, "The compressed CAR is damaged and cannot be unpacked; get it again.");
}
