namespace Lockstep.Proofs;

/// <summary>Splits independent work over a given number of workers. What is computed never depends on that number.</summary>
internal static class Workers
{
    /// <summary>Calls <paramref name="body"/> with half-open ranges that together cover 0..<paramref name="count"/>.</summary>
    /// <param name="count">Number of items.</param>
    /// <param name="workers">How many ranges may run at once, at least 1.</param>
    /// <param name="grain">Items of one range; the last may have fewer.</param>
    /// <param name="body">Receives the first item of its range and the first item after it.</param>
    public static void Run(int count, int workers, int grain, Action<int, int> body)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(grain, 1);
        if (workers == 1 || count <= grain)
        {
            if (count > 0)
                body(0, count);
            return;
        }

        int ranges = (count - 1) / grain + 1;
        Parallel.For(
            0, ranges, new ParallelOptions { MaxDegreeOfParallelism = workers },
            range => body(range * grain, range == ranges - 1 ? count : (range + 1) * grain));
    }
}
