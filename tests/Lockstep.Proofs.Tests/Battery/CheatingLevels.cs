using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Codes;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Reference;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>The levels of the commitment with a door at every vector and every fold; without changes, the honest ones.</summary>
internal sealed class CheatingLevels(ArgumentShape shape, Gf128[] vector, Gf128[] weights)
{
    private static readonly Workers One = new(1);
    private readonly List<LevelCommitment> _commitments = [];

    public required Func<int, CheatingLevels, Gf128[]?>? Replace { get; init; }

    public required Action<int, int, Gf128[], CheatingLevels>? Say { get; init; }

    /// <summary>x_i, honest or replaced, as far as it is folded.</summary>
    public Gf128[] Vector { get; private set; } = vector;

    /// <summary>Its weights, claims of positions batched in.</summary>
    public Gf128[] Weights { get; private set; } = weights;

    /// <summary>All fold challenges so far.</summary>
    public List<Gf128> Point { get; } = [];

    /// <summary>Positions of level 1, 2, ... so far.</summary>
    public List<int[]> Positions { get; } = [];

    public void Commit(ProverChannel channel) => SendNext(channel, 0);

    public void Run(int[] positions, ProverChannel channel)
    {
        RowCode code = shape.NewCode();
        for (int i = 0; i < shape.Levels.Count; i++)
        {
            LevelShape level = shape.Levels[i];
            code.AddClaims(positions, LevelRounds.Powers(channel.Transcript.Challenge(Labels.LevelBatch), positions.Length), Weights);
            for (int j = 0; j < level.Folds; j++)
            {
                var message = new Gf128[2];
                for (int k = 0; k < Vector.Length; k += 2)
                {
                    message[0] += Weights[k] * Vector[k];
                    message[1] += (Weights[k] + Weights[k + 1]) * (Vector[k] + Vector[k + 1]);
                }

                Say?.Invoke(i, j, message, this);
                channel.Send(Labels.LevelFold, message);
                channel.SendWork(Labels.LevelPoint, level.FoldGrinding, One);
                Point.Add(channel.Transcript.Challenge(Labels.LevelPoint));
                (Vector, Weights) = (Bind(Vector), Bind(Weights));
            }

            SendNext(channel, i + 1);
            channel.SendWork(Labels.LevelPositions, level.QueryGrinding, One);
            Positions.Add(positions = channel.Transcript.DistinctPositions(Labels.LevelPositions, level.Queries, level.CodeLength));
            code = level.NewCode();
        }
    }

    public void Open(ProverChannel channel)
    {
        for (int i = 0; i < _commitments.Count; i++)
            _commitments[i].Open(Positions[i], channel);
    }

    private void SendNext(ProverChannel channel, int index)
    {
        Vector = Replace?.Invoke(index, this) ?? Vector;
        if (index == shape.Levels.Count)
        {
            channel.Send(Labels.Last, Vector);
            return;
        }

        _commitments.Add(new LevelCommitment(shape.Levels[index], Vector, One));
        channel.Send(Labels.LevelRoot, _commitments[^1].Root);
    }

    private Gf128[] Bind(Gf128[] values) =>
        [.. Enumerable.Range(0, values.Length / 2).Select(k => values[2 * k] + Point[^1] * (values[2 * k] + values[2 * k + 1]))];
}
