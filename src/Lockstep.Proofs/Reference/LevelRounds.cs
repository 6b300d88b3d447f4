using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Codes;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Transcripts;

namespace Lockstep.Proofs.Reference;

/// <summary>
/// The levels of the commitment to the folded row (docs/proof-system.md section 8). Level i holds x_i and the weights w_i of the
/// one claim &lt;w_i, x_i&gt; = c_i; the claims of the positions of the level before are batched into it, l_i variables are
/// bound, and what is left is x_{i+1}, committed to or, at the end, sent. All of it is computed from u, which is uniform.
/// </summary>
/// <param name="shape">Dimensions.</param>
/// <param name="vector">x_1 = u_0..u_{n-1}; consumed.</param>
/// <param name="weights">w', n entries; consumed.</param>
/// <param name="workers">Threads.</param>
internal sealed class LevelRounds(ArgumentShape shape, Gf128[] vector, Gf128[] weights, Workers workers)
{
    private readonly List<(LevelCommitment Commitment, int[] Positions)> _openings = [];
    private Gf128[] _vector = vector;
    private Gf128[] _weights = weights;
    private LevelCommitment? _commitment;

    /// <summary>Sends the first level's root, or the vector itself when there are no levels.</summary>
    public void Commit(ProverChannel channel) => SendNext(channel, 0);

    /// <summary>Folds level after level.</summary>
    /// <param name="positions">The positions of level 0, drawn already.</param>
    /// <param name="channel">Where messages go.</param>
    public void Run(int[] positions, ProverChannel channel)
    {
        Transcript transcript = channel.Transcript;
        RowCode code = shape.NewCode();
        for (int i = 0; i < shape.Levels.Count; i++)
        {
            LevelShape level = shape.Levels[i];
            code.AddClaims(positions, Powers(transcript.Challenge(Labels.LevelBatch), positions.Length), _weights);
            for (int j = 0; j < level.Folds; j++)
            {
                (Gf128 g0, Gf128 g2) = Round();
                channel.Send(Labels.LevelFold, g0, g2);
                channel.SendWork(Labels.LevelPoint, level.FoldGrinding, workers);
                Gf128 r = transcript.Challenge(Labels.LevelPoint);
                _vector = Bind(_vector, r);
                _weights = Bind(_weights, r);
            }

            LevelCommitment commitment = _commitment!;
            SendNext(channel, i + 1);
            channel.SendWork(Labels.LevelPositions, level.QueryGrinding, workers);
            positions = transcript.DistinctPositions(Labels.LevelPositions, level.Queries, level.CodeLength);
            _openings.Add((commitment, positions));
            code = commitment.Code;
        }
    }

    /// <summary>Sends the openings of every level, the first one's first.</summary>
    public void Open(ProverChannel channel)
    {
        foreach ((LevelCommitment commitment, int[] positions) in _openings)
            commitment.Open(positions, channel);
    }

    /// <summary>factor, factor^2, ...: what the claims of the positions are batched by.</summary>
    public static Gf128[] Powers(Gf128 factor, int count)
    {
        var powers = new Gf128[count];
        Gf128 power = factor;
        for (int k = 0; k < count; k++, power *= factor)
            powers[k] = power;
        return powers;
    }

    private void SendNext(ProverChannel channel, int index)
    {
        if (index == shape.Levels.Count)
        {
            channel.Send(Labels.Last, _vector);
            return;
        }

        _commitment = new LevelCommitment(shape.Levels[index], _vector, workers);
        channel.Send(Labels.LevelRoot, _commitment.Root);
    }

    // g(X) = g0 + g1 X + g2 X^2 of the sum over the other variables; g1 = claim + g2.
    private (Gf128 G0, Gf128 G2) Round()
    {
        Gf128 g0 = default, g2 = default;
        for (int k = 0; k < _vector.Length; k += 2)
        {
            g0 += _weights[k] * _vector[k];
            g2 += (_weights[k] + _weights[k + 1]) * (_vector[k] + _vector[k + 1]);
        }

        return (g0, g2);
    }

    private static Gf128[] Bind(Gf128[] values, Gf128 r)
    {
        var bound = new Gf128[values.Length / 2];
        for (int k = 0; k < bound.Length; k++)
            bound[k] = values[2 * k] + r * (values[2 * k] + values[2 * k + 1]);
        return bound;
    }
}
