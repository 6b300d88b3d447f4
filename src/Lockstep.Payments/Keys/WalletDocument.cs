using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lockstep.Payments.Addresses;
using Org.BouncyCastle.Crypto.Generators;

namespace Lockstep.Payments.Keys;

/// <summary>The JSON inside a wallet file, version 1.</summary>
internal sealed record WalletDocument
{
    private const string ExpectedKind = "lockstep-wallet";
    private const int ExpectedVersion = 1;

    public required string Kind { get; init; }

    public required int Version { get; init; }

    /// <summary>The f1 address of the key, in clear, so that a wallet can be told from another without its passphrase.</summary>
    public required string Address { get; init; }

    /// <summary>The 32 key bytes in hex; null when they are encrypted.</summary>
    public string? PrivateKey { get; init; }

    public EncryptedKey? Encrypted { get; init; }

    /// <summary>scrypt's parameters and the output of AES-256-GCM over the 32 key bytes; byte strings in hex.</summary>
    internal sealed record EncryptedKey
    {
        public required int ScryptLogN { get; init; }

        public required int ScryptR { get; init; }

        public required int ScryptP { get; init; }

        public required string Salt { get; init; }

        public required string Nonce { get; init; }

        public required string Ciphertext { get; init; }

        public required string Tag { get; init; }
    }

    public static byte[] Seal(SecpKey key, string? passphrase, Action<Span<byte>> fillRandom)
    {
        Span<byte> secret = stackalloc byte[SecpKey.SecretLength];
        key.CopySecretTo(secret);
        var document = new WalletDocument { Kind = ExpectedKind, Version = ExpectedVersion, Address = key.Address.ToString() };
        document = string.IsNullOrEmpty(passphrase)
            ? document with { PrivateKey = Convert.ToHexStringLower(secret) }
            : document with { Encrypted = Passphrase.Encrypt(secret, passphrase, document.Address, fillRandom) };
        CryptographicOperations.ZeroMemory(secret);
        return JsonSerializer.SerializeToUtf8Bytes(document, WalletJson.Default.WalletDocument);
    }

    public static WalletDocument Parse(ReadOnlySpan<byte> content, string path)
    {
        WalletDocument? document;
        try
        {
            document = JsonSerializer.Deserialize(content, WalletJson.Default.WalletDocument);
        }
        catch (JsonException fault)
        {
            throw Damaged(path, "it is not the JSON of a wallet", fault);
        }
        if (document is null || document.Kind != ExpectedKind)
            throw Damaged(path, "it is not the JSON of a wallet");
        if (document.Version != ExpectedVersion)
        {
            throw new WalletException(
                WalletFault.UnknownVersion,
                $"The wallet {path} has version {document.Version}; this program reads version {ExpectedVersion}, so use a newer one.");
        }
        if (document.PrivateKey is null == document.Encrypted is null)
            throw Damaged(path, "it must hold one key, in clear or encrypted");
        return document;
    }

