using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Content.UnixFs;

namespace Lockstep.Node.Client;

/// <summary>
/// Writes a file or folder out while its chunks are being bought, under a hidden name beside its place; it appears there when
/// the deal is done, and otherwise nothing of it is left.
/// </summary>
internal sealed class OutputWriter : IAsyncDisposable
{
    private readonly TaskCompletionSource<bool> _bought = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task<ContentError?> _writing;

    /// <summary>Starts writing.</summary>
    /// <param name="store">Where bought blocks go.</param>
    /// <param name="root">The content.</param>
    /// <param name="output">Its place.</param>
    /// <param name="overwrite">Whether what is there is replaced.</param>
    public OutputWriter(BlockStore store, Cid root, string output, bool overwrite)
    {
        Blocks = new ArrivingBlocks(store);
        var exporter = new UnixFsExporter(Blocks, new ExportOptions { Overwrite = overwrite }) { Confirm = Confirm };
        _writing = Task.Factory.StartNew(
            () => exporter.Export(root, output, _stop.Token).Error, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Is told of blocks as they are opened.</summary>
    public ArrivingBlocks Blocks { get; }

    /// <summary>The content is bought: waits until it is in its place.</summary>
    /// <param name="cancellation">Ends the writing; nothing is left of it then.</param>
    /// <returns>Null, or why it is not there.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<ContentError?> FinishAsync(CancellationToken cancellation)
    {
        using CancellationTokenRegistration stop = cancellation.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _stop);
        _bought.TrySetResult(true);
        Blocks.End();
        return await _writing.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _bought.TrySetResult(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        Blocks.End();
        await ((Task)_writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    // A thread of its own waits here: the output must not be there before the deal is stored as done.
    private ContentError? Confirm() =>
        _bought.Task.GetAwaiter().GetResult() ? null : new ContentError(ContentErrorKind.MissingBlock, "The content was not bought to its end.");
}
