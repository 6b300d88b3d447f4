using System.Globalization;

namespace Lockstep.Content.Blocks;

/// <summary>
/// Names for files on their way into the store, under <c>tmp/</c>. Each opened store holds one session: a lock file
/// <c>S.lock</c> and a folder <c>S/</c>. Opening a store removes the sessions whose lock nobody holds: what a crash left behind.
/// A session of another process that is still at work is left alone.
/// </summary>
internal sealed class TemporaryFiles : IDisposable
{
    private readonly string _folder;
    private readonly string _lockPath;
    private readonly FileStream _lock;
    private long _last;

    public TemporaryFiles(string parent)
    {
        Directory.CreateDirectory(parent);
        RemoveStale(parent);
        for (int attempt = 0; ; attempt++)
        {
            string session = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{attempt}");
            _lockPath = Path.Combine(parent, session + ".lock");
            try
            {
                _lock = new FileStream(_lockPath, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(_lockPath) && attempt < 10_000)
            {
                continue;
            }

            _folder = Path.Combine(parent, session);
            Directory.CreateDirectory(_folder);
            return;
        }
    }

    /// <summary>A path that nothing has used. Safe to call from several threads.</summary>
    public string Next() =>
        Path.Combine(_folder, Interlocked.Increment(ref _last).ToString(CultureInfo.InvariantCulture));

    public void Dispose()
    {
        FileSystem.TryDelete(_folder);
        FileSystem.TryDelete(_lockPath);
        _lock.Dispose();
    }

    private static void RemoveStale(string parent)
    {
        foreach (string path in Directory.EnumerateFiles(parent, "*.lock"))
        {
            try
            {
                using var held = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
                FileSystem.TryDelete(Path.ChangeExtension(path, null));
                File.Delete(path);
            }
            catch (Exception error) when (ContentError.IsIo(error))
            {
                // Its owner is alive.
            }
        }

        foreach (string folder in Directory.EnumerateDirectories(parent))
        {
            if (!File.Exists(folder + ".lock"))
                FileSystem.TryDelete(folder);
        }
    }
}
