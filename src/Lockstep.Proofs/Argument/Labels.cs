namespace Lockstep.Proofs.Argument;

/// <summary>Transcript labels in the order of use (docs/proof-system.md sections 5 and 6).</summary>
internal static class Labels
{
    public const string Shape = "shape";
    public const string UnitCircuit = "unit circuit";
    public const string TailCircuit = "tail circuit";
    public const string Statement = "statement";
    public const string Ciphertext = "ciphertext";
    public const string Root = "root";
    public const string ZerocheckPoint = "r";
    public const string Skip = "skip";
    public const string SkipPoint = "zeta";
    public const string TiePoints = "tie points";
    public const string Round = "round";
    public const string RoundPoint = "s";
    public const string EndValues = "end values";
    public const string OutputPoints = "output points";
    public const string Lincheck = "lincheck";
    public const string LincheckPoint = "t";
    public const string Opened = "opened";
    public const string RegionWeight = "gamma'";
    public const string RingValues = "ring values";
    public const string RingPoint = "r'''";
    public const string Fold = "fold";
    public const string FoldPoint = "r_f";
    public const string Sigma = "sigma";
    public const string MaskWeight = "xi";
    public const string FoldedHigh = "u high";
    public const string FoldedValue = "V";
    public const string LevelRoot = "level root";
    public const string Last = "last";
    public const string TriplePoint = "epsilon";
    public const string TripleOpening = "alpha beta";
    public const string EquationWeight = "chi";
    public const string PadSum = "sigma_lambda";
    public const string PadWeight = "omega";
    public const string PadRow = "u_pi";
    public const string Positions = "positions";
    public const string LevelBatch = "batch";
    public const string LevelFold = "level fold";
    public const string LevelPoint = "level point";
    public const string LevelPositions = "level positions";
}
