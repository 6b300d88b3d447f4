namespace Lockstep.Retrieval.Deals;

/// <summary>A chunk's own walk through the loop, from its first status after Ongoing to its last.</summary>
/// <param name="Statuses">The statuses, in order; empty before the chunk's turn.</param>
/// <param name="Finished">True once the last status is the end of the loop.</param>
public sealed record ChunkWalk(IReadOnlyList<DealStatus> Statuses, bool Finished)
{
    public static ChunkWalk None { get; } = new([], false);

    /// <summary>Where the chunk is; a chunk that has not begun is Ongoing.</summary>
    public DealStatus Status => Statuses.Count == 0 ? DealStatus.Ongoing : Statuses[^1];
}

/// <summary>One status that a deal passed through.</summary>
/// <param name="Sequence">Its place in the deal's history, from 0.</param>
public sealed record StatusRow(DealId DealId, DealSide Side, int Sequence, DealStatus Status) : StoreWrite;

/// <summary>Which side of a deal a row belongs to; one home can be both.</summary>
public enum DealSide
{
    Client = 1,
    Provider = 2,
}

/// <summary>
/// Keeps the statuses of a deal and of its chunks (docs/protocol.md section 3). Each chunk walks the loop by itself; the deal's
/// status is that of its oldest unfinished chunk, so that the deal's history is the chunks' walks one after the other, which is
/// itself a walk of the table. Every step is checked against the table.
/// </summary>
internal sealed class StatusWalk
{
    private readonly TransitionTable _table;
    private readonly DealId _dealId;
    private readonly DealSide _side;
    private readonly SortedDictionary<int, ChunkWalk> _chunks = [];
    private readonly List<StatusRow> _news = [];
    private WantedChunks? _wanted;

    /// <summary>Begins a deal in the table's first status.</summary>
    public StatusWalk(TransitionTable table, DealId dealId, DealSide side)
        : this(table, dealId, side, table.Initial, 0) => Append(table.Initial);

    /// <summary>Goes on from what was stored.</summary>
    public StatusWalk(TransitionTable table, DealId dealId, DealSide side, DealStatus status, int count)
    {
        (_table, _dealId, _side) = (table, dealId, side);
        (Status, Count) = (status, count);
    }

    /// <summary>The deal's status.</summary>
    public DealStatus Status { get; private set; }

    /// <summary>Length of the deal's history.</summary>
    public int Count { get; private set; }

    /// <summary>The oldest unfinished chunk; -1 when there is none, or none is known yet.</summary>
    public int Oldest { get; private set; } = -1;

    public bool IsOver => _table.IsTerminal(Status);

    /// <summary>Moves the deal as a whole: before its first chunk, or out of the loop.</summary>
    public void Deal(DealStatus to)
    {
        _table.Step(Status, to);
        Append(to);
    }

    /// <summary>Says which chunks walk the loop. After a restart, with the stored walks from the oldest unfinished chunk on.</summary>
    public void Begin(WantedChunks wanted, int oldest, IEnumerable<KeyValuePair<int, ChunkWalk>> stored)
    {
        _wanted = wanted;
        Oldest = oldest;
        foreach ((int chunk, ChunkWalk walk) in stored)
        {
            if (chunk >= oldest)
                _chunks[chunk] = walk;
        }
    }

    public ChunkWalk Of(int chunk) =>
        _chunks.GetValueOrDefault(chunk)
        ?? (IsPast(chunk) ? new ChunkWalk([], Finished: true) : ChunkWalk.None);

    public DealStatus StatusOf(int chunk) => Of(chunk).Status;

    public bool IsFinished(int chunk) => Of(chunk).Finished;

    public bool IsFinal(int chunk) => chunk == _wanted?.Last;

    /// <summary>Moves one chunk.</summary>
    public ChunkWalk Chunk(int chunk, DealStatus to) => Move(chunk, to, finished: false);

    /// <summary>Ends one chunk's walk: back to Ongoing, or to Completed for the final chunk.</summary>
    public ChunkWalk Finish(int chunk) => Move(chunk, IsFinal(chunk) ? DealStatus.Completed : DealStatus.Ongoing, finished: true);

    /// <summary>The statuses that are new since the last call, to be stored.</summary>
    public IReadOnlyList<StatusRow> TakeNews()
    {
        StatusRow[] news = [.. _news];
        _news.Clear();
        return news;
    }

    private bool IsPast(int chunk) => _wanted is not null && (Oldest < 0 || chunk < Oldest);

    private ChunkWalk Move(int chunk, DealStatus to, bool finished)
    {
        ChunkWalk walk = Of(chunk);
        if (walk.Finished)
            throw new InvalidOperationException($"Chunk {chunk} has ended its walk and cannot become {to.FullName()}.");
        _table.Step(walk.Status, to);
        ChunkWalk moved = new([.. walk.Statuses, to], finished);
        _chunks[chunk] = moved;
        if (chunk == Oldest)
        {
            _table.Step(Status, to);
            Append(to);
            if (finished)
                PassOn();
        }
        return moved;
    }

    // Chunks that ran ahead have walked already; their walks join the history when their turn comes.
    private void PassOn()
    {
        while (Oldest >= 0 && Of(Oldest).Finished)
        {
            _chunks.Remove(Oldest);
            Oldest = _wanted!.FirstFrom(Oldest + 1);
            if (Oldest < 0)
                return;
            foreach (DealStatus status in Of(Oldest).Statuses)
            {
                _table.Step(Status, status);
                Append(status);
            }
        }
    }

    private void Append(DealStatus status)
    {
        Status = status;
        _news.Add(new StatusRow(_dealId, _side, Count++, status));
    }
}