    public static SecpKey Unseal(ReadOnlySpan<byte> content, string path, string? passphrase)
    {
        WalletDocument document = Parse(content, path);
        Span<byte> secret = stackalloc byte[SecpKey.SecretLength];
        try
        {
            if (document.Encrypted is { } encrypted)
                Passphrase.Decrypt(encrypted, passphrase, document.Address, path, secret);
            else if (!Hex.TryRead(document.PrivateKey, secret))
                throw Damaged(path, "its key is not 32 bytes in hexadecimal");
            if (!SecpKey.TryFromSecret(secret, out SecpKey? key))
                throw Damaged(path, "its key is not a secp256k1 key");
            if (key!.Address.ToString() == document.Address)
                return key;
            key.Dispose();
            throw Damaged(path, "its key is not the one of its address");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    private static WalletException Damaged(string path, string what, Exception? inner = null) =>
        new(WalletFault.Damaged, $"The wallet {path} is damaged: {what}; restore it from a copy.", inner);

    private static class Hex
    {
        public static bool TryRead(string? text, Span<byte> destination) =>
            text is not null && text.Length == destination.Length * 2
            && Convert.FromHexString(text, destination, out _, out int written) == System.Buffers.OperationStatus.Done
            && written == destination.Length;
    }

    private static class Passphrase
    {
        // 32 MiB and about a tenth of a second: slow to guess, quick enough to type once.
        private const int LogN = 15;
        private const int R = 8;
        private const int P = 1;

        // A file is not trusted to choose how much memory this program takes: at most 1 GiB.
        private const int MaxLogN = 20;
        private const int MaxP = 4;
        private const int SaltLength = 16;
        private const int NonceLength = 12;
        private const int TagLength = 16;

        public static EncryptedKey Encrypt(ReadOnlySpan<byte> secret, string passphrase, string address, Action<Span<byte>> fillRandom)
        {
            Span<byte> salt = stackalloc byte[SaltLength];
            Span<byte> nonce = stackalloc byte[NonceLength];
            Span<byte> ciphertext = stackalloc byte[SecpKey.SecretLength];
            Span<byte> tag = stackalloc byte[TagLength];
            fillRandom(salt);
            fillRandom(nonce);
            byte[] fileKey = Derive(passphrase, salt, LogN, R, P);
            using (var cipher = new AesGcm(fileKey, TagLength))
                cipher.Encrypt(nonce, secret, ciphertext, tag, AssociatedData(address));
            CryptographicOperations.ZeroMemory(fileKey);
            return new EncryptedKey
            {
                ScryptLogN = LogN,
                ScryptR = R,
                ScryptP = P,
                Salt = Convert.ToHexStringLower(salt),
                Nonce = Convert.ToHexStringLower(nonce),
                Ciphertext = Convert.ToHexStringLower(ciphertext),
                Tag = Convert.ToHexStringLower(tag),
            };
        }

        public static void Decrypt(EncryptedKey encrypted, string? passphrase, string address, string path, Span<byte> secret)
        {
            Span<byte> salt = stackalloc byte[SaltLength];
            Span<byte> nonce = stackalloc byte[NonceLength];
            Span<byte> ciphertext = stackalloc byte[SecpKey.SecretLength];
            Span<byte> tag = stackalloc byte[TagLength];
            bool sane = encrypted.ScryptLogN is >= 10 and <= MaxLogN && encrypted.ScryptR == R && encrypted.ScryptP is >= 1 and <= MaxP
                && Hex.TryRead(encrypted.Salt, salt) && Hex.TryRead(encrypted.Nonce, nonce)
                && Hex.TryRead(encrypted.Ciphertext, ciphertext) && Hex.TryRead(encrypted.Tag, tag);
            if (!sane)
                throw Damaged(path, "its encryption parameters are out of range");
            if (string.IsNullOrEmpty(passphrase))
                throw new WalletException(WalletFault.PassphraseNeeded, $"The wallet {path} needs its passphrase.");

            byte[] fileKey = Derive(passphrase, salt, encrypted.ScryptLogN, encrypted.ScryptR, encrypted.ScryptP);
            try
            {
                using var cipher = new AesGcm(fileKey, TagLength);
                cipher.Decrypt(nonce, ciphertext, tag, secret, AssociatedData(address));
            }
            catch (AuthenticationTagMismatchException fault)
            {
                // A changed file and a mistyped passphrase look the same by design.
                throw new WalletException(WalletFault.WrongPassphrase, $"The passphrase does not open the wallet {path}.", fault);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(fileKey);
            }
        }

        private static byte[] Derive(string passphrase, ReadOnlySpan<byte> salt, int logN, int r, int p)
        {
            // As typed: Unicode normalisation depends on how the host was built, and a key must not.
            byte[] password = Encoding.UTF8.GetBytes(passphrase);
            byte[] key = SCrypt.Generate(password, salt.ToArray(), 1 << logN, r, p, 32);
            CryptographicOperations.ZeroMemory(password);
            return key;
        }

        private static byte[] AssociatedData(string address) => Encoding.UTF8.GetBytes($"{ExpectedKind}/{ExpectedVersion}/{address}");
    }
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(WalletDocument))]
internal sealed partial class WalletJson : JsonSerializerContext;
