using System.Collections.Concurrent;
using Lockstep.Content;
using Lockstep.Content.Blocks;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;
using Lockstep.Node.Hosting;
using Lockstep.Payments;
using Lockstep.Proofs;
using Lockstep.Proofs.Soundness;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Node.Provider;

/// <summary>What a provider sells and at which terms. Only roots that were added are sold; a walk over a root is done once.</summary>
internal sealed class Catalog(ContentHome content, NodeSettings settings, ProviderAsk ask)
{
    private const int MaxRemembered = 1024;
    private readonly ConcurrentDictionary<Cid, (RootRecord Record, DagManifest Manifest)> _walked = new();

    /// <summary>What is here of a content; null when it is not sold here.</summary>
    public ContentSummary? Find(Cid root) => ManifestOf(root) is { } found
        ? new ContentSummary(found.Manifest.ChunkBytes, found.Manifest.Chunks.Count, found.Manifest.LinkBlocks.Count, found.Record.IsCold)
        : null;

    /// <summary>
    /// The terms for one content, or in general. The chunks of a window are bounded so that the largest of them together
    /// stay within the prover's window, since its memory grows with it, and so that every suite has a shape for them whose
    /// proof is within the bounds of verifiers.
    /// </summary>
    public ProviderAsk AskFor(Cid? root)
    {
        long largest = root is not null && ManifestOf(root) is { } found && found.Manifest.Chunks.Count > 0
            ? found.Manifest.Chunks.Max(chunk => chunk.Length)
            : BlockLimits.MaxLeafBytes;
        long fitting = Math.Clamp(settings.ProofWindowBytes / largest, 1, WireLimits.MaxChunksPerWindow);
        foreach (Suite suite in ask.Suites.Select(Suites.Find).OfType<Suite>())
        {
            fitting = Math.Min(fitting, VerifierPolicy.Default.MostChunks(suite, (int)largest, settings.ProofWindowBytes));
            while (fitting > 1 && WindowSealer.MemoryNeeded(suite, [.. Enumerable.Repeat((int)largest, (int)fitting)]) > settings.ProverMemoryBytes)
                fitting--;
        }

        return ask with { MaxChunksPerWindow = (int)fitting };
    }

    /// <summary>A content's record and graph; null when it is not sold here.</summary>
    public (RootRecord Record, DagManifest Manifest)? ManifestOf(Cid root)
    {
        if (!content.Roots.Get(root).Try(out RootRecord? record, out _))
            return null;
        if (_walked.TryGetValue(root, out (RootRecord Record, DagManifest Manifest) known) && known.Record == record)
            return known;
        if (!content.ManifestOf(root).Try(out DagManifest? manifest, out _) || manifest.Chunks.Any(chunk => chunk.Length == 0))
            return null;
        if (_walked.Count >= MaxRemembered)
            _walked.Clear();
        return _walked[root] = (record, manifest);
    }
}
