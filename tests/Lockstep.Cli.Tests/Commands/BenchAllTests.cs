using System.Text.Json;
using Lockstep.Cli.Tests.Support;

namespace Lockstep.Cli.Tests.Commands;

/// <summary>The shape of what <c>bench all</c> writes, on tiny windows; no time is looked at.</summary>
public class BenchAllTests
{
    private const string Peer =
        """{"what":"peer-circom","proofSystem":"Groth16 over BN254","bytes":55,"constraints":31000,"setupSeconds":60.5,"provingKeyBytes":20000000,"proveSeconds":2,"verifySeconds":0.02,"proofBytes":256,"bytesPerSecond":27.5}""";

    [Fact]
    public async Task EveryFigureIsThereAndAllInstructionsMakeTheSameBytes()
    {
        JsonElement all = (await Support.Lockstep.RunAsync("bench", "all", "--quick", "--json")).Ok().Json;
        Assert.True(all.GetProperty("quick").GetBoolean());
        Assert.True(all.GetProperty("identicalBytes").GetBoolean());
        Assert.NotEqual("", all.GetProperty("machine").GetProperty("processor").GetString());
        string[] digests = [.. all.GetProperty("digests").EnumerateArray().Select(digest => digest.GetProperty("sha256").GetString()!)];
        Assert.Equal(4, digests.Length);
        Assert.Matches("^[0-9a-f]{64}$", Assert.Single(digests.Distinct()));
        foreach (string table in (string[])["windows", "chunks", "reading", "paths"])
        {
            Assert.NotEqual(0, all.GetProperty(table).GetArrayLength());
            foreach (JsonElement row in all.GetProperty(table).EnumerateArray())
                foreach (string figure in (string[])["mibPerSecond", "seconds", "proofBytes", "peakRssBytes"])
                    Assert.True(row.GetProperty(figure).GetDouble() > 0, $"{table}: {figure}");
        }

        Assert.Equal(2, all.GetProperty("windows").EnumerateArray().Select(row => row.GetProperty("suite").GetString()).Distinct().Count());
        Assert.Equal("portable", all.GetProperty("paths").EnumerateArray().Last().GetProperty("vectorPath").GetString());
        Assert.Equal("get", all.GetProperty("purchases").GetProperty("what").GetString());

        // What hides is a part of the proof, and not all of it.
        foreach (JsonElement row in all.GetProperty("zeroKnowledge").EnumerateArray())
        {
            long proof = all.GetProperty("windows").EnumerateArray().First(window => window.GetProperty("suite").GetString() == row.GetProperty("suite").GetString()).GetProperty("proofBytes").GetInt64();
            Assert.InRange(row.GetProperty("hidingBytes").GetInt64(), 1, proof - 1);
        }
    }

    [Fact]
    public async Task TheDocumentHasItsTablesAndThePeersRun()
    {
        using var folder = new TemporaryFolder();
        string peer = folder.File("peer.json");
        await File.WriteAllTextAsync(peer, Peer, TestContext.Current.CancellationToken);
        string document = (await Support.Lockstep.RunAsync("bench", "all", "--quick", "--markdown", "--peer", peer)).Ok().Output;
        Assert.StartsWith("# Benchmarks\n", document.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        foreach (string title in (string[])["Sealing and proving", "By chunk size", "Verifying and opening", "By instructions", "Whole purchases", "The price of zero knowledge", "Where the time goes", "How cost grows", "Peers"])
            Assert.Contains($"\n## {title}", document.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("say nothing about speed", document, StringComparison.Ordinal);
        Assert.Contains("zkPoD", document, StringComparison.Ordinal);
        Assert.Contains("31,000", document, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", document, StringComparison.Ordinal);

        // Every row of a table has as many cells as its head.
        int? cells = null;
        foreach (string line in document.ReplaceLineEndings("\n").Split('\n'))
        {
            int? here = line.StartsWith('|') ? line.Count(letter => letter == '|') : null;
            Assert.True(cells is null || here is null || here == cells, line);
            cells = here;
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("not json")]
    [InlineData("[]")]
    public async Task WhatIsNoPeersRunIsRefusedBeforeAnythingIsMeasured(string text)
    {
        using var folder = new TemporaryFolder();
        string peer = folder.File("peer.json");
        await File.WriteAllTextAsync(peer, text, TestContext.Current.CancellationToken);
        (await Support.Lockstep.RunAsync("bench", "all", "--peer", peer)).Failed(2, "is not what benchmarks/peer-circom/run prints");
    }

    [Fact]
    public async Task TwoFormsAtOnceAreRefused() =>
        (await Support.Lockstep.RunAsync("bench", "all", "--markdown", "--json")).Failed(2, "exclude each other");
}
