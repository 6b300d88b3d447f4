using System.Runtime.CompilerServices;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Kernels;

/// <summary>
/// The adjoint of the row code on few positions: the weights W[x] = sum over k of c_k X_x(point of j_k) for all x below n, in
/// one transform instead of one tensor product per position.
/// </summary>
/// <remarks>
/// Within a block of adjoining positions each position's tensor is written out; the layers above act alike on all
/// places of a block, so they are run on a few places of all blocks at a time.
/// </remarks>
internal static unsafe class TransposedEncoder
{
    private const int LogBlock = 10;

    // Bytes of one block taken through the upper layers together.
    private const int TileBytes = 4 * CacheLines.Size;

    /// <summary>Computes the weights.</summary>
    /// <param name="positions">Positions below N; repeats add up.</param>
    /// <param name="coefficients">Their coefficients, polynomial basis.</param>
    /// <param name="logMessage">log2 of n, at least 4.</param>
    /// <param name="logInverseRate">log2 of N / n, at least 1.</param>
    /// <param name="weights">n elements, polynomial basis.</param>
    /// <param name="workers">Threads, and how they are cancelled.</param>
    /// <param name="path">Only for tests; by default the fastest of the processor.</param>
    public static void Weights(
        ReadOnlySpan<int> positions, ReadOnlySpan<Gf128> coefficients, int logMessage, int logInverseRate, Gf128* weights,
        Workers workers, KernelPath? path = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(coefficients.Length, positions.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(logMessage, 4);
        ArgumentOutOfRangeException.ThrowIfLessThan(logInverseRate, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(logMessage + logInverseRate, 30, nameof(logMessage));
        foreach (int position in positions)
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)position, 1u << (logMessage + logInverseRate), nameof(positions));

        Twiddle.Initialize();
        var job = new Job(positions, coefficients, logMessage, logMessage + logInverseRate, weights, workers, path);
        switch (path ?? KernelPaths.Best)
        {
            case KernelPath.Gfni512: job.Run<GfniButterflies<Bytes64>>(); break;
            case KernelPath.Gfni256: job.Run<GfniButterflies<Bytes32>>(); break;
            case KernelPath.Gfni128: job.Run<GfniButterflies<Bytes16>>(); break;
            case KernelPath.Shuffle256: job.Run<ShuffleButterflies<Bytes32>>(); break;
            case KernelPath.Shuffle128: job.Run<ShuffleButterflies<Bytes16>>(); break;
            default: job.Run<PortableButterflies>(); break;
        }
    }

    private sealed class Job
    {
        private readonly int[] _positions;
        private readonly Gf128[] _coefficients;
        private readonly int _logMessage, _logLength, _logBlock, _blockBytes;
        private readonly Gf128* _weights;
        private readonly Workers _workers;
        private readonly KernelPath? _path;

        // Of each block: where its positions' sum stands among those of the blocks that have any; -1 for the others.
        private readonly int[] _slots;

        public Job(
            ReadOnlySpan<int> positions, ReadOnlySpan<Gf128> coefficients, int logMessage, int logLength, Gf128* weights, Workers workers, KernelPath? path)
        {
            (_positions, _coefficients) = (positions.ToArray(), coefficients.ToArray());
            Array.Sort(_positions, _coefficients);
            (_logMessage, _logLength, _workers, _path) = (logMessage, logLength, workers, path);
            _weights = weights;
            _logBlock = Math.Min(LogBlock, logMessage);
            _blockBytes = sizeof(Gf128) << _logBlock;
            _slots = new int[1 << (logLength - _logBlock)];
            Array.Fill(_slots, -1);
        }

