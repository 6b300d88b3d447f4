using Lockstep.Content.Dag;
using Lockstep.Payments;
using Lockstep.Retrieval.Client;
using Lockstep.Retrieval.Deals;
using Lockstep.Retrieval.Protocol;
using Lockstep.Retrieval.Terms;
using static Lockstep.Retrieval.Deals.DealStatus;

namespace Lockstep.Retrieval.Provider;

// Proving ahead, up to a limit and never for nothing, and sending as far as the client's credit goes.
public sealed partial class ProviderDeal
{
    private readonly SortedSet<int> _toSend = [];
    private int? _sealing;
    private int _sentOnStream;
    private int _credit;
    private bool _linksSent;
    private TokenAmount _shortfall;

    private void BeginStream(ClientMessage.Attach attach)
    {
        _sentOnStream = 0;
        _linksSent = false;
        _credit = attach.WindowCredit;
        _toSend.Clear();
        var held = attach.WindowsHeld.ToHashSet();
        foreach (int window in UnpaidWindows())
        {
            if (!held.Contains(window))
                _toSend.Add(window);
        }
    }

    // Sealed windows with a chunk whose key was not revealed.
    private IEnumerable<int> UnpaidWindows() =>
        _chunks.Where(pair => pair.Value.Offered is not null && !_walk.IsFinished(pair.Key)).Select(pair => pair.Value.Window).Distinct();

    private void SealAhead()
    {
        bool selling = _attached && _manifest is not null && _wanted is { Count: > 0 } && _walk.Oldest >= 0;
        if (!selling || _sealing is not null)
            return;
        // A window whose sealing a restart cut short is sealed anew, under fresh keys: nothing of it was ever sent.
        int[] interrupted = [.. _chunks.Where(pair => pair.Value.Offered is null && _walk.StatusOf(pair.Key) == Encrypt).Select(pair => pair.Key)];
        if (interrupted.Length > 0)
        {
            RequestSeal(_chunks[interrupted[0]].Window, interrupted);
            return;
        }
        if (UnpaidWindows().Count() >= Policy.WindowsAhead)
            return;
        int[] next = NextWindow();
        if (next.Length == 0)
            return;
        int[] affordable = Affordable(next);
        if (affordable.Length == 0)
        {
            ParkForFunds(next[0]);
            return;
        }
        Unpark(next[0]);
        int window = _row.NextWindow;
        _row = _row with { NextWindow = window + 1 };
        foreach (int chunk in affordable)
        {
            _chunks[chunk] = new ProviderChunk { Window = window };
            if (_walk.IsFinal(chunk))
                Move(chunk, BlockComplete);
            Move(chunk, Encrypt);
        }
        RequestSeal(window, affordable);
    }

    private int[] NextWindow()
    {
        var next = new List<int>();
        for (int chunk = FirstUnsealed(); chunk >= 0 && next.Count < Terms.ChunksPerWindow; chunk = _wanted!.FirstFrom(chunk + 1))
            next.Add(chunk);
        return [.. next];
    }

    // Chunks are sealed in order, so the next one follows the last that has a window.
    private int FirstUnsealed()
    {
        int last = _chunks.Count == 0 ? -1 : _chunks.Where(pair => pair.Value.Window >= 0).Select(pair => pair.Key).DefaultIfEmpty(-1).Max();
        return _wanted!.FirstFrom(Math.Max(last + 1, _walk.Oldest));
    }

    // Proofs are made only for money that is there: what is sealed and unpaid, and then the next chunks.
    private int[] Affordable(int[] next)
    {
        if (Terms.IsFree)
            return next;
        TokenAmount left = (Channel?.Uncommitted(_now.Epoch) ?? TokenAmount.Zero)
            - Terms.PriceOf(_chunks.Where(pair => pair.Value.Offered is not null && pair.Value.Voucher is null).Sum(pair => (long)pair.Value.Offered!.Length));
        var affordable = new List<int>();
        foreach (int chunk in next)
        {
            TokenAmount price = Terms.PriceOf(_manifest!.Chunks[chunk].Length);
            if (price > left)
                break;
            left -= price;
            affordable.Add(chunk);
        }
        _shortfall = affordable.Count > 0 ? TokenAmount.Zero : Terms.PriceOf(_manifest!.Chunks[next[0]].Length) - left;
        return [.. affordable];
    }

