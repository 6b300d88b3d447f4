using System.Globalization;
using System.Text.Json;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Content.Tests.Support;
using Lockstep.Content.UnixFs;
using Lockstep.Tests.Support;

namespace Lockstep.Content.Tests;

/// <summary>Root CIDs equal those of ipfs-unixfs-importer: the committed table always, the package itself where node is.</summary>
public class UnixFsRootTests
{
    private const string Table = "unixfs-roots.v1.json";

    public static TheoryData<string> CaseNames()
    {
        using JsonDocument table = TestContent.ReadVector(Table);
        var names = new TheoryData<string>();
        foreach (JsonElement test in table.RootElement.GetProperty("cases").EnumerateArray())
            names.Add(test.GetProperty("id").GetString()!);
        return names;
    }

    [Theory]
    [MemberData(nameof(CaseNames))]
    public void Root_equals_the_committed_table(string id)
    {
        using JsonDocument table = TestContent.ReadVector(Table);
        JsonElement test = table.RootElement.GetProperty("cases").EnumerateArray().Single(c => c.GetProperty("id").GetString() == id);
        Outcome<ImportResult> result = Import(test, new HashOnlySink());
        Assert.Null(result.Error);
        Assert.Equal(test.GetProperty("root").GetString(), result.Value.Root.ToString());
    }

    [Fact]
    public void The_committed_table_is_what_the_importer_makes_today()
    {
        using JsonDocument found = NodeOracle.Run("content-oracle.mjs", "roots", TestContent.VectorPath(Table));
        using JsonDocument table = TestContent.ReadVector(Table);
        int compared = 0;
        foreach (JsonElement test in table.RootElement.GetProperty("cases").EnumerateArray())
        {
            string id = test.GetProperty("id").GetString()!;
            Assert.Equal((id, test.GetProperty("root").GetString()), (id, found.RootElement.GetProperty(id).GetString()));
            compared++;
        }

        Assert.True(compared >= 40, $"only {compared} combinations");
    }

    private static Outcome<ImportResult> Import(JsonElement test, IBlockSink sink)
    {
        var options = new ImportOptions
        {
            ChunkSize = test.GetProperty("chunkSize").GetInt32(),
            MaxLinks = test.TryGetProperty("maxLinks", out JsonElement links) ? links.GetInt32() : ImportOptions.LinksPerNode,
            AnyChunkSize = true,
        };
        var importer = new UnixFsImporter(sink, options);
        if (!test.TryGetProperty("folder", out JsonElement folder))
            return importer.ImportStream(new MemoryStream(TestContent.Bytes(test.GetProperty("size").GetInt32(), test.GetProperty("seed").GetInt32())));
        using var temporary = new TemporaryFolder();
        string root = Directory.CreateDirectory(temporary.Combine("root")).FullName;
        foreach (JsonElement entry in folder.EnumerateArray())
        {
            int count = entry.TryGetProperty("count", out JsonElement repeat) ? repeat.GetInt32() : 1;
            for (int n = 0; n < count; n++)
            {
                string path = "root/" + entry.GetProperty("path").GetString()!.Replace("#", n.ToString("D5", CultureInfo.InvariantCulture), StringComparison.Ordinal);
                if (entry.TryGetProperty("size", out JsonElement size))
                    temporary.Write(path, TestContent.Bytes(size.GetInt32(), entry.GetProperty("seed").GetInt32() + n));
                else
                    Directory.CreateDirectory(temporary.Combine(path.Split('/')));
            }
        }

        return importer.ImportPath(root);
    }

    /// <summary>Checks each block as a store does, and keeps none.</summary>
    private sealed class HashOnlySink : IBlockSink
    {
        public ContentError? Put(Cid cid, ReadOnlySpan<byte> block) => BlockLimits.Refuse(cid, block);
    }
}
