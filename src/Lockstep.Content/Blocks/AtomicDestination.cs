using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Lockstep.Content.Blocks;

/// <summary>
/// A file or folder that appears under its name only when it is whole: it is made beside its destination under a hidden name, then renamed.
/// Disposed without <see cref="Commit"/>, it leaves nothing.
/// </summary>
internal sealed class AtomicDestination : IDisposable
{
    private const string Extension = ".partial";

    // Folders may be shared: what another machine is writing is not this one's to judge.
    private static readonly string Prefix = $".lockstep-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Environment.MachineName)))[..8]}-";

    private readonly string _destination;
    private readonly bool _overwrite;
    private bool _committed;

    private AtomicDestination(string destination, string temporary, bool overwrite)
    {
        _destination = destination;
        _overwrite = overwrite;
        TemporaryPath = temporary;
    }

    /// <summary>Where to write meanwhile. Nothing exists there yet.</summary>
    public string TemporaryPath { get; }

    public static Outcome<AtomicDestination> Prepare(string destination, bool overwrite)
    {
        try
        {
            string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(destination));
            string? parent = Path.GetDirectoryName(path);
            string name = Path.GetFileName(path);
            if (parent is null || name.Length == 0)
                return new ContentError(ContentErrorKind.BadOption, $"'{destination}' cannot be written to; name a file or folder in an existing folder.");
            if (!Directory.Exists(parent))
                return new ContentError(ContentErrorKind.NotFound, $"There is no folder '{parent}' to write '{name}' into; make it first.");
            if (!overwrite && FileSystem.Exists(path))
                return new ContentError(ContentErrorKind.DestinationExists, $"'{destination}' exists already; choose another name, or ask to replace it.");
            Sweep(parent);
            string mark = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
            string temporary = Path.Combine(parent, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-{mark}{Extension}"));
            return new AtomicDestination(path, temporary, overwrite);
        }
        catch (Exception error) when (ContentError.IsIo(error) || error is ArgumentException)
        {
            return ContentError.FromIo($"write to '{destination}'", error);
        }
    }

    /// <summary>Renames what was written to its destination.</summary>
    public ContentError? Commit()
    {
        try
        {
            // A link at the destination is replaced itself; what it points to is left alone.
            if (FileSystem.Exists(_destination))
            {
                if (!_overwrite)
                    return new ContentError(ContentErrorKind.DestinationExists, $"'{_destination}' came into being meanwhile; choose another name.");
                ReplaceExisting();
            }
            else
            {
                Move(TemporaryPath, _destination);
            }

            _committed = true;
            FileSystem.FlushDirectory(Path.GetDirectoryName(_destination)!);
            return null;
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            return ContentError.FromIo($"move the finished content to '{_destination}'", error);
        }
    }

    public void Dispose()
    {
        if (!_committed)
            FileSystem.TryDelete(TemporaryPath);
    }

    // What processes of this machine left that were killed while they wrote.
    private static void Sweep(string folder)
    {
        try
        {
            foreach (string path in Directory.EnumerateFileSystemEntries(folder, Prefix + "*" + Extension))
            {
                string process = Path.GetFileName(path)[Prefix.Length..].Split('-')[0];
                if (int.TryParse(process, NumberStyles.None, CultureInfo.InvariantCulture, out int id) && id != Environment.ProcessId && !IsRunning(id))
                    FileSystem.TryDelete(path);
            }
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
            // A folder may be written to and not be listed: litter of others is no reason not to write.
        }
    }

    private static bool IsRunning(int process)
    {
        try
        {
            using var known = Process.GetProcessById(process);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private void ReplaceExisting()
    {
        bool newIsFile = File.Exists(TemporaryPath);
        bool oldIsFolder = Directory.Exists(_destination) && new DirectoryInfo(_destination).LinkTarget is null;
        if (newIsFile && !oldIsFolder)
        {
            File.Move(TemporaryPath, _destination, overwrite: true);
            return;
        }

        // A folder cannot be replaced in one step: the old one steps aside, and comes back if the new one cannot take its place.
        string aside = TemporaryPath + ".old";
        Move(_destination, aside);
        try
        {
            Move(TemporaryPath, _destination);
        }
        catch
        {
            Move(aside, _destination);
            throw;
        }

        FileSystem.TryDelete(aside);
    }

    private static void Move(string from, string to)
    {
        if (Directory.Exists(from) && new DirectoryInfo(from).LinkTarget is null)
            Directory.Move(from, to);
        else
            File.Move(from, to);
    }
}
