using System.Net;
using Lockstep.Content.Cids;
using Lockstep.Node.Identity;
using Lockstep.Node.Storage;
using Lockstep.Payments;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Terms;

namespace Lockstep.Node.Client;

/// <summary>What to buy, from whom, and on which terms. What is null is chosen from what the provider offers.</summary>
public sealed record RetrievalRequest(Cid Root, ProviderAddress Provider)
{
    /// <summary>The most the deal may cost; null for what the provider asks now.</summary>
    public TokenAmount? MostToPay { get; init; }

    public LockHashKind? LockHash { get; init; }

    public string? SuiteId { get; init; }

    /// <summary>Locks that may be open at once, each on a lane of its own.</summary>
    public int OpenLocks { get; init; } = 1;

    /// <summary>Chunks under one proof.</summary>
    public int? ChunksPerWindow { get; init; }

    public long? LockExpiryEpochs { get; init; }

    /// <summary>Stay parked when money is missing, instead of stopping; the deal can be gone on with in both cases.</summary>
    public bool WaitForFunds { get; init; }

    /// <summary>Where the file or folder goes; null to leave the blocks in the home only.</summary>
    public string? Output { get; init; }

    /// <summary>Write a CAR with every block instead of files: for what cannot be a file, and to carry it on.</summary>
    public bool AsCar { get; init; }

    /// <summary>Replace what is at <see cref="Output"/>.</summary>
    public bool Overwrite { get; init; }

    /// <summary>A place to connect to instead of the provider's own, such as a delaying proxy; the provider's key is checked all the same.</summary>
    public EndPoint? Through { get; init; }
}

/// <summary>How far a purchase is.</summary>
/// <param name="Deal">The deal; null while none was made.</param>
/// <param name="Status">Its status; null while there is none.</param>
/// <param name="BytesReceived">Content bytes that were bought and opened in this deal.</param>
/// <param name="BytesTotal">Content bytes that the deal buys; 0 while unknown.</param>
/// <param name="Paid">What the keys in hand have cost.</param>
/// <param name="BytesPerSecond">Content bytes per second since the first chunk of this run; 0 before.</param>
/// <param name="Remaining">Estimated time left; null while unknown.</param>
/// <param name="Unsealed">Bytes that the provider has brought back from cold storage, and of how many.</param>
/// <param name="Sentence">Something to tell the user; null when there is nothing.</param>
public sealed record RetrievalProgress(
    DealId? Deal, DealStatus? Status, long BytesReceived, long BytesTotal, TokenAmount Paid, double BytesPerSecond, TimeSpan? Remaining,
    (long Done, long Total)? Unsealed, string? Sentence);

/// <summary>A purchase that is whole.</summary>
/// <param name="Deal">The deal as stored; null when everything was held already, so that none was made.</param>
/// <param name="History">Every status that the deal passed through.</param>
/// <param name="Traffic">What this run moved.</param>
public sealed record RetrievalResult(ClientDealRow? Deal, IReadOnlyList<StatusEntry> History, Traffic Traffic)
{
    /// <summary>True when the content stood at the output already, so that nothing was written.</summary>
    public bool OutputWasThere { get; init; }
}

/// <summary>Bytes of one run.</summary>
/// <param name="WireBytes">All messages of the exchange in both directions, before HTTP/2 and TLS wrap them.</param>
/// <param name="ProofBytes">The proofs among them.</param>
/// <param name="MessagesIn">Messages received.</param>
/// <param name="MessagesOut">Messages sent.</param>
public readonly record struct Traffic(long WireBytes, long ProofBytes, long MessagesIn, long MessagesOut);

/// <summary>What a provider asks for a content, and what it would cost.</summary>
/// <param name="Content">Null when it does not have the content, or none was asked about.</param>
/// <param name="Ask">The terms.</param>
/// <param name="Total">Price of all chunks and of bringing them in; null without content.</param>
/// <param name="Message">What the provider adds for people; empty when nothing.</param>
public sealed record AskResult(ContentSummary? Content, ProviderAsk Ask, TokenAmount? Total, string Message);
