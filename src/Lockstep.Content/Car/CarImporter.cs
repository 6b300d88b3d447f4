using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;

namespace Lockstep.Content.Car;

/// <summary>What a CAR held.</summary>
/// <param name="Root">The CAR's only root.</param>
/// <param name="Manifest">The whole graph below it, every block of which was in the CAR or the store.</param>
public sealed record CarImportResult(Cid Root, DagManifest Manifest);

/// <summary>Takes the blocks of a CAR made by any tool into a store, unchanged.</summary>
public static class CarImporter
{
    /// <summary>
    /// Reads the CAR to its end and checks that the graph below its root is whole. Nothing enters the store unless everything is sound.
    /// Memory is one section and the CIDs of the graph.
    /// </summary>
    /// <param name="progress">Told the bytes of the CAR read so far.</param>
    /// <exception cref="OperationCanceledException">The caller cancelled; nothing was stored.</exception>
    public static Outcome<CarImportResult> Import(
        Stream car, BlockStore store, DagLimits? limits = null, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (!CarReader.Open(car).Try(out CarReader? reader, out ContentError? error))
            return error;
        if (reader.Roots.Count != 1)
            return new ContentError(
                ContentErrorKind.BadCarHeader,
                $"The CAR names {reader.Roots.Count} roots; content has exactly one, so make a CAR with a single root.");
        if (!store.BeginBatch().Try(out BlockBatch? batch, out error))
            return error;
        using (batch)
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                if (!reader.ReadNext().Try(out CarBlock? next, out error))
                    return error;
                if (next is not { } block)
                    break;
                if (batch.Put(block.Cid, block.Bytes.Span) is { } refusal)
                    return refusal;
                progress?.Report(reader.Position);
            }

            Cid root = reader.Roots[0];
            if (!DagWalker.Walk(batch, root, limits, cancellation).Try(out DagManifest? manifest, out error))
                return error.Kind == ContentErrorKind.MissingBlock
                    ? new ContentError(ContentErrorKind.MissingBlock, $"The CAR is not whole: {error.Message}")
                    : error;
            return batch.Commit() is { } failure ? failure : new CarImportResult(root, manifest);
        }
    }
}
