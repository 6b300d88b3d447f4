using System.Security.Cryptography;
using Lockstep.Node.Hosting;
using Lockstep.Retrieval.Provider;

namespace Lockstep.Node.Storage;

/// <summary>
/// The bytes of windows, one file each: the ciphertexts in order, then with a seller the proof. Kept beside the database, which
/// would write every byte of them several times, a page at a time. A file is on the disk before a row names it; one that no row names is litter of a
/// run that was cut short. Safe for concurrent use.
/// </summary>
/// <param name="folder">Where they lie.</param>
/// <param name="isReadSoon">False for bytes that are read after a restart only.</param>
internal sealed class WindowFiles(string folder, bool isReadSoon)
{
    private const string Extension = ".window";

    /// <summary>Writes a window's bytes to the disk.</summary>
    /// <returns>The name of the file.</returns>
    /// <exception cref="NodeException">It cannot be written.</exception>
    public string Write(params IEnumerable<ReadOnlyMemory<byte>> parts)
    {
        string name = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)) + Extension;
        string path = Path.Combine(folder, name);
        try
        {
            PrivateFile.MakeFolder(folder);
            using (FileStream file = PrivateFile.Open(path, FileMode.CreateNew, FileShare.None))
            {
                foreach (ReadOnlyMemory<byte> part in parts)
                    file.Write(part.Span);
                file.Flush(flushToDisk: true);
                if (!isReadSoon)
                    PrivateFile.ForgetCached(file);
            }

            PrivateFile.FlushFolder(folder);
            return name;
        }
        catch (Exception fault) when (PrivateFile.IsIo(fault))
        {
            Delete(name);
            NodeFault kind = fault.Message.Contains("No space left", StringComparison.Ordinal) ? NodeFault.DiskFull : NodeFault.HomeUnusable;
            throw new NodeException(kind, $"A window could not be written to {folder}: {fault.Message} Free some space, or check the folder's permissions.", fault);
        }
    }

    /// <summary>A window's bytes, cut into parts of the given lengths; null when the file is gone or has another length.</summary>
    /// <exception cref="NodeException">It is there and cannot be read now.</exception>
    public IReadOnlyList<ReadOnlyMemory<byte>>? Read(string name, IReadOnlyList<int> lengths)
    {
        try
        {
            using FileStream file = File.OpenRead(Path.Combine(folder, name));
            if (file.Length != lengths.Sum(length => (long)length))
                return null;
            byte[] bytes = GC.AllocateUninitializedArray<byte>((int)file.Length);
            file.ReadExactly(bytes);
            var parts = new ReadOnlyMemory<byte>[lengths.Count];
            int at = 0;
            for (int i = 0; i < parts.Length; at += lengths[i++])
                parts[i] = bytes.AsMemory(at, lengths[i]);
            return parts;
        }
        catch (Exception fault) when (PrivateFile.IsIo(fault))
        {
            RequireGone(name, fault);
            return null;
        }
    }

    /// <summary>Part of a file; null when the file is gone or shorter.</summary>
    /// <exception cref="NodeException">It is there and cannot be read now.</exception>
    public ReadOnlyMemory<byte>? Read(string name, long offset, int length)
    {
        try
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(Path.Combine(folder, name));
            byte[] bytes = GC.AllocateUninitializedArray<byte>(length);
            int read = 0;
            while (read < length && RandomAccess.Read(file, bytes.AsSpan(read), offset + read) is > 0 and var more)
                read += more;
            return read == length ? bytes : null;
        }
        catch (Exception fault) when (PrivateFile.IsIo(fault))
        {
            RequireGone(name, fault);
            return null;
        }
    }

    /// <summary>Deletes a file; one that cannot be deleted now is left to <see cref="Sweep"/>.</summary>
    public void Delete(string name)
    {
        try
        {
            File.Delete(Path.Combine(folder, name));
        }
        catch (Exception fault) when (PrivateFile.IsIo(fault))
        {
            // The next start tries again.
        }
    }

    /// <summary>Deletes every file that no row names. Only while nothing is being sealed.</summary>
    public void Sweep(IReadOnlySet<string> named)
    {
        if (!Directory.Exists(folder))
            return;
        foreach (string path in Directory.EnumerateFiles(folder, "*" + Extension))
        {
            if (!named.Contains(Path.GetFileName(path)))
                Delete(Path.GetFileName(path));
        }
    }

    // Only what is gone is given up: what cannot be read at the moment, as with too many files open, is worth money still.
    private void RequireGone(string name, Exception fault)
    {
        if (fault is not (FileNotFoundException or DirectoryNotFoundException or EndOfStreamException))
            throw new NodeException(NodeFault.HomeUnusable, $"The file {Path.Combine(folder, name)} cannot be read: {fault.Message} Mend that and start again; nothing is lost.", fault);
    }
}
