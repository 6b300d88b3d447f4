using Lockstep.Proofs.Argument;
using Lockstep.Proofs.Circuits;
using Lockstep.Proofs.Fields;
using Lockstep.Proofs.Kernels;
using Lockstep.Proofs.Memory;

namespace Lockstep.Proofs.Prover;

/// <summary>
/// Step 4: the sumcheck of the ties, in the Kappa rounds that bind i and with the zerocheck's challenges. A round sends
/// g0, g2 of g(X) = g0 + g1 X + g2 X^2; g1 = claim + g2.
/// </summary>
internal sealed unsafe class FastTies : IDisposable
{
    private const int Products = 4;

    // Weights and values of the four products, one after the other, twice: a round's result goes to the other half.
    private readonly NativeBlock _memory;
    private readonly Workers _workers;
    private readonly long _pitch;
    private Gf128* _now, _next;
    private int _length;

    /// <param name="instance">Circuits.</param>
    /// <param name="z">The witness.</param>
    /// <param name="links">h_in, key and h_out of every active unit, <see cref="TiledWalk.LinkWords"/> words each.</param>
    /// <param name="challenges">Challenges of the ties.</param>
    /// <param name="weights">Weights of the four products.</param>
    /// <param name="workers">Threads.</param>
    public FastTies(ArgumentInstance instance, WitnessBits z, uint* links, in TieChallenges challenges, TieWeights weights, Workers workers)
    {
        ArgumentShape shape = instance.Shape;
        _workers = workers;
        _length = 1 << shape.Kappa;
        _pitch = _length;
        _memory = NativePool.Shared.Rent(4L * Products * _length * Gf128.Size);
        _now = _memory.As<Gf128>();
        _next = _now + 2 * Products * _pitch;
        Gf128* unit = Values(1), unitOut = Values(3), tailState = Values(5), tailKey = Values(7);
        Gf128[][] sources = [weights.Unit, weights.Out, weights.TailState, weights.TailKey];
        for (int product = 0; product < Products; product++)
        {
            sources[product].CopyTo(new Span<Gf128>(Values(2 * product), _length));
            new Span<Gf128>(Values(2 * product + 1), _length).Clear();
        }

        using RentedElements stateTables = new(BitFold.TableLength(challenges.StateWeights.Length)), keyTables = new(BitFold.TableLength(challenges.KeyWeights.Length));
        var state = new BitFold(challenges.StateWeights, stateTables.Array);
        var key = new BitFold(challenges.KeyWeights, keyTables.Array);
        Gf128 theta = challenges.Theta;
        try
        {
            workers.For(z.ActiveUnits(), 64, (start, end) =>
            {
                for (int i = start; i < end; i++)
                {
                    unit[i] = state.Apply(Link(i, LinkKind.HIn)) + theta * key.Apply(Link(i, LinkKind.Key));
                    unitOut[i] = state.Apply(Link(i, LinkKind.HOut));
                }

                ReadOnlySpan<uint> Link(int i, LinkKind kind) => new(links + i * TiledWalk.LinkWords + (int)kind * Circuit.LinkWords, Circuit.LinkWords);
            });
            workers.For(z.ActiveTails(), 16, (start, end) =>
            {
                Span<uint> words = stackalloc uint[Circuit.LinkWords];
                for (int q = start; q < end; q++)
                {
                    ReadOnlySpan<uint> slot = z.Tail(q);
                    instance.Tail.Link(LinkKind.HIn, slot, words);
                    tailState[q << shape.TailInnerBits] = state.Apply(words);
                    instance.Tail.Link(LinkKind.Key, slot, words);
                    tailKey[q << shape.TailInnerBits] = key.Apply(words);
                }

                words.Clear();
            });
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The four tie values once every variable is bound: h_in + theta k, h_out, tails' h_in, tails' key.</summary>
    public Gf128[] End => [Values(1)[0], Values(3)[0], Values(5)[0], Values(7)[0]];

    /// <summary>The next round's coefficients g0 and g2.</summary>
    public (Gf128 G0, Gf128 G2) Round()
    {
        Gf128 g0 = default, g2 = default;
        for (int product = 0; product < Products; product++)
        {
            (Gf128 s0, Gf128 s2) = PairRounds.Sums(Values(2 * product), Values(2 * product + 1), _length, _workers);
            g0 += s0;
            g2 += s2;
        }

        return (g0, g2);
    }

    /// <summary>Binds the current variable at <paramref name="s"/>.</summary>
    public void Bind(Gf128 s)
    {
        for (int array = 0; array < 2 * Products; array++)
            PairRounds.Bind(Values(array), _next + array * _pitch, _length / 2, s, _workers);
        Gf128* now = _now;
        _now = _next;
        _next = now;
        _length /= 2;
    }

    /// <summary>Overwrites all values.</summary>
    public void Dispose() => _memory.Dispose();

    private Gf128* Values(int array) => _now + array * _pitch;
}
