using System.Globalization;
using Lockstep.Payments.Encodings;

namespace Lockstep.Payments.Addresses;

/// <summary>The text of addresses: network letter, protocol digit, base32 of payload and checksum (docs/filecoin.md section 4).</summary>
internal static class AddressText
{
    private const int ChecksumLength = 4;

    // f4, twenty digits of namespace, 'f', base32 of 58 bytes.
    private const int MaxTextLength = 128;

    public static string Format(Address address, Network network)
    {
        if (address.IsEmpty)
            return "<empty>";
        char letter = network == Network.Main ? 'f' : 't';
        if (address.Protocol == AddressProtocol.Id)
            return address.ToIdText(letter);
        ReadOnlySpan<byte> body = address.Payload;
        string space = "";
        if (address.TryGetDelegated(out ulong number, out ReadOnlySpan<byte> subaddress))
        {
            body = subaddress;
            space = string.Create(CultureInfo.InvariantCulture, $"{number}f");
        }
        byte[] checksum = Blake2b.Hash32(address.Bytes.Span);
        string digit = ((int)address.Protocol).ToString(CultureInfo.InvariantCulture);
        return $"{letter}{digit}{space}{Base32.Encode([.. body, .. checksum])}";
    }

    public static bool TryParse(string text, out Address address, out Network network, out string error)
    {
        address = default;
        network = default;
        error = "";
        string? problem = Read(text, ref address, ref network);
        if (problem is null)
            return true;
        error = $"'{Shorten(text)}' is not a Filecoin address: {problem}.";
        return false;
    }

    private static string? Read(string? text, ref Address address, ref Network network)
    {
        if (string.IsNullOrEmpty(text))
            return "it is empty";
        if (text.Length > MaxTextLength)
            return "it is too long";
        if (text[0] is not ('f' or 't'))
            return "it must begin with f (main network) or t (test network)";
        network = text[0] == 'f' ? Network.Main : Network.Test;
        if (text.Length < 3)
            return "it is too short";
        ReadOnlySpan<char> body = text.AsSpan(2);
        return text[1] switch
        {
            '0' => ReadId(body, ref address),
            '1' => ReadHashed(AddressProtocol.Secp256k1, [], body, ref address),
            '2' => ReadHashed(AddressProtocol.Actor, [], body, ref address),
            '3' => ReadHashed(AddressProtocol.Bls, [], body, ref address),
            '4' => ReadDelegated(body, ref address),
            _ => "its second character must be 0, 1, 2, 3 or 4",
        };
    }

    private static string? ReadId(ReadOnlySpan<char> digits, ref Address address)
    {
        if (!TryReadNumber(digits, out ulong id) || id > long.MaxValue)
            return "after f0 comes a number of at most 2^63 - 1 without leading zeros";
        address = Address.FromId(id);
        return null;
    }

    private static string? ReadDelegated(ReadOnlySpan<char> body, ref Address address)
    {
        int separator = body.IndexOf('f');
        if (separator < 0 || !TryReadNumber(body[..separator], out ulong space))
            return "after f4 comes the number of a namespace and an f";
        return ReadHashed(AddressProtocol.Delegated, Leb128.Encode(space), body[(separator + 1)..], ref address);
    }

    private static string? ReadHashed(AddressProtocol protocol, ReadOnlySpan<byte> space, ReadOnlySpan<char> body, ref Address address)
    {
        if (!Base32.TryDecode(body, out byte[]? decoded) || decoded.Length < ChecksumLength)
            return "it holds characters that are not lower-case base32, or is cut short";
        ReadOnlySpan<byte> payload = decoded.AsSpan(0, decoded.Length - ChecksumLength);
        byte[] bytes = [(byte)protocol, .. space, .. payload];
        if (!Address.TryFromBytes(bytes, out Address candidate))
            return "its length does not fit its kind";
        if (!decoded.AsSpan(payload.Length).SequenceEqual(Blake2b.Hash32(bytes)))
            return "its checksum is wrong, so a character was mistyped";
        address = candidate;
        return null;
    }

    private static bool TryReadNumber(ReadOnlySpan<char> digits, out ulong number)
    {
        number = 0;
        bool canonical = !digits.IsEmpty && (digits.Length == 1 || digits[0] != '0');
        return canonical && ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private static string Shorten(string? text) => text is null ? "" : text.Length <= MaxTextLength ? text : text[..MaxTextLength] + "…";
}
