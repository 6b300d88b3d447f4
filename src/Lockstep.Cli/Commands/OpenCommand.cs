using System.CommandLine;
using Lockstep.Cli.Common;
using Lockstep.Cli.Proofs;
using Lockstep.Proofs;

namespace Lockstep.Cli.Commands;

/// <summary><c>open</c>: decrypts sealed chunks with revealed keys, by hand.</summary>
internal static class OpenCommand
{
    public static Command Create()
    {
        Command command = CommandKit.Create("open", "Decrypt what 'prove' sealed, with the revealed keys.", "lockstep open sealed --key keys.json -o photo.jpg");
        var folder = new Argument<string>("DIR") { Description = "The folder with statement.bin and ciphertext.bin." };
        var key = new Option<string[]>("--key") { Description = "A key (64 hexadecimal digits) or a keys.json; repeat it for several chunks.", Required = true, HelpName = "KEY" };
        Option<int> first = Numbers.Option("--chunk", 0, "The chunk that the first key opens.", 0, int.MaxValue);
        var target = new Option<string>("--out", "-o") { Description = "The file to write.", Required = true, HelpName = "FILE" };
        foreach (Symbol symbol in (Symbol[])[folder, key, first, target])
            ProofOptions.Add(command, symbol);
        command.SetBody((result, output, cancellation) =>
        {
            List<byte[]> keys = KeyFile.Parse(result.GetValue(key)!);
            string path = result.GetValue(target)!;
            if (File.Exists(path))
                throw new CliException(ExitCodes.Local, "exists", $"{path} exists already; name another file with -o.");
            string temporary = $"{path}.{Guid.NewGuid():N}.partial";
            int next = result.GetValue(first), at = 0, used = 0;
            long bytes = 0;
            try
            {
                using (FileStream file = File.Create(temporary))
                {
                    foreach (ProofFolder.Window window in new ProofFolder(result.GetValue(folder)!).Read())
                        for (int i = 0; i < window.Ciphertexts.Count; i++, at++)
                        {
                            cancellation.ThrowIfCancellationRequested();
                            if (at < next || used == keys.Count)
                                continue;
                            var plaintext = new byte[window.Ciphertexts[i].Length];
                            OpenResult opened = ChunkOpener.Open(window.Statement.Chunks[i], window.Statement.LockHash, keys[used++], window.Ciphertexts[i].Span, plaintext);
                            if (!opened.IsOpened)
                                throw new CliException(ExitCodes.Refused, opened.Status.ToString(), $"chunk {at}: {opened.Message}");
                            file.Write(plaintext);
                            bytes += plaintext.Length;
                        }

                    file.Flush(flushToDisk: true);
                }

                if (used < keys.Count)
                    throw new CliException(ExitCodes.Refused, "key", $"{keys.Count - used} keys are left over: the folder has {at} chunks.");
                File.Move(temporary, path);
            }
            finally
            {
                KeyFile.Clear(keys);
                File.Delete(temporary);
            }

            output.Result(new { bytes, chunks = used, path }, $"opened {used} chunks, {Sizes.Format(bytes)}, into {path}");
            return ExitCodes.Ok;
        });
        return command;
    }
}
