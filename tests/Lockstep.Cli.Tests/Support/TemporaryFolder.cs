namespace Lockstep.Cli.Tests.Support;

/// <summary>A folder that is gone when the test is over.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("lockstep-cli-tests-").FullName;

    public string File(string name) => Path.Combine(_path, name);

    /// <summary>Writes a file of pseudo-random bytes and returns its path.</summary>
    public string Write(string name, int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        string path = File(name);
        System.IO.File.WriteAllBytes(path, bytes);
        return path;
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
