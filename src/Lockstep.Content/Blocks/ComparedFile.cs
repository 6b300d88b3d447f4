namespace Lockstep.Content.Blocks;

/// <summary>
/// Takes bytes as a file that is written would, and compares them with a file that is there. Nothing is changed. What comes
/// after the first difference is not looked at.
/// </summary>
internal sealed class ComparedFile : Stream
{
    private readonly FileStream _there;
    private readonly byte[] _buffer = new byte[1 << 16];
    private bool _differs;

    /// <param name="path">A plain file: opening a pipe would wait for ever.</param>
    public ComparedFile(string path) => _there = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 16, FileOptions.SequentialScan);

    public string Path => _there.Name;

    /// <summary>True while every byte was the one that is there.</summary>
    public bool IsSameSoFar => !_differs;

    /// <summary>True when the bytes that came are all that is there.</summary>
    public bool IsSame => !_differs && _there.ReadByte() < 0;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        while (!_differs && !bytes.IsEmpty)
        {
            Span<byte> there = _buffer.AsSpan(0, Math.Min(_buffer.Length, bytes.Length));
            int read = _there.ReadAtLeast(there, there.Length, throwOnEndOfStream: false);
            _differs = !there[..read].SequenceEqual(bytes[..there.Length]);
            bytes = bytes[there.Length..];
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _there.Dispose();
        base.Dispose(disposing);
    }
}
