using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Lockstep.Cli.Common;
using Lockstep.Payments;
using Lockstep.Proofs;

namespace Lockstep.Cli.Proofs;

/// <summary>
/// A sealed file as four files: <c>statement.bin</c> and <c>proof.bin</c> hold one length-prefixed (u32, little-endian) record per
/// window, <c>ciphertext.bin</c> all ciphertexts one after the other, and <c>keys.json</c>, for its owner alone, the keys. The first three
/// are canonical: there is one way to write them, and any changed bit is refused.
/// </summary>
internal sealed class ProofFolder(string folder)
{
    private const long MaxStatement = 1 << 20, MaxProof = 1 << 28, MaxCiphertext = 1L << 31;

    public string KeysPath => Path.Combine(folder, "keys.json");

    private string StatementPath => Path.Combine(folder, "statement.bin");

    private string CiphertextPath => Path.Combine(folder, "ciphertext.bin");

    private string ProofPath => Path.Combine(folder, "proof.bin");

    /// <summary>One window as read: nothing in it is trusted.</summary>
    public sealed record Window(WindowStatement Statement, IReadOnlyList<ReadOnlyMemory<byte>> Ciphertexts, ReadOnlyMemory<byte> Proof);

    /// <summary>Writes sealed windows into a new folder: all files, or none.</summary>
    public static void Write(string folder, LockHash lockHash, IEnumerable<SealedWindow> windows)
    {
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new CliException(ExitCodes.Local, "exists", $"{folder} exists already and is not empty; name another folder with --out.");
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string parent = Path.GetDirectoryName(folder) ?? folder;
        Directory.CreateDirectory(parent);
        string temporary = Path.Combine(parent, $".{Path.GetFileName(folder)}.{Guid.NewGuid():N}.partial");
        Directory.CreateDirectory(temporary);
        try
        {
            var target = new ProofFolder(temporary);
            var keys = new List<string>();
            using (FileStream statements = File.Create(target.StatementPath), ciphertexts = File.Create(target.CiphertextPath), proofs = File.Create(target.ProofPath))
            {
                foreach (SealedWindow window in windows)
                {
                    WriteRecord(statements, window.Statement.Encode());
                    WriteRecord(proofs, window.Proof.Span);
                    foreach (ReadOnlyMemory<byte> ciphertext in window.Ciphertexts)
                        ciphertexts.Write(ciphertext.Span);
                    for (int i = 0; i < window.Ciphertexts.Count; i++)
                        keys.Add(Convert.ToHexStringLower(window.Key(i)));
                }
            }

            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var file = new FileStream(target.KeysPath, options))
                JsonSerializer.Serialize(file, new KeyFile(Name(lockHash), keys));
            if (Directory.Exists(folder))
                Directory.Delete(folder);
            Directory.Move(temporary, folder);
        }
        finally
        {
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
        }
    }

    /// <summary>Reads the public files, window by window. A malformed file is a <see cref="CliException"/> with exit code 1.</summary>
    public IEnumerable<Window> Read()
    {
        byte[] statements = ReadFile(StatementPath), proofs = ReadFile(ProofPath);
        using FileStream ciphertexts = OpenFile(CiphertextPath);
        int statementAt = 0, proofAt = 0;
        while (statementAt < statements.Length)
        {
            ReadOnlyMemory<byte> record = NextRecord(statements, ref statementAt, MaxStatement, "statement.bin");
            if (!WindowStatement.TryDecode(record.Span, out WindowStatement? statement, out StatementFault? fault))
                throw Refused("statement", fault.Message);
            ReadOnlyMemory<byte> proof = NextRecord(proofs, ref proofAt, MaxProof, "proof.bin");
            var parts = new ReadOnlyMemory<byte>[statement.Chunks.Count];
            for (int i = 0; i < parts.Length; i++)
            {
                int length = statement.Chunks[i].Length;
                if (ciphertexts.Length - ciphertexts.Position < length)
                    throw Refused("ciphertext", "ciphertext.bin ends before the last chunk that statement.bin names.");
                var part = new byte[length];
                ciphertexts.ReadExactly(part);
                parts[i] = part;
            }

            yield return new Window(statement, parts, proof);
        }

        if (statements.Length == 0)
            throw Refused("statement", "statement.bin is empty: it states nothing that could be verified.");
        if (proofAt != proofs.Length)
            throw Refused("proof", "proof.bin goes on after the last window that statement.bin names.");
        if (ciphertexts.Position != ciphertexts.Length)
            throw Refused("ciphertext", "ciphertext.bin goes on after the last chunk that statement.bin names.");
    }

    /// <summary>The name of a lock hash on the command line.</summary>
    public static string Name(LockHash lockHash) => ((LockHashKind)(byte)lockHash).Word();

    private static CliException Refused(string code, string sentence) => new(ExitCodes.Refused, code, sentence);

    private static void WriteRecord(FileStream file, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)bytes.Length);
        file.Write(length);
        file.Write(bytes);
    }

    private static ReadOnlyMemory<byte> NextRecord(byte[] bytes, ref int at, long limit, string name)
    {
        if (bytes.Length - at < 4)
            throw Refused("truncated", $"{name} is cut short.");
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));
        if (length > limit || length > bytes.Length - at - 4)
            throw Refused("truncated", $"{name} is cut short, or a length in it was changed.");
        ReadOnlyMemory<byte> record = bytes.AsMemory(at + 4, (int)length);
        at += 4 + (int)length;
        return record;
    }

    private static byte[] ReadFile(string path)
    {
        using FileStream file = OpenFile(path);
        if (file.Length > MaxProof)
            throw Refused("size", $"{Path.GetFileName(path)} is larger than any proof.");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private static FileStream OpenFile(string path)
    {
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
            return file.Length <= MaxCiphertext ? file : throw Refused("size", $"{Path.GetFileName(path)} is larger than this command reads.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.Local, "unreadable", $"{path} cannot be read; name the folder that 'lockstep prove --out' wrote.", failure);
        }
    }
}

/// <summary><c>keys.json</c>: one key per chunk, in the order of the ciphertexts.</summary>
internal sealed record KeyFile(string Lock, IReadOnlyList<string> Keys)
{
    /// <summary>Reads keys given as 64 hexadecimal digits or as the path of a key file.</summary>
    public static List<byte[]> Parse(IEnumerable<string> values)
    {
        var keys = new List<byte[]>();
        foreach (string value in values)
        {
            if (File.Exists(value))
            {
                KeyFile? file;
                try
                {
                    using FileStream stream = File.OpenRead(value);
                    file = JsonSerializer.Deserialize<KeyFile>(stream);
                }
                catch (JsonException failure)
                {
                    throw new CliException(ExitCodes.Usage, "key", $"{value} is not a key file; give 64 hexadecimal digits or the keys.json of 'lockstep prove'.", failure);
                }

                keys.AddRange(Parse(file?.Keys ?? []));
            }
            else if (value.Length == 64 && value.All(char.IsAsciiHexDigit))
            {
                keys.Add(Convert.FromHexString(value));
            }
            else
            {
                throw new CliException(ExitCodes.Usage, "key", "A key is 64 hexadecimal digits, or the path of a keys.json.");
            }
        }

        return keys;
    }

    /// <summary>Overwrites keys that are no longer needed.</summary>
    public static void Clear(IEnumerable<byte[]> keys)
    {
        foreach (byte[] key in keys)
            CryptographicOperations.ZeroMemory(key);
    }
}
