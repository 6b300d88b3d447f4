using System.Diagnostics.CodeAnalysis;
using System.Text;
using Lockstep.Payments.Encodings;

namespace Lockstep.Payments.Evm;

/// <summary>A 20-byte address of an EVM chain. Its one text is the mixed-case checksum form of ERC-55.</summary>
public readonly struct EvmAddress : IEquatable<EvmAddress>
{
    /// <summary>Bytes in an address.</summary>
    public const int Length = 20;

    private readonly byte[]? bytes;

    /// <summary>Throws <see cref="ArgumentException"/> unless there are 20 bytes.</summary>
    public EvmAddress(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
            throw new ArgumentException($"An EVM address has {Length} bytes, not {bytes.Length}.", nameof(bytes));
        this.bytes = bytes.ToArray();
    }

    /// <summary>The address of nobody; it stands for the chain's own currency where a token is named.</summary>
    public static EvmAddress Zero { get; } = new(new byte[Length]);

    public ReadOnlyMemory<byte> Bytes => bytes ?? Zero.bytes;

    public bool IsZero => !Bytes.Span.ContainsAnyExcept((byte)0);

    /// <summary>The account of an uncompressed secp256k1 public key: the last 20 bytes of its Keccak-256.</summary>
    /// <param name="publicKey">65 bytes, 04 first.</param>
    public static EvmAddress FromPublicKey(ReadOnlySpan<byte> publicKey) => publicKey.Length == 65
        ? new EvmAddress(Keccak.Hash256(publicKey[1..]).AsSpan(12))
        : throw new ArgumentException($"An uncompressed key has 65 bytes, not {publicKey.Length}.", nameof(publicKey));

    /// <summary>Where a contract comes to lie that an account deploys: Keccak-256 of RLP [sender, nonce].</summary>
    public static EvmAddress OfContract(EvmAddress sender, ulong nonce) =>
        new(Keccak.Hash256(Rlp.List(Rlp.Bytes(sender.Bytes.Span), Rlp.Number(nonce))).AsSpan(12));

    /// <summary>
    /// Reads <c>0x</c> and 40 hexadecimal digits. Mixed case must be the checksum (ERC-55); one case only carries none and is taken.
    /// </summary>
    /// <param name="text">What somebody typed or sent.</param>
    /// <param name="address">The address.</param>
    /// <param name="error">One sentence for people; empty when it was read.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out EvmAddress address, out string error)
    {
        address = default;
        error = "";
        if (text is null || text.Length != 2 + 2 * Length || !text.StartsWith("0x", StringComparison.Ordinal) || !IsHex(text.AsSpan(2)))
        {
            error = $"'{text}' is no address of an EVM chain; expected 0x and 40 hexadecimal digits.";
            return false;
        }

        address = new EvmAddress(Convert.FromHexString(text.AsSpan(2)));
        string digits = text[2..];
        bool isMixed = digits.Any(char.IsAsciiLetterUpper) && digits.Any(char.IsAsciiLetterLower);
        if (isMixed && text != address.ToString())
        {
            error = $"'{text}' has a wrong checksum (the case of its letters); a character was mistyped.";
            return false;
        }

        return true;
    }

    /// <summary>Reads an address. Throws <see cref="FormatException"/> when the text is none.</summary>
    public static EvmAddress Parse(string text) => TryParse(text, out EvmAddress address, out string error) ? address : throw new FormatException(error);

    public static bool operator ==(EvmAddress left, EvmAddress right) => left.Equals(right);

    public static bool operator !=(EvmAddress left, EvmAddress right) => !left.Equals(right);

    public bool Equals(EvmAddress other) => Bytes.Span.SequenceEqual(other.Bytes.Span);

    public override bool Equals(object? obj) => obj is EvmAddress other && Equals(other);

    public override int GetHashCode() => BitConverter.ToInt32(Bytes.Span[^4..]);

    /// <summary>The checksum form of ERC-55.</summary>
    public override string ToString()
    {
        string lower = Convert.ToHexStringLower(Bytes.Span);
        byte[] hash = Keccak.Hash256(Encoding.ASCII.GetBytes(lower));
        return string.Create(2 + lower.Length, (lower, hash), static (text, parts) =>
        {
            "0x".CopyTo(text);
            for (int i = 0; i < parts.lower.Length; i++)
            {
                int nibble = (parts.hash[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 15;
                text[2 + i] = nibble >= 8 ? char.ToUpperInvariant(parts.lower[i]) : parts.lower[i];
            }
        });
    }

    private static bool IsHex(ReadOnlySpan<char> text)
    {
        foreach (char digit in text)
        {
            if (!char.IsAsciiHexDigit(digit))
                return false;
        }

        return true;
    }
}
