using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;

namespace Lockstep.Content.Car;

/// <summary>Writes a whole graph, of whatever codecs, as a CAR version 1: one root, blocks in pre-order, each once.</summary>
public static class CarExporter
{
    /// <summary>Writes the graph below <paramref name="root"/> to a file that appears only when it is whole.</summary>
    /// <param name="overwrite">Whether an existing destination is replaced; else it is an error.</param>
    /// <exception cref="OperationCanceledException">The caller cancelled; nothing was left.</exception>
    public static Outcome<DagManifest> Export(
        IBlockSource source, Cid root, string destination, bool overwrite = false, DagLimits? limits = null, CancellationToken cancellation = default)
    {
        if (!AtomicDestination.Prepare(destination, overwrite).Try(out AtomicDestination? target, out ContentError? error))
            return error;
        using (target)
        {
            try
            {
                Outcome<DagManifest> written;
                using (var file = new FileStream(target.TemporaryPath, FileMode.CreateNew, FileAccess.Write, FileShare.None))
                {
                    written = Write(source, root, file, limits, cancellation);
                    file.Flush(flushToDisk: true);
                }

                if (!written.IsOk)
                    return written;
                return target.Commit() is { } failure ? failure : written;
            }
            catch (Exception failure) when (ContentError.IsIo(failure))
            {
                return ContentError.FromIo($"write the CAR '{destination}'", failure);
            }
        }
    }

    /// <summary>Looks whether <see cref="Export"/> would write what is at <paramref name="destination"/> already. Nothing is changed.</summary>
    /// <returns>The graph; <see cref="ContentErrorKind.DestinationExists"/> when what is there differs.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public static Outcome<DagManifest> Compare(
        IBlockSource source, Cid root, string destination, DagLimits? limits = null, CancellationToken cancellation = default)
    {
        try
        {
            if (!FileSystem.IsRegularFile(destination))
                return Differs(destination);
            using var file = new ComparedFile(destination);
            Outcome<DagManifest> written = Write(source, root, file, limits, cancellation);
            return written.IsOk && !file.IsSame ? Differs(destination) : written;
        }
        catch (Exception failure) when (ContentError.IsIo(failure))
        {
            return ContentError.FromIo($"compare '{destination}'", failure);
        }
    }

    /// <summary>Writes the graph to a stream; errors of the stream reach the caller as they are.</summary>
    public static Outcome<DagManifest> Write(
        IBlockSource source, Cid root, Stream stream, DagLimits? limits = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(root);
        if (!DagWalker.WalkInOrder(source, root, limits, cancellation).Try(out var walk, out ContentError? error))
            return error;
        var writer = new CarWriter(stream, [root]);
        foreach (Cid cid in walk.Order)
        {
            cancellation.ThrowIfCancellationRequested();

            // A block of no bytes may never have been stored: its name is enough.
            if (cid.NamesEmptyBlock)
                writer.Write(cid, []);
            else if (!source.Get(cid).Try(out byte[]? block, out error))
                return error;
            else
                writer.Write(cid, block);
        }

        return walk.Manifest;
    }

    private static ContentError Differs(string destination) =>
        new(ContentErrorKind.DestinationExists, $"'{destination}' is not the content's CAR; choose another name, or ask to replace it.");
}