        public void Run<K>()
            where K : struct, IButterflies
        {
            // Consecutive positions of one block share a slot; ranges[s] is where slot s begins.
            var ranges = new List<int>();
            for (int i = 0; i < _positions.Length; i++)
            {
                ref int slot = ref _slots[_positions[i] >> _logBlock];
                if (slot >= 0)
                    continue;
                slot = ranges.Count;
                ranges.Add(i);
            }

            ranges.Add(_positions.Length);
            using NativeBlock sums = NativePool.Shared.Rent((long)(ranges.Count - 1) * _blockBytes);
            byte* memory = sums.Memory;
            _workers.For(ranges.Count - 1, 1, (start, end) =>
            {
                using NativeBlock scratch = NativePool.Shared.Rent(_blockBytes);
                for (int slot = start; slot < end; slot++)
                {
                    byte* sum = memory + (long)slot * _blockBytes;
                    for (int i = ranges[slot]; i < ranges[slot + 1]; i++)
                    {
                        byte* tensor = i == ranges[slot] ? sum : scratch.Memory;
                        Expand<K>(_positions[i], _coefficients[i], tensor);
                        if (tensor != sum)
                            CacheLines.Add(sum, tensor, _blockBytes);
                    }
                }
            });

            int tile = Math.Min(TileBytes, _blockBytes);
            _workers.For(_blockBytes / tile, 1, (start, end) =>
            {
                using NativeBlock scratch = NativePool.Shared.Rent((long)tile * _slots.Length);
                var live = new bool[_slots.Length];
                for (int i = start; i < end; i++)
                    Upper<K>(memory, i * tile, tile, scratch.Memory, live);
            });
        }

        // c times the product of s_b(point) over the set bits b of x, for all x of a block.
        private void Expand<K>(int position, Gf128 coefficient, byte* tensor)
            where K : struct, IButterflies
        {
            var code = (Gf128*)tensor;
            code[0] = TowerBasis.FromPolynomial(coefficient);
            code[1] = TowerBasis.FromPolynomial(coefficient * Vanish(0, position));
            code[2] = TowerBasis.FromPolynomial(coefficient * Vanish(1, position));
            code[3] = TowerBasis.FromPolynomial(coefficient * Vanish(0, position) * Vanish(1, position));
            K.Enter(tensor, CacheLines.Size);
            nint bytes = CacheLines.Size;
            for (int bit = 2; bit < _logBlock; bit++, bytes *= 2)
            {
                // The layer's factor is that of the point with bit b clear.
                Twiddle factor = Twiddle.Of(_logLength - bit, position >> (bit + 1));
                if ((position >> bit & 1) != 0)
                    factor ^= Twiddle.One;
                K.Multiply(tensor, tensor + bytes, bytes, factor, Twiddle.Products(_logLength - bit));
            }
        }

        private Gf128 Vanish(int degree, int position) =>
            CantorBasis.Beta(_logLength - degree) + CantorBasis.Point((ulong)position >> degree);

        // The layers between blocks, for one tile of every block, and the tile's weights.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Upper<K>(byte* sums, int offset, int tile, byte* scratch, bool[] live)
            where K : struct, IButterflies
        {
            int layers = _logMessage - _logBlock, outputs = 1 << layers;
            for (int block = 0; block < live.Length; block++)
            {
                live[block] = _slots[block] >= 0;
                if (live[block])
                    Buffer.MemoryCopy(sums + (long)_slots[block] * _blockBytes + offset, scratch + (long)block * tile, tile, tile);
                else
                    new Span<byte>(scratch + (long)block * tile, tile).Clear();
            }

            // live[k] says from layer to layer whether block k of it may hold anything but zeros.
            for (int layer = 0; layer < layers; layer++)
            {
                nint half = (nint)tile << layer;
                int depth = _logLength - _logBlock - layer, blocks = 1 << (depth - 1);
                for (int block = 0; block < blocks; block++)
                {
                    live[block] = live[2 * block] | live[2 * block + 1];
                    byte* low = scratch + block * 2 * half;
                    if (live[block])
                        K.Transposed(low, low + half, half, Twiddle.Of(depth, block), Twiddle.Products(depth));
                }
            }

            // The top layers give the coefficients from n on as well; those below n are plain sums.
            nint bytes = (nint)tile << layers;
            for (int part = 1; part << layers < live.Length; part++)
                if (live[part])
                    CacheLines.Add(scratch, scratch + part * bytes, bytes);
            K.Leave(scratch, bytes);
            LinearMapKernel.ToPolynomial.Apply((Gf128*)scratch, (Gf128*)scratch, bytes / sizeof(Gf128), _path);
            for (int unit = 0; unit < outputs; unit++)
                Buffer.MemoryCopy(scratch + (long)unit * tile, (byte*)_weights + (long)unit * _blockBytes + offset, tile, tile);
        }
    }
}
