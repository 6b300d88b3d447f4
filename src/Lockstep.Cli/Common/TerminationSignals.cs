using System.Runtime.InteropServices;

namespace Lockstep.Cli.Common;

/// <summary>
/// SIGINT and SIGTERM as a cancellation, from the first moment on: a command that has said that it is ready must end in order,
/// and the command-line library registers for the signals only once the command is already at work.
/// </summary>
internal sealed class TerminationSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<int> _forced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeSpan _patience;
    private readonly PosixSignalRegistration[] _registrations;

    /// <param name="patience">How long a command may take to end after the first signal.</param>
    public TerminationSignals(TimeSpan patience)
    {
        _patience = patience;
        _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>The exit code of a command; where it has not ended in time after a signal, the code that stands for being killed by it.</summary>
    public async Task<int> WatchAsync(Task<int> command) => await (await Task.WhenAny(command, _forced.Task).ConfigureAwait(false)).ConfigureAwait(false);

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _stop.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        int code = context.Signal == PosixSignal.SIGINT ? 128 + 2 : 128 + 15;
        _ = Task.Delay(_patience).ContinueWith(_ => _forced.TrySetResult(code), TaskScheduler.Default);
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The command has just ended by itself.
        }
    }
}
