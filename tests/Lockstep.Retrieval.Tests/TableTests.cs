using Lockstep.Retrieval.Deals;

namespace Lockstep.Retrieval.Tests;

public sealed class TableTests
{
    // A copy of the given rows, kept apart from the tables on purpose.
    private const string GivenClient = """
        (start)>New>ClientRetrieve
        New>WaitAcceptance>proposal sent
        WaitAcceptance>Accepted>provider accepted
        Accepted>PaymentChannelCreating>
        PaymentChannelCreating>ChannelAllocatingLane>channel exists and holds enough
        ChannelAllocatingLane>Ongoing>warm-up done; retrieval begins
        Ongoing>WaitingBlock>a chunk is expected
        WaitingBlock>VerifyProofs>chunk, lock and proof arrived
        VerifyProofs>SendFunds>`Proof(c,k,y)` verified
        SendFunds>CheckFunds>hash-locked voucher sent (redeemable only if the key is revealed)
        CheckFunds>Ongoing>key received and checked, chunk decrypted; more to come
        Ongoing>BlockComplete>the final chunk arrived
        BlockComplete>VerifyProofs>
        CheckFunds>Completed>all chunks received
        Completed>(end)>
        """;

    private const string GivenProvider = """
        (start)>New>RetrievalOrder
        New>Unsealing>
        Unsealing>Unsealed>the content is readable (cold content was brought in)
        Unsealed>Ongoing>
        Ongoing>Encrypt>next chunk: `c = Enc_k(data)`
        Encrypt>GenerateProof>`Proof(c, k, y)`, `y = sha(k)`
        GenerateProof>FundsNeeded>waits for the client's voucher
        FundsNeeded>RevealKey>a valid, covered, locked voucher is stored
        RevealKey>Ongoing>key sent; more to come
        Ongoing>BlockComplete>the final chunk
        BlockComplete>Encrypt>
        RevealKey>Completed>last key sent
        Completed>(end)>settlement of the channel is a manual act, outside the machine
        """;

    public static TheoryData<string> Sides => ["client", "provider"];

    [Theory]
    [MemberData(nameof(Sides))]
    public void TheGivenRowsAreExactAndFirst(string side)
    {
        TransitionTable table = Table(side);
        string[] given = (side == "client" ? GivenClient : GivenProvider).Split('\n', StringSplitOptions.TrimEntries);
        Transition[] rows = [.. table.GivenRows];
        Assert.Equal(given.Length, rows.Length);
        for (int i = 0; i < given.Length; i++)
        {
            string[] parts = given[i].Split('>');
            Assert.Equal(parts[0], rows[i].From?.ToString() ?? "(start)");
            Assert.Equal(parts[1], rows[i].To?.ToString() ?? "(end)");
            if (parts[2].Length > 0)
                Assert.Equal(parts[2], rows[i].When);
        }
    }

    [Theory]
    [MemberData(nameof(Sides))]
    public void EveryStatusIsReachableAndHasAnExitAndEachArrowIsDeclaredOnce(string side)
    {
        TransitionTable table = Table(side);
        var reached = new HashSet<DealStatus> { table.Initial };
        while (table.Statuses.Any(status => !reached.Contains(status) && reached.Any(from => table.Allows(from, status))))
            reached.UnionWith(table.Statuses.Where(status => reached.Any(from => table.Allows(from, status))));
        Assert.Equal(table.Statuses.Order(), reached.Order());
        foreach (DealStatus status in table.Statuses)
        {
            Assert.Equal(table.IsTerminal(status), !table.After(status).Any());
            if (!table.IsTerminal(status))
                Assert.Contains(DealStatus.Errored, table.After(status));
        }
        Assert.Equal(table.Rows.Count, table.Rows.Select(row => (row.From, row.To)).Distinct().Count());
        Assert.All(table.Rows, row => Assert.NotEmpty(row.When));
    }

    [Theory]
    [MemberData(nameof(Sides))]
    public void TheDiagramHasEveryRow(string side)
    {
        TransitionTable table = Table(side);
        string[] lines = table.ToMermaid().TrimEnd('\n').Split('\n');
        Assert.Equal(1 + table.Rows.Count, lines.Length);
        Assert.Equal("stateDiagram-v2", lines[0]);
        Assert.Equal($"    [*] --> DealStatusNew : {table.Rows[0].Event}", lines[1]);
        Assert.Equal(1 + table.GivenRows.Count(), table.ToMermaid(givenOnly: true).TrimEnd('\n').Split('\n').Length);
    }

    [Theory]
    [MemberData(nameof(Sides))]
    public void TheDocumentationShowsTheTableAsItIs(string side)
    {
        string text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "deal.md")).ReplaceLineEndings("\n");
        Assert.Contains(Table(side).ToMermaid(), text, StringComparison.Ordinal);
        Assert.Contains(Table(side).ToMarkdown(), text, StringComparison.Ordinal);
    }

    [Fact]
    public void AStepOutsideTheTableIsAFaultOfTheProgram()
    {
        Assert.Throws<InvalidOperationException>(() => ClientTable.Table.Step(DealStatus.WaitingBlock, DealStatus.CheckFunds));
        Assert.False(ProviderTable.Table.IsWalk([DealStatus.New, DealStatus.Ongoing]));
    }

    [Fact]
    public void NamesAreReadBackExactly()
    {
        foreach (DealStatus status in Enum.GetValues<DealStatus>())
        {
            Assert.True(DealStatusNames.TryParse(status.FullName(), out DealStatus read));
            Assert.Equal(status, read);
        }
        foreach (string bad in new[] { "", "DealStatus", "DealStatus7", "DealStatusnew", "New", "DealStatusNope", "DealStatusNew,Accepted" })
            Assert.False(DealStatusNames.TryParse(bad, out _), bad);
    }

    [Fact]
    public void ADealShowsItsOldestUnfinishedChunk()
    {
        var walk = new StatusWalk(ProviderTable.Table, default, DealSide.Provider);
        foreach (DealStatus status in new[] { DealStatus.Unsealing, DealStatus.Unsealed })
            walk.Deal(status);
        walk.Begin(WantedChunks.Where(5, chunk => chunk is 1 or 2 or 4), 1, []);
        walk.Deal(DealStatus.Ongoing);
        DealStatus[] sealing = [DealStatus.Encrypt, DealStatus.GenerateProof, DealStatus.FundsNeeded];
        foreach (int chunk in new[] { 1, 2 })
        {
            foreach (DealStatus status in sealing)
                walk.Chunk(chunk, status);
        }
        // The second and the final chunk end before the first.
        walk.Chunk(2, DealStatus.RevealKey);
        walk.Finish(2);
        foreach (DealStatus status in sealing.Prepend(DealStatus.BlockComplete).Append(DealStatus.RevealKey))
            walk.Chunk(4, status);
        walk.Finish(4);
        Assert.Equal(DealStatus.FundsNeeded, walk.Status);
        walk.Chunk(1, DealStatus.RevealKey);
        walk.Finish(1);
        Assert.True(walk.IsOver);
        DealStatus[] history = [.. walk.TakeNews().Select(row => row.Status)];
        Assert.True(ProviderTable.Table.IsWalk(history));
        Assert.Equal(3, history.Count(status => status == DealStatus.RevealKey));
        Assert.Throws<InvalidOperationException>(() => walk.Chunk(2, DealStatus.Encrypt));
    }

    private static TransitionTable Table(string side) => side == "client" ? ClientTable.Table : ProviderTable.Table;
}
