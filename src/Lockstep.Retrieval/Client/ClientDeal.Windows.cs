using Lockstep.Content;
using Lockstep.Content.Cids;
using Lockstep.Content.Dag;
using Lockstep.Payments;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Terms;
using static Lockstep.Retrieval.Deals.DealStatus;

namespace Lockstep.Retrieval.Client;

// What comes in: link blocks in clear, then windows of sealed chunks.
public sealed partial class ClientDeal
{
    private readonly Dictionary<int, IncomingWindow> _verifying = [];
    private DagWalker? _walker;
    private DagManifest? _manifest;
    private long? _wantedBytes;
    private IncomingWindow? _incoming;
    private int _windowsOnStream;
    private int _granted;
    private bool _unsealAsked;

    // Link blocks are checked as they come, and kept, so that a restart finds them in the store.
    private void LearnLocalLinks()
    {
        if (_walker is not null)
            return;
        _walker = new DagWalker(_row.Proposal.PayloadCid);
        var open = new Stack<Cid>([_row.Proposal.PayloadCid]);
        while (open.TryPop(out Cid? cid))
        {
            if (_walker.StateOf(cid) != DagBlockState.Needed || !_context.Content.Get(cid).Try(out byte[]? block, out _)
                || !_walker.Offer(cid, block).Try(out IReadOnlyList<DagLink>? links, out _))
                continue;
            for (int i = links.Count - 1; i >= 0; i--)
                open.Push(links[i].Cid);
        }
        TryCompleteLinks();
    }

    private void TryCompleteLinks()
    {
        if (_manifest is not null || _row.Content is not { } content || _walker is null)
            return;
        // A content without link blocks is one chunk, the root, and its size is the chunk's length.
        bool isOneChunk = content is { LinkBlockCount: 0, ChunkCount: 1 } && !_row.Proposal.PayloadCid.NamesEmptyBlock;
        if (isOneChunk && _walker.ClaimChunk(_row.Proposal.PayloadCid, content.Size) is { } refusal)
        {
            Stop(Errored, refusal.Message);
            return;
        }
        if (!_walker.IsComplete || !_walker.ToManifest().Try(out DagManifest? manifest, out _))
            return;
        if (manifest.Chunks.Count != content.ChunkCount || manifest.ChunkBytes != content.Size)
        {
            Stop(Errored, $"The content has {manifest.ChunkBytes} bytes in {manifest.Chunks.Count} chunks; the provider accepted {content.Size} in {content.ChunkCount}. Ask again.");
            return;
        }
        _manifest = manifest;
        _wantedBytes = Wanted is { } wanted
            ? manifest.Chunks.Where((_, index) => wanted.Contains(index)).Sum(chunk => chunk.Length)
            : manifest.Chunks.Where(chunk => !IsHeld(chunk.Cid)).Sum(chunk => chunk.Length);
    }

    private bool IsHeld(Cid cid) => _context.Content.GetLength(cid).IsOk;

    private long PlannedBytes() => _wantedBytes ?? _row.Content?.Size ?? 0;

    // Null after a restart, for a chunk that was not offered yet, until the links are known again.
    private TokenAmount? PriceOfChunk(int chunk) =>
        (_manifest?.Chunks[chunk].Length ?? _chunks.GetValueOrDefault(chunk)?.Offered?.Length) is { } length ? Terms.PriceOf(length) : null;

    private void OnDealState(ProviderMessage.DealState state)
    {
        // The deal ended over there while this side was away. Keys of open locks are still given, and waited for.
        if (state.Status is ProviderCancelled or Cancelled or Errored or Rejected)
        {
            Stop(state.Status == ProviderCancelled ? ProviderCancelled : Errored, $"The provider ended the deal as {state.Status.FullName()} in the meantime; get the content again to buy the rest.");
            return;
        }
        _peerShortfall = state.Shortfall;
        if (state.Status == FundsNeededUnseal && _walk.Status == ChannelAllocatingLane && !_row.UnsealDue.IsZero)
        {
            _unsealAsked = true;
            PayUnseal();
        }
        if (state.Ready && _walk.Status == ChannelAllocatingLane)
            TryBeginRetrieval();
        bool parkable = _walk.Oldest >= 0 && _walk.StatusOf(_walk.Oldest) is Ongoing or WaitingBlock && _stop is null;
        if (!_peerShortfall.IsZero && parkable && _row.Channel is not null && _walk.Status is Ongoing or WaitingBlock)
            Park(_walk.Oldest, _peerShortfall);
        else if (ParkedChunk() is { } parked && CanAfford(parked))
            Unpark(parked);
    }

