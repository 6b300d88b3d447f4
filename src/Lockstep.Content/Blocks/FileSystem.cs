using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Lockstep.Content.Blocks;

/// <summary>What durability and safety need from the operating system and .NET does not offer.</summary>
internal static class FileSystem
{
    private const int ReadOnly = 0;
    private const int CurrentDirectory = -100;
    private const int DoNotFollow = 0x100;
    private const uint TypeMask = 0xF000;
    private const uint RegularFile = 0x8000;
    private const uint WantType = 1;
    private const int StatxModeOffset = 28;
    private const int NotNeeded = 4;

    /// <summary>
    /// Makes renames and deletions inside a folder durable. Without it a crash may undo a rename although the file's bytes are on disk.
    /// Does nothing on Windows, where the file system journals names by itself.
    /// </summary>
    public static void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(path, ReadOnly);
        if (descriptor < 0)
            throw new IOException($"The folder '{path}' could not be opened to make a change in it durable (error {Marshal.GetLastPInvokeError()}).");
        try
        {
            // Some network file systems cannot flush a folder; what they can do has been done by then.
            _ = Flush(descriptor);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>True for a plain file: not a folder, link, device, pipe or socket. Opening a pipe would wait for ever.</summary>
    public static bool IsRegularFile(string path)
    {
        var info = new FileInfo(path);
        if (!info.Exists || info.LinkTarget is not null || info.Attributes.HasFlag(FileAttributes.Directory))
            return false;
        if (!OperatingSystem.IsLinux())
            return !info.Attributes.HasFlag(FileAttributes.Device);
        var status = new byte[256];
        try
        {
            return Statx(CurrentDirectory, path, DoNotFollow, WantType, status) != 0
                || (BitConverter.ToUInt16(status, StatxModeOffset) & TypeMask) == RegularFile;
        }
        catch (EntryPointNotFoundException)
        {
            return true;
        }
    }

    /// <summary>True when anything has this name, a dangling symbolic link included.</summary>
    public static bool Exists(string path) =>
        Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    /// <summary>Creates a file that must not exist yet, hands it over to be written, and flushes it to the disk.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="isPassing">Nobody will read it soon.</param>
    public static void WriteDurably(string path, ReadOnlySpan<byte> bytes, bool isPassing = false)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        file.Write(bytes);
        file.Flush(flushToDisk: true);
        if (isPassing)
            ForgetCached(file);
    }

    /// <summary>
    /// Tells the system that what was written and flushed will not be read soon. Its memory serves the next file then: fresh
    /// memory costs several times what the copy into it does, and content that passes through would drive out what others need.
    /// </summary>
    public static void ForgetCached(FileStream file)
    {
        if (OperatingSystem.IsLinux())
            _ = Advise(file.SafeFileHandle, 0, 0, NotNeeded);
    }

    /// <summary>Replaces or creates a file so that a reader, or the next start after a crash, sees the old or the new bytes and nothing between.</summary>
    /// <param name="temporary">A name on the same file system that nothing else uses.</param>
    public static void ReplaceDurably(string path, string temporary, ReadOnlySpan<byte> bytes)
    {
        try
        {
            WriteDurably(temporary, bytes);
            File.Move(temporary, path, overwrite: true);
            FlushDirectory(Path.GetDirectoryName(path)!);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    /// <summary>Removes a file or folder that nobody needs; a failure leaves it to the next start.</summary>
    public static void TryDelete(string path)
    {
        try
        {
            if (Directory.Exists(path) && new DirectoryInfo(path).LinkTarget is null)
                Directory.Delete(path, recursive: true);
            else
                File.Delete(path);
        }
        catch (Exception error) when (ContentError.IsIo(error))
        {
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Flush(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);

    [DllImport("libc", EntryPoint = "posix_fadvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Advise(SafeFileHandle file, long offset, long length, int advice);

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Statx(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] status);
}
