using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// The codewords of many rows side by side, in tower coordinates: symbol j of row r is 16 bytes at
/// <c>codeword + j * Stride(rows) + 16 r</c>, so that the symbols of one position are one leaf. The same symbols as
/// <see cref="Codes.RowCode"/>.
/// </summary>
/// <remarks>
/// Two passes, each over pieces that fit a core's second-level cache. The first takes four rows and a few positions' low
/// bits at a time through the upper layers, the second takes blocks of adjoining positions through the rest.
/// </remarks>
internal static unsafe class RowEncoder
{
    // Of the second pass: the largest block. Of the first: residues taken together, one line of a row in memory.
    private const int BlockBytes = 768 << 10;
    private const int Residues = 4;

    // A codeword that cannot stay in a shared cache between the passes is written past it.
    private const long StreamFrom = 16 << 20;

    /// <summary>Bytes of one position: 16 per row, rows rounded up to a multiple of four.</summary>
    public static int Stride(int rows) => (rows + 3) / 4 * CacheLines.Size;

    /// <summary>Encodes rows that stand one by one in memory.</summary>
    /// <param name="rows">At least one.</param>
    /// <param name="logMessage">log2 of n, at least 2.</param>
    /// <param name="logInverseRate">log2 of N / n, at least 1; no row may have more than N coefficients.</param>
    /// <param name="codeword">N * <see cref="Stride"/> bytes, aligned to 64. Rows added to fill a line are zero.</param>
    /// <param name="workers">Threads, and how they are cancelled.</param>
    /// <param name="onBlock">
    /// Called with (first position, number of positions) on a worker's thread as soon as a block is done and still in its
    /// cache: blocks cover all positions once, in any order.
    /// </param>
    /// <param name="path">Only for tests; by default the fastest of the processor.</param>
    public static void Encode(
        ReadOnlySpan<RowSource> rows, int logMessage, int logInverseRate, byte* codeword, Workers workers,
        Action<int, int>? onBlock = null, KernelPath? path = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(rows.Length, nameof(rows));
        var padded = new RowSource[(rows.Length + 3) / 4 * 4];
        rows.CopyTo(padded);
        Encode(new Source(padded, null, padded.Length), logMessage, logInverseRate, codeword, workers, onBlock, path);
    }

