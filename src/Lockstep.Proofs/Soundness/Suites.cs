namespace Lockstep.Proofs.Soundness;

/// <summary>One choice of cipher, proof system and security level, named by an identifier that both sides agree on.</summary>
public sealed class Suite
{
    private readonly Lazy<IReadOnlyList<LayoutParameters>> _layouts;
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

    /// <summary>Every layout offered, the least kappa first: those that reach the target.</summary>
    public IEnumerable<LayoutParameters> Layouts => _layouts.Value;

    /// <summary>The parameters of a shape, or null when the suite does not offer it.</summary>
    public LayoutParameters? Layout(WindowShape shape) =>
        _layouts.Value.FirstOrDefault(layout => layout.LogUnits == shape.LogUnits && layout.LogRowGroups == shape.LogRowGroups);

    private static List<LayoutParameters> Solve(SuiteParameters suite)
    {
        var layouts = new List<LayoutParameters>();
        for (int kappa = SoundnessCalculator.MinLogUnits; kappa <= SoundnessCalculator.MaxLogUnits; kappa++)
            if (SoundnessCalculator.TrySolve(suite, kappa, out LayoutParameters? layout, out _))
                layouts.Add(layout);
        return layouts;
    }
}

/// <summary>The suites offered.</summary>
public static class Suites
{
    /// <summary>120 provable bits.</summary>
    public static Suite Default { get; } =
        new("lockstep-b128-u120/2", new SuiteParameters(120, DecodingRegime.UniqueDecoding, 2, 14, 3, 18));

    /// <summary>100 provable bits, smaller proofs.</summary>
    public static Suite Hundred { get; } =
        new("lockstep-b128-u100/2", new SuiteParameters(100, DecodingRegime.UniqueDecoding, 2, 14, 3, 18));

    /// <summary>All suites, the default first.</summary>
    public static IReadOnlyList<Suite> All { get; } = [Default, Hundred];

    /// <summary>The suite of the given identifier, or null.</summary>
    public static Suite? Find(string id) => All.FirstOrDefault(suite => suite.Id == id);

    /// <summary>
    /// The shape of a window: the least kappa that holds it, with as many row groups as its units fill. Part of the suite's
    /// definition: the verifier accepts no other. Null when no shape fits.
    /// </summary>
    /// <param name="suite">The suite.</param>
    /// <param name="unitCount">Whole 64-byte blocks of all chunks together, 0 or more.</param>
    /// <param name="tailCount">Chunks, 1 or more.</param>
    public static WindowShape? Choose(Suite suite, long unitCount, int tailCount)
    {
        if (unitCount < 0 || tailCount < 1)
            return null;
        foreach (LayoutParameters layout in suite.Layouts)
            if (Shape(layout, unitCount) is { } shape && tailCount <= shape.MaxTails)
                return shape;
        return null;
    }

    /// <summary>
    /// The most bytes that a proof of a window of at most so many chunks and units can have; null when no shape holds it. A
    /// smaller window can need a longer proof, where a step of kappa trades rows for columns: all of them count.
    /// </summary>
    internal static long? ProofBound(Suite suite, long unitCount, int tailCount)
    {
        if (Choose(suite, unitCount, tailCount) is not { } largest)
            return null;
        long bound = 0;
        foreach (LayoutParameters layout in suite.Layouts.Where(layout => layout.LogUnits <= largest.LogUnits))
        {
            WindowShape shape = Shape(layout, Math.Min(unitCount, 1L << layout.LogUnits))!.Value;
            bound = Math.Max(bound, ProofSize.UpperBound(shape, layout));
        }

        return bound;
    }

    private static WindowShape? Shape(LayoutParameters layout, long unitCount)
    {
        long units = Math.Max(unitCount, WindowShape.MaskUnits);
        int groupShift = layout.LogUnits - layout.LogRowGroups;
        return units > 1L << layout.LogUnits
            ? null
            : new WindowShape(layout.LogUnits, layout.LogRowGroups, (int)((units + (1L << groupShift) - 1) >> groupShift));
    }
}
