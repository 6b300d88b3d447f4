using System.Collections.Concurrent;

namespace Lockstep.Cli.Common;

/// <summary>
/// Lines that a thread of its own writes, so that a reader who stops reading holds up nobody who has something to say. What
/// finds the queue full is dropped, and a line in its place says how many were.
/// </summary>
internal sealed class EventLines : IAsyncDisposable
{
    /// <summary>Lines that may wait; some megabytes.</summary>
    public const int DefaultCapacity = 10_000;

    private readonly TextWriter _target;
    private readonly Func<long, string> _dropped;
    private readonly TimeSpan _patience;
    private readonly BlockingCollection<(long DroppedBefore, string Line)> _waiting;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private Thread? _writer;
    private bool _isClosed;
    private long _droppedSinceLast;

    /// <param name="target">Where the lines go.</param>
    /// <param name="dropped">The line that says how many are missing.</param>
    /// <param name="patience">How long the end waits for a reader.</param>
    /// <param name="capacity">Lines that may wait.</param>
    public EventLines(TextWriter target, Func<long, string> dropped, TimeSpan patience, int capacity = DefaultCapacity)
    {
        (_target, _dropped, _patience) = (target, dropped, patience);
        _waiting = new BlockingCollection<(long DroppedBefore, string Line)>(capacity);
    }

    /// <summary>True once nothing is being written any more.</summary>
    public bool HasEnded => _writer is null || _ended.Task.IsCompleted;

    /// <summary>Hands over lines; returns at once.</summary>
    public void Post(IEnumerable<string> lines)
    {
        foreach (string line in lines)
            Post(line);
    }

    /// <summary>Hands over a line; returns at once.</summary>
    public void Post(string line)
    {
        lock (_gate)
        {
            if (!_isClosed && _waiting.TryAdd((_droppedSinceLast, line)))
                _droppedSinceLast = 0;
            else
                _droppedSinceLast++;
        }
    }

    /// <summary>Begins to write: first these lines, then what was posted before and after.</summary>
    public void Start(IEnumerable<string> first)
    {
        string[] head = [.. first];
        _writer = new Thread(() => Write(head)) { IsBackground = true, Name = "event lines" };
        _writer.Start();
    }

    /// <summary>Writes what waits, as long as somebody reads; a reader that does not is left behind.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            _waiting.CompleteAdding();
        }

        if (_writer is null)
            return;
        await Task.WhenAny(_ended.Task, Task.Delay(_patience)).ConfigureAwait(false);
        if (HasEnded)
            _waiting.Dispose();
    }

    private void Write(IEnumerable<string> head)
    {
        try
        {
            foreach (string line in head)
                WriteLine(line);
            foreach ((long droppedBefore, string line) in _waiting.GetConsumingEnumerable())
            {
                if (droppedBefore > 0)
                    WriteLine(_dropped(droppedBefore));
                WriteLine(line);
            }

            if (_droppedSinceLast > 0)
                WriteLine(_dropped(_droppedSinceLast));
        }
        catch (IOException fault)
        {
            // A full disk behind the output is no reason to stop selling.
            Console.Error.WriteLine($"warning: the standard output cannot be written any more, so events are not shown: {fault.Message}");
        }
        finally
        {
            _ended.TrySetResult();
        }
    }

    private void WriteLine(string line)
    {
        _target.WriteLine(line);
        _target.Flush();
    }
}
