using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;
using Lockstep.Proofs.Reference;
using Lockstep.Proofs.Transcripts;

namespace Lockstep.Proofs.Prover;

/// <summary>
/// The levels of the commitment to the folded row on the kernels (docs/proof-system.md section 8). Everything here is computed
/// from u, which is uniform: nothing is secret.
/// </summary>
internal sealed unsafe class FastLevels : IDisposable
{
    private readonly ArgumentShape _shape;
    private readonly Workers _workers;
    private readonly List<Level> _levels = [];

    // x and w, and room for their next folds.
    private readonly NativeBlock _memory;
    private Gf128* _vector, _weights, _nextVector, _nextWeights;
    private int _length;

    /// <param name="shape">Dimensions.</param>
    /// <param name="workers">Threads.</param>
    public FastLevels(ArgumentShape shape, Workers workers)
    {
        (_shape, _workers, _length) = (shape, workers, shape.MessageLength);
        _memory = NativePool.Shared.Rent(3L * _length * Gf128.Size);
        _vector = _memory.As<Gf128>();
        _weights = _vector + _length;
        _nextVector = _weights + _length;
        _nextWeights = _nextVector + _length / 2;
    }

    /// <summary>x_1, to be filled before <see cref="Commit"/>.</summary>
    public Gf128* Vector => _vector;

    /// <summary>w', to be filled before <see cref="Run"/>.</summary>
    public Gf128* Weights => _weights;

    /// <summary>Sends the first level's root, or the vector itself when there are no levels.</summary>
    public void Commit(ProverChannel channel) => SendNext(channel);

    /// <summary>Folds level after level.</summary>
    /// <param name="positions">The positions of level 0, drawn already.</param>
    /// <param name="channel">Where messages go.</param>
    public void Run(int[] positions, ProverChannel channel)
    {
        Transcript transcript = channel.Transcript;
        (int logMessage, int logInverseRate) = (_shape.LogMessage, _shape.LogInverseRate);
        for (int i = 0; i < _shape.Levels.Count; i++)
        {
            LevelShape level = _shape.Levels[i];
            AddClaims(positions, LevelRounds.Powers(transcript.Challenge(Labels.LevelBatch), positions.Length), logMessage, logInverseRate);
            for (int j = 0; j < level.Folds; j++)
            {
                (Gf128 g0, Gf128 g2) = PairRounds.Sums(_weights, _vector, _length, _workers);
                channel.Send(Labels.LevelFold, g0, g2);
                channel.SendWork(Labels.LevelPoint, level.FoldGrinding, _workers);
                Bind(transcript.Challenge(Labels.LevelPoint));
            }

            Level committed = _levels[i];
            SendNext(channel);
            channel.SendWork(Labels.LevelPositions, level.QueryGrinding, _workers);
            positions = transcript.DistinctPositions(Labels.LevelPositions, level.Queries, level.CodeLength);
            committed.Positions = positions;
            (logMessage, logInverseRate) = (level.LogMessage, level.LogInverseRate);
        }
    }

    /// <summary>Sends the openings of every level, the first one's first.</summary>
    public void Open(ProverChannel channel)
    {
        foreach (Level level in _levels)
            level.Open(channel);
    }

    /// <summary>Gives all memory back.</summary>
    public void Dispose()
    {
        _memory.Dispose();
        foreach (Level level in _levels)
            level.Dispose();
    }

    // The positions' tensors, each by its power of the batching challenge.
    private void AddClaims(int[] positions, Gf128[] factors, int logMessage, int logInverseRate)
    {
        using NativeBlock claims = NativePool.Shared.Rent((long)_length * Gf128.Size);
        TransposedEncoder.Weights(positions, factors, logMessage, logInverseRate, claims.As<Gf128>(), _workers);
        PairRounds.AddScaled(_weights, Gf128.One, claims.As<Gf128>(), _length, _workers);
    }

    private void Bind(Gf128 r)
    {
        _length /= 2;
        PairRounds.Bind(_vector, _nextVector, _length, r, _workers);
        PairRounds.Bind(_weights, _nextWeights, _length, r, _workers);
        Gf128* vector = _vector, weights = _weights;
        _vector = _nextVector;
        _weights = _nextWeights;
        _nextVector = vector;
        _nextWeights = weights;
    }

    private void SendNext(ProverChannel channel)
    {
        int index = _levels.Count;
        if (index == _shape.Levels.Count)
        {
            channel.Send(Labels.Last, new ReadOnlySpan<Gf128>(_vector, _length));
            return;
        }

        _levels.Add(new Level(_shape.Levels[index], _vector, _workers));
        channel.Send(Labels.LevelRoot, _levels[index].Root);
    }

    private sealed class Level : IDisposable
    {
        private readonly LevelShape _shape;
        private readonly NativeBlock _codeword;
        private readonly int _stride;
        private readonly NativeMerkleTree _tree;

        public Level(LevelShape shape, Gf128* vector, Workers workers)
        {
            _shape = shape;
            _stride = RowEncoder.Stride(shape.Rows);
            _codeword = NativePool.Shared.Rent((long)shape.CodeLength * _stride);
            _tree = new NativeMerkleTree(shape.LogMessage + shape.LogInverseRate, NativePool.Shared);
            try
            {
                Commit(vector, workers);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        private void Commit(Gf128* vector, Workers workers)
        {
            LevelShape shape = _shape;
            using NativeBlock tower = NativePool.Shared.Rent((long)shape.Length * Gf128.Size);
            Gf128* message = tower.As<Gf128>();
            LinearMapKernel.FromPolynomial.Apply(vector, message, shape.Length, workers);
            RowEncoder.EncodeInterleaved(message, shape.Rows, shape.LogMessage, shape.LogInverseRate, _codeword.Memory, workers, (first, count) => MerkleHash.LevelLeaves(
                _codeword.Memory + (long)first * _stride, _stride, shape.LeafBytes, count, _tree.Leaf(first)));
            _tree.Build(workers);
        }

        public ReadOnlySpan<byte> Root => _tree.Root;

        public int[] Positions { get; set; } = [];

        public void Open(ProverChannel channel)
        {
            foreach (int position in Positions)
                channel.SendOpening(_codeword.Span<byte>((long)position * _stride, _shape.LeafBytes));
            channel.SendOpening(_tree.Open(Positions));
        }

        public void Dispose()
        {
            _tree.Dispose();
            _codeword.Dispose();
        }
    }
}
