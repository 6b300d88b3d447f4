namespace Lockstep.Proofs.Soundness;

/// <summary>One choice of cipher, proof system and security level, named by an identifier that both sides agree on.</summary>
public sealed class Suite
{
    private readonly Lazy<IReadOnlyDictionary<(int LogUnits, int LogRowGroups), LayoutParameters>> _layouts;
    private readonly Lazy<double> _provableBits;

    internal Suite(string id, SuiteParameters parameters)
    {
        (Id, Parameters) = (id, parameters);
        _layouts = new(() => Solve(parameters));
        _provableBits = new(() => Layouts.Min(layout => ExactSoundness.Report(layout).MinimumBits));
    }

    /// <summary>Identifier with version.</summary>
    public string Id { get; }

    public override string ToString() => Id;

    /// <summary>The content cipher (RFC 8439).</summary>
    public string Cipher { get; } = "ChaCha20";

    /// <summary>The parameters all layouts are derived from.</summary>
    public SuiteParameters Parameters { get; }

    /// <summary>Bits demanded of every step.</summary>
    public int TargetBits => Parameters.TargetBits;

    /// <summary>Provable bits of the weakest step of the weakest layout offered.</summary>
    public double ProvableBits => _provableBits.Value;

    /// <summary>True: a proof shows nothing but the statement.</summary>
    public bool ZeroKnowledge { get; } = true;

    /// <summary>Every layout offered: those that reach the target.</summary>
    public IEnumerable<LayoutParameters> Layouts => _layouts.Value.Values;

    /// <summary>The parameters of a shape, or null when the suite does not offer it.</summary>
    public LayoutParameters? Layout(WindowShape shape) =>
        _layouts.Value.GetValueOrDefault((shape.LogUnits, shape.LogRowGroups));

    private static Dictionary<(int LogUnits, int LogRowGroups), LayoutParameters> Solve(SuiteParameters suite)
    {
        var layouts = new Dictionary<(int LogUnits, int LogRowGroups), LayoutParameters>();
        for (int kappa = SoundnessCalculator.MinLogUnits; kappa <= SoundnessCalculator.MaxLogUnits; kappa++)
            for (int e = SoundnessCalculator.MinLogRowGroups; e <= SoundnessCalculator.MaxLogRowGroups; e++)
                if (SoundnessCalculator.TrySolve(suite, kappa, e, out LayoutParameters? layout, out _))
                    layouts.Add((kappa, e), layout);
        return layouts;
    }
}

/// <summary>The suites offered.</summary>
public static class Suites
{
    /// <summary>120 provable bits.</summary>
    public static Suite Default { get; } =
        new("lockstep-b128-u120/1", new SuiteParameters(120, DecodingRegime.UniqueDecoding, 1, 16));

    /// <summary>100 provable bits, smaller proofs.</summary>
    public static Suite Hundred { get; } =
        new("lockstep-b128-u100/1", new SuiteParameters(100, DecodingRegime.UniqueDecoding, 1, 16));

    /// <summary>All suites, the default first.</summary>
    public static IReadOnlyList<Suite> All { get; } = [Default, Hundred];

    /// <summary>The suite of the given identifier, or null.</summary>
    public static Suite? Find(string id) => All.FirstOrDefault(suite => suite.Id == id);

    /// <summary>
    /// The shape of a window: the one with the smallest proof bound; of equal ones that with the least kappa, then
    /// the least e. Part of the suite's definition: the verifier accepts no other. Null when no shape fits.
    /// </summary>
    /// <param name="suite">The suite.</param>
    /// <param name="unitCount">Whole 64-byte blocks of all chunks together, 0 or more.</param>
    /// <param name="tailCount">Chunks, 1 or more.</param>
    public static WindowShape? Choose(Suite suite, long unitCount, int tailCount)
    {
        if (unitCount < 0 || tailCount < 1)
            return null;
        WindowShape? best = null;
        long bestSize = long.MaxValue;
        foreach (LayoutParameters layout in suite.Layouts.OrderBy(layout => (layout.LogUnits, layout.LogRowGroups)))
        {
            int groupShift = layout.LogUnits - layout.LogRowGroups;
            long units = Math.Max(unitCount, WindowShape.MaskUnits);
            if (units > 1L << layout.LogUnits || tailCount > 1 << (groupShift - 5))
                continue;
            var shape = new WindowShape(layout.LogUnits, layout.LogRowGroups, (int)((units + (1L << groupShift) - 1) >> groupShift));
            long size = ProofSize.UpperBound(shape, layout);
            if (size < bestSize)
                (best, bestSize) = (shape, size);
        }

        return best;
    }
}
