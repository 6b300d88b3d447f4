using Lockstep.Proofs.Commitments;
using Lockstep.Proofs.Fields;

namespace Lockstep.Proofs.Soundness;

/// <summary>
/// Chooses how many variables each level folds: the plan with the smallest bound on its bytes; of equal ones that with fewer
/// levels, then with the larger first fold. A level's cost depends on its own length and folds only, so the best plan
/// continues with the best plan of what it leaves.
/// </summary>
internal static class LevelPlan
{
    /// <summary>The levels for a vector of 2^<paramref name="logLength"/> elements; none when it is short enough to be sent.</summary>
    /// <param name="suite">Target, rate and work of the levels.</param>
    /// <param name="logLength">m of the first level.</param>
    public static IReadOnlyList<LevelParameters> Best(SuiteParameters suite, int logLength)
    {
        // Plans by the length they start from, shortest first.
        var plans = new (long Bytes, LevelParameters[] Levels)[logLength + 1];
        for (int m = 0; m <= logLength; m++)
        {
            plans[m] = m <= SoundnessCalculator.LastVectorBits ? (Gf128.Size << m, []) : (long.MaxValue, []);
            if (m <= SoundnessCalculator.LastVectorBits)
                continue;
            for (int folds = SoundnessCalculator.MaxLevelFolds; folds >= 1; folds--)
            {
                LevelParameters level = Solve(suite, m, folds);
                (long rest, LevelParameters[] next) = plans[m - folds];
                long bytes = rest + ProofSize.LevelBytes(level) + (long)ProofSize.MaxSiblings(level) * MerkleHash.DigestSize;
                if (bytes < plans[m].Bytes || bytes == plans[m].Bytes && next.Length + 1 < plans[m].Levels.Length)
                    plans[m] = (bytes, [level, .. next]);
            }
        }

        return plans[logLength].Levels;
    }

    /// <summary>A level with the fewest queries and the least work that reach the suite's target.</summary>
    public static LevelParameters Solve(SuiteParameters suite, int logLength, int folds)
    {
        var level = new LevelParameters(logLength, folds, suite.LevelLogInverseRate, 1, 0, suite.QueryGrindingBits);
        level = level with { Queries = SoundnessCalculator.FewestQueries(suite.TargetBits - suite.QueryGrindingBits, SoundnessCalculator.LevelRadius(level)) };
        while (!ExactSoundness.LevelQueries(level).IsAtMost(suite.TargetBits))
            level = level with { Queries = level.Queries + 1 };
        return level with { FoldGrindingBits = ExactSoundness.GrindingNeeded(ExactSoundness.LevelProximity(level), suite.TargetBits) };
    }
}
