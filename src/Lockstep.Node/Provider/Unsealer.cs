using System.Diagnostics;
using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Node.Hosting;

namespace Lockstep.Node.Provider;

/// <summary>How far unsealing has come.</summary>
/// <param name="Done">Bytes brought back.</param>
/// <param name="Total">Bytes to bring back.</param>
public readonly record struct UnsealingProgress(long Done, long Total);

/// <summary>
/// Brings cold content back (docs/protocol.md section 3): from the compressed archive in the home, or by a program
/// that the settings name. Two deals for the same content share one run.
/// </summary>
internal sealed class Unsealer(ContentHome content, NodeSettings settings, TimeProvider time, string workFolder) : IDisposable
{
    private const int MaxErrorText = 4096;
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);

    // ContentHome is changed by one thread at a time.
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>True when the content cannot be sold before it was unsealed.</summary>
    public bool IsCold(Cid root) => content.Roots.Get(root) is { IsOk: true, Value.IsCold: true };

    /// <summary>Makes the content readable; does nothing when it is.</summary>
    /// <returns>Null, or one sentence about why it could not be done.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled; the content is as cold as it was.</exception>
    public async Task<string?> UnsealAsync(Cid root, IProgress<UnsealingProgress>? progress, CancellationToken cancellation)
    {
        TimeSpan limit = TimeSpan.FromSeconds(settings.UnsealLimitSeconds);
        using var late = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, late.Token);
        try
        {
            await _turn.WaitAsync(either.Token).ConfigureAwait(false);
            try
            {
                if (!content.Roots.Get(root).Try(out RootRecord? record, out ContentError? error))
                    return error.Message;
                if (!record.IsCold)
                    return null;
                return settings.UnsealCommand.Count == 0
                    ? await Task.Run(() => Thaw(record, progress, either.Token), either.Token).ConfigureAwait(false)
                    : await RunCommandAsync(record, progress, either.Token).ConfigureAwait(false);
            }
            finally
            {
                _turn.Release();
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"Unsealing took longer than the {limit.TotalSeconds:0} s that the provider allows it.";
        }
    }

    public void Dispose() => _turn.Dispose();

    private string? Thaw(RootRecord record, IProgress<UnsealingProgress>? progress, CancellationToken cancellation)
    {
        Relay? relay = progress is null ? null : new Relay(progress, record.Size);
        return content.Thaw(record.Root, relay, cancellation).Error?.Message;
    }

    // The program writes a CAR; its size tells how far it is, its blocks are verified like any others.
    private async Task<string?> RunCommandAsync(RootRecord record, IProgress<UnsealingProgress>? progress, CancellationToken cancellation)
    {
        PrivateFile.MakeFolder(workFolder);
        string car = Path.Combine(workFolder, $"{Guid.NewGuid():N}.car");
        try
        {
            if (await RunAsync(record, car, progress, cancellation).ConfigureAwait(false) is { } failure)
                return failure;
            Outcome<AddedContent> added = await Task.Run(() => content.AddCar(car, time.GetUtcNow(), null, cancellation), cancellation).ConfigureAwait(false);
            if (!added.Try(out AddedContent? done, out ContentError? error))
                return $"What the unseal command wrote cannot be used: {error.Message}";
            if (done.Manifest.Root != record.Root)
                return $"The unseal command brought back {done.Manifest.Root} instead of {record.Root}.";

            // The name under which the content was added stays.
            return content.Roots.Put(record with { IsCold = false })?.Message;
        }
        finally
        {
            File.Delete(car);
        }
    }

    private async Task<string?> RunAsync(RootRecord record, string car, IProgress<UnsealingProgress>? progress, CancellationToken cancellation)
    {
        IReadOnlyList<string> command = settings.UnsealCommand;
        var start = new ProcessStartInfo(command[0]) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true, UseShellExecute = false };
        foreach (string argument in command.Skip(1).Append(record.Root.ToString()).Append(car))
            start.ArgumentList.Add(argument);
        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Exception fault) when (fault is System.ComponentModel.Win32Exception or IOException)
        {
            return $"The unseal command '{command[0]}' could not be started: {fault.Message}.";
        }

        process.StandardInput.Close();
        Task<string> errors = ReadTailAsync(process.StandardError);
        Task<string> output = ReadTailAsync(process.StandardOutput);
        try
        {
            Task exit = process.WaitForExitAsync(cancellation);
            while (await Task.WhenAny(exit, Task.Delay(ProgressInterval, cancellation)).ConfigureAwait(false) != exit)
            {
                cancellation.ThrowIfCancellationRequested();
                var file = new FileInfo(car);
                progress?.Report(new UnsealingProgress(file.Exists ? Math.Min(file.Length, record.Size) : 0, record.Size));
            }

            await exit.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        await output.ConfigureAwait(false);
        string last = (await errors.ConfigureAwait(false)).Trim().ReplaceLineEndings(" ");
        return process.ExitCode == 0 ? null : $"The unseal command '{command[0]}' failed with exit code {process.ExitCode}: {(last.Length == 0 ? "it said nothing" : last)}.";
    }

    // Reads to the end, so that a talkative program never blocks, and keeps the last words only.
    private static async Task<string> ReadTailAsync(StreamReader reader)
    {
        var buffer = new char[MaxErrorText];
        string tail = "";
        int read;
        while ((read = await reader.ReadAsync(buffer).ConfigureAwait(false)) > 0)
        {
            tail += new string(buffer, 0, read);
            if (tail.Length > MaxErrorText)
                tail = tail[^MaxErrorText..];
        }

        return tail;
    }

    private sealed class Relay(IProgress<UnsealingProgress> progress, long total) : IProgress<long>
    {
        public void Report(long value) => progress.Report(new UnsealingProgress(value, total));
    }
}
