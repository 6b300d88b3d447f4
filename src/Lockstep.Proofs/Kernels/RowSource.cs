using System.Runtime.CompilerServices;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// Where the coefficients of one row stand in memory, in tower coordinates. Coefficients below <see cref="Count"/> stand in
/// runs of 2^<see cref="LogRun"/> elements, <see cref="RunStride"/> bytes apart; coefficients n to
/// n + <see cref="PadCount"/> - 1 stand at <see cref="Pads"/>; all others are zero. The default value is a zero row.
/// </summary>
internal readonly unsafe struct RowSource
{
    private const int Contiguous = 40;

    /// <summary>A row of consecutive elements.</summary>
    /// <param name="first">Coefficient 0.</param>
    /// <param name="count">Coefficients that stand there; may exceed n.</param>
    public RowSource(Gf128* first, int count)
        : this(first, count, Contiguous, 0, null, 0)
    {
    }

    /// <summary>A row in runs.</summary>
    /// <param name="first">Coefficient 0.</param>
    /// <param name="count">Coefficients in the runs, n at most when there are pads.</param>
    /// <param name="logRun">log2 of the elements in a run, at least 2.</param>
    /// <param name="runStride">Bytes from one run to the next.</param>
    /// <param name="pads">Coefficients from n on.</param>
    /// <param name="padCount">How many.</param>
    public RowSource(Gf128* first, int count, int logRun, long runStride, Gf128* pads, int padCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegative(padCount);
        ArgumentOutOfRangeException.ThrowIfLessThan(logRun, 2);
        (Count, LogRun, RunStride, PadCount) = (count, logRun, runStride, padCount);
        First = first;
        Pads = pads;
    }

    public Gf128* First { get; }

    public int Count { get; }

    public int LogRun { get; }

    public long RunStride { get; }

    public Gf128* Pads { get; }

    public int PadCount { get; }

    /// <summary>A row of consecutive message elements whose pads stand elsewhere.</summary>
    public static RowSource WithPads(Gf128* first, int count, Gf128* pads, int padCount) =>
        new(first, count, Contiguous, 0, pads, padCount);

    /// <summary>One more than the last coefficient that may be nonzero, for messages of <paramref name="message"/> elements.</summary>
    public int Dimension(int message) => PadCount > 0 ? message + PadCount : Count;

    /// <summary>Where coefficient <paramref name="index"/> below <see cref="Count"/> stands.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Gf128* At(int index) => (Gf128*)((byte*)First + ((long)index >> LogRun) * RunStride) + (index & ((1L << LogRun) - 1));

    /// <summary>One coefficient.</summary>
    public Gf128 Coefficient(int index, int message)
    {
        if (index < Count)
            return *At(index);
        return index >= message && index - message < PadCount ? Pads[index - message] : default;
    }
}
