using System.Buffers.Binary;
using System.Globalization;
using Lockstep.Payments.Encodings;

namespace Lockstep.Payments.Addresses;

/// <summary>
/// A Filecoin address: f0 to f4 (docs/filecoin.md section 4). Every value is valid and has one byte form and, per network,
/// one text; <see langword="default"/> is the empty address, which no account has.
/// </summary>
public readonly struct Address : IEquatable<Address>
{
    /// <summary>The longest byte form: protocol, ten bytes of namespace, 54 of subaddress.</summary>
    public const int MaxByteLength = 1 + 10 + MaxSubaddressLength;

    /// <summary>The Ethereum address manager's namespace: f410 addresses.</summary>
    public const ulong EthereumNamespace = 10;

    internal const int HashLength = 20;
    internal const int BlsKeyLength = 48;
    internal const int MaxSubaddressLength = 54;
    private const int UncompressedKeyLength = 65;
    private const int MaskedIdLength = 20;
    private const byte MaskedIdPrefix = 0xff;

    private readonly byte[]? bytes;

    private Address(byte[] bytes) => this.bytes = bytes;

    /// <summary>f01, the actor that creates all others.</summary>
    public static Address Init { get; } = FromId(1);

    public bool IsEmpty => bytes is null;

    /// <summary>What kind of address it is. Undefined for the empty address.</summary>
    public AddressProtocol Protocol => (AddressProtocol)(bytes?[0] ?? 0);

    /// <summary>The byte form: protocol byte and payload. Empty for the empty address.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes;

    /// <summary>What follows the protocol byte.</summary>
    public ReadOnlySpan<byte> Payload => bytes.AsSpan()[Math.Min(1, bytes?.Length ?? 0)..];

    /// <summary>Throws <see cref="ArgumentOutOfRangeException"/> above 2^63 - 1, which no actor has.</summary>
    public static Address FromId(ulong id)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(id, (ulong)long.MaxValue);
        return new Address([(byte)AddressProtocol.Id, .. Leb128.Encode(id)]);
    }

    /// <summary>f1 of a 65-byte uncompressed secp256k1 public key.</summary>
    public static Address FromSecp256k1(ReadOnlySpan<byte> uncompressedKey)
    {
        if (uncompressedKey.Length != UncompressedKeyLength)
            throw new ArgumentException($"An uncompressed public key has {UncompressedKeyLength} bytes, not {uncompressedKey.Length}.", nameof(uncompressedKey));
        return new Address([(byte)AddressProtocol.Secp256k1, .. Blake2b.Hash160(uncompressedKey)]);
    }

    /// <summary>f2 of the bytes that name an actor's creation.</summary>
    public static Address FromActorSeed(ReadOnlySpan<byte> seed) => new([(byte)AddressProtocol.Actor, .. Blake2b.Hash160(seed)]);

    /// <summary>f3 of a 48-byte BLS public key.</summary>
    public static Address FromBls(ReadOnlySpan<byte> publicKey)
    {
        if (publicKey.Length != BlsKeyLength)
            throw new ArgumentException($"A BLS public key has {BlsKeyLength} bytes, not {publicKey.Length}.", nameof(publicKey));
        return new Address([(byte)AddressProtocol.Bls, .. publicKey]);
    }

    /// <summary>f4 of a namespace and a subaddress of at most 54 bytes.</summary>
    public static Address FromDelegated(ulong space, ReadOnlySpan<byte> subaddress)
    {
        if (subaddress.Length > MaxSubaddressLength)
            throw new ArgumentException($"A subaddress has at most {MaxSubaddressLength} bytes, not {subaddress.Length}.", nameof(subaddress));
        return new Address([(byte)AddressProtocol.Delegated, .. Leb128.Encode(space), .. subaddress]);
    }

    /// <summary>
    /// The f2 address of the actor that a message will create, known to its sender before the message is on chain
    /// (docs/filecoin.md section 3.1). Holds for f1 and f3 senders.
    /// </summary>
    /// <param name="sender">As written in the message.</param>
    /// <param name="nonce">The message's nonce.</param>
    /// <param name="createdBefore">How many actors the same message has created before.</param>
    public static Address PredictActor(Address sender, ulong nonce, ulong createdBefore = 0)
    {
        byte[] name = DagCborWriter.EncodeBytes(sender.Bytes.Span);
        var seed = new byte[name.Length + 16];
        name.CopyTo(seed, 0);
        BinaryPrimitives.WriteUInt64BigEndian(seed.AsSpan(name.Length), nonce);
        BinaryPrimitives.WriteUInt64BigEndian(seed.AsSpan(name.Length + 8), createdBefore);
        return FromActorSeed(seed);
    }

    /// <summary>Reads the byte form; refuses wrong lengths, non-minimal integers and unknown protocols.</summary>
    public static bool TryFromBytes(ReadOnlySpan<byte> bytes, out Address address)
    {
        address = default;
        if (bytes.IsEmpty || bytes.Length > MaxByteLength)
            return false;
        ReadOnlySpan<byte> payload = bytes[1..];
        bool valid = (AddressProtocol)bytes[0] switch
        {
            AddressProtocol.Id => Leb128.TryDecode(payload, out ulong id, out int length) && length == payload.Length && id <= long.MaxValue,
            AddressProtocol.Secp256k1 or AddressProtocol.Actor => payload.Length == HashLength,
            AddressProtocol.Bls => payload.Length == BlsKeyLength,
            AddressProtocol.Delegated => Leb128.TryDecode(payload, out _, out int length) && payload.Length - length <= MaxSubaddressLength,
            _ => false,
        };
        if (valid)
            address = new Address(bytes.ToArray());
        return valid;
    }

    /// <summary>Reads a text with either network letter; on failure <paramref name="error"/> is one sentence for people.</summary>
    public static bool TryParse(string text, out Address address, out Network network, out string error) =>
        AddressText.TryParse(text, out address, out network, out error);

    /// <summary>Reads a text. Throws <see cref="FormatException"/> with one sentence for people.</summary>
    public static Address Parse(string text) =>
        TryParse(text, out Address address, out _, out string error) ? address : throw new FormatException(error);

    /// <summary>An f0 address's number.</summary>
    public bool TryGetId(out ulong id)
    {
        id = 0;
        return !IsEmpty && Protocol == AddressProtocol.Id && Leb128.TryDecode(Payload, out id, out _);
    }

    /// <summary>An f4 address's namespace and subaddress.</summary>
    public bool TryGetDelegated(out ulong space, out ReadOnlySpan<byte> subaddress)
    {
        space = 0;
        subaddress = default;
        if (Protocol != AddressProtocol.Delegated || !Leb128.TryDecode(Payload, out space, out int length))
            return false;
        subaddress = Payload[length..];
        return true;
    }

    /// <summary>The 20 bytes by which contracts name an f0 actor: 0xff, eleven zeros, the number.</summary>
    public bool TryToMaskedId(out byte[] masked)
    {
        masked = [];
        if (!TryGetId(out ulong id))
            return false;
        masked = new byte[MaskedIdLength];
        masked[0] = MaskedIdPrefix;
        BinaryPrimitives.WriteUInt64BigEndian(masked.AsSpan(12), id);
        return true;
    }

    /// <summary>Reads the form of <see cref="TryToMaskedId"/>.</summary>
    public static bool TryFromMaskedId(ReadOnlySpan<byte> masked, out Address address)
    {
        address = default;
        if (masked.Length != MaskedIdLength || masked[0] != MaskedIdPrefix || masked[1..12].ContainsAnyExcept((byte)0))
            return false;
        ulong id = BinaryPrimitives.ReadUInt64BigEndian(masked[12..]);
        if (id > long.MaxValue)
            return false;
        address = FromId(id);
        return true;
    }

    public static bool operator ==(Address left, Address right) => left.Equals(right);

    public static bool operator !=(Address left, Address right) => !left.Equals(right);

    public bool Equals(Address other) => bytes.AsSpan().SequenceEqual(other.bytes);

    public override bool Equals(object? obj) => obj is Address other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }

    public string ToString(Network network) => AddressText.Format(this, network);

    public override string ToString() => ToString(Network.Main);

    internal string ToIdText(char letter) =>
        TryGetId(out ulong id) ? string.Create(CultureInfo.InvariantCulture, $"{letter}0{id}") : throw new InvalidOperationException("Not an f0 address.");
}
