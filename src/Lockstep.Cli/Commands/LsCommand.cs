using System.CommandLine;
using Lockstep.Cli.Common;
using Lockstep.Content;
using Lockstep.Content.Blocks;

namespace Lockstep.Cli.Commands;

/// <summary><c>ls</c>: the content of the home.</summary>
internal static class LsCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("ls", "List the content of the home.", "lockstep ls --json");
        command.SetBody((result, output, _) =>
        {
            using ContentHome content = CommandKit.OpenHome(result).OpenContent();
            var records = new List<RootRecord>();
            foreach (Outcome<RootRecord> entry in content.Roots.List())
            {
                // One damaged record must not hide the others.
                if (entry.Try(out RootRecord? record, out ContentError? error))
                    records.Add(record);
                else
                    Console.Error.WriteLine($"warning: {error.Message}");
            }

            output.Result(
                records.Select(r => new { cid = r.Root.ToString(), name = r.Name, size = r.Size, chunks = r.ChunkCount, cold = r.IsCold, addedAt = r.AddedAt }).ToArray(),
                records.Count == 0
                    ? ["no content yet; add some with 'lockstep add PATH'"]
                    : records.Select(r => $"{r.Root}  {Sizes.Format(r.Size),12}  {r.ChunkCount,7} chunks  {(r.IsCold ? "cold" : "    ")}  {r.Name}"));
            return ExitCodes.Ok;
        });
        return command;
    }
}
