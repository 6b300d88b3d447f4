using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Lockstep.Content.Cids;

/// <summary>Multicodec codes of the block formats that are read here, and of the one accepted hash.</summary>
public static class Multicodec
{
    public const ulong Raw = 0x55;
    public const ulong DagPb = 0x70;
    public const ulong DagCbor = 0x71;
    public const ulong DagJson = 0x0129;

    /// <summary>sha2-256, the only hash that content may be named by.</summary>
    public const ulong Sha256 = 0x12;

    /// <summary>A codec's name for people, or its number.</summary>
    public static string NameOf(ulong codec) => codec switch
    {
        Raw => "raw",
        DagPb => "dag-pb",
        DagCbor => "dag-cbor",
        DagJson => "dag-json",
        _ => $"codec 0x{codec:x}",
    };
}

/// <summary>
/// A content identifier, version 0 or 1: the name of a block by its hash. Immutable; equal when version, codec and multihash are.
/// Any multihash of up to 64 bytes can be represented, so that a refusal can name it; only sha2-256 is accepted for content.
/// </summary>
public sealed class Cid : IEquatable<Cid>
{
    /// <summary>Longest accepted digest, in bytes.</summary>
    public const int MaxDigestBytes = 64;

    /// <summary>Longest accepted binary CID, in bytes.</summary>
    public const int MaxBytes = 1 + UnsignedVarint.MaxLength + UnsignedVarint.MaxLength + 1 + MaxDigestBytes;

    /// <summary>Longest accepted text, in characters (hexadecimal is the longest form).</summary>
    public const int MaxTextLength = 1 + (2 * MaxBytes);

    private const int Sha256Bytes = 32;

    // The digest of no bytes at all: such a block is known from its name.
    private static readonly byte[] EmptyDigest = SHA256.HashData([]);

    private readonly byte[] _digest;

    private Cid(int version, ulong codec, ulong hash, byte[] digest)
    {
        Version = version;
        Codec = codec;
        Hash = hash;
        _digest = digest;
    }

    /// <summary>0 or 1.</summary>
    public int Version { get; }

    /// <summary>Multicodec of the block's format; see <see cref="Multicodec"/>.</summary>
    public ulong Codec { get; }

    /// <summary>Multicodec of the hash function.</summary>
    public ulong Hash { get; }

    /// <summary>The digest: 32 bytes when <see cref="IsSha256"/>.</summary>
    public ReadOnlySpan<byte> Digest => _digest;

    /// <summary>The digest as memory, for callers that keep it.</summary>
    public ReadOnlyMemory<byte> DigestMemory => _digest;

    /// <summary>True for a sha2-256 multihash with its full 32 bytes.</summary>
    public bool IsSha256 => Hash == Multicodec.Sha256 && _digest.Length == Sha256Bytes;

    /// <summary>True when this names the block of zero bytes, which needs no transfer: its name tells its content.</summary>
    public bool NamesEmptyBlock => IsSha256 && _digest.AsSpan().SequenceEqual(EmptyDigest);

    /// <summary>A version 1 CID over a sha2-256 digest of 32 bytes.</summary>
    public static Cid FromDigest(ulong codec, ReadOnlySpan<byte> sha256)
    {
        if (sha256.Length != Sha256Bytes)
            throw new ArgumentException($"A sha2-256 digest has {Sha256Bytes} bytes, not {sha256.Length}.", nameof(sha256));
        return new Cid(1, codec, Multicodec.Sha256, sha256.ToArray());
    }

    /// <summary>The version 1 CID of <paramref name="block"/> under <paramref name="codec"/>: one SHA-256 over the block.</summary>
    public static Cid Of(ulong codec, ReadOnlySpan<byte> block)
    {
        var digest = new byte[Sha256Bytes];
        SHA256.HashData(block, digest);
        return new Cid(1, codec, Multicodec.Sha256, digest);
    }

    /// <summary>The same block's version 1 name; this instance when it is one already.</summary>
    public Cid ToV1() => Version == 1 ? this : new Cid(1, Codec, Hash, _digest);

    /// <summary>True when <paramref name="block"/> has the sha2-256 digest that this CID names.</summary>
    public bool Matches(ReadOnlySpan<byte> block)
    {
        if (!IsSha256)
            return false;
        Span<byte> digest = stackalloc byte[Sha256Bytes];
        SHA256.HashData(block, digest);
        return digest.SequenceEqual(_digest);
    }

