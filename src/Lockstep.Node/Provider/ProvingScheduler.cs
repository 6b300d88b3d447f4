using System.Collections.Concurrent;

namespace Lockstep.Node.Provider;

/// <summary>
/// Runs heavy work of many deals on the few processors of one machine: one job at a time, each with all of them, off the
/// deals' loops. Deals take turns, so that one buyer with many windows does not starve the others; within a deal the order
/// is kept.
/// </summary>
/// <typeparam name="TOwner">What takes turns: a deal's id.</typeparam>
internal sealed class ProvingScheduler<TOwner> : IDisposable
    where TOwner : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TOwner, Queue<Job>> _waiting = [];
    private readonly Queue<TOwner> _turns = [];
    private readonly BlockingCollection<bool> _signal = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly int _maxWaiting;
    private readonly Thread _worker;
    private int _count;

    /// <summary>Starts the worker.</summary>
    /// <param name="maxWaiting">Jobs that may wait over all owners; each holds its window's content in memory.</param>
    public ProvingScheduler(int maxWaiting)
    {
        _maxWaiting = maxWaiting;

        // A thread of its own: the pool's threads are for messages, which must not wait for a proof.
        _worker = new Thread(Work) { IsBackground = true, Name = "prover" };
        _worker.Start();
    }

    /// <summary>Jobs waiting or at work.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Runs a job when its owner's turn comes.</summary>
    /// <returns>Its result; faulted with what the job threw; cancelled with its token or when the scheduler stops.</returns>
    /// <exception cref="InvalidOperationException">Too many jobs wait; the caller asked for more than it was to.</exception>
    public Task<T> RunAsync<T>(TOwner owner, Func<CancellationToken, T> work, CancellationToken cancellation)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var job = new Job(
            token =>
            {
                using var either = CancellationTokenSource.CreateLinkedTokenSource(token, cancellation);
                try
                {
                    either.Token.ThrowIfCancellationRequested();
                    done.SetResult(work(either.Token));
                }
                catch (OperationCanceledException)
                {
                    done.SetCanceled(CancellationToken.None);
                }
                catch (Exception fault)
                {
                    done.SetException(fault);
                }
            },
            () => done.TrySetCanceled(CancellationToken.None));
        lock (_gate)
        {
            if (_stop.IsCancellationRequested)
                return Task.FromCanceled<T>(new CancellationToken(canceled: true));
            if (_count >= _maxWaiting)
                throw new InvalidOperationException($"More than {_maxWaiting} windows wait to be proven.");
            _count++;
            if (!_waiting.TryGetValue(owner, out Queue<Job>? queue))
            {
                _waiting.Add(owner, queue = new Queue<Job>());
                _turns.Enqueue(owner);
            }

            queue.Enqueue(job);
            _signal.Add(true, CancellationToken.None);
        }

        return done.Task;
    }

    /// <summary>Cancels the job at work and those that wait, and waits for the former to end.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_stop.IsCancellationRequested)
                return;
            _stop.Cancel();
            _signal.CompleteAdding();
        }

        _worker.Join();
        _signal.Dispose();
        _stop.Dispose();
    }

    private void Work()
    {
        foreach (bool _ in _signal.GetConsumingEnumerable())
        {
            Job job = TakeNext();
            if (_stop.IsCancellationRequested)
                job.Abandon();
            else
                job.Run(_stop.Token);
            Interlocked.Decrement(ref _count);
        }
    }

    // The owner whose turn it is goes to the end of the row.
    private Job TakeNext()
    {
        lock (_gate)
        {
            TOwner owner = _turns.Dequeue();
            Queue<Job> queue = _waiting[owner];
            Job job = queue.Dequeue();
            if (queue.Count > 0)
                _turns.Enqueue(owner);
            else
                _waiting.Remove(owner);
            return job;
        }
    }

    private sealed record Job(Action<CancellationToken> Run, Action Abandon);
}