    /// <summary>Encodes rows whose messages are interleaved: coefficient x of row r is element r + rows * x.</summary>
    /// <param name="message">rows * n elements.</param>
    /// <param name="rows">A multiple of four.</param>
    /// <param name="logMessage">log2 of n, at least 2.</param>
    /// <param name="logInverseRate">log2 of N / n, at least 1.</param>
    /// <param name="codeword">N * <see cref="Stride"/> bytes, aligned to 64; must not overlap the message.</param>
    /// <param name="workers">Threads, and how they are cancelled.</param>
    /// <param name="onBlock">As of the other overload.</param>
    /// <param name="path">Only for tests.</param>
    public static void EncodeInterleaved(
        Gf128* message, int rows, int logMessage, int logInverseRate, byte* codeword, Workers workers,
        Action<int, int>? onBlock = null, KernelPath? path = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 4);
        ArgumentOutOfRangeException.ThrowIfNotEqual(rows % 4, 0, nameof(rows));
        Encode(new Source([], message, rows), logMessage, logInverseRate, codeword, workers, onBlock, path);
    }

    private static void Encode(
        Source source, int logMessage, int logInverseRate, byte* codeword, Workers workers, Action<int, int>? onBlock, KernelPath? path)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(logMessage, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(logInverseRate, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(logMessage + logInverseRate, 30, nameof(logMessage));
        ArgumentOutOfRangeException.ThrowIfNotEqual((nuint)codeword % CacheLines.Size, 0u, nameof(codeword));
        foreach (RowSource row in source.Rows)
            ArgumentOutOfRangeException.ThrowIfGreaterThan(row.Dimension(1 << logMessage), 1 << (logMessage + logInverseRate), nameof(source));

        Twiddle.Initialize();
        var work = new Job(source, logMessage, logMessage + logInverseRate, codeword, workers, onBlock);
        switch (path ?? KernelPaths.Best)
        {
            case KernelPath.Gfni512: work.Run<GfniButterflies<Bytes64>>(); break;
            case KernelPath.Gfni256: work.Run<GfniButterflies<Bytes32>>(); break;
            case KernelPath.Gfni128: work.Run<GfniButterflies<Bytes16>>(); break;
            case KernelPath.Shuffle256: work.Run<ShuffleButterflies<Bytes32>>(); break;
            case KernelPath.Shuffle128: work.Run<ShuffleButterflies<Bytes16>>(); break;
            default: work.Run<PortableButterflies>(); break;
        }
    }

    // Rows, padded to a multiple of four, or one interleaved array.
    private sealed class Source(RowSource[] rows, Gf128* interleaved, int count)
    {
        public RowSource[] Rows { get; } = rows;

        public Gf128* Interleaved { get; } = interleaved;

        public int Count { get; } = count;
    }

    private sealed class Job
    {
        private readonly Source _source;
        private readonly int _logMessage, _logLength, _logBlock, _groups, _stride;
        private readonly byte* _codeword;
        private readonly Workers _workers;
        private readonly Action<int, int>? _onBlock;
        private readonly bool _stream;

        public Job(Source source, int logMessage, int logLength, byte* codeword, Workers workers, Action<int, int>? onBlock)
        {
            (_source, _logMessage, _logLength, _workers, _onBlock) = (source, logMessage, logLength, workers, onBlock);
            _codeword = codeword;
            _groups = source.Count / 4;
            _stride = _groups * CacheLines.Size;
            _stream = ((long)_stride << logLength) >= StreamFrom;

            // As large a block as the cache holds, yet at least sixteen unless they would be tiny.
            _logBlock = 2;
            while (_logBlock < logLength && (long)_stride << (_logBlock + 1) <= BlockBytes && (_logBlock < 6 || logLength - _logBlock > 4))
                _logBlock++;
        }

        public void Run<K>()
            where K : struct, IButterflies
        {
            int items = (1 << _logBlock) / Residues * _groups;
            long scratchBytes = (long)Residues * CacheLines.Size << (_logLength - _logBlock);
            _workers.For(items, 1, (start, end) =>
            {
                using NativeBlock scratch = NativePool.Shared.Rent(scratchBytes);
                for (int item = start; item < end; item++)
                    Upper<K>(item, scratch.Memory);
                CacheLines.Fence();
            });
            _workers.For(1 << (_logLength - _logBlock), 1, (start, end) =>
            {
                for (int block = start; block < end; block++)
                    Lower<K>(block);
            });
        }

        // The layers above a block, for four rows and the positions congruent to four residues.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Upper<K>(int item, byte* scratch)
            where K : struct, IButterflies
        {
            const int Unit = Residues * CacheLines.Size;
            int group = item % _groups, residue = item / _groups * Residues;
            int layers = _logLength - _logBlock, units = 1 << layers;
            int filled = _source.Interleaved != null ? GatherInterleaved(group, residue, scratch) : Gather(group, residue, scratch);

            // A layer whose upper halves are all zero copies the lower ones.
            int left = layers;
            while (left > 0 && filled <= 1 << (left - 1))
                left--;
            int period = 1 << left;
            new Span<byte>(scratch + filled * Unit, (period - filled) * Unit).Clear();
            K.Enter(scratch, filled * Unit);
            for (int copied = period; copied < units; copied *= 2)
                Buffer.MemoryCopy(scratch, scratch + copied * Unit, copied * Unit, copied * Unit);
            for (int block = 0; block << left < units; block++)
                Transform.Forward<K>(scratch + (block << left) * Unit, Unit, left, layers - left + 1, block);

            byte* target = _codeword + (long)residue * _stride + group * CacheLines.Size;
            for (int unit = 0; unit < units; unit++, target += (long)_stride << _logBlock)
            {
                Prefetch(item + 1, unit);
                for (int i = 0; i < Residues; i++)
                    CacheLines.Copy(scratch + unit * Unit + i * CacheLines.Size, target + i * _stride, _stream);
            }
        }

        // The other layers, for all rows of one block of positions.
        private void Lower<K>(int block)
            where K : struct, IButterflies
        {
            byte* data = _codeword + ((long)_stride * block << _logBlock);
            Transform.Forward<K>(data, _stride, _logBlock, _logLength - _logBlock + 1, block);
            K.Leave(data, (nint)_stride << _logBlock);
            _onBlock?.Invoke(block << _logBlock, 1 << _logBlock);
        }

        // The next item's coefficients are fetched while this one's lines are written: they stand far apart, which no
        // processor foresees.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Prefetch(int item, int unit)
        {
            int group = item % _groups, first = item / _groups * Residues + (unit << _logBlock);
            if (!Sse.IsSupported || 4 * group + 4 > _source.Rows.Length)
                return;
            for (int r = 4 * group; r < 4 * group + 4; r++)
                if (first < _source.Rows[r].Count)
                    Sse.Prefetch1(_source.Rows[r].At(first));
        }

        // Fills lines with the coefficients residue + i + (unit << logBlock); returns the units that may hold a nonzero one.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private int Gather(int group, int residue, byte* scratch)
        {
            int message = 1 << _logMessage, filled = 0;
            ReadOnlySpan<RowSource> rows = _source.Rows.AsSpan(4 * group, 4);
            foreach (RowSource row in rows)
                filled = Math.Max(filled, (row.Dimension(message) - residue + (1 << _logBlock) - 1) >> _logBlock);
            Gf128* edge = stackalloc Gf128[16];
            Gf128** pieces = stackalloc Gf128*[4];
            for (int unit = 0; unit < filled; unit++)
            {
                int first = residue + (unit << _logBlock);
                for (int r = 0; r < 4; r++)
                {
                    if (first + Residues <= rows[r].Count)
                    {
                        pieces[r] = rows[r].At(first);
                    }
                    else if (first >= rows[r].Dimension(message))
                    {
                        pieces[r] = null;
                    }
                    else
                    {
                        pieces[r] = edge + 4 * r;
                        for (int i = 0; i < Residues; i++)
                            pieces[r][i] = rows[r].Coefficient(first + i, message);
                    }
                }

                CacheLines.Transpose(pieces[0], pieces[1], pieces[2], pieces[3], (Gf128*)(scratch + unit * Residues * CacheLines.Size));
            }

            return filled;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private int GatherInterleaved(int group, int residue, byte* scratch)
        {
            int filled = Math.Max(0, ((1 << _logMessage) - residue + (1 << _logBlock) - 1) >> _logBlock);
            for (int unit = 0; unit < filled; unit++)
            {
                byte* from = (byte*)_source.Interleaved + ((long)residue + ((long)unit << _logBlock)) * _stride + group * CacheLines.Size;
                for (int i = 0; i < Residues; i++)
                    CacheLines.Copy(from + i * _stride, scratch + (unit * Residues + i) * CacheLines.Size, stream: false);
            }

            return filled;
        }
    }
}
