namespace Lockstep.Node.Provider;

/// <summary>
/// Runs heavy work of many deals on the few processors of one machine: one job at a time, each with all of them, off the
/// deals' loops. Deals take turns, so that one buyer with many windows does not starve the others; within a deal the order
/// is kept. Work that nobody waits for runs while no deal wants anything, and gives way at once when one does.
/// </summary>
/// <typeparam name="TOwner">What takes turns: a deal's id.</typeparam>
internal sealed class ProvingScheduler<TOwner> : IDisposable
    where TOwner : notnull
{
    private readonly object _gate = new();
    private readonly Dictionary<TOwner, Queue<Job>> _waiting = [];
    private readonly Queue<TOwner> _turns = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly int _maxWaiting;
    private readonly Thread _worker;
    private Job? _idleJob;
    private CancellationTokenSource? _idleRun;
    private int _count;
    private bool _stopped;

    /// <summary>Starts the worker.</summary>
    /// <param name="maxWaiting">Jobs that may wait over all owners; each holds its window's content in memory.</param>
    public ProvingScheduler(int maxWaiting)
    {
        _maxWaiting = maxWaiting;

        // A thread of its own: the pool's threads are for messages, which must not wait for a proof.
        _worker = new Thread(Work) { IsBackground = true, Name = "prover" };
        _worker.Start();
    }

    /// <summary>Jobs of owners, waiting or at work.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Runs a job when its owner's turn comes.</summary>
    /// <returns>Its result; faulted with what the job threw; cancelled with its token or when the scheduler stops.</returns>
    /// <exception cref="InvalidOperationException">Too many jobs wait; the caller asked for more than it was to.</exception>
    public Task<T> RunAsync<T>(TOwner owner, Func<CancellationToken, T> work, CancellationToken cancellation)
    {
        (Job job, Task<T> result) = Job.Of(work, cancellation);
        lock (_gate)
        {
            if (_stopped)
                return Task.FromCanceled<T>(new CancellationToken(canceled: true));
            if (_count >= _maxWaiting)
                throw new InvalidOperationException($"More than {_maxWaiting} windows wait to be proven.");
            Interlocked.Increment(ref _count);
            if (!_waiting.TryGetValue(owner, out Queue<Job>? queue))
            {
                _waiting.Add(owner, queue = new Queue<Job>());
                _turns.Enqueue(owner);
            }

            queue.Enqueue(job);
            _idleRun?.Cancel();
            Monitor.Pulse(_gate);
        }

        CancellationTokenRegistration withdrawal = cancellation.UnsafeRegister(_ => Withdraw(owner, job), null);
        _ = result.ContinueWith(_ => withdrawal.Dispose(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return result;
    }

    /// <summary>
    /// Runs a job while no owner has one, after those that wait now. One that comes meanwhile cancels it; whoever asked may
    /// ask again. One such job at a time.
    /// </summary>
    /// <returns>Its result; faulted with what the job threw; cancelled when it gave way, with its token, or when the scheduler stops.</returns>
    public Task<T> RunWhenIdleAsync<T>(Func<CancellationToken, T> work, CancellationToken cancellation)
    {
        (Job job, Task<T> result) = Job.Of(work, cancellation);
        lock (_gate)
        {
            if (_stopped)
                return Task.FromCanceled<T>(new CancellationToken(canceled: true));
            if (_idleJob is not null)
                throw new InvalidOperationException("Another job waits for the prover to be idle.");
            _idleJob = job;
            Monitor.Pulse(_gate);
        }

        return result;
    }

    /// <summary>Cancels the job that runs because nobody has one, if any: the processors are wanted elsewhere.</summary>
    public void GiveWay()
    {
        lock (_gate)
            _idleRun?.Cancel();
    }

    /// <summary>Cancels the job at work and those that wait, and waits for the former to end.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopped)
                return;
            _stopped = true;
            _stop.Cancel();
            Monitor.Pulse(_gate);
        }

        _worker.Join();
        _stop.Dispose();
    }

    // A job that nobody waits for any more leaves its place to others at once; one at work ends by its token.
    private void Withdraw(TOwner owner, Job job)
    {
        lock (_gate)
        {
            if (_stopped || !_waiting.TryGetValue(owner, out Queue<Job>? queue) || !queue.Contains(job))
                return;
            Job[] others = [.. queue.Where(other => other != job)];
            queue.Clear();
            foreach (Job other in others)
                queue.Enqueue(other);
            Interlocked.Decrement(ref _count);
        }

        job.Abandon();
    }

    private void Work()
    {
        while (TakeNext() is (var job, var token, var isOwned))
        {
            job.Run(token);
            if (isOwned)
                Interlocked.Decrement(ref _count);
        }

        foreach (Job job in _waiting.Values.SelectMany(queue => queue))
            job.Abandon();
        _idleJob?.Abandon();
        Volatile.Write(ref _count, 0);
    }

    // The owner whose turn it is goes to the end of the row. Null at the end.
    private (Job Job, CancellationToken Token, bool IsOwned)? TakeNext()
    {
        lock (_gate)
        {
            _idleRun?.Dispose();
            _idleRun = null;
            while (!_stopped)
            {
                if (_turns.TryDequeue(out TOwner? owner))
                {
                    Queue<Job> queue = _waiting[owner];
                    bool isAny = queue.TryDequeue(out Job? job);
                    if (queue.Count > 0)
                        _turns.Enqueue(owner);
                    else
                        _waiting.Remove(owner);
                    if (isAny)
                        return (job!, _stop.Token, true);
                    continue;
                }

                if (_idleJob is { } idle)
                {
                    _idleJob = null;
                    _idleRun = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                    return (idle, _idleRun.Token, false);
                }

                Monitor.Wait(_gate);
            }

            return null;
        }
    }

    private sealed class Job(Action<CancellationToken> run, Action abandon)
    {
        public void Run(CancellationToken token) => run(token);

        public void Abandon() => abandon();

        public static (Job Job, Task<T> Result) Of<T>(Func<CancellationToken, T> work, CancellationToken cancellation)
        {
            var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            return (
                new Job(
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
                    () => done.TrySetCanceled(CancellationToken.None)),
                done.Task);
        }
    }
}
