using System.Collections.Frozen;
using System.Text;

namespace Lockstep.Retrieval.Deals;

/// <summary>
/// One side's state machine, whole: what is not a row of it cannot happen. The table is the only definition of what is
/// terminal, of what a status may become, and of the diagrams in the documentation.
/// </summary>
public sealed class TransitionTable
{
    private readonly FrozenSet<(DealStatus?, DealStatus?)> _arrows;
    private readonly FrozenSet<DealStatus> _terminal;
    private readonly int _givenRows;

    /// <param name="name">The side, in one lower-case word.</param>
    /// <param name="given">The given core (docs/protocol.md section 2), in its order.</param>
    /// <param name="added">What the given core leaves open (docs/protocol.md section 3).</param>
    internal TransitionTable(string name, IReadOnlyList<Transition> given, IReadOnlyList<Transition> added)
    {
        Name = name;
        Rows = [.. given, .. added];
        _givenRows = given.Count;
        _arrows = Rows.Select(row => (row.From, row.To)).ToFrozenSet();
        _terminal = Rows.Where(row => row.To is null).Select(row => row.From!.Value).ToFrozenSet();
        Statuses = [.. Rows.SelectMany(row => new[] { row.From, row.To }).OfType<DealStatus>().Distinct()];
        Initial = Rows.Single(row => row.From is null).To!.Value;
    }

    /// <summary>The side, in one lower-case word.</summary>
    public string Name { get; }

    /// <summary>All rows, the given ones first.</summary>
    public IReadOnlyList<Transition> Rows { get; }

    /// <summary>The rows of the given core.</summary>
    public IEnumerable<Transition> GivenRows => Rows.Take(_givenRows);

    /// <summary>All statuses, in the order in which the rows name them.</summary>
    public IReadOnlyList<DealStatus> Statuses { get; }

    /// <summary>The status in which a deal begins.</summary>
    public DealStatus Initial { get; }

    /// <summary>True when a row leads from the status to the end. Nothing but the end follows a terminal status.</summary>
    public bool IsTerminal(DealStatus status) => _terminal.Contains(status);

    /// <summary>True when a row leads from one status to the other.</summary>
    public bool Allows(DealStatus from, DealStatus to) => _arrows.Contains((from, to));

    /// <summary>The statuses that may follow, in the order of the rows.</summary>
    public IEnumerable<DealStatus> After(DealStatus status) =>
        Rows.Where(row => row.From == status).Select(row => row.To).OfType<DealStatus>().Distinct();

    /// <summary>Returns <paramref name="to"/> when the table allows the step.</summary>
    /// <exception cref="InvalidOperationException">It does not: a fault of this program, never of a peer.</exception>
    public DealStatus Step(DealStatus from, DealStatus to) => Allows(from, to)
        ? to
        : throw new InvalidOperationException($"The {Name} table has no row from {from.FullName()} to {to.FullName()}.");

    /// <summary>True when the statuses, in order, are a walk from the start along the rows.</summary>
    public bool IsWalk(IReadOnlyList<DealStatus> statuses)
    {
        if (statuses.Count == 0 || statuses[0] != Initial)
            return false;
        for (int i = 1; i < statuses.Count; i++)
        {
            if (!Allows(statuses[i - 1], statuses[i]))
                return false;
        }
        return true;
    }

    /// <summary>The whole machine as a Mermaid state diagram; with <paramref name="givenOnly"/>, the given core alone.</summary>
    public string ToMermaid(bool givenOnly = false)
    {
        var text = new StringBuilder("stateDiagram-v2\n");
        foreach (Transition row in givenOnly ? GivenRows : Rows)
            text.Append("    ").Append(End(row.From)).Append(" --> ").Append(End(row.To)).Append(" : ").Append(row.Event).Append('\n');
        return text.ToString();

        static string End(DealStatus? status) => status?.FullName() ?? "[*]";
    }

    /// <summary>The table as Markdown, one line per row.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder("| event | from | to | when |\n|---|---|---|---|\n");
        foreach (Transition row in Rows)
            text.Append($"| {row.Event} | {row.From?.FullName() ?? "(start)"} | {row.To?.FullName() ?? "(end)"} | {row.When} |\n");
        return text.ToString();
    }
}