    /// <summary>Reads a CID's text: version 0 (base58btc without prefix), or version 1 in base32, base58btc, base16, base36 or base64url.</summary>
    /// <param name="error">One sentence when the text is refused.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Cid? cid, [NotNullWhen(false)] out string? error)
    {
        cid = null;
        if (string.IsNullOrEmpty(text))
        {
            error = "The CID is empty; expected text such as bafkrei….";
            return false;
        }

        if (text.Length > MaxTextLength)
        {
            error = $"The CID has {text.Length} characters; no CID is longer than {MaxTextLength}.";
            return false;
        }

        bool versionZero = text.Length == 46 && text.StartsWith("Qm", StringComparison.Ordinal);
        byte[]? bytes;
        if (versionZero)
        {
            if (!Multibase.TryDecodeBase58(text, out bytes))
            {
                error = $"'{text}' is not base58btc; a version 0 CID uses that alphabet only.";
                return false;
            }
        }
        else if (!Multibase.TryDecode(text, out bytes, out bool known))
        {
            error = known
                ? $"'{text}' has a character or an ending that its encoding '{text[0]}' does not allow; check that it was copied whole."
                : $"'{text}' is not a CID: it starts with neither Qm nor one of the prefixes b, z, f, k, u.";
            return false;
        }

        if (!TryRead(bytes, out cid, out int consumed, out ContentError? refusal))
        {
            error = $"'{text}' is not a CID: {char.ToLowerInvariant(refusal.Message[0])}{refusal.Message[1..]}";
            return false;
        }

        if (consumed != bytes.Length || (cid.Version == 0) != versionZero)
        {
            error = consumed != bytes.Length
                ? $"'{text}' has {bytes.Length - consumed} bytes after its end; check that it was copied whole."
                : $"'{text}' is a version 0 CID behind a prefix; version 0 is written without one.";
            cid = null;
            return false;
        }

        error = null;
        return true;
    }

    /// <summary>Reads a binary CID from the start of <paramref name="bytes"/>; what follows it is left alone.</summary>
    /// <param name="consumed">Bytes read; 0 on failure.</param>
    /// <param name="error">The typed refusal: <see cref="ContentErrorKind.BadCid"/>.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Cid? cid, out int consumed, [NotNullWhen(false)] out ContentError? error)
    {
        cid = null;
        consumed = 0;

        // A version 0 CID is a bare sha2-256 multihash: 0x12 0x20 and 32 bytes.
        if (bytes.Length >= 2 && bytes[0] == Multicodec.Sha256 && bytes[1] == Sha256Bytes)
        {
            if (bytes.Length < 2 + Sha256Bytes)
                return Refuse("The CID is cut short: a version 0 CID has 34 bytes.", out error);
            cid = new Cid(0, Multicodec.DagPb, Multicodec.Sha256, bytes.Slice(2, Sha256Bytes).ToArray());
            consumed = 2 + Sha256Bytes;
            error = null;
            return true;
        }

        int at = 0;
        if (!Next(bytes, ref at, out ulong version) || !(version == 1))
            return Refuse("The CID does not start with version 1 or with a version 0 hash.", out error);
        if (!Next(bytes, ref at, out ulong codec) || !Next(bytes, ref at, out ulong hash) || !Next(bytes, ref at, out ulong length))
            return Refuse("The CID's codec, hash or digest length is not a varint in its shortest form.", out error);
        if (length > MaxDigestBytes)
            return Refuse($"The CID states a digest of {length} bytes; at most {MaxDigestBytes} are accepted.", out error);
        if (hash == Multicodec.Sha256 && length != Sha256Bytes)
            return Refuse($"The CID states a sha2-256 digest of {length} bytes; it has {Sha256Bytes}.", out error);
        if (bytes.Length - at < (int)length)
            return Refuse($"The CID is cut short: {length} bytes of digest expected, {bytes.Length - at} left.", out error);
        cid = new Cid(1, codec, hash, bytes.Slice(at, (int)length).ToArray());
        consumed = at + (int)length;
        error = null;
        return true;

        static bool Next(ReadOnlySpan<byte> bytes, ref int at, out ulong value)
        {
            bool ok = UnsignedVarint.TryRead(bytes[at..], out value, out int used);
            at += used;
            return ok;
        }

        static bool Refuse(string message, out ContentError? error)
        {
            error = new ContentError(ContentErrorKind.BadCid, message);
            return false;
        }
    }

    /// <summary>The binary form.</summary>
    public byte[] ToBytes()
    {
        Span<byte> buffer = stackalloc byte[MaxBytes];
        int at = 0;
        if (Version == 1)
        {
            at += UnsignedVarint.Write(buffer, 1);
            at += UnsignedVarint.Write(buffer[at..], Codec);
        }

        at += UnsignedVarint.Write(buffer[at..], Hash);
        at += UnsignedVarint.Write(buffer[at..], (ulong)_digest.Length);
        _digest.CopyTo(buffer[at..]);
        return buffer[..(at + _digest.Length)].ToArray();
    }

    /// <summary>Base32 with prefix b for version 1, base58btc for version 0.</summary>
    public override string ToString() =>
        Version == 0 ? Multibase.EncodeBase58(ToBytes()) : "b" + Multibase.EncodeBase32(ToBytes());

    /// <summary>Refuses a CID that content may not be named by.</summary>
    /// <returns>Null when the hash is sha2-256.</returns>
    public ContentError? RefuseOtherHash() => IsSha256
        ? null
        : new ContentError(
            ContentErrorKind.UnsupportedHash,
            $"The block {this} is named by hash 0x{Hash:x}; only sha2-256 (0x12) is accepted, so add the content again with that hash.");

    public bool Equals(Cid? other) =>
        other is not null && Version == other.Version && Codec == other.Codec && Hash == other.Hash && _digest.AsSpan().SequenceEqual(other._digest);

    public override bool Equals(object? obj) => Equals(obj as Cid);

    public override int GetHashCode()
    {
        var code = default(HashCode);
        code.Add(Version);
        code.Add(Codec);
        code.AddBytes(_digest);
        return code.ToHashCode();
    }

    public static bool operator ==(Cid? left, Cid? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(Cid? left, Cid? right) => !(left == right);
}
