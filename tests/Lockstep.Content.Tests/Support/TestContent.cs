using System.Buffers.Binary;
using System.Text.Json;

namespace Lockstep.Content.Tests.Support;

/// <summary>The bytes that tests/oracles/content-oracle.mjs makes from a size and a seed: xorshift32, four bytes little-endian per step.</summary>
internal static class TestContent
{
    public static byte[] Bytes(int size, int seed)
    {
        var bytes = new byte[size];
        uint x = unchecked((uint)(((ulong)(uint)seed * 2654435761UL) + 1));
        if (x == 0)
            x = 1;
        Span<byte> step = stackalloc byte[4];
        for (int i = 0; i < size; i += 4)
        {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            BinaryPrimitives.WriteUInt32LittleEndian(step, x);
            step[..Math.Min(4, size - i)].CopyTo(bytes.AsSpan(i));
        }

        return bytes;
    }

    /// <summary>A vector file in the test output folder.</summary>
    public static string VectorPath(params string[] parts) => Path.Combine([AppContext.BaseDirectory, "vectors", .. parts]);

    public static JsonDocument ReadVector(params string[] parts) => JsonDocument.Parse(File.ReadAllBytes(VectorPath(parts)));
}

/// <summary>A folder that is removed after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("lockstep-content-").FullName;

    public string Combine(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    public string Write(string name, ReadOnlySpan<byte> bytes)
    {
        string path = Combine(name.Split('/'));
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>A stream that returns a few bytes at a time and cannot seek, as a pipe does.</summary>
internal sealed class TrickleStream(byte[] bytes, int step) : Stream
{
    private int _at;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        int read = Math.Min(Math.Min(step, count), bytes.Length - _at);
        bytes.AsSpan(_at, read).CopyTo(buffer.AsSpan(offset));
        _at += read;
        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
