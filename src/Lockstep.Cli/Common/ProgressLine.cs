using System.Diagnostics;
using System.Globalization;

namespace Lockstep.Cli.Common;

/// <summary>One line of progress on a terminal's standard error: done, speed, time left. Silent for machines and pipes.</summary>
internal sealed class ProgressLine(Output output, string what, long total) : IDisposable
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly bool _shown = !output.IsJson && !Console.IsErrorRedirected;
    private long _done;

    /// <summary>Adds finished bytes, with words of the caller's own at the end of the line.</summary>
    public void Advance(long bytes, string? suffix = null)
    {
        _done += bytes;
        if (!_shown)
            return;
        double speed = _done / Math.Max(_watch.Elapsed.TotalSeconds, 1e-3);
        TimeSpan left = speed > 0 ? TimeSpan.FromSeconds((total - _done) / speed) : TimeSpan.Zero;
        int width = total > 0 ? (int)(24 * _done / total) : 24;
        Console.Error.Write(string.Create(CultureInfo.InvariantCulture,
            $"\r{what} [{new string('=', width)}{new string(' ', 24 - width)}] {Sizes.Format(_done)} of {Sizes.Format(total)}  {Sizes.Format((long)speed)}/s  {left:mm\\:ss} left{(suffix is null ? "" : "  " + suffix)}   "));
    }

    public void Dispose()
    {
        if (_shown && _done > 0)
            Console.Error.WriteLine();
    }
}
