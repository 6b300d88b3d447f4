using System.Numerics;
using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Layout;
using Lockstep.Proofs.Prover;
using Lockstep.Proofs.Tests.Layout;

namespace Lockstep.Proofs.Tests.Battery;

/// <summary>
/// A window over the real circuits whose witness and public words can be falsified one at a time. After a lie in the
/// witness, <see cref="RebuildFrom"/> makes everything else follow from it honestly and <see cref="Claim"/> states what it then
/// outputs, so that nothing but the lie itself is wrong.
/// </summary>
internal sealed class ForgedWindow : IPublicWords, IDisposable
{
    private readonly TestWindow _window;
    private readonly int _untiedLock;
    private readonly uint[][] _units;
    private readonly uint[][] _tails;

    /// <param name="lockHash">Kind of the locks.</param>
    /// <param name="kappa">log2 of the addressable units, at least 8.</param>
    /// <param name="lengths">Bytes of each chunk.</param>
    /// <param name="restate">Falsifies the statement that the public words are taken from.</param>
    public ForgedWindow(LockHash lockHash, int kappa, int[] lengths, Func<WindowStatement, WindowStatement>? restate = null)
    {
        _window = TestWindow.CreateShaped(lockHash, kappa, 1, lengths);
        _untiedLock = TailCircuit.UntiedLock(lockHash);
        Shape = new ArgumentShape
        {
            Kappa = kappa,
            TopBits = 1,
            PresentTops = Layout.TopBlocks,
            RowPads = 8,
            Queries = 6,
            FoldGrinding = 0,
            MaskGrinding = 1,
            PadGrinding = 1,
            QueryGrinding = 1,
            Levels = [new LevelShape(kappa + 4, 4, 2, 5, 0, 1), new LevelShape(kappa, 2, 3, 4, 1, 0)],
        };
        WindowStatement statement = restate?.Invoke(_window.Statement) ?? _window.Statement;
        PublicWords words = PublicWords.TryCreate(statement, Layout, _window.Ciphertexts, out string? reason) ?? throw new InvalidOperationException(reason);
        _units = [.. Enumerable.Range(0, Layout.PresentUnits).Select(i =>
        {
            var outputs = new uint[UnitCircuit.OutputWords];
            words.UnitOutputs(i, outputs);
            return outputs;
        })];
        _tails = [.. Enumerable.Range(0, Layout.PresentTails).Select(q =>
        {
            var outputs = new uint[TailCircuit.OutputWords];
            words.TailOutputs(q, outputs);
            return outputs;
        })];
        Instance = new ArgumentInstance
        {
            Shape = Shape,
            Unit = UnitCircuit.Instance,
            Tail = TailCircuit.Instance,
            Chunks = [.. Enumerable.Range(0, Layout.ChunkCount).Select(q => new UnitRange(Layout.FirstUnit(q), Layout.UnitsOf(q)))],
            InitialState = Sha256Gadget.InitialState.ToArray(),
            Public = this,
        };
        Bits = _window.Witness.ToBits(Shape);
    }

    public ArgumentShape Shape { get; }

    public ArgumentInstance Instance { get; init; }

    public WindowLayout Layout => _window.Layout;

    public BitMatrices Bits { get; }

    /// <summary>The claimed public words of a unit, to be changed by a lie.</summary>
    public uint[] UnitClaim(int unit) => _units[unit];

    public uint[] TailClaim(int tail) => _tails[tail];

    public void UnitOutputs(int unit, Span<uint> words) => _units[unit].CopyTo(words);

    public void TailOutputs(int tail, Span<uint> words) => _tails[tail].CopyTo(words);

    public bool IsTailOutputTied(int word) => word < _untiedLock || word >= _untiedLock + TailCircuit.LockWords;

    /// <summary>Evaluates unit <paramref name="unit"/> anew from its inputs, then hands its state to the units after it and to the tail.</summary>
    public void RebuildFrom(int unit)
    {
        UnitCircuit.Instance.Evaluate(Bits.Unit(unit));
        PassOn(unit);
    }

    /// <summary>Hands the state of <paramref name="unit"/>, as its bits stand, to the rest of its chunk.</summary>
    public void PassOn(int unit)
    {
        int chunk = Layout.ChunkOfUnit(unit);
        if (chunk < 0)
            return;
        Span<uint> state = stackalloc uint[8];
        UnitCircuit.Instance.Link(LinkKind.HOut, Bits.Unit(unit), state);
        for (int i = unit + 1; i < Layout.FirstUnit(chunk) + Layout.UnitsOf(chunk); i++)
        {
            state.CopyTo(Bits.Unit(i)[UnitCircuit.HIn..]);
            UnitCircuit.Instance.Evaluate(Bits.Unit(i));
            UnitCircuit.Instance.Link(LinkKind.HOut, Bits.Unit(i), state);
        }

        state.CopyTo(Bits.Tail(chunk)[TailCircuit.HIn..]);
        RebuildTail(chunk);
    }

    public void RebuildTail(int tail) => TailCircuit.Instance.Evaluate(Bits.Tail(tail));

    /// <summary>Claims for every used slot exactly what its bits output.</summary>
    public void Claim()
    {
        for (int i = 0; i < Layout.UnitCount; i++)
            UnitCircuit.Instance.Outputs(Bits.Unit(i), _units[i]);
        for (int q = 0; q < Layout.ChunkCount; q++)
            TailCircuit.Instance.Outputs(Bits.Tail(q), _tails[q]);
    }

    /// <summary>
    /// Flips one bit of a committed word and re-evaluates every later one, so that the slot breaks exactly one row. AND
    /// words depend on earlier ones only, so the passes end.
    /// </summary>
    public static void FlipRow(Circuit circuit, Span<uint> slot, int word, uint bit)
    {
        var a = new uint[circuit.SlotWords];
        var b = new uint[circuit.SlotWords];
        slot[word] ^= bit;
        for (bool changed = true; changed;)
        {
            changed = false;
            circuit.Forms(slot, a, b);
            for (int k = 0; k < slot.Length; k++)
            {
                uint value = a[k] & b[k] ^ (k == word ? bit : 0);
                changed |= slot[k] != value;
                slot[k] = value;
            }
        }

        circuit.Forms(slot, a, b);
        int broken = 0;
        for (int k = 0; k < slot.Length; k++)
            broken += BitOperations.PopCount(slot[k] ^ (a[k] & b[k]));
        Assert.Equal(1, broken);
    }

    public void Dispose()
    {
        Bits.Dispose();
        _window.Dispose();
    }
}