    private void OnLinkBlock(ProviderMessage.LinkBlock block)
    {
        if (_stop is not null || _walk.IsOver || _walker is null || _manifest is not null)
            return;
        if (_walker.StateOf(block.Cid) != DagBlockState.LinkBlock)
        {
            if (!_walker.Offer(block.Cid, block.Data.Span).Try(out _, out ContentError? error))
            {
                Refuse(error.Message);
                return;
            }
            Store(new BlockWrite(block.Cid, block.Data));
        }
        foreach (LeafClaim leaf in block.Leaves)
        {
            if (_walker.ClaimChunk(leaf.Cid, leaf.Length) is { } refusal)
            {
                Refuse(refusal.Message);
                return;
            }
        }
        NoteProgress();
        TryCompleteLinks();
        if (_walk.Status == ChannelAllocatingLane)
            TryBeginRetrieval();
    }

    private void TryBeginRetrieval()
    {
        TryCompleteLinks();
        if (_manifest is not { } manifest || _stop is not null)
            return;
        _timers.Remove(Timer.WarmUp);
        _unsealAsked = false;
        WantedChunks wanted = WantedChunks.Where(manifest.Chunks.Count, index => !IsHeld(manifest.Chunks[index].Cid));
        Wanted = wanted;
        Store(new WantedRow(DealId, DealSide.Client, wanted));
        Send(new ClientMessage.WantChunks(wanted.ChunkCount, wanted.Bitmap));
        if (wanted.Count == 0)
        {
            _walk.Deal(Completed);
            BeginClosing();
            return;
        }
        _walk.Begin(wanted, wanted.FirstFrom(0), []);
        _walk.Deal(Ongoing);
    }

    // The oldest chunk is expected as soon as it is its turn; the final one stays Ongoing until it arrives.
    private void Expect()
    {
        int oldest = _walk.Oldest;
        if (oldest < 0 || _walk.StatusOf(oldest) != Ongoing)
            return;
        if (PriceOfChunk(oldest) is { } price && Channel is { Snapshot: not null } channel && channel.FreeFunds < price)
            Park(oldest, price - channel.FreeFunds);
        else if (!_walk.IsFinal(oldest))
            Move(oldest, WaitingBlock);
    }

    private void ResetStream()
    {
        DropIncoming();
        _windowsOnStream = 0;
    }

    private void DropIncoming() => _incoming = null;

    private IEnumerable<int> HeldWindows() =>
        _chunks.Values.Where(chunk => chunk.Offered is not null).Select(chunk => chunk.Window).Concat(_verifying.Keys).Distinct().Order();

    // Windows are granted while few enough wait for their vouchers; what is stored ahead stays bounded.
    private int CreditNow()
    {
        int waiting = _verifying.Count + (_incoming is null ? 0 : 1)
            + _chunks.Where(pair => pair.Value.Offered is not null && _walk.StatusOf(pair.Key) is SendFunds or InsufficientFunds)
                .Select(pair => pair.Value.Window).Distinct().Count();
        int paying = (Terms.OpenLocks + Terms.ChunksPerWindow - 1) / Terms.ChunksPerWindow;
        return Math.Max(0, _windowsOnStream + paying + Policy.WindowsAhead - waiting);
    }

    private void GrantCredit()
    {
        if (!_connected || _walk.IsOver || _stop is not null || Wanted is null)
            return;
        int credit = CreditNow();
        if (credit <= _granted)
            return;
        _granted = credit;
        Send(new ClientMessage.Credit(credit));
    }

    private void OnOffer(SignedOffer signed)
    {
        if (_stop is not null || _walk.IsOver)
            return;
        if (CheckOffer(signed) is { } refusal)
        {
            Refuse(refusal);
            return;
        }
        NoteProgress();
        _windowsOnStream++;
        _incoming = new IncomingWindow(signed.Offer);
    }

