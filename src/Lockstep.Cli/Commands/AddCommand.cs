using System.CommandLine;
using Lockstep.Cli.Common;
using Lockstep.Cli.Proofs;
using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.UnixFs;
using Lockstep.Node.Hosting;

namespace Lockstep.Cli.Commands;

/// <summary><c>add</c>: takes a file, a folder or a CAR into the home, ready to be sold.</summary>
internal static class AddCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("add", "Take in a file, a folder or a CAR (a name that ends in .car), and print its CID.", "lockstep add photos --chunk-size 1MiB");
        var path = new Argument<string>("PATH") { Description = "The file, folder or CAR." };
        Option<long> chunkSize = Sizes.Option("--chunk-size", ImportOptions.DefaultChunkSize, "Bytes per leaf; a CAR keeps its own.", ImportOptions.MinChunkSize, ImportOptions.MaxChunkSize);
        var cold = new Option<bool>("--cold") { Description = "Put the chunks into a compressed archive; a buyer's deal unseals them." };
        var asFile = new Option<bool>("--no-car") { Description = "Import a .car as an ordinary file." };
        foreach (Symbol symbol in (Symbol[])[path, chunkSize, cold, asFile])
            ProofOptions.Add(command, symbol);
        command.SetBody((result, output, cancellation) =>
        {
            string source = result.GetValue(path)!;
            HomeFolder home = CommandKit.OpenHome(result);
            using ContentHome content = home.OpenContent();
            long total = SizeOf(source);
            using var line = new ProgressLine(output, "adding", total);
            long seen = 0;
            var progress = new SynchronousProgress<long>(read =>
            {
                line.Advance(read - seen);
                seen = read;
            });
            bool isCar = source.EndsWith(".car", StringComparison.OrdinalIgnoreCase) && !result.GetValue(asFile);
            Outcome<AddedContent> added = isCar
                ? content.AddCar(source, DateTimeOffset.UtcNow, progress, cancellation)
                : content.AddPath(source, new ImportOptions { ChunkSize = (int)result.GetValue(chunkSize) }, DateTimeOffset.UtcNow, progress, cancellation);
            RootRecord record = Unwrap(added).Record;
            if (result.GetValue(cold))
                record = Unwrap(content.Freeze(record.Root, null, cancellation));
            output.Result(
                new { cid = record.Root.ToString(), name = record.Name, size = record.Size, chunks = record.ChunkCount, cold = record.IsCold },
                $"{record.Root}  {record.Name}  {Sizes.Format(record.Size)} in {record.ChunkCount} chunks{(record.IsCold ? ", cold" : "")}");
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>The value, or its refusal as the command's one sentence.</summary>
    public static T Unwrap<T>(Outcome<T> outcome) => outcome.Try(out T? value, out ContentError? error)
        ? value
        : throw new CliException(ExitCodes.Local, error.Kind.ToString(), error.Message);

    private static long SizeOf(string path)
    {
        try
        {
            return Directory.Exists(path)
                ? new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length)
                : new FileInfo(path) is { Exists: true } file ? file.Length : 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Only the progress bar wants it; the import itself says what is wrong.
            return 0;
        }
    }

    private sealed class SynchronousProgress<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
