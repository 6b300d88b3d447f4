namespace Lockstep.Proofs;

/// <summary>How many threads a computation may use, and how it is cancelled. Results never depend on the count.</summary>
/// <param name="Count">Threads, at least 1.</param>
/// <param name="Cancellation">Cancels between pieces of work.</param>
public readonly record struct Workers(int Count, CancellationToken Cancellation = default)
{
    /// <summary>All processors of this machine.</summary>
    public static Workers All => new(Environment.ProcessorCount);

    /// <summary>Runs <paramref name="body"/> on consecutive ranges that cover [0, <paramref name="total"/>).</summary>
    /// <param name="total">Items; with none the body is not run.</param>
    /// <param name="grain">Items per range at least.</param>
    /// <param name="body">Called with (start, end).</param>
    internal void For(int total, int grain, Action<int, int> body)
    {
        int count = Math.Max(Count, 1);
        int piece = Math.Max(grain, (total + 4 * count - 1) / (4 * count));
        int pieces = (total + piece - 1) / piece;
        if (count == 1 || pieces <= 1)
        {
            for (int k = 0; k < pieces; k++)
            {
                Cancellation.ThrowIfCancellationRequested();
                body(k * piece, Math.Min(total, (k + 1) * piece));
            }

            return;
        }

        var options = new ParallelOptions { MaxDegreeOfParallelism = count, CancellationToken = Cancellation };
        Parallel.For(0, pieces, options, k => body(k * piece, Math.Min(total, (k + 1) * piece)));
    }
}
