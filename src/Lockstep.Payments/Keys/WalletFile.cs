using System.Security.Cryptography;

namespace Lockstep.Payments.Keys;

/// <summary>Why a wallet file cannot be used.</summary>
public enum WalletFault
{
    Missing,
    AlreadyExists,

    /// <summary>Others than the owner may read or write it.</summary>
    TooOpen,

    /// <summary>It is no wallet file, or it was changed.</summary>
    Damaged,

    /// <summary>It was written by a newer version.</summary>
    UnknownVersion,

    PassphraseNeeded,
    WrongPassphrase,

    /// <summary>The file system refused.</summary>
    Unusable,
}

/// <summary>A wallet file cannot be used. The message is one sentence for people.</summary>
public sealed class WalletException : Exception
{
    public WalletException()
    {
    }

    public WalletException(string message)
        : base(message)
    {
    }

    public WalletException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public WalletException(WalletFault fault, string message, Exception? innerException = null)
        : base(message, innerException) => Fault = fault;

    public WalletFault Fault { get; } = WalletFault.Unusable;
}

/// <summary>
/// One signing key in one file that only its owner may read. With a passphrase the key is under scrypt and AES-256-GCM;
/// without one the file's permissions are its only protection.
/// </summary>
public static class WalletFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int MaxFileLength = 16 * 1024;

    /// <summary>
    /// Writes a new wallet file: complete or not at all, never over another one. An empty passphrase is none.
    /// </summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="key">The key to store.</param>
    /// <param name="passphrase">Null or empty to store the key in clear.</param>
    /// <param name="fillRandom">Fills its argument with secret randomness (salt, nonce, the name of the temporary file).</param>
    /// <exception cref="WalletException">The file exists, or the file system refuses.</exception>
    public static void Create(string path, SecpKey key, string? passphrase, Action<Span<byte>> fillRandom)
    {
        byte[] content = WalletDocument.Seal(key, passphrase, fillRandom);
        Span<byte> suffix = stackalloc byte[8];
        fillRandom(suffix);
        string temporary = $"{path}.{Convert.ToHexStringLower(suffix)}.new";
        try
        {
            if (File.Exists(path))
                throw new WalletException(WalletFault.AlreadyExists, $"The wallet {path} exists already; it was left as it is.");
            WriteDurably(temporary, content);
            File.Move(temporary, path, overwrite: false);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw File.Exists(path)
                ? new WalletException(WalletFault.AlreadyExists, $"The wallet {path} exists already; it was left as it is.", fault)
                : new WalletException(WalletFault.Unusable, $"The wallet {path} could not be written: {fault.Message}", fault);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
            if (File.Exists(temporary))
                File.Delete(temporary);
        }
    }

    /// <summary>Reads a wallet file.</summary>
    /// <exception cref="WalletException">Every way in which that can fail, with its <see cref="WalletFault"/>.</exception>
    public static SecpKey Open(string path, string? passphrase)
    {
        byte[] content = Read(path);
        try
        {
            return WalletDocument.Unseal(content, path, passphrase);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    /// <summary>True when the file holds a key under a passphrase.</summary>
    /// <exception cref="WalletException">The file is missing, too open or damaged.</exception>
    public static bool NeedsPassphrase(string path)
    {
        byte[] content = Read(path);
        try
        {
            return WalletDocument.Parse(content, path).Encrypted is not null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    private static byte[] Read(string path)
    {
        try
        {
            if (!File.Exists(path))
                throw new WalletException(WalletFault.Missing, $"There is no wallet at {path}; create one first.");
            RequireOwnerOnly(path);
            if (new FileInfo(path).Length > MaxFileLength)
                throw new WalletException(WalletFault.Damaged, $"The file {path} is not a wallet: it is far too long.");
            return File.ReadAllBytes(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new WalletException(WalletFault.Unusable, $"The wallet {path} could not be read: {fault.Message}", fault);
        }
    }

    private static void RequireOwnerOnly(string path)
    {
        // Windows has no such bits; its profile folders are the owner's by their access lists.
        if (OperatingSystem.IsWindows())
            return;
        UnixFileMode mode = File.GetUnixFileMode(path);
        if ((mode & ~OwnerOnly) != 0)
        {
            throw new WalletException(
                WalletFault.TooOpen,
                $"The wallet {path} has permissions {Convert.ToString((int)mode, 8)}, so others could take the key; set them with: chmod 600 {path}");
        }
    }

    private static void WriteDurably(string path, byte[] content)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        using var stream = new FileStream(path, options);
        stream.Write(content);
        stream.Flush(flushToDisk: true);
    }
}
