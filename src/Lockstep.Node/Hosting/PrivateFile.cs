using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Lockstep.Node.Hosting;

/// <summary>Files that only their owner may read: keys, seals, settings.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerOnly | UnixFileMode.UserExecute;
    private const int NotNeeded = 4;
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>True for what the file system raises for reasons outside the program.</summary>
    public static bool IsIo(Exception fault) => fault is IOException or UnauthorizedAccessException;

    /// <summary>Makes a folder for its owner alone, or leaves the one that is there.</summary>
    public static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, OwnerFolder);
    }

    /// <summary>Opens or makes a file that only its owner may read.</summary>
    public static FileStream Open(string path, FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open)
            options.UnixCreateMode = OwnerOnly;
        return new FileStream(path, options);
    }

    /// <summary>Replaces a file by new bytes: after a crash the old ones are there, or the new ones.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.new";
        try
        {
            using (FileStream file = Open(temporary, FileMode.CreateNew, FileShare.None))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
            FlushFolder(Path.GetDirectoryName(path)!);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Makes names in a folder survive a power cut. Windows journals them by itself.</summary>
    public static void FlushFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = OpenFolder(path, 0);
        if (descriptor < 0)
            throw new IOException($"The folder {path} could not be opened (error {Marshal.GetLastPInvokeError()}).");

        // Some network file systems cannot flush a folder; what they can do has been done by then.
        _ = Flush(descriptor);
        _ = Close(descriptor);
    }

    /// <summary>
    /// Tells the system that what was written and flushed will not be read soon: its memory serves the next file then, and
    /// need not be made anew.
    /// </summary>
    public static void ForgetCached(FileStream file)
    {
        if (OperatingSystem.IsLinux())
            _ = Advise(file.SafeFileHandle, 0, 0, NotNeeded);
    }

    /// <summary>True when others than the owner may read or write the file.</summary>
    public static bool IsOpenToOthers(string path) => !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0;

    [DllImport("libc", EntryPoint = "open", SetLastError = true, BestFitMapping = false)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int OpenFolder([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Flush(int descriptor);

    [DllImport("libc", EntryPoint = "posix_fadvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Advise(SafeFileHandle file, long offset, long length, int advice);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