    private void ParkForFunds(int chunk)
    {
        bool known = Channel?.Snapshot is not null;
        _timers.TryAdd(Timer.RailPoll, _now.Time + Policy.RailPoll);
        // With sealed chunks still to be paid, the client has what it needs; what it pays may free the rest.
        if (!known || chunk != _walk.Oldest || _walk.StatusOf(chunk) != Ongoing)
            return;
        _timers.TryAdd(Timer.Funds, _now.Time + Policy.FundsTimeout);
        Move(chunk, InsufficientFunds);
        SendState(ready: true);
    }

    private void Unpark(int chunk)
    {
        if (_walk.StatusOf(chunk) != InsufficientFunds)
            return;
        _timers.Remove(Timer.Funds);
        _timers.Remove(Timer.RailPoll);
        Move(chunk, Ongoing);
        SendState(ready: true);
    }

    private void RequestSeal(int window, int[] chunks)
    {
        _sealing = window;
        _timers[Timer.Seal] = _now.Time + Policy.SealTimeout;
        ChunkToSeal[] wanted = [.. chunks.Select(chunk =>
        {
            SizedCid block = _manifest!.Chunks[chunk];
            return new ChunkToSeal(chunk, block.Cid, (int)block.Length);
        })];
        Do(new ProviderEffect.SealWindow(window, wanted, Terms.SuiteId, Terms.LockHash));
    }

    private void OnSealed(int window, SealedWindow made)
    {
        if (_sealing != window)
            return;
        _sealing = null;
        _timers.Remove(Timer.Seal);
        if (_walk.IsOver)
            return;
        int[] indexes = [.. _chunks.Where(pair => pair.Value.Window == window).Select(pair => pair.Key)];
        if (CheckSealed(indexes, made) is { } refusal)
        {
            Stop(Errored, FaultCode.Internal, refusal);
            return;
        }
        OfferedChunk[] offered = [.. indexes.Zip(made.Chunks, (index, chunk) =>
        {
            SizedCid block = _manifest!.Chunks[index];
            return new OfferedChunk(index, block.Cid, (int)block.Length, chunk.SealId, chunk.Lock, chunk.Nonce, chunk.FirstCounter);
        })];
        var offer = new SealedOffer(DealId, window, Terms.SuiteId, Terms.LockHash, offered, made.Proof.Length);
        // Recorded as offered to this deal, keys and all, before any of it is sent (I3).
        Store(new SealedWindowRow(
            new SignedOffer(offer, _context.Identity.Sign(offer.ToSignedBytes())),
            [.. made.Chunks.Select(chunk => chunk.Ciphertext)], made.Proof, [.. made.Chunks.Select(chunk => chunk.Key)], made.StoredAs));
        foreach (OfferedChunk chunk in offered)
        {
            Store(new SealRow(DealId, DealSide.Provider, chunk.SealId, chunk.Lock));
            _chunks[chunk.Index].Offered = chunk;
            Move(chunk.Index, GenerateProof);
            Move(chunk.Index, FundsNeeded);
        }
        _toSend.Add(window);
    }

    private string? CheckSealed(int[] indexes, SealedWindow made)
    {
        if (made.Chunks.Count != indexes.Length || made.Proof.Length is 0 or > WireLimits.MaxProofBytes)
            return "The prover returned a window of another shape; nothing of it was sent.";
        var marks = new HashSet<Bytes32>();
        for (int i = 0; i < indexes.Length; i++)
        {
            SealedChunk chunk = made.Chunks[i];
            if (chunk.Ciphertext.Length != _manifest!.Chunks[indexes[i]].Length)
                return "The prover returned a ciphertext of another length; nothing of it was sent.";
            if (!marks.Add(chunk.SealId) || !marks.Add(chunk.Lock) || _context.Seals.Knows(chunk.SealId, chunk.Lock))
                return "The prover used a seal id or a key twice; nothing of it was sent. Check the system's random numbers.";
            if (!new HashLock(Terms.LockHash, chunk.Lock.Span).OpensWith(chunk.Key.Span))
                return "The prover returned a key that does not open its lock; nothing of it was sent.";
        }
        return null;
    }

    private void OnSealFailed(int window, string sentence)
    {
        if (_sealing != window)
            return;
        _sealing = null;
        _timers.Remove(Timer.Seal);
        Stop(Errored, FaultCode.Internal, $"A chunk could not be sealed: {sentence}");
    }

    private void SendSealed()
    {
        // A client that was restarted needs the links before it can judge an offer.
        while (_attached && _linksSent && _wanted is not null && _toSend.Count > 0 && _sentOnStream < _credit)
        {
            int window = _toSend.Min;
            _toSend.Remove(window);
            _sentOnStream++;
            Do(new ProviderEffect.SendWindow(window));
        }
    }
}
