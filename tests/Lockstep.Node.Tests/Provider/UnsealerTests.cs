using Lockstep.Content;
using Lockstep.Content.Car;
using Lockstep.Content.Cids;
using Lockstep.Content.UnixFs;
using Lockstep.Node.Hosting;
using Lockstep.Node.Provider;
using Lockstep.Node.Tests.Support;

namespace Lockstep.Node.Tests.Provider;

public sealed class UnsealerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ContentHome _content;
    private readonly Cid _root;

    public UnsealerTests()
    {
        byte[] bytes = new byte[1_500_001];
        new Random(5).NextBytes(bytes);
        File.WriteAllBytes(_folder.File("file.bin"), bytes);
        _content = ContentHome.Open(_folder.File("content")).Value;
        _root = _content.AddPath(_folder.File("file.bin"), new ImportOptions(), DateTimeOffset.UnixEpoch, cancellation: Cancellation).Value.Record.Root;
        Assert.True(CarExporter.Export(_content.Blocks, _root, _folder.File("copy.car"), cancellation: Cancellation).IsOk);
        Assert.True(_content.Freeze(_root, cancellation: Cancellation).IsOk);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _content.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task TheArchiveInTheHomeIsBroughtBackWithProgress()
    {
        using Unsealer unsealer = Make([]);
        var seen = new Reports();
        Assert.True(unsealer.IsCold(_root));
        string?[] results = await Task.WhenAll(unsealer.UnsealAsync(_root, seen, Cancellation), unsealer.UnsealAsync(_root, null, Cancellation));
        Assert.All(results, Assert.Null);
        Assert.False(unsealer.IsCold(_root));
        Assert.Equal(6, _content.ManifestOf(_root).Value.Chunks.Count(chunk => _content.Blocks.Has(chunk.Cid)));
        Assert.Equal(1_500_001, seen.All.Max(report => report.Done));
    }

    [Fact]
    public async Task AProgramBringsItBackAsACar()
    {
        using Unsealer unsealer = Make(["sh", "-c", $"""test "$1" = {_root} && cp '{_folder.File("copy.car")}' "$2" """, "unseal"]);
        Assert.Null(await unsealer.UnsealAsync(_root, null, Cancellation));
        Assert.False(unsealer.IsCold(_root));
        Assert.Equal("file.bin", _content.Roots.Get(_root).Value.Name);
        Assert.Empty(Directory.GetFiles(_folder.File("work")));
    }

    [Theory]
    [InlineData("echo the tape is torn >&2; exit 3", "failed with exit code 3: the tape is torn")]
    [InlineData("exit 0", "cannot be used")]
    [InlineData("echo nonsense > \"$2\"", "cannot be used")]
    public async Task AProgramThatFailsIsQuoted(string script, string expected)
    {
        using Unsealer unsealer = Make(["sh", "-c", script, "unseal"]);
        Assert.Contains(expected, await unsealer.UnsealAsync(_root, null, Cancellation), StringComparison.Ordinal);
        Assert.True(unsealer.IsCold(_root));
    }

    [Fact]
    public async Task AProgramThatIsMissingIsNamed()
    {
        using Unsealer unsealer = Make(["/no/such/program"]);
        Assert.Contains("'/no/such/program' could not be started", await unsealer.UnsealAsync(_root, null, Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AProgramThatHangsIsEndedAtTheLimit()
    {
        using Unsealer unsealer = Make(["sh", "-c", "sleep 600", "unseal"], limitSeconds: 1);
        Assert.Contains("longer than the 1 s", await unsealer.UnsealAsync(_root, null, Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACallerThatCancelsIsNotToldOfALimit()
    {
        using Unsealer unsealer = Make(["sh", "-c", "sleep 600", "unseal"]);
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<string?> run = unsealer.UnsealAsync(_root, null, cancelled.Token);
        cancelled.CancelAfter(300);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    private Unsealer Make(IReadOnlyList<string> command, int limitSeconds = 60) => new(
        _content, new NodeSettings { UnsealCommand = command, UnsealLimitSeconds = limitSeconds }, TimeProvider.System, _folder.File("work"));

    private sealed class Reports : IProgress<UnsealingProgress>
    {
        public List<UnsealingProgress> All { get; } = [];

        public void Report(UnsealingProgress value)
        {
            lock (All)
                All.Add(value);
        }
    }
}