    // Cheapest checks first; the signature is the last, the proof comes after all bytes are here.
    private string? CheckOffer(SignedOffer signed)
    {
        SealedOffer offer = signed.Offer;
        if (Wanted is null || _manifest is null)
            return "A window came before it was said which chunks are wanted.";
        if (_incoming is not null)
            return "A window came before the last one was whole.";
        if (_windowsOnStream >= _granted)
            return "More windows came than were asked for.";
        if (offer.DealId != DealId || offer.SuiteId != Terms.SuiteId || offer.LockHash != Terms.LockHash)
            return "The offer is not under the terms of this deal.";
        if (offer.Chunks.Count < 1 || offer.Chunks.Count > Terms.ChunksPerWindow)
            return $"The offer has {offer.Chunks.Count} chunks; 1 to {Terms.ChunksPerWindow} were agreed.";
        if (HeldWindows().Contains(offer.Window))
            return $"Window {offer.Window} came twice.";
        var seen = new HashSet<Bytes32>(_verifying.Values.Concat(_incoming is null ? [] : [_incoming]).SelectMany(window => window.Offer.Chunks).SelectMany(Marks));
        int previous = -1;
        foreach (OfferedChunk chunk in offer.Chunks)
        {
            if (chunk.Index <= previous || !Wanted.Contains(chunk.Index) || _walk.IsFinished(chunk.Index))
                return $"Chunk {chunk.Index} was not asked for.";
            if (_chunks.GetValueOrDefault(chunk.Index)?.Offered is not null || _verifying.Values.Any(window => window.Offer.Chunks.Any(other => other.Index == chunk.Index)))
                return $"Chunk {chunk.Index} was offered twice.";
            SizedCid expected = _manifest.Chunks[chunk.Index];
            if (chunk.Cid.ToV1() != expected.Cid.ToV1() || chunk.Length != expected.Length)
                return $"Chunk {chunk.Index} is {expected.Cid} of {expected.Length} bytes; something else was offered.";
            if (chunk.SealId == chunk.Lock || !Marks(chunk).All(seen.Add) || _context.Seals.Knows(chunk.SealId, chunk.Lock))
                return $"The seal or the lock of chunk {chunk.Index} was used before.";
            previous = chunk.Index;
        }
        return _context.Provider.Verify(offer.ToSignedBytes(), signed.Signature.Span) ? null : "The offer is not signed by the provider's key.";

        static IEnumerable<Bytes32> Marks(OfferedChunk chunk) => [chunk.SealId, chunk.Lock];
    }

    private void OnCiphertext(ProviderMessage.CiphertextPart part)
    {
        if (_stop is not null || _walk.IsOver)
            return;
        if (_incoming is null || !_incoming.TakeCiphertext(part))
            Refuse("A part of a ciphertext came that belongs nowhere.");
        else
            AfterPart(_incoming);
    }

    private void OnProof(ProviderMessage.ProofPart part)
    {
        if (_stop is not null || _walk.IsOver)
            return;
        if (_incoming is null || !_incoming.TakeProof(part))
            Refuse("A part of a proof came that belongs nowhere.");
        else
            AfterPart(_incoming);
    }

    private void AfterPart(IncomingWindow window)
    {
        NoteProgress();
        if (!window.IsWhole)
            return;
        _incoming = null;
        _verifying.Add(window.Offer.Window, window);
        foreach (OfferedChunk chunk in window.Offer.Chunks)
            Arrive(chunk.Index);
        _timers.TryAdd(Timer.Verify, _now.Time + Policy.VerifyTimeout);
        Do(new ClientEffect.VerifyWindow(window.Offer, window.Ciphertexts, window.Proof));
    }

    // A chunk whose proof was not checked before a restart is in VerifyProofs already.
    private void Arrive(int chunk)
    {
        if (_walk.StatusOf(chunk) == InsufficientFunds)
            Unpark(chunk);
        if (_walk.StatusOf(chunk) == Ongoing)
            Move(chunk, _walk.IsFinal(chunk) ? BlockComplete : WaitingBlock);
        if (_walk.StatusOf(chunk) != VerifyProofs)
            Move(chunk, VerifyProofs);
    }

    private void OnVerified(int number, string? refusal)
    {
        if (!_verifying.Remove(number, out IncomingWindow? window))
            return;
        _timers.Remove(Timer.Verify);
        if (_verifying.Count > 0)
            _timers.Add(Timer.Verify, _now.Time + Policy.VerifyTimeout);
        if (_stop is not null || _walk.IsOver)
            return;
        if (refusal is not null)
        {
            Refuse($"The proof of window {number} does not hold: {refusal}");
            return;
        }
        for (int i = 0; i < window.Offer.Chunks.Count; i++)
        {
            OfferedChunk chunk = window.Offer.Chunks[i];
            Store(new CiphertextRow(DealId, chunk.Index, window.Ciphertexts[i]));
            Store(new SealRow(DealId, DealSide.Client, chunk.SealId, chunk.Lock));
            _chunks[chunk.Index] = new ClientChunk { Window = number, Offered = chunk };
            Move(chunk.Index, SendFunds);
        }
    }
}
