using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lockstep.Node.Hosting;

namespace Lockstep.Node.Identity;

/// <summary>
/// A long-lived ECDSA P-256 key with a self-signed certificate, in one file of its owner's. A provider's key is its name: it
/// serves TLS with it and signs its offers with it. A client's key is what its signed proposals name.
/// </summary>
public sealed class NodeIdentity : IDisposable
{
    /// <summary>Bytes of a signature (r and s, IEEE P1363).</summary>
    public const int SignatureLength = 64;

    // Nobody looks at the dates: peers pin the key. They only have to enclose any clock this program meets.
    private static readonly DateTimeOffset NotBefore = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset NotAfter = new(2120, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ECDsa _key;

    private NodeIdentity(ECDsa key)
    {
        _key = key;
        PublicKey = key.ExportSubjectPublicKeyInfo();
        Fingerprint = KeyFingerprint.OfPublicKey(PublicKey.Span);
        var request = new CertificateRequest("CN=lockstep", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        Certificate = request.CreateSelfSigned(NotBefore, NotAfter);
    }

    /// <summary>The public key as SubjectPublicKeyInfo.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>The name of the key.</summary>
    public KeyFingerprint Fingerprint { get; }

    /// <summary>A certificate of the key, made anew each time it is loaded: only the key in it counts.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>A key that no file holds.</summary>
    public static NodeIdentity Generate() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Reads the key in a file, or makes one there.</summary>
    /// <exception cref="NodeException">The file cannot be read or written, is open to others, or holds no such key.</exception>
    public static NodeIdentity LoadOrCreate(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                PrivateFile.Write(path, System.Text.Encoding.ASCII.GetBytes(fresh.ExportPkcs8PrivateKeyPem() + "\n"));
            }

            if (PrivateFile.IsOpenToOthers(path))
                throw new NodeException(NodeFault.HomeUnusable, $"Others may read the key {path}; make it yours alone (chmod 600) or remove it to get a new identity.");
            return Load(path);
        }
        catch (Exception fault) when (PrivateFile.IsIo(fault))
        {
            throw new NodeException(NodeFault.HomeUnusable, $"The key {path} could not be read or written: {fault.Message}", fault);
        }
    }

    /// <summary>Signs bytes (ECDSA over SHA-256).</summary>
    public byte[] Sign(ReadOnlySpan<byte> statement) => _key.SignData(statement, HashAlgorithmName.SHA256);

    /// <summary>True when the key signed the bytes. Untrusted input gives false, never an exception.</summary>
    /// <param name="publicKey">SubjectPublicKeyInfo of a P-256 key.</param>
    /// <param name="statement">What was signed.</param>
    /// <param name="signature">64 bytes.</param>
    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureLength)
            return false;
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(publicKey, out int read);
            return read == publicKey.Length && IsP256(key) && key.VerifyData(statement, signature, HashAlgorithmName.SHA256);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private static NodeIdentity Load(string path)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(path));
            if (IsP256(key))
                return new NodeIdentity(key);
        }
        catch (Exception fault) when (fault is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw Damaged(path, fault);
        }

        key.Dispose();
        throw Damaged(path, null);
    }

    private static bool IsP256(ECDsa key) => key.ExportParameters(false).Curve.Oid.Value == "1.2.840.10045.3.1.7";

    private static NodeException Damaged(string path, Exception? fault) =>
        new(NodeFault.Damaged, $"The file {path} does not hold a P-256 key in PEM; restore it from a copy, or remove it to get a new identity.", fault);
}
