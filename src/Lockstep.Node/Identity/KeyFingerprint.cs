using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lockstep.Node.Identity;

/// <summary>The SHA-256 of a public key's SubjectPublicKeyInfo: names a provider, or a client's TLS key, whatever certificate carries it.</summary>
public sealed class KeyFingerprint : IEquatable<KeyFingerprint>
{
    /// <summary>Bytes of a fingerprint.</summary>
    public const int Length = 32;

    // 32 bytes in base32 (RFC 4648, lower case, no padding); the last character carries one bit.
    private const int TextLength = 52;
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    private readonly byte[] _bytes;

    public KeyFingerprint(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
            throw new ArgumentException($"A fingerprint has {Length} bytes, not {bytes.Length}.", nameof(bytes));
        _bytes = bytes.ToArray();
    }

    /// <summary>The 32 bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>The fingerprint of a key in SubjectPublicKeyInfo form.</summary>
    public static KeyFingerprint OfPublicKey(ReadOnlySpan<byte> subjectPublicKeyInfo) => new(SHA256.HashData(subjectPublicKeyInfo));

    /// <summary>The fingerprint of the key in a certificate.</summary>
    public static KeyFingerprint Of(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return OfPublicKey(certificate.PublicKey.ExportSubjectPublicKeyInfo());
    }

    /// <summary>Reads the text form; only the form that <see cref="ToString"/> writes is accepted.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out KeyFingerprint? fingerprint)
    {
        fingerprint = null;
        if (text.Length != TextLength)
            return false;
        Span<byte> bytes = stackalloc byte[Length];
        int pending = 0, bits = 0, written = 0;
        foreach (char letter in text)
        {
            int value = Alphabet.IndexOf(letter, StringComparison.Ordinal);
            if (value < 0)
                return false;
            pending = (pending << 5) | value;
            bits += 5;
            if (bits < 8)
                continue;
            bits -= 8;
            bytes[written++] = (byte)(pending >> bits);
            pending &= (1 << bits) - 1;
        }

        if (pending != 0)
            return false;
        fingerprint = new KeyFingerprint(bytes);
        return true;
    }

    public bool Equals(KeyFingerprint? other) => other is not null && CryptographicOperations.FixedTimeEquals(_bytes, other._bytes);

    public override bool Equals(object? obj) => Equals(obj as KeyFingerprint);

    public override int GetHashCode() => BitConverter.ToInt32(_bytes);

    /// <summary>52 characters of lower-case base32.</summary>
    public override string ToString() => string.Create(TextLength, _bytes, static (text, bytes) =>
    {
        int pending = 0, bits = 0, read = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (bits < 5)
            {
                pending = (pending << 8) | (read < bytes.Length ? bytes[read++] : 0);
                bits += 8;
            }

            bits -= 5;
            text[i] = Alphabet[(pending >> bits) & 31];
            pending &= (1 << bits) - 1;
        }
    });
}
